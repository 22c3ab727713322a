"""Which bills are still open, set-wise, in the order in which they are paid: for requests and for the use of credit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, or_, select, type_coerce
from sqlmodel import Session, col

from billing.bills.tables import Bill, BillVoid
from billing.money import Money
from billing.payments.balances import moved_by_bill, rest_by
from billing.storage import MoneyColumn, among


class StillOpen(NamedTuple):
    """A bill on which something is open, and how much."""

    bill_id: UUID
    pupil_id: UUID
    bank_account_id: UUID
    round_id: UUID
    rest: Money


def open_bills(
    session: Session, school_id: UUID, pupils: Collection[UUID], *, settled: Collection[UUID] = ()
) -> list[StillOpen]:
    """Return the bills of these pupils on which something is open, oldest due first; set-wise, for a whole school.

    ``settled`` names bills that belong to the answer although nothing is open on them any more.
    """
    of_pupils = select_open(school_id, settled).where(among(Bill.pupil_id, pupils))
    rows = session.execute(of_pupils.order_by(*oldest_first())).all()
    return [StillOpen(*row) for row in rows]


def select_open(school_id: UUID, settled: Collection[UUID] = ()) -> Select[Any]:
    """Return the query of ``open_bills`` for all pupils and in no order, for a statement that goes on from it."""
    moved = moved_by_bill()
    rest = rest_by(moved)
    query: Any = (
        select(
            col(Bill.id),
            col(Bill.pupil_id),
            col(Bill.bank_account_id),
            col(Bill.round_id),
            type_coerce(rest, MoneyColumn).label("rest"),
        )
        .outerjoin(moved, moved.c.bill_id == Bill.id)
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            col(Bill.school_id) == school_id,
            col(BillVoid.bill_id).is_(None),
            or_(rest > 0, among(Bill.id, settled)),
        )
    )
    still_open: Select[Any] = query
    return still_open


def oldest_first() -> tuple[Any, Any]:
    """Return the order in which the bills of the enclosing query are paid."""
    return col(Bill.due_on), col(Bill.number)
