"""A school with a book, two people, and short ways to post, close and open months."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.closing.deciding import Unfinished, agree, ask_close, ask_reopen, refuse
from billing.ledger.accounts import open_account
from billing.ledger.posting import Fact, Line, post
from billing.ledger.tables import JournalEntry
from billing.money import Money
from billing.people.tables import School
from billing.storage import new_id
from service.database import EVERYTHING, Database, Scope
from tests.factories.schools import make_school, make_user
from tests.factories.unbroken import violations

NOW = datetime(2025, 11, 6, 2, 0, tzinfo=UTC)  # months up to October are over
AUGUST, SEPTEMBER, OCTOBER = (date(2025, month, 1) for month in (8, 9, 10))


@dataclass
class Book:
    """The school, its accountant and its approver; ``school_id`` outlives the session that made it."""

    database: Database
    school_id: UUID
    accountant: Actor
    approver: Actor

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open a transaction of this school."""
        with self.database.transaction(Scope.of(self.school_id)) as session:
            yield session

    def post(self, session: Session, day: date, dong: int = 1000) -> JournalEntry:
        """Post one fact of a day and return its entry."""
        fact = Fact(self.school_id, "test", str(new_id()), day)
        key = post(session, fact, [Line("131", "531", Money(dong))], NOW)
        return session.exec(select(JournalEntry).where(JournalEntry.id == key)).one()

    def close(self, session: Session, month: date, *unfinished: Unfinished) -> None:
        """Ask for a month to be closed, and agree."""
        why = "chờ ngân hàng" if unfinished else ""
        asked = ask_close(session, self.accountant, self.school_id, month, unfinished, why, NOW)
        agree(session, self.approver, self.school_id, asked.id, unfinished, NOW)

    def reopen(self, session: Session, month: date) -> None:
        """Ask for a month to be opened again, and agree."""
        asked = ask_reopen(session, self.accountant, self.school_id, month, "Ghi thiếu", NOW)
        agree(session, self.approver, self.school_id, asked.id, (), NOW)

    def refuse(self, session: Session, ask_id: UUID) -> None:
        """Say no."""
        refuse(session, self.approver, self.school_id, ask_id, "Chưa kiểm quỹ", NOW)

    def broken(self, session: Session) -> list[str]:
        """Return what the invariants of the book and of two people say."""
        session.flush()
        return violations(session, NOW, ("I2", "I14"))


def make_book(database: Database) -> Book:
    """Make the school; the book begins in August."""
    with database.transaction(EVERYTHING) as session:
        school: School = make_school(session)
        open_account(session, school.id, "531", "Thu dịch vụ", "income")
        book = Book(database, school.id, make_user(session, school), make_user(session, school, "approver"))
        book.post(session, date(2025, 8, 20), 500_000)
    return book
