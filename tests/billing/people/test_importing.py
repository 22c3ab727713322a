"""A roster becomes rows once: recognised again, corrected, moved, never doubled, never half."""

from __future__ import annotations

import contextlib
import threading
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session, col, select

from billing.audit.tables import AuditDetail, AuditEntry
from billing.errors import BadRows
from billing.people.importing import Imported, import_roster
from billing.people.roster import RosterRow, Sex
from billing.people.tables import Authority, ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode, School
from service.database import EVERYTHING, Database, Scope
from tests.factories.schools import make_class, make_school
from tests.factories.sheets import MOMENT, OFFICE, TODAY, VAULT, bring, roster_row, stored
from tests.standing import standing

TABLES = (Pupil, PupilCode, Enrolment, ClassPlacement, AuditEntry)
FIRST_DAY = date(2025, 9, 1)


@pytest.fixture
@standing
def school(database: Database) -> School:
    """A primary school with the classes 1A and 1B."""
    return new_school(database)


def new_school(database: Database, beside: School | None = None) -> School:
    """Make a school with two classes, in the province of another if one is given."""
    with database.transaction(EVERYTHING) as session:
        province = session.get(Authority, beside.province_id) if beside else None
        made = make_school(session, province=province)
        for code in ("1A", "1B"):
            make_class(session, made, code)
    return made


def imported(database: Database, school: School, *rows: RosterRow, today: date = TODAY) -> Imported:
    """Import in a transaction of its own, as the school."""
    with database.transaction(Scope.of(school.id)) as session:
        return bring(session, school, *rows, today=today)


def counts(database: Database) -> list[int]:
    """Count the rows of all tables that an import writes."""
    with database.transaction(EVERYTHING) as session:
        return stored(session, *TABLES)


def faults(database: Database, school: School, *rows: RosterRow) -> list[tuple[int, str]]:
    """Import rows that must be refused; return where the faults are, after checking that nothing was stored."""
    before = counts(database)
    with database.transaction(Scope.of(school.id)) as session:
        # The error is caught inside: even a caller who goes on to commit stores nothing.
        with pytest.raises(BadRows) as refused:
            bring(session, school, *rows)
        assert all(each.reason and each.remedy for each in refused.value.problems)
    assert counts(database) == before
    return [(each.line, each.column) for each in refused.value.problems]


def classes(session: Session) -> list[tuple[str, date, date | None]]:
    """Return the dated classes of all pupils that are seen."""
    codes = dict(session.exec(select(col(ClassGroup.id), col(ClassGroup.code))).all())
    placed = session.exec(select(ClassPlacement).order_by(col(ClassPlacement.valid_from), col(ClassPlacement.id))).all()
    return [(codes[each.class_id], each.valid_from, each.valid_to) for each in placed]


def test_a_new_pupil_is_entered_numbered_enrolled_and_placed(database: Database, school: School) -> None:
    row = roster_row(citizen_number="099319000001", nationality="Lào")

    assert imported(database, school, row) == Imported(new=1)

    with database.transaction(Scope.of(school.id)) as session:
        pupil = session.exec(select(Pupil)).one()
        code = session.exec(select(PupilCode)).one()
        enrolment = session.exec(select(Enrolment)).one()
        assert (pupil.full_name, pupil.birth_date, pupil.sex) == (row.full_name, row.birth_date, "Nữ")
        assert (pupil.nationality, pupil.entered_by_school_id) == ("Lào", school.id)
        assert pupil.citizen_sealed is not None
        assert VAULT.open(pupil.citizen_sealed, "pupils.citizen") == "099319000001"
        assert pupil.citizen_blind == VAULT.blind("099319000001", "pupils.citizen")
        assert (code.code, code.kind, code.pupil_id) == ("7500000002", "moet", pupil.id)
        assert (enrolment.pupil_id, enrolment.state, enrolment.ended_on) == (pupil.id, "studying", None)
        assert classes(session) == [("1A", FIRST_DAY, None)]


