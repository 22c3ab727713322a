"""A school whose families pay and whose office uses credit, gives back, undoes and takes bills back: one act each.

Every act is a transaction of its own by the product's own functions. What is not possible just now is refused by them
or by the database, and then nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.tables import Bill
from billing.credits.applying import apply_credit
from billing.credits.paying_out import pay_cash, take_back
from billing.credits.reading import free_credit
from billing.credits.refunding import Wanted, approve_refund, ask_refund, reject_refund
from billing.credits.tables import Refund, RefundDecision, RefundLine
from billing.credits.using import hold_credit
from billing.errors import HocphiError
from billing.money import Money
from billing.payments.balances import bill_balances
from billing.payments.reversing import reverse_payment
from billing.payments.tables import Payment, PaymentRequest, PaymentReversal
from billing.rounds.correcting import approve_correction, propose_void
from reconciliation.feeds.stand_in import Movement
from reconciliation.tables import Transfer
from reconciliation.transfers import step
from service.database import EVERYTHING
from tests.factories.bills import REFERENCE_KEY
from tests.factories.collecting import PAID_AT, Collecting, bill_and_ask
from tests.factories.schools import make_user
from tests.factories.till import fill_till
from tests.factories.unbroken import violations

ALWAYS = ("I1", "I2", "I3", "I5", "I6", "I7")
REASON = "Phụ huynh gọi điện báo"
# What the database says to whoever came too late: check, key, serialization, deadlock, lock.
_TOO_LATE = frozenset({"23514", "23505", "40001", "40P01", "55P03"})

Act = Callable[[Session, datetime], object]


@dataclass
class Office:
    """The school and its people. ``child`` is a number from 0."""

    collecting: Collecting
    accountant: Actor
    approver: Actor
    cashier: Actor

    @property
    def school_id(self) -> UUID:
        return self.collecting.school.id

    def pupil(self, child: int) -> UUID:
        return self.collecting.children[child].id

    def code(self, child: int) -> str:
        """Return the reference that the family was shown last."""
        newest = select(PaymentRequest.reference).where(PaymentRequest.pupil_id == self.pupil(child))
        with self.collecting.database.transaction(self.collecting.scope) as session:
            return session.exec(newest.order_by(col(PaymentRequest.created_at).desc()).limit(1)).one()

    def rest(self, child: int) -> int:
        """Return what is open on all bills of a child, in đồng."""
        with self.collecting.database.transaction(self.collecting.scope) as session:
            return sum(each.rest.dong for each in bill_balances(session, col(Bill.pupil_id) == self.pupil(child)))

    def transfer_for(self, child: int, dong: int) -> Movement:
        """Let a family pay by its code."""
        return self.collecting.pays(self.code(child), dong)

    def bill(self, child: int, dong: int, period: str) -> bool:
        """Bill a child once more, and ask for all that is open."""
        world = self.collecting

        def act(session: Session, now: datetime) -> object:
            del now
            return bill_and_ask(session, world.children[child], world.account, dong, period)

        return self._done(act)

    def use_credit(self, child: int) -> bool:
        """Set a child's credit against its open bills."""
        whose = {self.pupil(child)}
        return self._done(
            lambda session, now: apply_credit(session, self.accountant, self.school_id, whose, REASON, now, freely=True)
        )

    def ask_refund(self, child: int, part: int = 1) -> bool:
        """Ask for a child's free credit, or one of so many parts of it, to be given back."""

        def act(session: Session, now: datetime) -> object:
            pupil = self.pupil(child)
            free = free_credit(session, self.school_id, {pupil}).get((pupil, None), Money(0))
            wanted = [Wanted(pupil, None, Money(free.dong // part))]
            vault = self.collecting.wiring.vault
            return ask_refund(session, vault, self.accountant, self.school_id, wanted, REASON, now)

        return self._done(act)

    def decide_refund(self, *, approve: bool) -> bool:
        """Decide on the oldest request for a refund that waits."""

        def act(session: Session, now: datetime) -> object:
            decided = select(RefundDecision.refund_id)
            waiting = select(Refund.id).where(col(Refund.id).not_in(decided)).order_by(col(Refund.id)).limit(1)
            refund_id = session.exec(waiting).one_or_none()
            if refund_id is None:
                return None
            if approve:
                return approve_refund(session, refund_id, self.approver, now)
            reject_refund(session, refund_id, self.approver, REASON, now)
            return refund_id

        return self._done(act)

    def finish_refund(self, place: int, *, pay: bool) -> bool:
        """Hand the cash of a line over, or take the line back."""

        def act(session: Session, now: datetime) -> object:
            lines = session.exec(select(RefundLine.id).order_by(col(RefundLine.id))).all()
            if not lines:
                return None
            line = lines[place % len(lines)]
            if pay:
                return pay_cash(session, line, self.cashier, "Nguyễn Văn Hòa", now.date(), now)
            return take_back(session, line, self.accountant, REASON, now)

        return self._done(act)

    def undo(self, place: int) -> bool:
        """Undo the match of a transfer: its payments are reversed, the money waits again."""

        def act(session: Session, now: datetime) -> object:
            matched = select(Transfer).where(Transfer.state == "matched").order_by(col(Transfer.id))
            found = session.exec(matched).all()
            if not found:
                return None
            one = found[place % len(found)]
            transfer = session.exec(select(Transfer).where(Transfer.id == one.id).with_for_update()).one()
            session.refresh(transfer)
            if transfer.state != "matched":
                return None
            hold_credit(session, self.school_id)
            for payment_id in self._payments_of(session, transfer.id):
                reverse_payment(session, self.school_id, payment_id, self.accountant.user_id, REASON, now)
            step(session, transfer, "waiting", "undone", now, self.accountant.user_id)
            return transfer.id

        return self._done(act)

    def take_bill_back(self, place: int) -> bool:
        """Take a bill that nobody paid back: one asks, another approves."""

        def act(session: Session, now: datetime) -> object:
            of_school = bill_balances(session, col(Bill.school_id) == self.school_id)
            bills = sorted((each for each in of_school if not each.void), key=lambda each: each.number)
            if not bills:
                return None
            bill_id = bills[place % len(bills)].bill_id
            asked = propose_void(session, self.accountant, bill_id, REASON, now)
            return approve_correction(session, asked.id, self.approver, now, REFERENCE_KEY)

        return self._done(act)

    def broken(self, *names: str) -> list[str]:
        """Return what of the invariants does not hold; their one statement sees all of them in one snapshot."""
        with self.collecting.database.transaction(self.collecting.scope) as session:
            return violations(session, self.collecting.wiring.clock(), names or ALWAYS)

    def _payments_of(self, session: Session, transfer_id: UUID) -> list[UUID]:
        reversed_ = select(PaymentReversal.payment_id)
        rows = session.exec(
            select(Payment.id)
            .where(Payment.source_id == transfer_id, col(Payment.id).not_in(reversed_))
            .order_by(col(Payment.pupil_id))
        )
        return list(rows)

    def _done(self, act: Act) -> bool:
        """Do an act in a transaction of its own; tell whether it was done, and not refused or without an object."""
        try:
            with self.collecting.database.transaction(self.collecting.scope) as session:
                return act(session, self.collecting.wiring.clock()) is not None
        except HocphiError:
            return False
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _TOO_LATE:
                raise
            return False


def make_office(collecting: Collecting) -> Office:
    """Put the people into a collecting school, and cash for refunds into its till."""
    with collecting.database.transaction(EVERYTHING) as session:
        people = [make_user(session, collecting.school, role) for role in ("accountant", "approver", "cashier")]
        fill_till(session, collecting.school, Money(1_000_000_000), PAID_AT)
    return Office(collecting, *people)
