"""Tests of recording money: payment, allocations, postings, receipt and event stand or fall together."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import col, select

from billing.bills.tables import Bill
from billing.errors import Refused
from billing.events.tables import Event
from billing.ledger.balances import debit_balance, trial_balance
from billing.ledger.tables import BankAccount
from billing.money import Money, total
from billing.payments import recording
from billing.payments.allocation import Part
from billing.payments.balances import bill_balances
from billing.payments.receipts import school_year_of
from billing.payments.recording import Received, record_payment, record_payments
from billing.payments.tables import Allocation, Payment, Receipt, ReceiptBook
from billing.people.tables import School
from billing.storage import new_id
from service.database import EVERYTHING, Database, Scope
from tests.factories.bills import make_bill
from tests.factories.schools import Enrolled, make_account, make_class, make_pupil, make_school

NOW = datetime(2025, 10, 6, 1, tzinfo=UTC)


@dataclass
class Till:
    """A school with two children and a bill for each."""

    database: Database
    school: School
    account: BankAccount
    children: list[Enrolled]
    bills: list[Bill]

    def received(self, dong: int, child: int = 0, kind: str = "cash") -> Received:
        return Received(
            school_id=self.school.id,
            pupil_id=self.children[child].id,
            source_kind=kind,
            source_id=new_id(),
            amount=Money(dong),
            value_date=date(2025, 10, 6),
        )


@pytest.fixture
def till(database: Database) -> Till:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        account = make_account(session, school)
        group = make_class(session, school)
        children = [make_pupil(session, group, f"Trần Thị {n}", province_id=school.province_id) for n in range(2)]
        bills = [make_bill(session, child, account, 500_000) for child in children]
    return Till(database, school, account, children, bills)


def test_cash_goes_from_the_till_to_the_bill_and_the_rest_to_credit(till: Till) -> None:
    with till.database.transaction(Scope.of(till.school.id)) as session:
        payment = record_payment(session, till.received(600_000), [Part(till.bills[0].id, Money(500_000))], NOW)
    with till.database.transaction(Scope.of(till.school.id)) as session:
        balances = trial_balance(session, till.school.id)
        (balance,) = bill_balances(session, col(Bill.id) == till.bills[0].id)
        receipt = session.exec(select(Receipt)).one()
        book = session.exec(select(ReceiptBook)).one()
        event = session.exec(select(Event).where(Event.kind == "payment_received")).one()
        mine = debit_balance(session, till.school.id, "3383", pupil_id=till.children[0].id)

    assert {code: value.dong for code, value in balances.items()} == {
        "111": 600_000,
        "131": 500_000,
        "3383": -100_000,
        "531": -1_000_000,
    }
    assert (balance.status, mine) == ("paid", Money(-100_000))
    assert (receipt.number, receipt.amount, receipt.payment_id) == (1, Money(600_000), payment.id)
    assert (book.code, book.school_year) == ("2025-2026", "2025-2026")
    assert (event.subject_id, event.facts["receipt_id"]) == (payment.id, str(receipt.id))
    assert (event.facts["amount"], event.facts["credit"]) == (600_000, 100_000)


def test_credit_is_no_money_that_came_in(till: Till) -> None:
    with till.database.transaction(Scope.of(till.school.id)) as session, pytest.raises(ValueError, match="credit"):
        record_payment(session, till.received(200_000, kind="credit"), [Part(till.bills[0].id, Money(200_000))], NOW)


def test_two_pupils_of_one_source_get_a_receipt_each(till: Till) -> None:
    both = [(till.received(500_000, child), [Part(till.bills[child].id, Money(500_000))]) for child in (1, 0)]
    with till.database.transaction(Scope.of(till.school.id)) as session:
        payments = record_payments(session, both, NOW)
        numbers = {row.payment_id: row.number for row in session.exec(select(Receipt)).all()}
        allocations = session.exec(select(Allocation.bill_id).order_by(col(Allocation.id))).all()

    assert [numbers[payment.id] for payment in payments] == [1, 2]
    assert list(allocations) == sorted(bill.id for bill in till.bills), "bills are locked in one order"


@pytest.mark.parametrize(("amount", "part"), [(100, 101), (600_000, 500_001)])
def test_too_much_on_a_bill_or_of_a_payment_is_refused(till: Till, amount: int, part: int) -> None:
    with (
        pytest.raises((Refused, IntegrityError)),
        till.database.transaction(Scope.of(till.school.id)) as session,
    ):
        record_payment(session, till.received(amount), [Part(till.bills[0].id, Money(part))], NOW)


def test_the_bill_of_another_pupil_is_refused(till: Till) -> None:
    with (
        pytest.raises(IntegrityError, match="another"),
        till.database.transaction(Scope.of(till.school.id)) as session,
    ):
        record_payment(session, till.received(100), [Part(till.bills[1].id, Money(100))], NOW)


@pytest.mark.parametrize("dies_in", ["_write_allocations", "_post", "_tell", "issue_receipts"])
def test_wherever_it_dies_nothing_is_left(till: Till, dies_in: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(recording, dies_in, die)
    with pytest.raises(ZeroDivisionError), till.database.transaction(Scope.of(till.school.id)) as session:
        record_payment(session, till.received(100), [Part(till.bills[0].id, Money(100))], NOW)
    with till.database.transaction(Scope.of(till.school.id)) as session:
        for table in (Payment, Allocation, Receipt, ReceiptBook):
            assert session.exec(select(table)).all() == []
        assert debit_balance(session, till.school.id, "111") == Money(0)


def test_numbers_have_no_gap_when_many_pay_at_once_and_some_fail(till: Till) -> None:
    start = Barrier(6)

    def pay(number: int) -> None:
        start.wait()
        for turn in range(5):
            with suppress(ZeroDivisionError), till.database.transaction(Scope.of(till.school.id)) as session:
                record_payment(session, till.received(1_000 + turn), [], NOW)
                if number % 3 == 0 and turn % 2:
                    raise ZeroDivisionError

    threads = [Thread(target=pay, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with till.database.transaction(Scope.of(till.school.id)) as session:
        receipts = session.exec(select(Receipt).order_by(col(Receipt.number))).all()
        cash = debit_balance(session, till.school.id, "111")

    assert [receipt.number for receipt in receipts] == list(range(1, len(receipts) + 1))
    assert len(receipts) == 6 * 5 - 2 * 2
    assert total(receipt.amount for receipt in receipts) == cash


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE receipts SET amount = 1",
        "DELETE FROM receipts",
        "UPDATE payments SET amount = 1",
        "DELETE FROM allocations",
        "UPDATE postings SET amount = 1",
    ],
)
def test_what_is_recorded_is_never_changed(till: Till, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), till.database.transaction(EVERYTHING) as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("day", "year"),
    [(date(2025, 7, 31), "2024-2025"), (date(2025, 8, 1), "2025-2026"), (date(2026, 1, 1), "2025-2026")],
)
def test_a_school_year_starts_in_august(day: date, year: str) -> None:
    assert school_year_of(day) == year


def test_a_new_year_opens_a_new_book(till: Till) -> None:
    with till.database.transaction(Scope.of(till.school.id)) as session:
        record_payment(session, till.received(1_000), [], NOW)
        record_payment(session, till.received(1_000), [], NOW + timedelta(days=365))
        books = session.exec(select(ReceiptBook.code).order_by(col(ReceiptBook.code))).all()
        numbers = session.exec(select(Receipt.number)).all()

    assert (list(books), list(numbers)) == (["2025-2026", "2026-2027"], [1, 1])
