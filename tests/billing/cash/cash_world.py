"""A school with September billed, a cashier, and short ways to take cash; whatever was done ties out, cash included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.cash.paper_books import Leaf
from billing.cash.tables import CashTaking
from billing.cash.taking import Handed, Screen, plan_taking, take_cash
from billing.cash.undoing import approve_reversal, ask_reversal
from billing.ledger.balances import debit_balance
from billing.money import Money
from billing.storage import Row, new_id
from billing.vault import Vault
from service.database import Database, Scope
from tests.billing.credits.credit_world import School, make_school
from tests.factories.schools import make_user
from tests.factories.unbroken import violations


@dataclass
class Till:
    """The school, its cashier and two people who may approve."""

    school: School
    cashier: Actor
    second: Actor

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open a transaction; what was done in it ties out."""
        with self.school.open() as session:
            yield session
            session.flush()
            self.ties_out(session)

    def ties_out(self, session: Session) -> None:
        """Assert that the invariants of the book and of cash hold."""
        assert violations(session, self.now, ("I1",)) == []

    @property
    def scope(self) -> Scope:
        return Scope.of(self.id)

    @property
    def id(self) -> UUID:
        return self.school.id

    @property
    def now(self) -> datetime:
        return self.school.now

    @property
    def approver(self) -> Actor:
        return self.school.billing.approver

    @property
    def accountant(self) -> Actor:
        return self.school.billing.accountant

    def handed(  # noqa: PLR0913  each is something a cashier types
        self, dong: int, child: int = 1, *, form: UUID | None = None, chosen: frozenset[UUID] | None = None,
        leaf: Leaf | None = None, day: date | None = None, payer: str = "",
    ) -> Handed:  # fmt: skip
        return Handed(
            pupil_id=self.school.pupil(child), amount=Money(dong), form=form or new_id(), collector="Lê Thị Quỹ",
            payer=payer, chosen=chosen, leaf=leaf, day=day,
        )  # fmt: skip

    def seen(self, session: Session, handed: Handed) -> Screen:
        """Return what the cashier sees before she confirms."""
        plan = plan_taking(session, self.id, handed.pupil_id, handed.amount, handed.chosen, [])
        return Screen(plan.mark)

    def take(self, session: Session, handed: Handed) -> CashTaking:
        return take_cash(session, self.cashier, self.id, handed, self.seen(session, handed), self.now)

    def take_back(self, session: Session, taking: CashTaking, reason: str = "Ghi nhầm em") -> None:
        asked = ask_reversal(session, self.cashier, self.id, taking.id, reason, self.now)
        approve_reversal(session, self.approver, self.id, asked.id, self.now)

    def store(self, *rows: Row) -> None:
        """Write rows past our rules, as the database alone judges them."""
        with self.school.database.transaction(Scope.of(self.id)) as session:
            for row in rows:
                session.add(row)
                session.flush()

    def cash(self, session: Session) -> int:
        return debit_balance(session, self.id, "111").dong


def make_till(database: Database, vault: Vault, now: datetime) -> Till:
    """Make the school; the first child has paid September in cash before."""
    school = make_school(database, vault, now)
    with school.open() as session:
        school.bill_month(session, 9)
        school.bill_month(session, 10)
        cashier = make_user(session, school.billing.school, "cashier")
        second = make_user(session, school.billing.school, "approver")
    return Till(school, cashier, second)
