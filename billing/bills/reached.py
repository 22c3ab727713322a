"""Issued bills that a reduction reaches back to: they stay as they are, and whoever enters it is told which.

A bill keeps what was known when it was issued. What it asked too much is lowered by a credit note, or the bill is taken
back and reckoned again while nothing is paid on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillCredit, BillLine, BillReduction, BillVoid
from billing.fees.items import Reduction, Span
from billing.fees.schedule import item_of, reduction_of
from billing.fees.tables import FeeItem
from billing.fees.tables import Reduction as ReductionRow
from billing.money import ZERO


@dataclass(frozen=True, slots=True)
class ReachedBill:
    """A live bill with months (``2025-10``) for which a reduction would have counted; ``lowered``: a credit note is."""

    bill_id: UUID
    number: str
    round_id: UUID
    pupil_id: UUID
    months: tuple[str, ...]
    lowered: bool


def bills_reached(session: Session, row: ReductionRow) -> tuple[ReachedBill, ...]:
    """Return the live bills of a pupil's stay that charge a month of the reduction without it, in their order.

    None for a rule of the whole school. A line of which the family pays nothing has nothing to be changed.
    """
    if row.enrolment_id is None or row.withdrawn_at is not None:
        return ()
    reduction = reduction_of(row)
    months: dict[UUID, set[str]] = defaultdict(set)
    lines: dict[UUID, set[int]] = defaultdict(set)
    bills: dict[UUID, Bill] = {}
    for bill, line, item in _lines(session, row):
        held = _months(line.because, reduction.valid) if _covers(reduction, item) else set()
        if held:
            bills[bill.id] = bill
            months[bill.id] |= held
            lines[bill.id].add(line.id or 0)
    lowered = _lowered(session, row.school_id, set().union(*lines.values()))
    return tuple(
        ReachedBill(
            bill.id, bill.number, bill.round_id, bill.pupil_id, tuple(sorted(months[bill.id])),
            bool(lines[bill.id] & lowered),
        )
        for bill in sorted(bills.values(), key=lambda each: (min(months[each.id]), each.number))
    )  # fmt: skip


def _lines(session: Session, row: ReductionRow) -> list[tuple[Bill, BillLine, FeeItem]]:
    given = select(BillReduction.line_id).where(
        BillReduction.school_id == row.school_id, BillReduction.reduction_id == row.id
    )
    found = session.exec(
        select(Bill, BillLine, FeeItem)
        .join(BillLine, (col(BillLine.school_id) == col(Bill.school_id)) & (col(BillLine.bill_id) == col(Bill.id)))
        .join(FeeItem, col(FeeItem.id) == col(BillLine.item_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == row.school_id,
            Bill.enrolment_id == row.enrolment_id,
            col(BillVoid.bill_id).is_(None),
            col(BillLine.family_share) > ZERO,
            col(BillLine.id).not_in(given),
        )
    ).all()
    return list(found)


def _covers(reduction: Reduction, item: FeeItem) -> bool:
    return reduction.covers(item_of(item))


def _months(because: Mapping[str, Any], days: Span) -> set[str]:
    """Return the months of a line on whose first day, as far as the pupil was there, the reduction holds."""
    found = set()
    for month, _, *rest in because.get("months", ()):
        first = date.fromisoformat(rest[0] if rest and rest[0] else f"{month}-01")
        if days.holds(first):
            found.add(str(month))
    return found


def _lowered(session: Session, school_id: UUID, lines: set[int]) -> set[int]:
    query = select(BillCredit.line_id).where(BillCredit.school_id == school_id, col(BillCredit.line_id).in_(lines))
    return set(session.exec(query).all()) if lines else set()