def test_the_same_sheet_again_writes_no_row(database: Database, school: School) -> None:
    rows = [roster_row(2), roster_row(3, moet_code=None, full_name="Điểu K'Rể", citizen_number="099319000003")]
    rows.append(roster_row(4, moet_code=None, full_name="Lò Thị Sao", class_code="1B"))

    assert imported(database, school, *rows) == Imported(new=3)
    before = counts(database)
    assert imported(database, school, *rows) == Imported(unchanged=3)
    assert counts(database) == before


def test_the_deed_holds_counts_and_no_names(database: Database, school: School) -> None:
    imported(database, school, roster_row(2), roster_row(3, full_name="Điểu K'Rể"))

    with database.transaction(Scope.of(school.id)) as session:
        (entry,) = session.exec(select(AuditEntry)).all()
        (detail,) = session.exec(select(AuditDetail)).all()
    assert (entry.action, entry.object_id) == ("roster_imported", "2025-2026")
    assert detail.details == {"new": 2, "changed": 0, "unchanged": 0}


def test_the_first_pupils_of_a_class_begin_with_the_year_and_later_ones_today(
    database: Database, school: School
) -> None:
    imported(database, school, roster_row(2))
    imported(
        database, school, roster_row(3, full_name="Lò Thị Sao"), roster_row(4, class_code="1B", full_name="Y Moan")
    )

    with database.transaction(Scope.of(school.id)) as session:
        assert classes(session) == [("1A", FIRST_DAY, None), ("1B", FIRST_DAY, None), ("1A", TODAY, None)]
        starts = session.exec(select(col(Enrolment.started_on)).order_by(col(Enrolment.started_on))).all()
    assert list(starts) == [FIRST_DAY, FIRST_DAY, TODAY]


def test_a_sheet_before_the_year_begins_counts_from_its_day(database: Database, school: School) -> None:
    imported(database, school, roster_row(2), today=date(2025, 8, 20))

    with database.transaction(Scope.of(school.id)) as session:
        assert classes(session) == [("1A", date(2025, 8, 20), None)]


@pytest.mark.parametrize("numbered", [True, False])
def test_another_class_ends_the_old_one_the_day_before(database: Database, school: School, numbered: bool) -> None:  # noqa: FBT001  a parameter of the test
    code = {} if numbered else {"moet_code": None}
    imported(database, school, roster_row(2, **code))

    assert imported(database, school, roster_row(2, class_code="1B", **code)) == Imported(changed=1)

    with database.transaction(Scope.of(school.id)) as session:
        assert classes(session) == [("1A", FIRST_DAY, TODAY - timedelta(days=1)), ("1B", TODAY, None)]
        assert stored(session, Pupil, Enrolment) == [1, 1]
    assert imported(database, school, roster_row(2, class_code="1B", **code)) == Imported(unchanged=1)


def test_a_class_corrected_on_the_day_of_the_move_begins_the_next_day(database: Database, school: School) -> None:
    for code in ("1A", "1B", "1A"):
        imported(database, school, roster_row(2, class_code=code))

    tomorrow = TODAY + timedelta(days=1)
    with database.transaction(Scope.of(school.id)) as session:
        assert classes(session) == [
            ("1A", FIRST_DAY, TODAY - timedelta(days=1)),
            ("1B", TODAY, TODAY),
            ("1A", tomorrow, None),
        ]
    assert imported(database, school, roster_row(2, class_code="1A")) == Imported(unchanged=1)


def test_what_the_school_itself_entered_is_corrected(database: Database, school: School) -> None:
    imported(database, school, roster_row(2, citizen_number="099319000001"))
    better = roster_row(2, full_name="Nguyễn Thị Minh Ánh", sex=Sex.MALE, citizen_number="099319000009")

    assert imported(database, school, better) == Imported(changed=1)
    assert imported(database, school, better) == Imported(unchanged=1)

    with database.transaction(Scope.of(school.id)) as session:
        pupil = session.exec(select(Pupil)).one()
        assert (pupil.full_name, pupil.sex) == ("Nguyễn Thị Minh Ánh", "Nam")
        assert VAULT.open(pupil.citizen_sealed or b"", "pupils.citizen") == "099319000009"


