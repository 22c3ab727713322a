"""Classes, choices and places of a new year, as the accountant tells it; nobody is lost and nobody doubled."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import openpyxl
import pytest
from sqlmodel import Session, col, select

from billing.errors import BadRows, Conflict, NotFound, Refused
from billing.fees.items import Level
from billing.fees.registering import class_members
from billing.moving.tables import Leaving
from billing.newyear.choosing import choose, choose_usual
from billing.newyear.classes import NewClass, make_classes, propose_classes
from billing.newyear.promoting import Choice, Decided
from billing.newyear.promotion import Promoted, promote
from billing.newyear.promotion_sheet import export_promotion, import_promotion
from billing.newyear.standing import read_year_pupils
from billing.newyear.tables import PromotionChoice, YearStep
from billing.people.tables import ClassPlacement, Enrolment
from tests.billing.newyear.year_world import FIRST_DAY, NEW_YEAR, YearSchool, promoted

LAST_DAY = FIRST_DAY - timedelta(days=1)


def go(school: YearSchool, session: Session) -> Promoted:
    return promote(session, school.vault, school.id, NEW_YEAR, FIRST_DAY, school.billing.accountant, school.later)


def usual(school: YearSchool, session: Session, class_id: UUID | None = None) -> int:
    return choose_usual(session, school.billing.school, NEW_YEAR, class_id, school.billing.accountant, school.later)


def places(school: YearSchool, session: Session) -> dict[UUID, tuple[UUID, date]]:
    rows = session.exec(
        select(col(Enrolment.pupil_id), col(ClassPlacement.class_id), col(ClassPlacement.valid_from))
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .where(Enrolment.school_id == school.id, Enrolment.school_year == NEW_YEAR)
    ).all()
    assert len({pupil for pupil, _, _ in rows}) == len(rows), "nobody is doubled"
    return {pupil: (group, start) for pupil, group, start in rows}


def sheet(rows: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_classes_of_the_new_year_are_proposed_and_made_once(school: YearSchool) -> None:
    with school.open() as session:
        proposed = propose_classes(session, school.billing.school, NEW_YEAR)
        assert [(each.code, each.grade, each.of) for each in proposed] == [
            ("1A", 1, ()),
            ("2A", 2, ("1A",)),
            ("3A", 3, ("2A",)),
        ], "beginners get a class, 5A has none above it"
        school.classes(session)
        again = propose_classes(session, school.billing.school, NEW_YEAR)
        assert all(each.made for each in again)
        assert make_classes(session, school.billing.school, NEW_YEAR, again, school.billing.accountant, school.now) == 0
        bad = [NewClass(Level.PRIMARY, 9, "9A")]
        with pytest.raises(Refused, match="khối phải từ 1 đến 5"):
            make_classes(session, school.billing.school, NEW_YEAR, bad, school.billing.accountant, school.now)


def test_usual_way_promotes_everybody_and_lets_the_last_grade_go(school: YearSchool) -> None:
    with school.open() as session:
        classes = school.classes(session)
        assert usual(school, session) == 5
        counts = read_year_pupils(session, school.id, NEW_YEAR).tally
        assert (counts.before, counts.promoted, counts.graduating, counts.undecided) == (5, 4, 1, 0)
        assert counts.adds_up
        assert go(school, session) == Promoted(4, 1)
        found = places(school, session)
        assert [found[school.pupil(child)] for child in range(4)] == [
            *[(classes["2A"], FIRST_DAY)] * 3,
            (classes["3A"], FIRST_DAY),
        ]
        old = session.exec(select(Enrolment).where(Enrolment.id == school.enrolment(0))).one()
        assert (old.state, old.ended_on) == ("completed", LAST_DAY)
        gone = session.get_one(Enrolment, school.enrolment(4))
        assert (gone.state, gone.ended_on) == ("graduated", school.later.date())
        assert session.exec(select(Leaving.state)).all() == ["graduated"]


def test_doing_it_twice_and_going_on_after_a_stop_changes_nothing(school: YearSchool) -> None:
    with school.open() as session:
        classes = school.classes(session)
        first = {school.enrolment(0): promoted(classes["2A"])}
        assert choose(session, school.id, NEW_YEAR, first, school.billing.accountant, school.later) == 1
        assert choose(session, school.id, NEW_YEAR, first, school.billing.accountant, school.later) == 0
        assert go(school, session) == Promoted(1, 0)
        assert go(school, session) == Promoted(0, 0)
        before = read_year_pupils(session, school.id, NEW_YEAR).tally
        assert (before.before, before.promoted, before.undecided, before.done) == (5, 1, 4, 1)
    with school.open() as session:
        usual(school, session)
        assert go(school, session) == Promoted(3, 1)
        after = read_year_pupils(session, school.id, NEW_YEAR).tally
        assert (after.before, after.done, after.waiting) == (5, 5, 0)
        assert len(places(school, session)) == 4
        back = {school.enrolment(0): Decided(Choice.REPEATING, classes["1A"])}
        with pytest.raises(Conflict, match="đã thực hiện"):
            choose(session, school.id, NEW_YEAR, back, school.billing.accountant, school.later)
        assert session.exec(select(YearStep.step)).all() == ["classes", "promotion", "promotion"]


def test_who_is_in_the_new_year_already_is_completed_in_the_old_one(school: YearSchool) -> None:
    """By a contract or a list of the new year: its own first days, one of them before the old enrolment's last day."""
    starts = {0: date(2026, 8, 17), 1: FIRST_DAY, 2: date(2024, 9, 1)}
    with school.open() as session:
        classes = school.classes(session)
        for child, start in starts.items():
            entered = Enrolment(
                school_id=school.id, pupil_id=school.pupil(child), school_year=NEW_YEAR, started_on=start,
                stated_birth_date=school.billing.pupils[child].pupil.birth_date,
            )  # fmt: skip
            session.add(entered)
            session.flush()
            session.add(
                ClassPlacement(school_id=school.id, enrolment_id=entered.id, class_id=classes["2A"], valid_from=start)
            )
        session.flush()
        before = read_year_pupils(session, school.id, NEW_YEAR).tally
        assert (before.promoted, before.waiting, before.done) == (3, 3, 0), "so the page offers to carry it out"
        assert go(school, session) == Promoted(0, 0, 3)
        assert go(school, session) == Promoted(0, 0, 0)
        after = read_year_pupils(session, school.id, NEW_YEAR).tally
        assert (after.promoted, after.waiting, after.done) == (3, 0, 3)
        joined = session.get_one(Enrolment, school.enrolment(2)).started_on
        ends = {0: date(2026, 8, 16), 1: LAST_DAY, 2: joined}
        for child, day in ends.items():
            old = session.get_one(Enrolment, school.enrolment(child))
            assert (old.state, old.ended_on) == ("completed", day)
            left = session.exec(select(col(ClassPlacement.valid_to)).where(ClassPlacement.enrolment_id == old.id)).all()
            assert left == [day]
        assert {pupil: start for pupil, (_, start) in places(school, session).items()} == {
            school.pupil(child): start for child, start in starts.items()
        }, "the new places stay as they were"
        old_class = school.billing.pupils[0].class_group.id
        assert class_members(session, school.id, old_class, date(2026, 10, 1)) == []


