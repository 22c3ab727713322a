"""A school whose money waits for people: two accountants, two who agree, and what ties out after each act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.tables import Bill
from billing.money import Money
from billing.payments.balances import bill_balances
from reconciliation.queue.assigning import Wanted, assign
from reconciliation.queue.pieces import Piece
from reconciliation.queue.standing import Seen, seen_of
from reconciliation.queue.tables import QueueAct
from reconciliation.tables import Transfer
from service.database import EVERYTHING
from service.invariants import check_all
from tests.factories.collecting import Collecting
from tests.factories.schools import make_user

# Seals and days are made by jobs that these tests do not run; the bare bills of the factory have no lines and no round.
_BY_JOBS = {"I12", "I16"}
_BARE = {"I4": "bill ", "I13": "round "}


@dataclass
class Queue:
    """The school, the people, and what they do."""

    collecting: Collecting
    accountant: Actor
    other: Actor
    approver: Actor

    @property
    def school_id(self) -> UUID:
        return self.collecting.school.id

    def pupil(self, child: int) -> UUID:
        return self.collecting.children[child].id

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open a transaction of the school; whatever was done in it ties out."""
        with self.collecting.database.transaction(self.collecting.scope) as session:
            yield session
            session.flush()
            now = self.collecting.wiring.clock()
            wrong = [each for each in check_all(session, self.collecting.wiring.vault, now) if not each.ok]
            told = [(each.id, problem) for each in wrong if each.id not in _BY_JOBS for problem in each.problems]
            left = [(name, problem) for name, problem in told if not problem.startswith(_BARE.get(name, "\0"))]
            if left:
                raise AssertionError(left)

    def waits(self, dong: int, memo: str = "chuyen tien hoc", **more: object) -> UUID:
        """Let money come in that nobody can place; return its transfer."""
        before = set(self.ids())
        self.collecting.hear_of(self.collecting.pays(memo, dong, **more))
        (fresh,) = set(self.ids()) - before
        return fresh

    def ids(self) -> list[UUID]:
        return [transfer.id for transfer in self.collecting.transfers()]

    def state(self, transfer: UUID) -> str:
        with self.collecting.database.transaction(self.collecting.scope) as session:
            return session.exec(select(Transfer.state).where(Transfer.id == transfer)).one()

    def seen(self, session: Session, transfer: UUID) -> Seen:
        return seen_of(session, self.school_id, transfer)

    def bill(self, session: Session, child: int) -> UUID:
        of = col(Bill.school_id) == self.school_id, col(Bill.pupil_id) == self.pupil(child)
        return bill_balances(session, *of)[0].bill_id

    def on_bill(self, session: Session, child: int, dong: int) -> Piece:
        return Piece(self.pupil(child), self.bill(session, child), Money(dong))

    def credit(self, child: int, dong: int) -> Piece:
        return Piece(self.pupil(child), None, Money(dong))

    def assign(
        self,
        session: Session,
        transfer: UUID,
        *pieces: Piece,
        by: Actor | None = None,
        seen: Seen | None = None,
        reason: str = "Phụ huynh gọi điện báo",
    ) -> QueueAct:
        wanted = Wanted(transfer, pieces, seen or self.seen(session, transfer), reason)
        vault, now = self.collecting.wiring.vault, self.collecting.wiring.clock()
        return assign(session, vault, by or self.accountant, self.school_id, wanted, now)

    def count(self, table: str) -> int:
        with self.collecting.database.transaction(EVERYTHING) as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  our own name


def make_queue(collecting: Collecting) -> Queue:
    """Put the people beside a collecting school."""
    with collecting.database.transaction(EVERYTHING) as session:
        roles = ("accountant", "accountant", "approver")
        return Queue(collecting, *(make_user(session, collecting.school, role) for role in roles))
