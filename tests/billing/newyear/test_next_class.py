"""The class after a class, by its number or by the order of grades, for any school."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from billing.fees.grades import GRADES, PRESCHOOL_GRADES, Rung
from billing.fees.items import Level
from billing.newyear.next_class import next_grade, usual_class, usually_leaves

PRESCHOOL = frozenset({Level.PRESCHOOL})
HOUSE = frozenset({Level.PRESCHOOL, Level.PRIMARY, Level.LOWER_SECONDARY})


def small(grade: int, code: str) -> Rung:
    return Rung(Level.PRESCHOOL, grade, code)


OLD = [small(-3, "Nhà trẻ 1"), small(-2, "Mầm 1"), small(-2, "Mầm 2"), small(-1, "Chồi 1"), small(0, "Lá 1")]


def test_mam_goes_to_the_only_choi_and_two_la_are_left_to_the_school() -> None:
    new = [small(-2, "Mầm 1"), small(-1, "Chồi 1"), small(0, "Lá 1"), small(0, "Lá 2")]
    usual = {old.code: usual_class(old, new, PRESCHOOL) for old in OLD}
    assert usual == {"Nhà trẻ 1": new[0], "Mầm 1": new[1], "Mầm 2": new[1], "Chồi 1": None, "Lá 1": None}
    assert [old.code for old in OLD if usually_leaves(old, OLD, new, PRESCHOOL)] == ["Lá 1"]


def test_a_school_without_a_grade_goes_on_to_the_next_that_it_has() -> None:
    new = [small(-3, "Nhà trẻ 1"), small(0, "Ghép 1")]
    assert usual_class(small(-3, "Nhà trẻ 1"), new, PRESCHOOL) == new[1]
    assert next_grade(Level.PRESCHOOL, 0, new) == 1


def test_a_school_that_grows_keeps_its_oldest_and_one_that_has_no_la_lets_them_go() -> None:
    old = [small(-2, "Mầm 1"), small(-1, "Chồi 1")]
    assert not usually_leaves(old[1], old, [], PRESCHOOL), "no class of the new year is made: nobody can tell"
    assert usually_leaves(old[1], old, old, PRESCHOOL)
    assert not usually_leaves(old[1], old, [*old, small(0, "Lá 1")], PRESCHOOL)


def test_la_goes_to_grade_one_of_the_same_house_and_five_to_six() -> None:
    new = [small(0, "Lá 1"), Rung(Level.PRIMARY, 1, "1A"), Rung(Level.LOWER_SECONDARY, 6, "6/1")]
    assert usual_class(small(0, "Lá 1"), new, HOUSE) == new[1]
    assert usual_class(Rung(Level.PRIMARY, 5, "5A"), new, HOUSE) == new[2]
    assert usually_leaves(Rung(Level.LOWER_SECONDARY, 9, "9/1"), [], new, HOUSE)
    assert not usually_leaves(small(0, "Lá 1"), OLD, new, HOUSE)


def test_classes_that_merge_meet_and_one_that_splits_follows_its_name() -> None:
    new = [Rung(Level.PRIMARY, 2, "2A"), Rung(Level.PRIMARY, 3, "3A"), Rung(Level.PRIMARY, 3, "3B")]
    levels = frozenset({Level.PRIMARY})
    assert [usual_class(Rung(Level.PRIMARY, 1, code), new, levels) for code in ("1A", "1B")] == [new[0]] * 2
    assert usual_class(Rung(Level.PRIMARY, 2, "2A"), new, levels) == new[1]
    assert usual_class(Rung(Level.PRIMARY, 2, "2C"), new, levels) is None


@st.composite
def schools(draw: st.DrawFn) -> tuple[frozenset[Level], list[Rung], list[Rung]]:
    levels = draw(st.frozensets(st.sampled_from(list(Level)), min_size=1))

    def classes() -> list[Rung]:
        made: dict[str, Rung] = {}
        for _ in range(draw(st.integers(0, 8))):
            level = draw(st.sampled_from(sorted(levels)))
            grade = draw(st.integers(*GRADES.get(level, PRESCHOOL_GRADES)))
            code = draw(st.sampled_from([f"{grade}A", f"{grade}B", f"Hoa {grade}"]))
            made[code] = Rung(level, grade, code)
        return list(made.values())

    return levels, classes(), classes()


@given(school=schools(), chance=st.randoms(use_true_random=False))
def test_nobody_goes_down_or_skips_a_grade_that_stands_in_any_order(
    school: tuple[frozenset[Level], list[Rung], list[Rung]], chance: Random
) -> None:
    levels, old, new = school
    shuffled = list(new)
    chance.shuffle(shuffled)
    for rung in old:
        following = usual_class(rung, new, levels)
        assert usual_class(rung, shuffled, levels) == following
        if following is None:
            continue
        assert following in new
        assert following.grade == next_grade(rung.level, rung.grade, new) > rung.grade
        between = {each.grade for each in new if each.level is rung.level and rung.grade < each.grade < following.grade}
        assert between == set()
        same = [each for each in new if (each.level, each.grade) == (following.level, following.grade)]
        assert len(same) == 1 or following.code == f"{rung.grade + 1}{rung.code.removeprefix(str(rung.grade))}"
        assert not usually_leaves(rung, old, new, levels), "a class either goes on or leaves"
