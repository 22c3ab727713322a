"""A pupil leaves, as the accountant tells it: used, given back, approved, paid out or still open; and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillCredit, BillLine
from billing.credits.reading import asked_back, free_credit
from billing.credits.tables import RefundLine
from billing.errors import Conflict, Refused
from billing.fees.tables import FeeItem, FeePrice, OptIn
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money, total
from billing.moving.leaving import (
    Plan,
    corrections_waiting,
    leave,
    preview_leaving,
    settle_leaving,
    take_back_leaving,
)
from billing.moving.tables import Leaving
from billing.payments.balances import bill_balances
from billing.payments.tables import Payment
from billing.people.tables import ClassPlacement, Enrolment
from billing.rounds.calculating import late_arrivals
from billing.rounds.correcting import approve_correction
from billing.rounds.locking import lock_round
from service.database import EVERYTHING
from tests.billing.credits.credit_world import MEAL, MONTHS, School
from tests.factories.fees import weekdays
from tests.factories.rounds import REFERENCE_KEY

LATER = datetime(2025, 12, 1, 3, 0, tzinfo=UTC)
MIDDLE = date(2025, 10, 15)


@dataclass(frozen=True, slots=True)
class Sums:
    """What a pupil was billed, what of it still counts, what is open and what was paid in cash."""

    billed: Money
    counts: Money
    open: Money


def plan(school: School, child: int = 0, last_day: date = MIDDLE, state: str = "left") -> Plan:
    return Plan(school.billing.pupils[child].enrolment.id, last_day, state, "Theo đơn của gia đình")


def go(school: School, session: Session, wanted: Plan) -> Leaving:
    return leave(session, school.vault, school.billing.accountant, school.id, wanted, LATER)


def approve(school: School, session: Session, leaving: Leaving) -> None:
    for each in corrections_waiting(session, leaving):
        approve_correction(session, each, school.billing.approver, LATER, REFERENCE_KEY)


def sums(school: School, session: Session, child: int = 0) -> Sums:
    balances = bill_balances(session, col(Bill.school_id) == school.id, col(Bill.pupil_id) == school.pupil(child))
    billed = session.exec(
        select(col(BillLine.family_share)).join(Bill, col(Bill.id) == BillLine.bill_id).where(
            Bill.pupil_id == school.pupil(child)
        )
    ).all()  # fmt: skip
    return Sums(total(billed), total(each.due for each in balances), total(each.rest for each in balances))


def test_pupil_leaves_and_gets_back_what_was_paid_and_not_eaten(school: School) -> None:
    """October is paid, November open: twelve meals come back, November is not owed, and nothing is billed again."""
    with school.open() as session:
        november = school.bill(session, 11)
        before = preview_leaving(session, school.id, plan(school), LATER)
        assert [bill.family for bill in before.bills] == [12 * MEAL, november.due]
        assert (before.off_rest, before.to_credit) == (november.due, 12 * MEAL)
        assert (before.gives_back, before.still_open) == (12 * MEAL, ZERO)
        assert session.get_one(Enrolment, plan(school).enrolment_id).state == "studying"
        leaving = go(school, session, plan(school))
        with pytest.raises(Conflict, match="chờ người khác duyệt"):
            settle_leaving(session, school.vault, school.billing.accountant, leaving, LATER)
    with school.open() as session:
        approve(school, session, leaving)
        settle_leaving(session, school.vault, school.billing.accountant, leaving, LATER)
        assert sums(school, session).open == ZERO
        (line,) = session.exec(select(RefundLine)).all()
        assert (line.pupil_id, line.item_code, line.amount) == (school.pupil(), "TIENAN", 12 * MEAL)
        assert free_credit(session, school.id, [school.pupil()]) == {}


def test_pupil_leaves_and_later_rounds_do_not_bill_while_past_ones_still_show(school: School) -> None:
    with school.open() as session:
        go(school, session, plan(school))
        enrolment = session.get_one(Enrolment, plan(school).enrolment_id)
        assert (enrolment.state, enrolment.ended_on) == ("left", MIDDLE)
        ends = session.exec(select(col(OptIn.valid_to)).where(OptIn.enrolment_id == enrolment.id)).all()
        assert set(ends) == {MIDDLE}
        placed = session.exec(
            select(col(ClassPlacement.valid_to)).where(ClassPlacement.enrolment_id == enrolment.id)
        ).all()
        assert placed == [MIDDLE]
        assert school.bill(session, 10).pupil_id == school.pupil()
        assert school.pupil() not in late_arrivals(session, school.rounds[11])


def test_pupil_leaves_with_a_bill_not_paid_and_the_rest_stays_open(school: School) -> None:
    with school.open() as session:
        due = school.bill(session, 10, 1).due
        before = preview_leaving(session, school.id, plan(school, 1), LATER)
        assert (before.gives_back, before.still_open) == (ZERO, due - 12 * MEAL)
        leaving = go(school, session, plan(school, 1))
        approve(school, session, leaving)
        assert sums(school, session, 1).open == due - 12 * MEAL
        with pytest.raises(Refused, match="Không còn tiền"):
            settle_leaving(session, school.vault, school.billing.accountant, leaving, LATER)


def test_what_is_kept_pays_what_is_open_before_anything_is_given_back(school: School) -> None:
    """The last day is 10 November: October was paid 500.000 đ over, November's used part is open."""
    with school.open() as session:
        school.pay(session, 10, 1, over=500_000)
        wanted = plan(school, 1, date(2025, 11, 10))
        told = preview_leaving(session, school.id, wanted, LATER)
        leaving = go(school, session, wanted)
        approve(school, session, leaving)
        settle_leaving(session, school.vault, school.billing.accountant, leaving, LATER)
        assert told.still_open == max(told.owed - told.off_rest - Money(500_000), ZERO)
        assert sums(school, session, 1).open == told.still_open
        assert total(asked_back(session, school.id, [school.pupil(1)]).values()) == told.gives_back


