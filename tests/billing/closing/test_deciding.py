"""Tests of closing a month and opening it again: by two, in order, and the database refuses the rest."""

from __future__ import annotations

from datetime import date
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.closing.deciding import Unfinished, agree, ask_close, ask_reopen, closable, waiting_ask
from billing.closing.tables import PeriodAsk, PeriodDecision
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.ledger.accounts import account_id
from billing.ledger.periods import is_closed, opens_on
from billing.ledger.posting import Fact, Line, reverse
from billing.ledger.posting_many import Posted, post_many
from billing.ledger.tables import ClosedPeriod, JournalEntry, PeriodReopening, Posting
from billing.money import Money
from billing.storage import Row, new_id
from tests.billing.closing.closing_world import AUGUST, NOW, OCTOBER, SEPTEMBER, Book

WAITS = Unfinished("waiting", 2, Money(900_000), ("aa", "bb"))


def test_what_comes_late_stands_on_the_first_open_day_and_keeps_its_own(book: Book) -> None:
    with book.open() as session:
        early = book.post(session, date(2025, 8, 21))
        book.close(session, AUGUST)
        book.close(session, SEPTEMBER)
        assert opens_on(session, book.school_id) == OCTOBER
        late = book.post(session, date(2025, 9, 3))
        assert (late.value_date, late.true_day) == (OCTOBER, date(2025, 9, 3))
        assert early.id
        fact = Fact(book.school_id, "test_undone", "1", date(2025, 8, 21))
        undo = session.exec(select(JournalEntry).where(JournalEntry.id == reverse(session, early.id, fact, NOW))).one()
        assert (undo.value_date, undo.true_day) == (OCTOBER, date(2025, 8, 21))
        many = Posted(Fact(book.school_id, "many", "1", date(2025, 7, 1)), (Line("131", "531", Money(5)),))
        assert post_many(session, book.school_id, [many], NOW) == 1
        [found] = session.exec(select(JournalEntry).where(JournalEntry.kind == "many")).all()
        assert (found.value_date, found.true_day) == (OCTOBER, date(2025, 7, 1))
        today = book.post(session, date(2025, 11, 6))
        assert (today.value_date, today.true_day) == (date(2025, 11, 6), None)
        assert book.broken(session) == []


def test_two_people_in_the_order_of_the_months(book: Book) -> None:
    with book.open() as session:
        with pytest.raises(Refused, match="lần lượt"):
            ask_close(session, book.accountant, book.school_id, SEPTEMBER, (), "", NOW)
        with pytest.raises(Refused, match="vì sao vẫn khóa"):
            ask_close(session, book.accountant, book.school_id, AUGUST, (WAITS,), " ", NOW)
        asked = ask_close(session, book.accountant, book.school_id, AUGUST, (WAITS,), "chờ ngân hàng", NOW)
        with pytest.raises(Conflict, match="còn chờ"):
            ask_close(session, book.accountant, book.school_id, AUGUST, (), "", NOW)
        with pytest.raises(SamePerson):
            agree(session, book.accountant, book.school_id, asked.id, (WAITS,), NOW)
        with pytest.raises(NotFound):
            agree(session, book.approver, book.school_id, new_id(), (), NOW)
        for more in (Unfinished("waiting", 3, Money(900_000)), Unfinished("waiting", 1, Money(900_001))):
            with pytest.raises(Conflict, match="thêm việc"):
                agree(session, book.approver, book.school_id, asked.id, (more,), NOW)
        with pytest.raises(Conflict, match="thêm việc"):
            agree(session, book.approver, book.school_id, asked.id, (WAITS, Unfinished("acts", 1)), NOW)
        another = Unfinished("waiting", 2, Money(900_000), ("aa", "cc"))
        with pytest.raises(Conflict, match="thêm việc"):  # one done and another begun since
            agree(session, book.approver, book.school_id, asked.id, (another,), NOW)
        agree(session, book.approver, book.school_id, asked.id, (Unfinished("waiting", 1, Money(1)),), NOW)
        assert is_closed(session, book.school_id, date(2025, 7, 31)), "all days before are closed too"
        assert not is_closed(session, book.school_id, SEPTEMBER)
        with pytest.raises(Conflict, match="đã được quyết định"):
            agree(session, book.approver, book.school_id, asked.id, (), NOW)
        book.close(session, SEPTEMBER)
        book.close(session, OCTOBER)
        assert closable(session, book.school_id, NOW.date()) is None, "November is not over"
        assert book.broken(session) == []


def test_opened_again_by_two_the_last_month_first_and_closed_anew(book: Book) -> None:
    with book.open() as session:
        book.close(session, AUGUST)
        book.close(session, SEPTEMBER)
        with pytest.raises(Refused, match="sau cùng"):
            ask_reopen(session, book.accountant, book.school_id, AUGUST, "Ghi thiếu", NOW)
        with pytest.raises(Refused, match="lý do"):
            ask_reopen(session, book.accountant, book.school_id, SEPTEMBER, "", NOW)
        asked = ask_reopen(session, book.accountant, book.school_id, SEPTEMBER, "Ghi thiếu", NOW)
        with pytest.raises(SamePerson):
            agree(session, book.accountant, book.school_id, asked.id, (), NOW)
        book.refuse(session, asked.id)
        assert waiting_ask(session, book.school_id) is None
        book.reopen(session, SEPTEMBER)
        assert opens_on(session, book.school_id) == SEPTEMBER
        entry = book.post(session, date(2025, 9, 9))
        assert entry.value_date == date(2025, 9, 9)
        book.close(session, SEPTEMBER)
        turns = session.exec(select(ClosedPeriod.turn).where(ClosedPeriod.month == SEPTEMBER)).all()
        assert sorted(turns) == [1, 2]
        assert book.broken(session) == []


