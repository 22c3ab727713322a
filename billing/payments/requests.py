"""Payment requests: one for each pupil and account over all open bills, with one reference and one QR.

A bill does not know its requests, and an older request stays valid: whoever pays last month's QR pays the same bills.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.ledger.replacing import replacements
from billing.ledger.tables import BankAccount
from billing.loading import load_temporary
from billing.money import Money, total
from billing.payments.balances import open_bills
from billing.payments.reference import reference_for
from billing.payments.tables import PaymentRequest, PaymentRequestBill, reference_numbers
from billing.payments.virtual_accounts import assign_virtual_accounts
from billing.storage import new_id

Payee = tuple[UUID, UUID]
"""Who is asked and where to: the pupil and the school's bank account."""


class NewRequest(NamedTuple):
    """A request just opened, with its bills in the order in which they are paid and all that is due on them."""

    id: UUID
    pupil_id: UUID
    bank_account_id: UUID
    number: int
    reference: str
    bill_ids: tuple[UUID, ...]
    amount: Money


def open_requests(  # noqa: PLR0913  whose, where, when, with which key
    session: Session,
    school_id: UUID,
    payees: Collection[Payee],
    now: datetime,
    reference_key: bytes,
    *,
    settled: Collection[UUID] = (),
) -> list[NewRequest]:
    """Open one request for each pupil and account that has open bills; the oldest due comes first in it.

    Payees without an open bill get none, unless a bill of theirs is among ``settled``: bills that families are to be
    shown although their credit paid them in full. A replaced account stands for the one in its place, also for older
    bills. References come from the database's sequence, so no two are alike
    and none is used again, also when the transaction fails.
    """
    session.flush()
    instead = replacements(session, school_id)
    wanted = {(pupil, instead.get(account, account)) for pupil, account in payees}
    bills: dict[Payee, list[tuple[UUID, Money]]] = defaultdict(list)
    for each in open_bills(session, school_id, {pupil for pupil, _ in wanted}, settled=settled):
        payee = (each.pupil_id, instead.get(each.bank_account_id, each.bank_account_id))
        if payee in wanted:
            bills[payee].append((each.bill_id, each.rest))
    numbers = _virtual_numbers(session, school_id, bills, now)
    # In the order of the ids; their numbers are compared much faster.
    order = sorted(bills.items(), key=lambda item: (item[0][0].int, item[0][1].int))
    drawn = _draw_numbers(session, len(order))
    requests = [
        NewRequest(
            id=new_id(),
            pupil_id=pupil,
            bank_account_id=account,
            number=number,
            reference=reference_for(number, reference_key),
            bill_ids=tuple(bill for bill, _ in owed),
            amount=total(rest for _, rest in owed),
        )
        for ((pupil, account), owed), number in zip(order, drawn, strict=True)
    ]
    _write(session, school_id, requests, numbers, now)
    return requests


def references_of(session: Session, bills: Collection[UUID]) -> dict[UUID, str]:
    """Return the newest reference under which each bill is asked for; a covered bill has none."""
    rows = session.exec(
        select(col(PaymentRequestBill.bill_id), col(PaymentRequest.reference))
        .join(PaymentRequest, col(PaymentRequest.id) == col(PaymentRequestBill.request_id))
        .where(col(PaymentRequestBill.bill_id).in_(bills))
        .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id))
    ).all()
    return dict(rows)


def _virtual_numbers(session: Session, school_id: UUID, payees: Collection[Payee], now: datetime) -> dict[Payee, str]:
    """Return the virtual account of every payee whose account is told apart only by them."""
    accounts = session.exec(
        select(BankAccount)
        .where(
            BankAccount.school_id == school_id,
            col(BankAccount.id).in_({account for _, account in payees}),
            col(BankAccount.only_virtual).is_(True),
        )
        .order_by(col(BankAccount.id)),
    ).all()
    return {
        (pupil, account.id): number
        for account in accounts
        for pupil, number in assign_virtual_accounts(
            session, account, [pupil for pupil, at in payees if at == account.id], now
        ).items()
    }


def _draw_numbers(session: Session, how_many: int) -> list[int]:
    drawn = select(reference_numbers.next_value()).select_from(text("generate_series(1, :how_many)"))
    return list(session.execute(drawn, {"how_many": how_many}).scalars())


_REQUESTS = {
    "id": "uuid",
    "pupil_id": "uuid",
    "bank_account_id": "uuid",
    "reference": "text",
    "number": "bigint",
    "virtual_account": "text",
}
_HELD = {"request_id": "uuid", "bill_id": "uuid", "position": "int"}
_INSERT_REQUESTS = text("""
    INSERT INTO payment_requests (id, school_id, pupil_id, bank_account_id, reference, virtual_account, link_version,
                                  created_at)
    SELECT id, :school_id, pupil_id, bank_account_id, reference, virtual_account, 1, :now FROM pg_temp.new_requests
""")
_INSERT_HELD = text("""
    INSERT INTO payment_request_bills (request_id, bill_id, school_id, position)
    SELECT request_id, bill_id, :school_id, position FROM pg_temp.new_request_bills
""")
_INSERT_REFERENCES = text("""
    INSERT INTO reference_registry (reference, number, school_id, request_id, issued_at)
    SELECT reference, number, :school_id, id, :now FROM pg_temp.new_requests
""")


def _write(
    session: Session,
    school_id: UUID,
    requests: Sequence[NewRequest],
    numbers: Mapping[Payee, str],
    now: datetime,
) -> None:
    if not requests:
        return
    rows = (
        (
            each.id,
            each.pupil_id,
            each.bank_account_id,
            each.reference,
            each.number,
            numbers.get((each.pupil_id, each.bank_account_id)),
        )
        for each in requests
    )
    held = ((each.id, bill, position) for each in requests for position, bill in enumerate(each.bill_ids, 1))
    load_temporary(session, "new_requests", _REQUESTS, rows)
    load_temporary(session, "new_request_bills", _HELD, held)
    shared = {"school_id": school_id, "now": now}
    session.execute(_INSERT_REQUESTS, shared)
    session.execute(_INSERT_HELD, {"school_id": school_id})
    session.execute(_INSERT_REFERENCES, shared)