def test_a_blank_citizen_number_erases_nothing(database: Database, school: School) -> None:
    imported(database, school, roster_row(2, citizen_number="099319000001"))

    assert imported(database, school, roster_row(2)) == Imported(unchanged=1)


def test_a_code_that_comes_later_goes_to_the_child_already_there(database: Database, school: School) -> None:
    imported(database, school, roster_row(2, moet_code=None))

    assert imported(database, school, roster_row(2)) == Imported(changed=1)
    assert imported(database, school, roster_row(2)) == Imported(unchanged=1)
    with database.transaction(Scope.of(school.id)) as session:
        assert stored(session, Pupil, PupilCode, Enrolment) == [1, 1, 1]


def test_two_ways_to_write_one_name_are_one_child(database: Database, school: School) -> None:
    imported(database, school, roster_row(2, moet_code=None, full_name="Trần Hoà"))

    assert imported(database, school, roster_row(2, moet_code=None, full_name="Trần Hòa")) == Imported(changed=1)
    with database.transaction(Scope.of(school.id)) as session:
        assert session.exec(select(Pupil.full_name)).all() == ["Trần Hòa"]


def test_the_next_school_year_finds_the_same_children(database: Database, school: School) -> None:
    imported(database, school, roster_row(2), roster_row(3, moet_code=None, full_name="Lò Thị Sao"))
    with database.transaction(EVERYTHING) as session:
        session.add(
            ClassGroup(school_id=school.id, school_year="2026-2027", level="primary", grade=2, code="2A", name="Lớp 2A")
        )
    rows = [roster_row(2, class_code="2A"), roster_row(3, class_code="2A", moet_code=None, full_name="Lò Thị Sao")]
    with database.transaction(Scope.of(school.id)) as session:
        done = import_roster(session, VAULT, OFFICE, school, "2026-2027", rows, date(2026, 9, 3), MOMENT)
        assert done == Imported(new=2)
        assert stored(session, Pupil, Enrolment) == [2, 4]


def test_namesakes_are_told_apart_by_class_or_number_and_else_refused(database: Database, school: School) -> None:
    alone: dict[str, Any] = {"moet_code": None}
    two_classes = [roster_row(2, **alone), roster_row(3, class_code="1B", **alone)]
    assert imported(database, school, *two_classes) == Imported(new=2)
    assert imported(database, school, *two_classes) == Imported(unchanged=2)

    in_one_class = [roster_row(line, full_name="Lò Thị Sao", **alone) for line in (5, 9)]
    assert faults(database, school, *in_one_class) == [(5, "Họ tên"), (9, "Họ tên")]
    told_apart = [in_one_class[0], roster_row(9, full_name="Lò Thị Sao")]
    assert imported(database, school, *told_apart) == Imported(new=2)
    assert imported(database, school, *told_apart) == Imported(unchanged=2)
    assert faults(database, school, in_one_class[0]) == [(5, "Họ tên")]


def test_nothing_is_stored_when_one_row_is_bad(database: Database, school: School) -> None:
    imported(database, school, roster_row(2, citizen_number="099319000001"))
    good = roster_row(3, full_name="Lò Thị Sao")
    bad = {
        "Mã lớp": roster_row(4, class_code="9Z"),
        "Mã định danh Bộ GD&ĐT": roster_row(4, moet_code="7500000003", full_name="Y Moan"),
        "Số ĐDCN": roster_row(4, full_name="Y Moan", citizen_number="099319000001"),
        "Họ tên": roster_row(4),  # in the class already, with another code
    }
    for column, row in bad.items():
        assert faults(database, school, good, row) == [(4, column)]


