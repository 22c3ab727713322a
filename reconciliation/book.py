"""The matcher's book over the rows of one school: what a reference or a virtual account stands for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillVoid
from billing.money import ZERO, Money
from billing.payments.balances import taken_from_bill
from billing.payments.tables import (
    IssuedReference,
    PaymentRequest,
    PaymentRequestBill,
)
from billing.payments.virtual_accounts import holder_of, is_known
from billing.vault import Vault
from reconciliation.matching import IncomingTransfer, OpenRequest, RequestStatus
from reconciliation.matching_rules import suggest_by_now
from reconciliation.memo import Memo
from reconciliation.pupil_leads import PupilLeads
from reconciliation.weak_signs import Lead, Sign


class RowsBook:
    """Looks requests up for a transfer on one account of one school. Account and pupil are ids as text.

    A bill that stands in several requests (an older month asked for again) is one entry, under the newest of them,
    wherever a pupil's entries are listed. With a ``vault`` the phone numbers of families are looked for as well.
    """

    def __init__(
        self,
        session: Session,
        school_id: UUID,
        bank_account_id: UUID,
        vault: Vault | None = None,
        at: datetime | None = None,
    ) -> None:
        self._at = at
        self._session = session
        self._school_id = school_id
        self._bank_account_id = bank_account_id
        self._people = PupilLeads(session, school_id, bank_account_id, vault)

    def by_reference(self, reference: str) -> tuple[OpenRequest, ...]:
        """Return the bills of an issued reference; of another school only that it is theirs."""
        issued = self._session.exec(
            select(IssuedReference).where(IssuedReference.reference == reference),
        ).one_or_none()
        if issued is None:
            return ()
        if issued.school_id != self._school_id:
            return (_of_another_school(issued),)
        return tuple(self._entries(col(PaymentRequest.id) == issued.request_id))

    def by_virtual_account(self, virtual_account: str) -> tuple[OpenRequest, ...]:
        """Return the bills of the pupil who has the number (``at`` the money's moment), or of requests that show it.

        A number of the pool is nobody's between a release and the next assignment: money to it then waits for a person.
        """
        place = (self._session, self._school_id, self._bank_account_id, virtual_account)
        pupil = holder_of(*place, self._at)
        on_account = col(PaymentRequest.bank_account_id) == self._bank_account_id
        if pupil is not None:
            return tuple(self._entries(on_account, col(PaymentRequest.pupil_id) == pupil))
        if is_known(*place):
            return ()
        return tuple(self._entries(on_account, col(PaymentRequest.virtual_account) == virtual_account))

    def open_of_pupil(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the bills on which a pupil still owes something on an account."""
        return self._payable([UUID(pupil)], account)

    def open_of_family(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the bills on which the other children of a pupil's guardians still owe something on an account."""
        return self._payable(self._people.siblings(UUID(pupil)), account)

    def suggest_by(self) -> frozenset[Sign]:
        """Return the weaker signs that the school lets suggest now."""
        return suggest_by_now(self._session, self._school_id)

    def leads(self, transfer: IncomingTransfer, memo: Memo) -> Sequence[Lead]:
        """Return the pupils of this school to whom a memo or the paying account leads."""
        return self._people.leads(transfer, memo)

    def _payable(self, pupils: Collection[UUID], account: str) -> list[OpenRequest]:
        if not pupils:
            return []
        entries = self._entries(
            col(PaymentRequest.pupil_id).in_(pupils),
            col(PaymentRequest.bank_account_id) == UUID(account),
        )
        return [entry for entry in entries if entry.payable]

    def _entries(self, *conditions: ColumnElement[bool]) -> list[OpenRequest]:
        """Return the bills of some requests, each once: in a request's own order, or oldest due first over several."""
        rows = self._session.execute(_rows_of(self._school_id, *conditions)).all()
        newest = {row.Bill.id: row for row in rows}  # rows come oldest request first
        found = list(newest.values())
        if len({row.PaymentRequest.id for row in rows}) > 1:
            found.sort(key=lambda row: (row.Bill.due_on, row.Bill.number))
        return [_entry(row.PaymentRequest, row.Bill, row.taken, void=row.void) for row in found]


def _rows_of(school_id: UUID, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Return the query for requests with their bills and what each was paid or lowered by, by index alone."""
    link = PaymentRequestBill
    rows: Select[Any] = sql_select(
        PaymentRequest,
        Bill,
        taken_from_bill().label("taken"),
        col(BillVoid.bill_id).is_not(None).label("void"),
    )
    return (
        rows.join(link, (col(link.school_id) == PaymentRequest.school_id) & (col(link.request_id) == PaymentRequest.id))
        .join(Bill, (col(Bill.school_id) == link.school_id) & (col(Bill.id) == link.bill_id))
        .outerjoin(BillVoid, (col(BillVoid.bill_id) == Bill.id) & (col(BillVoid.school_id) == Bill.school_id))
        .where(col(PaymentRequest.school_id) == school_id, *conditions)
        .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id), col(link.position))
    )


def _entry(request: PaymentRequest, bill: Bill, taken: Money, *, void: bool) -> OpenRequest:
    rest = ZERO if void else bill.family_due - taken
    status = RequestStatus.OPEN if rest else RequestStatus.PAID
    return OpenRequest(
        reference=request.reference,
        pupil=str(request.pupil_id),
        family="",
        school=str(request.school_id),
        account=str(request.bank_account_id),
        virtual_account=request.virtual_account,
        due=rest,
        status=RequestStatus.VOID if void else status,
        key=str(bill.id),
    )


def _of_another_school(issued: IssuedReference) -> OpenRequest:
    """Tell that a reference is issued and nothing more: row-level security shows no other school's rows."""
    return OpenRequest(
        reference=issued.reference,
        pupil="",
        family="",
        school=str(issued.school_id),
        account="",
        due=ZERO,
    )
