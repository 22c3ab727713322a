"""The rows behind an enquiry: requests and movements of one account, read and never written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from billing.ledger.tables import BankAccount
from billing.money import total
from billing.payments.balances import asked_of, request_balances
from billing.payments.tables import Allocation, Payment, PaymentRequest, PaymentReversal
from billing.payments.virtual_accounts import holder_of, is_known
from billing.people.names import masked
from billing.people.tables import Pupil
from reconciliation.feeds.enquiry import BillFacts, MovementFacts
from reconciliation.tables import Feed, Transfer


@dataclass(frozen=True, slots=True)
class RowBook:
    """The account of a feed on a school day; the transaction is limited to its school."""

    session: Session
    feed: Feed
    today: date

    @property
    def account(self) -> str:
        """The account's number."""
        query = select(BankAccount.number).where(
            BankAccount.school_id == self.feed.school_id, BankAccount.id == self.feed.bank_account_id
        )
        return self.session.exec(query).one()

    def of_customer(self, customer: str) -> BillFacts | None:
        """Return the newest request of the child to whom a number is assigned, of a number, or of a reference."""
        place = (self.session, self.feed.school_id, self.feed.bank_account_id, customer)
        pupil = holder_of(*place)
        if pupil is not None:
            return self._newest(col(PaymentRequest.pupil_id) == pupil)
        if is_known(*place):
            return None
        return self._newest(col(PaymentRequest.virtual_account) == customer) or self.of_reference(customer)

    def of_reference(self, reference: str) -> BillFacts | None:
        """Return a request of this account by its reference."""
        return self._newest(col(PaymentRequest.reference) == reference)

    def movement(self, bank_reference: str) -> MovementFacts | None:
        """Return a movement of this account that this provider told of, by the number under which it told it."""
        row = self.session.exec(
            select(Transfer).where(
                Transfer.school_id == self.feed.school_id,
                Transfer.provider == self.feed.provider,
                Transfer.bank_account_id == self.feed.bank_account_id,
                Transfer.provider_id == bank_reference,
            )
        ).one_or_none()
        if row is None:
            return None
        return MovementFacts(bank_reference, row.amount, row.direction == "in", row.occurred_at)

    def _newest(self, condition: ColumnElement[bool]) -> BillFacts | None:
        request = self.session.exec(
            select(PaymentRequest)
            .where(
                PaymentRequest.school_id == self.feed.school_id,
                PaymentRequest.bank_account_id == self.feed.bank_account_id,
                condition,
            )
            .order_by(col(PaymentRequest.created_at).desc(), col(PaymentRequest.id).desc())
            .limit(1)
        ).one_or_none()
        return None if request is None else self._facts(request)

    def _facts(self, request: PaymentRequest) -> BillFacts:
        balances = request_balances(self.session, request.school_id, [request.id])[request.id]
        live = [balance for balance in balances if not balance.void]
        bills = [balance.bill_id for balance in live]
        paid_at = self.session.exec(
            select(func.max(Payment.recorded_at))
            .join(Allocation, col(Allocation.payment_id) == col(Payment.id))
            .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
            .where(
                Allocation.school_id == request.school_id,
                col(Allocation.bill_id).in_(bills),
                col(PaymentReversal.payment_id).is_(None),
            )
        ).one()
        return BillFacts(
            reference=request.reference,
            masked_name=masked(self._name(request.pupil_id)),
            asked=asked_of(live, self.today),
            due=total(balance.due for balance in live),
            asked_at=request.created_at,
            paid_at=paid_at,
        )

    def _name(self, pupil_id: UUID) -> str:
        return self.session.get_one(Pupil, pupil_id).full_name