def test_a_code_of_quite_another_child_is_refused(database: Database, school: School) -> None:
    imported(database, school, roster_row(2))
    other = roster_row(3, moet_code="7500000002", full_name="Y Moan", birth_date=date(2018, 1, 1))

    assert faults(database, school, other) == [(3, "Mã định danh Bộ GD&ĐT")]


def test_who_left_is_not_brought_back_by_an_old_sheet(database: Database, school: School) -> None:
    imported(database, school, roster_row(2))
    with database.transaction(Scope.of(school.id)) as session:
        enrolment = session.exec(select(Enrolment)).one()
        enrolment.state, enrolment.ended_on = "transferred_out", TODAY
        session.add(enrolment)

    assert faults(database, school, roster_row(2)) == [(2, "Mã định danh Bộ GD&ĐT")]


def test_another_school_finds_the_child_and_sees_nothing_of_the_first(database: Database, school: School) -> None:
    imported(database, school, roster_row(2), roster_row(3, full_name="Lò Thị Sao"))
    second = new_school(database, beside=school)

    assert imported(database, second, roster_row(2, sex=Sex.MALE, class_code="1B")) == Imported(new=1)
    assert imported(database, second, roster_row(2, sex=Sex.MALE, class_code="1B")) == Imported(unchanged=1)

    with database.transaction(Scope.of(second.id)) as session:
        pupil = session.exec(select(Pupil)).one()
        assert (pupil.entered_by_school_id, pupil.sex) == (school.id, "Nữ")
        assert [each.school_id for each in session.exec(select(Enrolment))] == [second.id]
        assert classes(session) == [("1B", FIRST_DAY, None)]
    with database.transaction(Scope.of(school.id)) as session:
        assert stored(session, Pupil, Enrolment) == [2, 2]
    with database.transaction(EVERYTHING) as session:
        assert stored(session, Pupil, PupilCode, Enrolment) == [2, 2, 3]


@pytest.mark.parametrize(
    "change",
    [{"full_name": "Nguyễn Thị Minh Ánh"}, {"birth_date": date(2019, 9, 6)}, {"citizen_number": "099319000009"}],
)
def test_what_another_school_entered_is_never_overwritten(
    database: Database, school: School, change: dict[str, Any]
) -> None:
    imported(database, school, roster_row(2, citizen_number="099319000001"))
    second = new_school(database, beside=school)

    assert faults(database, second, roster_row(7, moet_code="7500000002", **change)) == [(7, "Mã định danh Bộ GD&ĐT")]
    with database.transaction(Scope.of(second.id)) as session:
        assert stored(session, Pupil, Enrolment) == [0, 0]
        with pytest.raises(BadRows) as refused:
            bring(session, second, roster_row(7, moet_code="7500000002", **change))
    said = str(refused.value.problems)
    assert "Minh Anh" not in said
    assert "05/09/2019" not in said


def test_each_row_with_another_birth_date_is_named_and_none_is_a_database_error(
    database: Database, school: School
) -> None:
    names = ("Lò Thị Sao", "Y Moan", "Điểu K'Rể")
    imported(database, school, *(roster_row(n, full_name=name) for n, name in enumerate(names, start=2)))
    second = new_school(database, beside=school)
    rows = [
        roster_row(n, full_name=name, birth_date=date(2019, 9, 5 if n == 3 else 6))
        for n, name in enumerate(names, start=2)
    ]

    assert faults(database, second, *rows, roster_row(9, class_code="9Z")) == [
        (2, "Mã định danh Bộ GD&ĐT"),
        (4, "Mã định danh Bộ GD&ĐT"),
        (9, "Mã lớp"),
    ]
    with database.transaction(Scope.of(second.id)) as session:
        assert stored(session, Pupil, Enrolment) == [0, 0]


