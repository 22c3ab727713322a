"""A school with an issued round, and short ways to pay and correct its bills; everything ties out at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.ledger.balances import debit_balance, trial_balance
from billing.money import ZERO, Money, total
from billing.payments.allocation import allocate
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import Received, record_payment
from billing.rounds.correcting import CorrectionPreview, approve_correction
from billing.rounds.tables import Correction
from billing.storage import new_id
from service.database import Database, Scope
from tests.conftest import SCHOOL_DAY
from tests.factories.rounds import REFERENCE_KEY, BillingSchool, issued_round
from tests.factories.unbroken import violations

CHECKED = ("I2", "I4", "I5", "I6", "I7", "I13", "I14", "I15")


@dataclass
class Issued:
    """An issued round of a small school."""

    database: Database
    billing: BillingSchool
    round_id: UUID
    now: datetime

    @contextmanager
    def open(self) -> Iterator[Session]:
        with self.database.transaction(Scope.of(self.billing.id)) as session:
            yield session

    def bill(self, session: Session, child: int = 0) -> BillBalance:
        """Return the child's newest live bill of the round."""
        of = col(Bill.round_id) == self.round_id, col(Bill.pupil_id) == self.billing.pupils[child].id
        return [each for each in bill_balances(session, *of) if not each.void][-1]

    def line(self, session: Session, bill: BillBalance, item: str) -> BillLine:
        return session.exec(select(BillLine).where(BillLine.bill_id == bill.bill_id, BillLine.item_code == item)).one()

    def pay(self, session: Session, child: int, amount: Money | None = None) -> None:
        """Pay a child's bill in cash, all of it or an amount; what is too much becomes credit."""
        bill = self.bill(session, child)
        amount = bill.rest if amount is None else amount
        received = Received(
            school_id=self.billing.id,
            pupil_id=bill.pupil_id,
            source_kind="cash",
            source_id=new_id(),
            amount=amount,
            value_date=self.now.date(),
        )
        parts, _ = allocate(amount, [(bill.bill_id, bill.rest)])
        record_payment(session, received, parts, self.now)

    def approve(self, session: Session, correction: Correction) -> CorrectionPreview:
        later = self.now + timedelta(minutes=5)
        return approve_correction(session, correction.id, self.billing.approver, later, REFERENCE_KEY)

    def credit_of(self, session: Session, child: int) -> Money:
        """Return the pupil's credit as the book says it."""
        return -debit_balance(session, self.billing.id, "3383", pupil_id=self.billing.pupils[child].id)


def issue(database: Database, billing: BillingSchool, now: datetime) -> Issued:
    """Issue October for a school."""
    with database.transaction(Scope.of(billing.id)) as session:
        issued_round(session, billing, now)
        round_id = session.exec(select(Bill.round_id)).first()
    assert round_id is not None
    return Issued(database, billing, round_id, now)


def broken(session: Session) -> list[str]:
    """Return what the invariants find in the session's school, in words."""
    return violations(session, SCHOOL_DAY, CHECKED)  # none of these asks for the time


def ties_out(session: Session, billing: BillingSchool) -> None:
    """Assert that bills, book and credit say the same, and that no invariant is broken."""
    balances = bill_balances(session, col(Bill.school_id) == billing.id)
    assert total(each.rest for each in balances) == debit_balance(session, billing.id, "131")
    assert all(each.due - each.paid == each.rest for each in balances if not each.void)
    assert total(trial_balance(session, billing.id).values()) == ZERO
    assert broken(session) == []
