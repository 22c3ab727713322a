"""The open bills of some pupils, as the queue offers them to a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session, col

from billing.bills.tables import Bill
from billing.payments.balances import bill_balances
from billing.storage import among
from reconciliation.queue.sharing import OpenBill


def open_bills_of(
    session: Session, school_id: UUID, pupils: Collection[UUID], bank_account_id: UUID
) -> dict[UUID, list[OpenBill]]:
    """Return what is open on the bills of some pupils, oldest due first; set-wise."""
    found: dict[UUID, list[OpenBill]] = defaultdict(list)
    if not pupils:
        return found
    for bill in bill_balances(session, col(Bill.school_id) == school_id, among(Bill.pupil_id, pupils)):
        if bill.rest:
            here = bill.bank_account_id == bank_account_id
            found[bill.pupil_id].append(OpenBill(bill.bill_id, bill.number, bill.rest, here))
    return found
