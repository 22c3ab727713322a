"""Leftovers and overpayments as the accountant tells it: kept, used when the next month is issued, never twice."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import Session, col, select

from billing.credits.applying import apply_credit
from billing.credits.tables import CreditUse
from billing.errors import Conflict, Refused
from billing.events.tables import Event
from billing.fees.tables import OptIn
from billing.money import ZERO, Money
from billing.payments.balances import request_balances, rest_of
from billing.payments.tables import Payment, Receipt
from billing.rounds.correcting import approve_correction, propose_void
from tests.billing.credits.credit_world import MEAL, School
from tests.factories.rounds import REFERENCE_KEY, requests_of


def unregister(session: Session, school: School, child: int, *, of: date) -> None:
    """End all a child's registrations before a day."""
    enrolment = school.billing.pupils[child].enrolment.id
    for row in session.exec(select(OptIn).where(OptIn.enrolment_id == enrolment)).all():
        row.valid_to = of
        session.add(row)
    session.flush()


def asked(session: Session, school: School, child: int = 0) -> Money:
    """Return what the child's newest request asks for."""
    newest = requests_of(session, school.billing.pupils[child])[-1]
    return rest_of(request_balances(session, school.id, [newest.id])[newest.id])


def test_meals_not_eaten_lower_what_is_asked_for_next_month(school: School) -> None:
    with school.open() as session:
        school.lower(session, 9, "TIENAN", 2 * MEAL)
        assert school.kept(session) == {"TIENAN": 64_000}
        school.bill_month(session, 10)
        bill = school.bill(session, 10)
        assert bill.paid == 2 * MEAL
        assert asked(session, school) == bill.family_due - 2 * MEAL
        assert school.kept(session) == {}
        (payment,) = session.exec(select(Payment).where(Payment.source_kind == "credit")).all()
        assert session.exec(select(Receipt).where(Receipt.payment_id == payment.id)).all() == []
        told = session.exec(select(Event).where(Event.kind == "bill_issued")).all()
        newest = {event.subject_id: event.facts["amount"] for event in told}
        assert newest[requests_of(session, school.billing.pupils[0])[-1].id] == (bill.family_due - 2 * MEAL).dong


def test_a_leftover_that_is_kept_for_its_item_waits_until_the_item_is_charged(school: School) -> None:
    with school.open() as session:
        school.rule(session, "TIENAN", "same_item")
        school.lower(session, 9, "TIENAN", 2 * MEAL)
        unregister(session, school, 0, of=date(2025, 9, 30))
        school.bill_month(session, 10)
        assert school.bill(session, 10).paid == ZERO
        assert school.kept(session) == {"TIENAN": 64_000}


def test_not_registered_next_month_still_offsets_and_the_rest_carries_on(school: School) -> None:
    """MISA 11073, 10850: meals are not taken next month; used is at most what the other items come to."""
    with school.open() as session:
        school.lower(session, 9, "TIENAN", 20 * MEAL)
        unregister(session, school, 0, of=date(2025, 9, 30))
        school.bill_month(session, 10)
        bill = school.bill(session, 10)
        assert (bill.status, bill.paid) == ("paid", bill.family_due)
        assert school.kept(session) == {"TIENAN": (20 * MEAL - bill.family_due).dong}
        assert asked(session, school) == ZERO, "the family is shown the bill that its leftover paid"
        (event,) = session.exec(select(Event).where(Event.kind == "credit_used")).all()
        assert (event.subject_id, event.facts["used"]) == (bill.bill_id, bill.family_due.dong)


def test_an_item_whose_leftover_stays_is_not_used_by_itself(school: School) -> None:
    with school.open() as session:
        school.rule(session, "TIENAN", "none")
        school.lower(session, 9, "TIENAN", MEAL)
        school.bill_month(session, 10)
        assert (school.bill(session, 10).paid, school.kept(session)) == (ZERO, {"TIENAN": 32_000})


def test_what_was_paid_too_much_pays_the_next_bill(school: School) -> None:
    with school.open() as session:
        school.pay(session, 9, 1, over=50_000)
        school.bill_month(session, 10)
        assert school.bill(session, 10, 1).paid == Money(50_000)
        assert school.kept(session, 1) == {}


