"""Tests of taking cash: what is said before is what happens, once."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.audit.recording import SYSTEM
from billing.cash.tables import CashTaking
from billing.cash.taking import Screen, ScreenMoved, plan_taking, take_cash
from billing.documents.filling import receipt_document
from billing.errors import Conflict, NotAllowed, Refused
from billing.money import Money
from billing.payments.tables import Payment, Receipt
from billing.storage import new_id
from service.database import Scope
from tests.billing.cash.cash_world import Till


def test_oldest_bill_first_and_the_rest_is_credit_as_said_before(till: Till) -> None:
    with till.open() as session:
        september, october = till.school.bill(session, 9, 1).rest, till.school.bill(session, 10, 1).rest
        less = till.handed((september + Money(50_000)).dong)
        plan = plan_taking(session, till.id, less.pupil_id, less.amount, None, [])
        assert [part.amount for part in plan.parts] == [september, Money(50_000)]
        assert (plan.open, plan.surplus) == (september + october, Money(0))
        till.take(session, less)
        assert till.school.bill(session, 9, 1).rest == Money(0)
        more = till.handed(october.dong)
        assert plan_taking(session, till.id, more.pupil_id, more.amount, None, []).surplus == Money(50_000)
        taking = till.take(session, more)
        assert till.school.kept(session, 1) == {None: 50_000}
        assert taking.seen["surplus"] == 50_000
        assert till.cash(session) == (september + october).dong + 50_000


def test_only_the_chosen_bill_is_paid(till: Till) -> None:
    with till.open() as session:
        october = till.school.bill(session, 10, 1)
        till.take(session, till.handed(october.rest.dong, chosen=frozenset({october.bill_id})))
        assert till.school.bill(session, 10, 1).rest == Money(0)
        assert till.school.bill(session, 9, 1).rest > Money(0)


def test_the_receipt_is_of_the_common_series_and_names_who_took_and_who_brought(till: Till) -> None:
    with till.open() as session:
        till.school.pay(session, 9)
        taking = till.take(session, till.handed(100_000, payer="Điểu Thị Lan"))
        receipts = session.exec(select(Receipt).order_by("number")).all()
        assert [receipt.number for receipt in receipts] == [1, 2]
        payment = session.exec(select(Payment).where(Payment.source_id == taking.id)).one()
        assert receipts[1].payment_id == payment.id
        told = receipt_document(session, receipts[1].id, "https://hocphi.example/x")
        assert (told.payer_name, told.collector_name, told.channel) == ("Điểu Thị Lan", "Lê Thị Quỹ", "Tiền mặt")
        other = receipt_document(session, receipts[0].id, "https://hocphi.example/y")
        assert other.collector_name == till.school.billing.school.name


def test_the_same_form_again_adds_nothing(till: Till) -> None:
    with till.open() as session:
        handed = till.handed(100_000)
        screen = till.seen(session, handed)
        first = take_cash(session, till.cashier, till.id, handed, screen, till.now)
        again = take_cash(session, till.cashier, till.id, handed, screen, till.now)
        assert again.id == first.id
        assert till.cash(session) == 100_000
        with pytest.raises(Conflict, match="một lần thu khác"):
            take_cash(session, till.cashier, till.id, replace(handed, amount=Money(1)), screen, till.now)


def test_two_presses_at_once_are_one_taking(till: Till) -> None:
    with till.open() as session:
        handed = till.handed(100_000)
        screen = till.seen(session, handed)
    barrier, taken = Barrier(2), []

    def press() -> None:
        with till.school.database.transaction(Scope.of(till.id)) as session:
            barrier.wait()
            taken.append(take_cash(session, till.cashier, till.id, handed, screen, till.now).id)

    presses = [Thread(target=press) for _ in range(2)]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    assert len(set(taken)) == 1
    with till.open() as session:
        assert till.cash(session) == 100_000
        assert len(session.exec(select(CashTaking)).all()) == 1


def till_scope(till: Till) -> Scope:
    return Scope.of(till.id)


def test_what_moved_since_the_page_was_shown_stops_it(till: Till) -> None:
    with till.open() as session:
        handed = till.handed(till.school.bill(session, 9, 1).rest.dong)
        screen = till.seen(session, handed)
        till.school.pay(session, 9, 1)
        with pytest.raises(ScreenMoved, match="thay đổi"):
            take_cash(session, till.cashier, till.id, handed, screen, till.now)
        stale = Screen(till.seen(session, handed).mark, [{"id": "1", "state": "waiting"}])
        with pytest.raises(ScreenMoved):
            take_cash(session, till.cashier, till.id, handed, stale, till.now)
        assert session.exec(select(CashTaking)).all() == []


def test_sums_days_and_people_that_cannot_be(till: Till) -> None:
    with till.open() as session:
        with pytest.raises(Refused, match="lớn hơn 0"):
            till.take(session, till.handed(0))
        handed = till.handed(1000)
        with pytest.raises(NotAllowed):
            take_cash(session, SYSTEM, till.id, handed, till.seen(session, handed), till.now)


def row(till: Till, **more: Any) -> CashTaking:  # noqa: ANN401  columns of a row
    facts: dict[str, Any] = {
        "id": new_id(), "school_id": till.id, "form": new_id(), "pupil_id": till.school.pupil(1), "amount": Money(5000),
        "day": till.now.date(), "collector": "x", "made_by": till.cashier.user_id, "at": till.now,
    }  # fmt: skip
    return CashTaking(**{**facts, **more})


def paid(till: Till, taking: CashTaking, **more: Any) -> Payment:  # noqa: ANN401  columns of a row
    facts: dict[str, Any] = {
        "school_id": till.id, "pupil_id": taking.pupil_id, "source_kind": "cash", "source_id": taking.id,
        "amount": taking.amount, "value_date": taking.day, "recorded_at": till.now,
    }  # fmt: skip
    return Payment(**{**facts, **more})


@pytest.mark.parametrize(
    ("wrong", "what"),
    [({"amount": Money(6000)}, "what was taken"), ({"turn": 2}, "what was taken")],
)
def test_the_database_refuses_a_payment_that_is_not_what_was_taken(
    till: Till, wrong: dict[str, Any], what: str
) -> None:
    taking = row(till)
    with pytest.raises(IntegrityError, match=what):
        till.store(taking, paid(till, taking, **wrong))


def test_the_database_refuses_tomorrow(till: Till) -> None:
    with pytest.raises(IntegrityError, match="day_has_come"):
        till.store(row(till, day=till.now.date() + timedelta(days=1)))