def test_what_the_state_would_have_paid_is_no_longer_asked_of_it(school: School) -> None:
    """Half of October's health insurance is the State's; the child was gone before October began."""
    with school.open() as session:
        leaving = go(school, session, plan(school, 1, date(2025, 9, 30)))
        approve(school, session, leaving)
        notes = session.exec(select(BillCredit).where(BillCredit.off_state > ZERO)).all()
        assert [note.off_state for note in notes] == [Money(157_950)]
        # The State pays the insurer itself: it never owed the school that sum, and is not owed it now.
        assert debit_balance(session, school.id, "131N") == ZERO
        assert sums(school, session, 1) == Sums(sums(school, session, 1).billed, ZERO, ZERO)


def test_leaving_is_taken_back_before_anything_was_approved(school: School) -> None:
    with school.open() as session:
        was = session.exec(select(col(OptIn.item_id), col(OptIn.valid_from), col(OptIn.valid_to))).all()
        leaving = go(school, session, plan(school))
        take_back_leaving(session, school.billing.accountant, leaving, "Gia đình đổi ý", LATER)
        assert corrections_waiting(session, leaving) == []
        live = select(col(OptIn.item_id), col(OptIn.valid_from), col(OptIn.valid_to)).where(
            col(OptIn.withdrawn_at).is_(None)
        )
        assert sorted(map(str, session.exec(live).all())) == sorted(map(str, was))
        enrolment = session.get_one(Enrolment, plan(school).enrolment_id)
        assert (enrolment.state, enrolment.ended_on) == ("studying", None)
        again = preview_leaving(session, school.id, plan(school), LATER)
        assert again.gives_back == 12 * MEAL
        with pytest.raises(Conflict, match="đã được rút lại"):
            take_back_leaving(session, school.billing.accountant, leaving, "Lần nữa", LATER)


def test_leaving_is_not_taken_back_once_something_was_approved(school: School) -> None:
    with school.open() as session:
        leaving = go(school, session, plan(school))
        approve(school, session, leaving)
        with pytest.raises(Conflict, match="không rút lại được"):
            take_back_leaving(session, school.billing.accountant, leaving, "Gia đình đổi ý", LATER)


