"""A class teacher ticks who is absent; the office adds what it knows; closed months stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from billing.attendance.closing import cancel_day_off, class_months, close_month, set_day_off
from billing.attendance.reading import absences_on, called_off, classes_of_teacher, members_on, settled_absences
from billing.attendance.tables import Absence, AttendanceMonth
from billing.attendance.teaching import give_class, take_class
from billing.attendance.ticking import OfficeAbsence, enter_absences, tick_day, withdraw_absence
from billing.audit.recording import SYSTEM
from billing.audit.tables import AuditEntry
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.people.tables import ClassPlacement
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import make_class, make_pupil, make_user
from tests.standing import standing

DAY = date(2025, 10, 7)
EARLY = datetime(2025, 10, 7, 0, 30, tzinfo=UTC)  # half past seven
LATE = datetime(2025, 10, 7, 2, 0, tzinfo=UTC)  # nine o'clock
NOVEMBER = datetime(2025, 11, 1, 2, 0, tzinfo=UTC)
OCTOBER = date(2025, 10, 1)
COPY = """
    INSERT INTO absences (school_id, enrolment_id, class_id, day, credited, entered_by, reason, made_by, made_at)
    SELECT school_id, enrolment_id, class_id, {}, true, 'teacher', '', made_by, made_at FROM absences"""


@dataclass
class Class1A:
    """Class 1A of a small school."""

    database: Database
    billing: BillingSchool

    @property
    def id(self) -> UUID:
        return self.billing.pupils[0].class_group.id

    @property
    def children(self) -> list[UUID]:
        return [child.enrolment.id for child in self.billing.pupils]

    @contextmanager
    def open(self) -> Iterator[Session]:
        with self.database.transaction(Scope.of(self.billing.id)) as session:
            yield session

    def tick(self, session: Session, absent: list[UUID], at: datetime = EARLY, day: date = DAY) -> tuple[int, int, int]:
        done = tick_day(session, self.billing.id, self.billing.accountant, self.id, day, absent, at)
        return done.entered, done.withdrawn, done.too_late

    def close(self, session: Session, at: datetime = NOVEMBER) -> AttendanceMonth:
        return close_month(session, self.billing.id, self.billing.accountant, self.id, OCTOBER, at)

    def absent(self, session: Session, day: date = DAY) -> dict[UUID, bool]:
        return {key: row.credited for key, row in absences_on(session, self.billing.id, self.id, day).items()}

    def settled(self, session: Session) -> dict[UUID, frozenset[date]]:
        return settled_absences(session, self.billing.id, OCTOBER, date(2025, 10, 31))


@pytest.fixture
@standing
def group(database: Database, vault: Vault) -> Class1A:
    with database.transaction(EVERYTHING) as session:
        return Class1A(database, make_billing_school(session, vault))


def test_everybody_is_there_until_somebody_is_ticked(group: Class1A) -> None:
    anh, binh, chi = group.children
    with group.open() as session:
        assert {member.enrolment_id for member in members_on(session, group.billing.id, group.id, DAY)} == {
            anh, binh, chi,
        }  # fmt: skip
        assert group.absent(session) == {}
        assert group.tick(session, [anh, binh]) == (2, 0, 0)
        assert group.tick(session, [anh, binh]) == (0, 0, 0)
        assert group.tick(session, [binh, chi]) == (1, 1, 0)
        assert group.absent(session) == {binh: True, chi: True}
        deeds = session.exec(select(AuditEntry.action).where(AuditEntry.action == "attendance.tick")).all()
        assert len(deeds) == 2


def test_after_the_cut_off_hour_the_meal_was_cooked(group: Class1A) -> None:
    anh, binh, _ = group.children
    with group.open() as session:
        group.tick(session, [anh])
        assert group.tick(session, [anh, binh], LATE) == (1, 0, 1)
        assert group.absent(session) == {anh: True, binh: False}
        at_eight = datetime(2025, 10, 7, 1, 0, tzinfo=UTC)
        group.tick(session, [binh], LATE)  # Anh came after all; the kitchen had been told
        assert called_off(session, group.billing.id, DAY, at_eight) == {anh}


def test_the_office_may_credit_a_late_absence_with_a_reason(group: Class1A) -> None:
    anh, binh, _ = group.children
    with group.open() as session:
        group.tick(session, [anh], LATE)
        note = [OfficeAbsence(anh, DAY, "Giấy bác sĩ"), OfficeAbsence(binh, DAY, "Phụ huynh báo đêm trước")]
        assert enter_absences(session, group.billing.id, group.billing.accountant, note, LATE) == 2
        assert enter_absences(session, group.billing.id, group.billing.accountant, note, LATE) == 0
        assert group.absent(session) == {anh: True, binh: True}
        assert group.tick(session, [], LATE) == (0, 0, 0)  # what the office entered is not the teacher's to take back
        with pytest.raises(Refused, match="ghi lý do"):
            enter_absences(session, group.billing.id, group.billing.accountant, [OfficeAbsence(anh, DAY, " ")], LATE)


def test_absences_count_once_the_month_is_closed(group: Class1A) -> None:
    anh, binh, chi = group.children
    with group.open() as session:
        group.tick(session, [anh])
        group.tick(session, [anh, binh], LATE)
        assert group.settled(session) == {}
        with pytest.raises(Refused, match="chưa hết"):
            group.close(session, LATE)
        closed = group.close(session)
        assert group.close(session, NOVEMBER + timedelta(hours=1)).closed_at == closed.closed_at
        assert group.settled(session) == {anh: {DAY}}
        assert [each.closed is not None for each in class_months(session, group.billing.id, OCTOBER)] == [True]
        with pytest.raises(Conflict, match="đã chốt"):
            group.tick(session, [chi], NOVEMBER)
        after = [OfficeAbsence(chi, DAY, "Giáo viên bỏ sót")]
        assert enter_absences(session, group.billing.id, group.billing.accountant, after, NOVEMBER) == 1
        assert group.settled(session) == {anh: {DAY}, chi: {DAY}}
        row = session.exec(select(Absence).where(Absence.enrolment_id == chi)).one()
        assert row.after_close
        with pytest.raises(Conflict, match="đã chốt"):
            withdraw_absence(session, group.billing.id, group.billing.accountant, row.id or 0, NOVEMBER)


def test_nobody_is_absent_on_a_day_off_or_outside_the_class(group: Class1A) -> None:
    with group.database.transaction(EVERYTHING) as session:
        other = make_class(session, group.billing.school, "1B")
        stranger = make_pupil(session, other, "Lê Thị Lan", province_id=group.billing.school.province_id)
    with group.open() as session:
        assert set_day_off(session, group.billing.id, group.billing.accountant, DAY, "Nghỉ bão", EARLY)
        assert not set_day_off(session, group.billing.id, group.billing.accountant, DAY, "Nghỉ bão", EARLY)
        with pytest.raises(Refused, match="toàn trường nghỉ"):
            group.tick(session, [group.children[0]])
        with pytest.raises(Refused, match="không thuộc lớp"):
            group.tick(session, [stranger.enrolment.id], day=DAY + timedelta(days=1))
        with pytest.raises(NotFound, match="không có lớp"):
            tick_day(session, group.billing.id, group.billing.accountant, new_id(), DAY, [], EARLY)
        cancel_day_off(session, group.billing.id, group.billing.accountant, DAY, EARLY)
        assert group.tick(session, [group.children[0]]) == (1, 0, 0)
        with pytest.raises(NotFound, match="không phải ngày nghỉ"):
            cancel_day_off(session, group.billing.id, group.billing.accountant, DAY, EARLY)


def test_days_off_of_a_closed_month_stay(group: Class1A) -> None:
    with group.open() as session:
        set_day_off(session, group.billing.id, group.billing.accountant, DAY, "Nghỉ bão", EARLY)
        group.close(session)
        with pytest.raises(Conflict, match="Đã có lớp chốt"):
            cancel_day_off(session, group.billing.id, group.billing.accountant, DAY, NOVEMBER)


def test_who_left_or_has_not_come_is_not_absent(group: Class1A) -> None:
    child = group.billing.pupils[0]
    with group.open() as session:
        session.execute(text("UPDATE enrolments SET ended_on = '2025-10-06', state = 'left'"))
        with pytest.raises(Refused, match=r"em Nguyễn Văn 1 đã rời lớp \(học đến 06/10/2025\)"):
            group.tick(session, [child.enrolment.id])
        note = [OfficeAbsence(child.enrolment.id, DAY, "Ốm")]
        with pytest.raises(Refused, match="chưa vào học hoặc đã nghỉ"):
            enter_absences(session, group.billing.id, group.billing.accountant, note, EARLY)


def test_the_program_itself_ticks_nobody(group: Class1A) -> None:
    with group.open() as session, pytest.raises(NotAllowed):
        tick_day(session, group.billing.id, SYSTEM, group.id, DAY, [], EARLY)


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE absences SET credited = true", "permission denied"),
        ("DELETE FROM absences", "permission denied"),
        ("UPDATE attendance_months SET closed_at = now()", "permission denied"),
        ("UPDATE absences SET withdrawn_at = now(), withdrawn_by = made_by", "closed month keeps"),
        (COPY.format("day + 1"), "closed month takes"),
        (COPY.format("date '2025-08-01'"), "class of another day"),
    ],
)
def test_the_database_refuses_it_too(group: Class1A, statement: str, word: str) -> None:
    with group.open() as session:
        group.tick(session, [group.children[0]])
        group.close(session)
    with pytest.raises(DBAPIError, match=word), group.open() as session:
        session.execute(text(statement))


@pytest.mark.parametrize("turn", range(3))
def test_closing_and_ticking_at_once_never_leave_a_tick_after_the_close(group: Class1A, turn: int) -> None:
    def tick() -> str:
        try:
            with group.open() as session:
                group.tick(session, group.children, NOVEMBER, date(2025, 10, 8 + turn))
        except Conflict:
            return "closed"
        return "ticked"

    def close() -> str:
        with group.open() as session:
            group.close(session)
        return "closed"

    with ThreadPoolExecutor(2) as pool:
        words = [each.result() for each in [pool.submit(tick), pool.submit(close)]]
    with group.open() as session:
        assert len(session.exec(select(Absence)).all()) == (3 if words[0] == "ticked" else 0)
        assert not session.exec(select(Absence).where(Absence.after_close)).all()


def test_a_teacher_has_her_classes(group: Class1A) -> None:
    with group.database.transaction(EVERYTHING) as session:
        teacher = make_user(session, group.billing.school, "class_teacher").user_id
    assert teacher
    office = group.billing.accountant
    with group.open() as session:
        assert classes_of_teacher(session, group.billing.id, teacher, DAY) == []
        assert give_class(session, group.billing.id, office, group.id, teacher, date(2025, 9, 1), EARLY)
        assert not give_class(session, group.billing.id, office, group.id, teacher, date(2025, 9, 1), EARLY)
        assert [each.code for each in classes_of_teacher(session, group.billing.id, teacher, DAY)] == ["1A"]
        take_class(session, group.billing.id, office, group.id, teacher, EARLY)
        assert classes_of_teacher(session, group.billing.id, teacher, DAY) == []
        with pytest.raises(NotFound, match="không phụ trách"):
            take_class(session, group.billing.id, office, group.id, teacher, EARLY)


def test_a_change_of_class_moves_the_absences_of_its_day(group: Class1A) -> None:
    child = group.billing.pupils[0]
    with group.database.transaction(EVERYTHING) as session:
        other = make_class(session, group.billing.school, "1B")
    with group.open() as session:
        session.execute(text("UPDATE class_placements SET valid_to = '2025-10-05' WHERE enrolment_id = :e"), {
            "e": child.enrolment.id,
        })  # fmt: skip
        session.add(
            ClassPlacement(
                school_id=group.billing.id,
                enrolment_id=child.enrolment.id,
                class_id=other.id,
                valid_from=date(2025, 10, 6),
            )
        )
        session.flush()
        with pytest.raises(Refused, match=r"đã rời lớp \(học đến 05/10/2025\)"):
            group.tick(session, [child.enrolment.id])
        note = [
            OfficeAbsence(child.enrolment.id, DAY, "Ốm"),
            OfficeAbsence(child.enrolment.id, date(2025, 10, 3), "Ốm"),
        ]
        enter_absences(session, group.billing.id, group.billing.accountant, note, EARLY)
        assert set(absences_on(session, group.billing.id, other.id, DAY)) == {child.enrolment.id}
        assert set(group.absent(session, date(2025, 10, 3))) == {child.enrolment.id}
