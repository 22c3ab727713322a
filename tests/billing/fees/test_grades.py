"""Grades and levels: what follows, and where children leave a school."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billing.fees.grades import (
    GRADES,
    PRESCHOOL_GRADES,
    Rung,
    first_grade,
    goes_out,
    grade_name,
    grades_of,
    level_after,
    oldest_group,
)
from billing.fees.items import Level

LEVELS = st.frozensets(st.sampled_from(list(Level)), min_size=1)


def test_levels_end_where_the_school_ends() -> None:
    primary = frozenset({Level.PRIMARY})
    both = primary | {Level.LOWER_SECONDARY}
    assert level_after(Level.PRIMARY, 4, primary) is Level.PRIMARY
    assert level_after(Level.PRIMARY, 5, primary) is None
    assert level_after(Level.PRIMARY, 5, both) is Level.LOWER_SECONDARY
    assert first_grade(Level.PRIMARY, 1, primary)
    assert not first_grade(Level.LOWER_SECONDARY, 6, both)
    assert first_grade(Level.PRIMARY, 1, primary | {Level.PRESCHOOL}), "children come to grade 1 from elsewhere too"


def test_a_preschool_ends_with_its_oldest_group_or_goes_on_in_the_same_house() -> None:
    small, house = frozenset({Level.PRESCHOOL}), frozenset({Level.PRESCHOOL, Level.PRIMARY})
    assert level_after(Level.PRESCHOOL, -3, small) is Level.PRESCHOOL
    assert level_after(Level.PRESCHOOL, 0, small) is None
    assert level_after(Level.PRESCHOOL, 0, house) is Level.PRIMARY
    assert [goes_out(Level.PRESCHOOL, grade, 0, small) for grade in (-3, -2, -1, 0)] == [False, False, False, True]
    assert goes_out(Level.PRESCHOOL, -1, -1, small), "a school without lá lets its chồi go"
    assert not goes_out(Level.PRESCHOOL, 0, 0, house)
    assert not goes_out(Level.PRIMARY, 5, None, frozenset({Level.PRIMARY, Level.LOWER_SECONDARY}))
    assert goes_out(Level.CONTINUING, 12, None, frozenset({Level.CONTINUING}))


def test_grades_have_names() -> None:
    assert [grade_name(grade) for grade in (-3, -2, -1, 0, 1, 12)] == ["nhà trẻ", "mầm", "chồi", "lá", "1", "12"]


@given(levels=LEVELS)
def test_in_every_school_some_grade_goes_out_and_every_other_has_a_next_one(levels: frozenset[Level]) -> None:
    """Whoever does not go out finds the next grade at the school, so nobody stands in the void."""
    grades = grades_of(levels)
    out = 0
    for level in levels:
        low, high = GRADES.get(level, PRESCHOOL_GRADES)
        for grade in range(low, high + 1):
            leaves = goes_out(level, grade, 0, levels)
            out += leaves
            assert leaves or grade + 1 in grades
            assert leaves == (level_after(level, grade, levels) is None)
    assert out >= 1


@given(grades=st.lists(st.integers(-3, 0), max_size=6))
def test_exactly_the_oldest_group_of_a_preschool_goes_out(grades: list[int]) -> None:
    rungs = [Rung(Level.PRESCHOOL, grade, str(place)) for place, grade in enumerate(grades)]
    oldest = oldest_group([*rungs, Rung(Level.PRIMARY, 5, "5A")])
    assert oldest == max(grades, default=None)
    out = {rung.grade for rung in rungs if goes_out(rung.level, rung.grade, oldest, frozenset({Level.PRESCHOOL}))}
    assert out == ({oldest} if grades else set())