def entry_of(book: Book, day: date) -> JournalEntry:
    return JournalEntry(school_id=book.school_id, kind="x", source_id="x", value_date=day, recorded_at=NOW)


def ask_of(book: Book, month: date, kind: str = "close") -> PeriodAsk:
    assert book.accountant.user_id
    return PeriodAsk(school_id=book.school_id, kind=kind, month=month, reason="x", seen=[],
                     made_by=book.accountant.user_id, at=NOW)  # fmt: skip


def store(session: Session, row: Row) -> None:
    """Write a row past the rules; what is refused is rolled back alone."""
    with session.begin_nested():
        session.add(row)
        session.flush()


def test_the_database_takes_no_entry_and_no_posting_of_a_closed_month(book: Book) -> None:
    with book.open() as session:
        old = book.post(session, date(2025, 8, 21)).id
        assert old
        book.close(session, AUGUST)
        with pytest.raises(IntegrityError, match="no entry in a closed month"):
            store(session, entry_of(book, date(2025, 8, 31)))
        debit, credit = (account_id(session, book.school_id, code) for code in ("131", "531"))
        late = Posting(
            school_id=book.school_id, entry_id=old, amount=Money(1), debit_account_id=debit, credit_account_id=credit
        )
        with pytest.raises(IntegrityError, match="no posting in a closed month"):
            store(session, late)
        assert book.broken(session) == []
        store(session, entry_of(book, SEPTEMBER))


def test_the_database_closes_and_opens_only_what_two_decided_in_order(book: Book) -> None:
    accountant, approver = book.accountant.user_id, book.approver.user_id
    assert accountant
    assert approver
    here: dict[str, Any] = {"school_id": book.school_id}
    ask, closing = ask_of(book, SEPTEMBER), {**here, "closed_by": approver, "closed_at": NOW}
    september = {**closing, "month": SEPTEMBER, "since": SEPTEMBER, "ask_id": ask.id}
    refused = {
        "in their order": ClosedPeriod(**closing, month=AUGUST, turn=2),
        "another request": ask_of(book, SEPTEMBER),
        "after two people decided": ClosedPeriod(**september),
        "by two people": PeriodDecision(**here, ask_id=ask.id, agreed=True, decided_by=accountant, at=NOW),
        "not over": ClosedPeriod(**{**september, "closed_at": NOW.replace(month=9)}),
        "closed last": PeriodReopening(**here, month=SEPTEMBER, turn=1, ask_id=ask.id, opened_by=approver, at=NOW),
        "opened after two people": PeriodReopening(
            **here, month=AUGUST, turn=1, ask_id=ask.id, opened_by=approver, at=NOW
        ),
    }
    with book.open() as session:
        book.close(session, AUGUST)
        store(session, ask)
        for why, row in refused.items():
            with pytest.raises(IntegrityError, match=why):
                store(session, row)


def test_a_closing_waits_for_the_postings_in_flight_and_they_for_it(book: Book) -> None:
    with book.open() as session:
        asked = ask_close(session, book.accountant, book.school_id, AUGUST, (), "", NOW).id
    posted, closed = Event(), Event()

    def close() -> None:
        posted.wait(timeout=10)
        with book.open() as session:
            agree(session, book.approver, book.school_id, asked, (), NOW)
        closed.set()

    closing = Thread(target=close)
    closing.start()
    with book.open() as session:
        inside = book.post(session, date(2025, 8, 25), 7000)
        posted.set()
        assert not closed.wait(timeout=0.2), "the closing waits for the posting that is not committed"
        assert inside.value_date == date(2025, 8, 25)
    closing.join(timeout=20)
    assert closed.is_set()
    with book.open() as session:
        assert book.post(session, date(2025, 8, 25)).value_date == SEPTEMBER
        assert book.broken(session) == [], "what was in flight is in the figures"


@pytest.mark.parametrize("kind", ["close", "reopen"])
def test_who_asks_second_at_the_same_moment_waits_and_is_told_of_the_first(book: Book, kind: str) -> None:
    with book.open() as session:
        book.close(session, AUGUST)
    told: list[Exception] = []
    done = Event()

    def ask(session: Session) -> None:
        if kind == "close":
            ask_close(session, book.accountant, book.school_id, SEPTEMBER, (), "", NOW)
        else:
            ask_reopen(session, book.accountant, book.school_id, AUGUST, "Ghi thiếu", NOW)

    def second() -> None:
        try:
            with book.open() as session:
                ask(session)
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            told.append(error)
        done.set()

    late = Thread(target=second)
    with book.open() as session:
        ask(session)
        late.start()
        assert not done.wait(timeout=0.2), "the second waits for the first that is not committed"
    late.join(timeout=20)
    assert [type(each) for each in told] == [Conflict]
