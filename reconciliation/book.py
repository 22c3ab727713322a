"""The matcher's book over the rows of one school: what a reference or a virtual account stands for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from billing.money import ZERO
from billing.payments.balances import BillBalance, request_balances
from billing.payments.tables import IssuedReference, PaymentRequest, VirtualAccount
from reconciliation.matching import OpenRequest, RequestStatus


class RowsBook:
    """Looks requests up for a transfer on one account of one school. Account and pupil are ids as text.

    A bill that stands in several requests (an older month asked for again) is one entry, under the newest of them,
    wherever a pupil's entries are listed.
    """

    def __init__(self, session: Session, school_id: UUID, bank_account_id: UUID) -> None:
        self._session = session
        self._school_id = school_id
        self._bank_account_id = bank_account_id

    def by_reference(self, reference: str) -> Sequence[OpenRequest]:
        """Return the bills of an issued reference; of another school only that it is theirs."""
        issued = self._session.exec(
            select(IssuedReference).where(IssuedReference.reference == reference),
        ).one_or_none()
        if issued is None:
            return ()
        if issued.school_id != self._school_id:
            return (_of_another_school(issued),)
        return self._entries(PaymentRequest.id == issued.request_id)

    def by_virtual_account(self, virtual_account: str) -> Sequence[OpenRequest]:
        """Return the bills of the pupil to whom the number is assigned now, or of the requests that show it."""
        pupil = self._session.exec(
            select(VirtualAccount.pupil_id).where(
                VirtualAccount.school_id == self._school_id,
                VirtualAccount.bank_account_id == self._bank_account_id,
                VirtualAccount.number == virtual_account,
                col(VirtualAccount.released_at).is_(None),
            ),
        ).one_or_none()
        on_account = PaymentRequest.bank_account_id == self._bank_account_id
        if pupil is not None:
            return self._entries(on_account, PaymentRequest.pupil_id == pupil)
        return self._entries(on_account, PaymentRequest.virtual_account == virtual_account)

    def open_of_pupil(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the bills on which a pupil still owes something on an account."""
        entries = self._entries(
            PaymentRequest.pupil_id == UUID(pupil),
            PaymentRequest.bank_account_id == UUID(account),
        )
        return [entry for entry in entries if entry.payable]

    def _entries(self, *conditions: object) -> list[OpenRequest]:
        """Return the bills of some requests, oldest due first, each once."""
        requests = self._session.exec(
            select(PaymentRequest)
            .where(PaymentRequest.school_id == self._school_id, *conditions)  # type: ignore[arg-type]  # SQL conditions
            .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id)),
        ).all()
        balances = request_balances(self._session, self._school_id, [request.id for request in requests])
        found: dict[UUID, tuple[BillBalance, OpenRequest]] = {}
        for request in requests:
            found |= {balance.bill_id: (balance, _entry(request, balance)) for balance in balances[request.id]}
        if len(requests) == 1:
            return [entry for _, entry in found.values()]  # in the order of the request
        oldest_first = sorted(found.values(), key=lambda pair: (pair[0].due_on, pair[0].number))
        return [entry for _, entry in oldest_first]


def _entry(request: PaymentRequest, balance: BillBalance) -> OpenRequest:
    status = RequestStatus.OPEN if balance.rest else RequestStatus.PAID
    return OpenRequest(
        reference=request.reference,
        pupil=str(request.pupil_id),
        family="",
        school=str(request.school_id),
        account=str(request.bank_account_id),
        virtual_account=request.virtual_account,
        due=balance.rest,
        status=RequestStatus.VOID if balance.void else status,
        key=str(balance.bill_id),
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