def test_the_same_code_in_another_province_is_another_child(database: Database, school: School) -> None:
    imported(database, school, roster_row(2))
    elsewhere = new_school(database)

    assert imported(database, elsewhere, roster_row(2, full_name="Y Moan")) == Imported(new=1)


def at_once(*jobs: Any) -> list[Imported]:  # noqa: ANN401  callables
    """Run imports in threads that start together."""
    start = threading.Barrier(len(jobs))
    done: list[Imported] = []

    def run(job: Any) -> None:  # noqa: ANN401  as above
        start.wait()
        done.append(job())

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(done, key=lambda each: each.new)


def test_two_uploads_at_once_enter_each_child_once(database: Database, school: School) -> None:
    rows = [roster_row(n, full_name=f"Lò Thị Sao {n}", moet_code=None) for n in range(2, 60)]

    done = at_once(*[lambda: imported(database, school, *rows)] * 3)

    assert done == [Imported(unchanged=58), Imported(unchanged=58), Imported(new=58)]
    assert counts(database)[:4] == [58, 0, 58, 58]


def test_two_schools_at_once_enter_one_child_together(database: Database, school: School) -> None:
    second = new_school(database, beside=school)
    rows = [roster_row(n, full_name=f"Lò Thị Sao {n}") for n in range(2, 120)]

    done = at_once(lambda: imported(database, school, *rows), lambda: imported(database, second, *reversed(rows)))

    assert done == [Imported(new=118), Imported(new=118)]
    assert counts(database)[:4] == [118, 118, 236, 236]


def test_two_thousand_pupils_go_in_bulk(database: Database, school: School) -> None:
    rows = [roster_row(n, full_name=f"Lò Thị Sao {n}", citizen_number=f"0993{n:08}") for n in range(2, 2002)]
    statements: list[str] = []

    with database.transaction(Scope.of(school.id)) as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *seen: statements.append(seen[2]))
        assert bring(session, school, *rows) == Imported(new=2000)
    assert len(statements) < 30


ROWS = st.lists(
    st.builds(
        lambda name, code, citizen, group, born: {
            "full_name": name, "moet_code": code, "citizen_number": citizen, "class_code": group, "birth_date": born,
        },
        st.sampled_from(["Lò Thị Sao", "Trần Hoà", "Trần Hòa"]),
        st.sampled_from([None, None, "7500000001", "7500000002", "7500000003"]),
        st.sampled_from([None, None, "099319000001", "099319000002"]),
        st.sampled_from(["1A", "1B"]),
        st.sampled_from([date(2019, 1, 1), date(2019, 1, 2)]),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


class _UndoError(Exception):
    """Ends a transaction without keeping it."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sheets=st.lists(ROWS, min_size=1, max_size=3), by_another=ROWS)
def test_any_sheet_twice_is_the_sheet_once(
    database: Database, school: School, sheets: list[list[dict[str, Any]]], by_another: list[dict[str, Any]]
) -> None:
    with contextlib.suppress(_UndoError), database.transaction(EVERYTHING) as session:
        other = make_school(session, province=session.get(Authority, school.province_id))
        for code in ("1A", "1B"):
            make_class(session, other, code)
        for owner, sheet in [(other, by_another), *((school, sheet) for sheet in sheets)]:
            rows = [roster_row(line, **each) for line, each in enumerate(sheet, start=2)]
            check_repeat(session, owner, rows)
        raise _UndoError


def check_repeat(session: Session, school: School, rows: list[RosterRow]) -> None:
    """Import rows twice; the second time, and a refusal, write nothing."""
    before = stored(session, *TABLES)
    try:
        first = bring(session, school, *rows)
    except BadRows:
        assert stored(session, *TABLES) == before
        return
    assert first.new + first.changed + first.unchanged == len(rows)
    after = stored(session, *TABLES)
    assert bring(session, school, *rows) == Imported(unchanged=len(rows))
    assert stored(session, *TABLES) == after