def test_a_later_choice_counts_and_one_that_does_not_fit_is_refused(school: YearSchool) -> None:
    with school.open() as session:
        classes = school.classes(session)

        def take(decided: Decided, child: int = 0) -> None:
            wanted = {school.enrolment(child): decided}
            choose(session, school.id, NEW_YEAR, wanted, school.billing.accountant, school.later)

        take(promoted(classes["2A"]))
        take(Decided(Choice.REPEATING, classes["1A"]))
        for wrong in (promoted(classes["3A"]), promoted(classes["1A"]), Decided(Choice.REPEATING, classes["2A"]),
                      Decided(Choice.LEFT, classes["2A"]), Decided(Choice.PROMOTED)):  # fmt: skip
            with pytest.raises(Refused):
                take(wrong)
        with pytest.raises(NotFound):
            choose(session, school.id, NEW_YEAR, {school.pupil(0): Decided(Choice.LEFT)}, school.billing.accountant,
                   school.later)  # fmt: skip
        assert go(school, session) == Promoted(1, 0)
        assert places(school, session)[school.pupil(0)] == (classes["1A"], FIRST_DAY)
        assert len(session.exec(select(PromotionChoice)).all()) == 2
        assert read_year_pupils(session, school.id, NEW_YEAR).tally.repeating == 1


