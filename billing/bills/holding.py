"""Holding bills, so that what is read of them still holds when it is acted on."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.storage import among


def hold_bills(session: Session, school_id: UUID, bills: Collection[UUID]) -> None:
    """Wait until nobody else pays or lowers these bills, in the order of their ids; see ``allocation_fits``."""
    held = select(Bill.id).where(Bill.school_id == school_id, among(Bill.id, bills)).order_by(col(Bill.id)).subquery()
    session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(func.concat("bill ", held.c.id), 0)))).all()
