"""Tests of paper books: each number once, the true day, no second receipt, gaps that are told."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.cash.paper_books import Leaf, book_state, books_of, open_book, spoil_leaf
from billing.cash.runs import Run
from billing.cash.tables import PaperBook, PaperNumber
from billing.cash.undoing import payment_of
from billing.errors import Conflict, NotFound, Refused
from billing.events.tables import Event
from billing.ledger.tables import JournalEntry
from billing.payments.tables import Receipt
from billing.storage import new_id
from tests.billing.cash.cash_world import Till
from tests.factories.closing import shut


def test_a_leaf_is_entered_with_its_true_day_and_gets_no_receipt_of_ours(till: Till) -> None:
    day = till.now.date() - timedelta(days=3)
    with till.open() as session:
        book = open_book(session, till.cashier, till.id, "AB/25", 101, 150, till.now)
        taking = till.take(session, till.handed(90_000, leaf=Leaf(book.id, 104), day=day))
        assert taking.day == day
        assert till.cash(session) == 90_000
        assert session.exec(select(Receipt)).all() == []
        assert session.exec(select(Event).where(Event.kind == "payment_received")).all() == []
        spoil_leaf(session, till.cashier, till.id, Leaf(book.id, 102), "Viết hỏng", till.now)
        (state,) = books_of(session, till.id)
        assert [row.number for row in state.used] == [102, 104]
        assert state.missing == (Run(101, 101), Run(103, 103))
        with pytest.raises(Conflict, match="Số 104 của quyển AB/25 đã được nhập"):
            till.take(session, till.handed(1000, 2, leaf=Leaf(book.id, 104), day=day))


def test_a_leaf_of_a_closed_month_keeps_its_day_and_is_booked_on_the_first_open_one(till: Till) -> None:
    first = till.now.date().replace(day=1)
    day = first - timedelta(days=2)
    with till.open() as session:
        shut(session, till.id, day.replace(day=1), till.now)
        book = open_book(session, till.cashier, till.id, "AB/25", 101, 150, till.now)
        taking = till.take(session, till.handed(90_000, leaf=Leaf(book.id, 104), day=day))
        payment = payment_of(session, taking)
        entries = select(JournalEntry).where(JournalEntry.kind == "payment", JournalEntry.source_id == str(payment.id))
        entry = session.exec(entries).one()
        assert (taking.day, payment.value_date) == (day, day)
        assert (entry.value_date, entry.true_day) == (first, day)
        assert till.cash(session) == 90_000


def test_a_reversed_number_is_entered_anew(till: Till) -> None:
    with till.open() as session:
        book = open_book(session, till.cashier, till.id, "AB/25", 1, 50, till.now)
        leaf, day = Leaf(book.id, 1), till.now.date()
        wrong = till.take(session, till.handed(90_000, leaf=leaf, day=day))
        till.take_back(session, wrong)
        assert book_state(session, book).used == ()
        till.take(session, till.handed(90_000, 2, leaf=leaf, day=day))
        assert [row.number for row in book_state(session, book).used] == [1]
        assert till.cash(session) == 90_000


def test_books_leaves_and_days_that_cannot_be(till: Till) -> None:
    with till.open() as session:
        book = open_book(session, till.cashier, till.id, "AB/25", 1, 50, till.now)
        with pytest.raises(Conflict, match="đã có"):
            open_book(session, till.cashier, till.id, "AB/25", 51, 100, till.now)
        for code, first, last in (("", 1, 50), ("X" * 21, 1, 50), ("C", 0, 50), ("C", 9, 8), ("C", 1, 1001)):
            with pytest.raises(Refused):
                open_book(session, till.cashier, till.id, code, first, last, till.now)
        today = till.now.date()
        with pytest.raises(Refused, match="chỉ có số 1 đến 50"):
            spoil_leaf(session, till.cashier, till.id, Leaf(book.id, 51), "hỏng", till.now)
        with pytest.raises(Refused, match="lý do hỏng"):
            spoil_leaf(session, till.cashier, till.id, Leaf(book.id, 5), "", till.now)
        with pytest.raises(NotFound):
            spoil_leaf(session, till.cashier, till.id, Leaf(new_id(), 5), "hỏng", till.now)
        with pytest.raises(Refused, match="chưa đến"):
            till.take(session, till.handed(1, leaf=Leaf(book.id, 5), day=today + timedelta(days=1)))
        with pytest.raises(Refused, match="ngày thu như trên biên lai giấy"):
            till.take(session, till.handed(1, leaf=Leaf(book.id, 5)))


@pytest.mark.parametrize(("numbers", "what"), [((5, 5), "entered already"), ((51,), "no number 51")])
def test_the_database_refuses_a_number_twice_or_outside_the_book(
    till: Till, numbers: tuple[int, ...], what: str
) -> None:
    book = PaperBook(
        id=new_id(), school_id=till.id, code="Q", first_number=1, last_number=50, made_by=some_id(till), at=till.now
    )
    leaves = [
        PaperNumber(
            school_id=till.id, book_id=book.id, number=number, spoilt="x", made_by=some_id(till), at=till.now
        )
        for number in numbers
    ]  # fmt: skip
    with pytest.raises(IntegrityError, match=what):
        till.store(book, *leaves)


def some_id(till: Till) -> UUID:
    assert till.cashier.user_id
    return till.cashier.user_id
