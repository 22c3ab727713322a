"""What of bills the school no longer asks for: write-offs that were approved and not reversed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists
from sqlmodel import col, select

from billing.bills.tables import Bill
from billing.payments.relief_tables import Relief, ReliefDecision, ReliefEnd
from billing.storage import money_sum


def live_write_off() -> ColumnElement[bool]:
    """Return the condition that a relief is a write-off or a shortfall that was approved and not reversed."""
    approved = exists().where(col(ReliefDecision.relief_id) == col(Relief.id), col(ReliefDecision.approved))
    return and_(
        col(Relief.kind) != "grace",
        approved,
        ~exists().where(col(ReliefEnd.relief_id) == col(Relief.id)),
    )


def written_off_on_bill() -> ScalarSelect[Any]:
    """Return what of the bill of the enclosing query is no longer asked for, looked up by index; for few bills."""
    return (
        select(money_sum(Relief.amount))
        .where(col(Relief.school_id) == Bill.school_id, col(Relief.bill_id) == Bill.id, live_write_off())
        .correlate(Bill)
        .scalar_subquery()
    )
