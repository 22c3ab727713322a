"""Meals by attended day, as the accountant tells it: billed ahead, ticked by day, settled at the end of the month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.attendance.closing import close_month, set_day_off
from billing.attendance.ticking import OfficeAbsence, enter_absences, tick_day
from billing.bills.tables import BillCredit, BillLine
from billing.errors import Conflict, Refused
from billing.fees.tables import OptIn
from billing.money import ZERO, Money, total
from billing.payments.balances import line_dues
from billing.rounds.by_days import open_classes, propose_attendance
from billing.rounds.calculating import calculate
from billing.rounds.correcting import preview_correction, propose_price
from billing.rounds.drafting import find_round
from billing.rounds.locking import lock_round
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.rounds.correction_world import Issued, issue, ties_out
from tests.billing.rounds.makers import BOARDER, exempt
from tests.factories.rounds import SEPTEMBER, approved_round, make_billing_school, register
from tests.standing import standing

MEAL = Money(32_000)
MORNING = datetime(2025, 10, 7, 0, 30, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, 2, 0, tzinfo=UTC)
OCTOBER = date(2025, 10, 1)


@pytest.fixture
@standing
def issued(database: Database, vault: Vault, now: datetime) -> Issued:
    """Three boarders with a bill each; the third is half exempt from meals."""
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault)
        for child in billing.pupils:
            register(session, child, "BANTRU", "TIENAN")
        exempt(session, billing.pupils[2], 50, "TIENAN")
    return issue(database, billing, now)


def class_id(issued: Issued) -> UUID:
    return issued.billing.pupils[0].class_group.id


def absent(issued: Issued, session: Session, day: int, *children: int, at: datetime = MORNING) -> None:
    wanted = [issued.billing.pupils[child].enrolment.id for child in children]
    tick_day(session, issued.billing.id, issued.billing.accountant, class_id(issued), date(2025, 10, day), wanted, at)


def close(issued: Issued, session: Session) -> None:
    close_month(session, issued.billing.id, issued.billing.accountant, class_id(issued), OCTOBER, NOVEMBER)


def settle(issued: Issued, session: Session, at: datetime = NOVEMBER) -> tuple[Money, Money]:
    """Settle October; return what came off open bills and what became credit."""
    asked = propose_attendance(session, issued.billing.accountant, issued.round_id, at)
    done = issued.approve(session, asked)
    return done.off_rest, done.to_credit


def test_absent_days_of_a_paid_bill_become_the_pupils_credit_for_meals(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 0)
        absent(issued, session, 7, 0)
        absent(issued, session, 8, 0)
        close(issued, session)
        assert settle(issued, session) == (ZERO, 2 * MEAL)
        assert issued.credit_of(session, 0) == 2 * MEAL
        (note,) = session.exec(select(BillCredit)).all()
        line = session.exec(select(BillLine).where(BillLine.id == note.line_id)).one()
        assert (line.item_code, line.quantity) == ("TIENAN", 23)
        ties_out(session, issued.billing)


def test_absent_days_of_an_open_bill_lower_what_is_asked(issued: Issued) -> None:
    with issued.open() as session:
        absent(issued, session, 7, 1)
        close(issued, session)
        assert settle(issued, session) == (MEAL, ZERO)
        assert issued.bill(session, 1).rest == BOARDER - MEAL
        assert issued.bill(session, 0).rest == BOARDER
        ties_out(session, issued.billing)


def test_a_half_exempt_child_gets_back_its_own_half(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 2)
        absent(issued, session, 7, 2)
        close(issued, session)
        assert settle(issued, session) == (ZERO, Money(16_000))
        ties_out(session, issued.billing)


@pytest.mark.parametrize("price_first", [True, False])
def test_a_lower_price_and_absent_days_leave_days_times_price(issued: Issued, *, price_first: bool) -> None:
    with issued.open() as session:
        issued.pay(session, 0)
        absent(issued, session, 7, 0)
        absent(issued, session, 8, 0, 2)
        close(issued, session)
        for price in (price_first, not price_first):
            if price:
                asked = propose_price(
                    session, issued.billing.accountant, issued.round_id, "TIENAN", Money(30_000), "Hạ giá", NOVEMBER
                )
                issued.approve(session, asked)
            else:
                settle(issued, session)
        assert issued.credit_of(session, 0) == MEAL * 23 - Money(30_000) * 21
        assert issued.bill(session, 1).rest == BOARDER - Money(2_000) * 23
        half = issued.bill(session, 2)
        meals = issued.line(session, half, "TIENAN")
        assert line_dues(session, [half])[meals.id or 0] == Money(15_000) * 22
        ties_out(session, issued.billing)


def test_settling_again_gives_nothing_and_a_late_note_only_its_own_day(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 0)
        absent(issued, session, 7, 0)
        close(issued, session)
        settle(issued, session)
        with pytest.raises(Refused, match="Không có thông báo thu nào được giảm"):
            propose_attendance(session, issued.billing.accountant, issued.round_id, NOVEMBER)
        child = issued.billing.pupils[0].enrolment.id
        note = [OfficeAbsence(child, date(2025, 10, 9), "Giấy bác sĩ nộp muộn")]
        enter_absences(session, issued.billing.id, issued.billing.accountant, note, NOVEMBER)
        assert settle(issued, session) == (ZERO, MEAL)
        assert issued.credit_of(session, 0) == 2 * MEAL
        ties_out(session, issued.billing)


def test_an_absence_counts_only_once_its_class_is_closed(issued: Issued) -> None:
    with issued.open() as session:
        absent(issued, session, 7, 0)
        assert [each.group.code for each in open_classes(session, issued.round_id)] == ["1A"]
        with pytest.raises(Refused, match="đều đã dùng hết"):
            propose_attendance(session, issued.billing.accountant, issued.round_id, NOVEMBER)
        close(issued, session)
        assert open_classes(session, issued.round_id) == []
        assert settle(issued, session) == (MEAL, ZERO)


def test_a_late_absence_was_cooked_for_and_is_paid(issued: Issued) -> None:
    with issued.open() as session:
        absent(issued, session, 7, 0, at=MORNING + timedelta(hours=3))
        close(issued, session)
        with pytest.raises(Refused, match="đều đã dùng hết"):
            propose_attendance(session, issued.billing.accountant, issued.round_id, NOVEMBER)


def test_a_storm_day_is_everybodys_leftover(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 0)
        set_day_off(session, issued.billing.id, issued.billing.accountant, date(2025, 10, 7), "Nghỉ bão", MORNING)
        assert settle(issued, session) == (MEAL + Money(16_000), MEAL)
        ties_out(session, issued.billing)


def test_who_leaves_gets_the_meals_of_the_rest_of_the_month(issued: Issued) -> None:
    child = issued.billing.pupils[0].enrolment.id
    with issued.open() as session:
        issued.pay(session, 0)
        session.execute(
            text("UPDATE enrolments SET ended_on = '2025-10-15', state = 'left' WHERE id = :e"), {"e": child}
        )
        off_rest, to_credit = settle(issued, session)
        assert off_rest == ZERO
        assert to_credit == 12 * MEAL  # Thursday the 16th to Friday the 31st
        ties_out(session, issued.billing)


def test_a_registration_that_ended_early_is_settled_too(issued: Issued) -> None:
    child = issued.billing.pupils[0].enrolment.id
    with issued.open() as session:
        for row in session.exec(select(OptIn).where(OptIn.enrolment_id == child)).all():
            row.valid_to = date(2025, 10, 30)
            session.add(row)
        session.flush()
        assert settle(issued, session) == (MEAL, ZERO)
        ties_out(session, issued.billing)


def test_a_bill_paid_in_part_is_lowered_first_and_the_rest_given_back(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 0, BOARDER - MEAL)
        absent(issued, session, 7, 0)
        absent(issued, session, 8, 0)
        close(issued, session)
        assert settle(issued, session) == (MEAL, MEAL)
        assert issued.bill(session, 0).rest == ZERO
        ties_out(session, issued.billing)


def test_nobody_settles_for_himself_and_a_locked_round_stays(issued: Issued) -> None:
    with issued.open() as session:
        absent(issued, session, 7, 0)
        close(issued, session)
        asked = propose_attendance(session, issued.billing.accountant, issued.round_id, NOVEMBER)
        assert preview_correction(session, asked.id).off_rest == MEAL
        lock_round(session, issued.round_id, issued.billing.approver, NOVEMBER)
        with pytest.raises(Conflict, match="khóa"):
            propose_attendance(session, issued.billing.accountant, issued.round_id, NOVEMBER)
        with pytest.raises(Conflict, match="khóa"):
            issued.approve(session, asked)


def test_a_round_that_is_not_issued_has_nothing_to_settle(issued: Issued, now: datetime) -> None:
    with issued.open() as session:
        round_id = approved_round(session, issued.billing, now, SEPTEMBER, "2025-09")
        with pytest.raises(Conflict, match="chưa phát hành"):
            propose_attendance(session, issued.billing.accountant, round_id, NOVEMBER)


def test_a_round_made_after_the_month_bills_the_days_attended(issued: Issued) -> None:
    with issued.open() as session:
        absent(issued, session, 7, 0)
        close(issued, session)
        charges = calculate(session, find_round(session, issued.round_id), again=True).charges
        eaten = {
            charge.pupil_id: line.quantity for charge in charges for line in charge.lines if line.item.code == "TIENAN"
        }
        assert sorted(eaten.values()) == [22, 23, 23]
        assert eaten[issued.billing.pupils[0].id] == 22


def test_attendance_times_price_is_used_plus_leftover(issued: Issued) -> None:
    with issued.open() as session:
        for child in range(3):
            issued.pay(session, child)
        for day, children in ((7, (0, 1)), (8, (0,)), (9, (2,)), (10, (0, 1, 2))):
            absent(issued, session, day, *children)
        close(issued, session)
        settle(issued, session)
        days = {0: 3, 1: 2, 2: 2}
        for child, missed in days.items():
            price = Money(16_000) if child == 2 else MEAL
            bill = issued.bill(session, child)
            line = issued.line(session, bill, "TIENAN")
            left = line_dues(session, [bill])[line.id or 0]
            assert left == price * (23 - missed)
            assert issued.credit_of(session, child) == price * missed
            assert left + issued.credit_of(session, child) == line.family_share
        notes = session.exec(select(BillCredit).order_by(col(BillCredit.id))).all()
        assert total(note.to_credit for note in notes) == 5 * MEAL + 2 * Money(16_000)
        ties_out(session, issued.billing)