def test_leaving_is_refused_twice_on_bad_days_without_reason_and_for_a_locked_round(school: School) -> None:
    with school.open() as session:
        for day, words in ((date(2025, 8, 1), "trước ngày vào học"), (date(2026, 1, 1), "sau hôm nay")):
            with pytest.raises(Refused, match=words):
                preview_leaving(session, school.id, plan(school, last_day=day), LATER)
        with pytest.raises(Refused, match="lý do"):
            go(school, session, Plan(plan(school).enrolment_id, MIDDLE))
        lock_round(session, school.rounds[11], school.billing.approver, LATER)
        assert [bill.locked for bill in preview_leaving(session, school.id, plan(school), LATER).bills] == [False, True]
    with pytest.raises(Conflict, match="đã khóa"), school.open() as session:
        go(school, session, plan(school))
    with school.open() as session:
        go(school, session, plan(school, last_day=date(2025, 11, 30)))
        with pytest.raises(Conflict, match="không còn học"):
            go(school, session, plan(school))


def test_deleting_a_pupil_is_not_possible_at_all(school: School) -> None:
    with pytest.raises(Exception, match="permission denied"), school.open() as session:
        session.execute(text("DELETE FROM pupils"))
    with pytest.raises(Exception, match="permission denied"), school.open() as session:
        session.execute(text("DELETE FROM enrolments"))


def price_by_halves(session: Session, rule: str) -> None:
    """Put another rule for months in part in the prices of items by the month."""
    by_month = select(FeeItem.id).where(FeeItem.unit == "month")
    rows = session.exec(
        select(FeePrice).where(col(FeePrice.withdrawn_at).is_(None), col(FeePrice.item_id).in_(by_month))
    ).all()
    made = [{name: getattr(row, name) for name in FeePrice.model_fields if name != "id"} for row in rows]
    for row in rows:
        row.withdrawn_at = LATER
    session.flush()
    session.add_all(FeePrice(**{**each, "part_month": rule}) for each in made)
    session.flush()


def used(school: School, session: Session, last_day: date, rule: str) -> Money:
    """Reckon what the first pupil used of what was billed: meal days, and months by the halves it was there."""
    found = ZERO
    for month, days in MONTHS.items():
        if month not in school.rounds:
            continue
        of = col(Bill.round_id) == school.rounds[month], col(Bill.pupil_id) == school.pupil()
        for line in session.exec(select(BillLine).join(Bill, col(Bill.id) == BillLine.bill_id).where(*of)).all():
            if line.item_code == "TIENAN":
                found += line.unit_price * sum(day <= last_day for day in weekdays(days))
            elif last_day >= days.start:
                half = line.unit == "month" and rule == "half_from_16" and last_day <= days.start.replace(day=15)
                found += line.family_share.percent(50) if half else line.family_share
    return found


def cash(school: School, session: Session) -> Money:
    of = col(Payment.pupil_id) == school.pupil(), col(Payment.source_kind) == "cash"
    return total(session.exec(select(col(Payment.amount)).where(*of)).all())


@given(
    last_day=st.dates(date(2025, 9, 1), date(2025, 11, 30)),
    halves=st.sampled_from(("whole", "half_from_16", "none_from_16")),
    over=st.integers(0, 900_000),
)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_on_any_day_what_was_used_and_given_back_is_what_was_billed(
    bare: School, last_day: date, halves: str, over: int
) -> None:
    """Used is reckoned apart: meal days up to the last one, and months by the rule of the price."""
    with bare.database.transaction(EVERYTHING) as session:
        price_by_halves(session, halves)
        for month in (10, 11):
            bare.bill_month(session, month)
        bare.pay(session, 10, over=over)
        billed = sums(bare, session).billed
        told = preview_leaving(session, bare.id, plan(bare, last_day=last_day), LATER)
        leaving = go(bare, session, plan(bare, last_day=last_day))
        approve(bare, session, leaving)
        if free_credit(session, bare.id, [bare.pupil()]):
            settle_leaving(session, bare.vault, bare.billing.accountant, leaving, LATER)
        now = sums(bare, session)
        back = total(asked_back(session, bare.id, [bare.pupil()]).values())
        assert now.counts == used(bare, session, last_day, halves)
        assert now.counts + told.off_rest + told.to_credit == billed
        assert cash(bare, session) == now.counts - now.open + back
        assert (back, now.open) == (told.gives_back, told.still_open)
        session.rollback()