def test_who_goes_is_settled_as_any_leaver_and_a_wrong_day_is_refused(school: YearSchool) -> None:
    """The first pupil overpaid 50.000 đ in October: it pays what is open on November."""
    with school.open() as session:
        school.classes(session)
        wanted = {school.enrolment(0): Decided(Choice.TRANSFERRED)}
        choose(session, school.id, NEW_YEAR, wanted, school.billing.accountant, school.later)
        with pytest.raises(Refused, match="không thuộc năm học"):
            promote(session, school.vault, school.id, NEW_YEAR, date(2027, 9, 1), school.billing.accountant,
                    school.later)  # fmt: skip
        assert go(school, session) == Promoted(0, 1)
        assert school.kept(session) == {}
        assert school.standing(session)[school.pupil(0)].standing.done


def test_the_sheet_goes_out_and_comes_back_in_any_order(school: YearSchool) -> None:
    with school.open() as session:
        school.classes(session)
        usual(school, session, school.billing.pupils[0].class_group.id)
        content = export_promotion(session, school.id, NEW_YEAR)
        book = openpyxl.load_workbook(io.BytesIO(content))
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        assert [row[3:] for row in rows[1:]] == [["Lên lớp", "2A"]] * 3 + [[None, None]] * 2
        rows[1][3:] = ["Ở lại lớp", "1A"]
        rows[4][3:] = ["lên lớp", "3a"]
        rows[5][3:] = ["Ra trường", None]
        data = sheet([rows[0], *reversed(rows[1:])])
        accountant = school.billing.accountant
        assert import_promotion(session, school.id, NEW_YEAR, data, accountant, school.later) == 3
        assert import_promotion(session, school.id, NEW_YEAR, data, accountant, school.later) == 0
        counts = read_year_pupils(session, school.id, NEW_YEAR).tally
        assert (counts.promoted, counts.repeating, counts.graduating, counts.undecided) == (3, 1, 1, 0)


def test_bad_lines_are_told_by_line_and_nothing_is_stored(school: YearSchool) -> None:
    with school.open() as session:
        school.classes(session)
        rows: list[list[object]] = [
            ["Mã định danh Bộ GD&ĐT", "Họ tên học sinh", "Lớp", "Kết quả", "Lớp năm học mới"],
            ["", "Nguyễn Văn 1", "1A", "Lên lớp", "7C"],
            ["", "Nguyễn Văn 2", "1A", "Lên mây", "2A"],
            ["", "Nguyễn Văn 9", "1A", "Lên lớp", "2A"],
            ["", "Nguyễn Văn 3", "1A", "", "2A"],
            ["", "Điểu 2A", "2A", "Lên lớp", "2A"],
            ["", "Điểu 2A", "2A", "Lên lớp", "3A"],
        ]
        with pytest.raises(BadRows) as refused:
            import_promotion(session, school.id, NEW_YEAR, sheet(rows), school.billing.accountant, school.later)
        assert [problem.line for problem in refused.value.problems] == [2, 3, 4, 5, 6, 7]
        assert "không có lớp" in refused.value.problems[0].reason
        assert session.exec(select(PromotionChoice)).all() == []


@pytest.mark.parametrize("grade", [-3, -2, -1, 0])
def test_a_preschool_makes_classes_of_the_grades_that_setup_gives_them(school: YearSchool, grade: int) -> None:
    assert made_at_a_preschool(school, grade) == 1


@pytest.mark.parametrize("grade", [-4, 1])
def test_a_preschool_has_no_other_grades(school: YearSchool, grade: int) -> None:
    with pytest.raises(Refused, match="khối phải từ -3 đến 0"):
        made_at_a_preschool(school, grade)


def made_at_a_preschool(school: YearSchool, grade: int) -> int:
    """Make one class of a grade at the school, as if it were a preschool."""
    with school.open() as session:
        preschool = school.billing.school.model_copy(update={"levels": ["preschool"]})
        wanted = [NewClass(Level.PRESCHOOL, grade, "Mầm 1")]
        return make_classes(session, preschool, NEW_YEAR, wanted, school.billing.accountant, school.now)