def test_carried_debt_is_paid_first_by_what_came_too_much(school: School) -> None:
    """Debt stays on its own bill; an overpayment goes there before it goes to the new month."""
    with school.open() as session:
        school.bill_month(session, 10)
        school.pay(session, 10, 1, over=1_000)
        school.bill_month(session, 11)
        assert school.bill(session, 9, 1).paid == Money(1_000)
        assert school.bill(session, 11, 1).paid == ZERO


def test_issuing_twice_uses_once(school: School) -> None:
    with school.open() as session:
        school.lower(session, 9, "TIENAN", 2 * MEAL)
        first = school.bill_month(session, 10)
        again = school.issue_again(session, 10)
        assert again == first
        assert len(session.exec(select(CreditUse)).all()) == 1


def test_by_hand_for_a_class_and_with_a_reason(school: School) -> None:
    with school.open() as session:
        school.bill_month(session, 10)
        school.lower(session, 9, "TIENAN", 2 * MEAL)
        accountant, everybody = school.billing.accountant, {school.pupil(child) for child in range(3)}
        with pytest.raises(Refused, match="lý do"):
            apply_credit(session, accountant, school.id, everybody, " ", school.now)
        (used,) = apply_credit(session, accountant, school.id, everybody, "Trừ vào tháng 10", school.now)
        assert (used.use.item, used.use.amount) == ("TIENAN", 2 * MEAL)
        assert school.bill(session, 10).paid == 2 * MEAL
        with pytest.raises(Refused, match="Không có thông báo thu nào được trừ"):
            apply_credit(session, accountant, school.id, everybody, "Lần nữa", school.now)


def test_by_hand_an_item_takes_its_own_line_once_only_and_freely_takes_all(school: School) -> None:
    with school.open() as session:
        school.rule(session, "NUOCUONG", "same_item")
        school.bill_month(session, 10)
        school.pay(session, 10, 0)
        school.lower(session, 10, "NUOCUONG", Money(10_000))
        school.bill_month(session, 11)
        school.lower(session, 9, "NUOCUONG", Money(10_000))
        accountant, child = school.billing.accountant, {school.pupil()}
        with pytest.raises(Refused, match="đúng khoản thu"):
            apply_credit(session, accountant, school.id, child, "Trừ", school.now)
        only_meals: frozenset[str | None] = frozenset({"TIENAN"})
        with pytest.raises(Refused, match="Không có"):
            apply_credit(session, accountant, school.id, child, "Trừ", school.now, items=only_meals, freely=True)
        apply_credit(session, accountant, school.id, child, "Gia đình đồng ý", school.now, freely=True)
        assert (school.bill(session, 11).paid, school.kept(session)) == (Money(20_000), {})


@pytest.mark.parametrize("replace", [False, True])
def test_a_bill_that_only_credit_paid_is_taken_back_and_the_credit_returns(school: School, *, replace: bool) -> None:
    with school.open() as session:
        school.lower(session, 9, "TIENAN", 2 * MEAL)
        school.bill_month(session, 10)
        old = school.bill(session, 10)
        wrong = propose_void(session, school.billing.accountant, old.bill_id, "Nhầm", school.now, replace=replace)
        done = approve_correction(session, wrong.id, school.billing.approver, school.now, REFERENCE_KEY)
        (bill,) = done.bills
        assert (bill.off_rest, bill.to_credit) == (old.rest, 2 * MEAL)
        assert school.kept(session) == ({} if replace else {"TIENAN": 64_000})
        if replace:
            assert school.bill(session, 10).bill_id != old.bill_id
            assert school.bill(session, 10).paid == 2 * MEAL


def test_a_bill_with_money_on_it_is_still_not_taken_back(school: School) -> None:
    with school.open() as session:
        school.lower(session, 9, "TIENAN", 2 * MEAL)
        school.bill_month(session, 10)
        school.pay(session, 10)
        bill = school.bill(session, 10)
        with pytest.raises(Conflict, match="đã có tiền nộp"):
            propose_void(session, school.billing.accountant, bill.bill_id, "Nhầm", school.now)


def test_a_lowered_bill_that_credit_paid_gives_credit_again_never_twice(school: School) -> None:
    with school.open() as session:
        school.lower(session, 9, "TIENAN", 2 * MEAL)
        school.bill_month(session, 10)
        school.pay(session, 10)
        school.lower(session, 10, "TIENAN", MEAL)
        assert school.kept(session) == {"TIENAN": 32_000}
        uses = session.exec(select(CreditUse).order_by(col(CreditUse.id))).all()
        assert [use.amount for use in uses] == [2 * MEAL]
