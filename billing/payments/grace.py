"""Who has been given more time, until when: the one question that everything which reminds must ask first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.money import Money
from billing.payments.relief_tables import Relief, ReliefDecision, ReliefEnd
from billing.storage import among


@dataclass(frozen=True, slots=True)
class Grace:
    """More time for one bill of a pupil (None: all of them) until a day, perhaps in parts: (by which day, how much)."""

    bill_id: UUID | None
    until: date
    parts: tuple[tuple[date, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class Muted:
    """The grace that holds on a day, by pupil."""

    by_pupil: dict[UUID, tuple[Grace, ...]]

    def grace(self, pupil_id: UUID, bill_id: UUID) -> Grace | None:
        """Return the grace that reaches furthest for a bill; a reminder about it is not sent before its day is over."""
        fitting = [each for each in self.by_pupil.get(pupil_id, ()) if each.bill_id in {None, bill_id}]
        return max(fitting, key=lambda each: each.until, default=None)

    def shared(self, pupil_id: UUID, bill_ids: Collection[UUID]) -> Grace | None:
        """Return the nearest grace where all of these bills have one: only then does a sum over them say so."""
        found = [each for each in (self.grace(pupil_id, bill_id) for bill_id in bill_ids) if each is not None]
        return min(found, key=lambda each: each.until) if found and len(found) == len(bill_ids) else None

    def until(self, pupil_id: UUID, bill_id: UUID) -> date | None:
        """Return until when nobody reminds about a bill, or nothing."""
        found = self.grace(pupil_id, bill_id)
        return None if found is None else found.until


def muted(session: Session, school_id: UUID, pupils: Collection[UUID] | None, today: date) -> Muted:
    """Return which bills of some pupils (all of the school if None) have more time on a day; set-wise, for lists."""
    query = (
        select(Relief)
        .join(ReliefDecision, (col(ReliefDecision.relief_id) == col(Relief.id)) & col(ReliefDecision.approved))
        .outerjoin(ReliefEnd, col(ReliefEnd.relief_id) == col(Relief.id))
        .where(
            Relief.school_id == school_id,
            Relief.kind == "grace",
            col(Relief.until) >= today,
            col(ReliefEnd.relief_id).is_(None),
        )
        .order_by(col(Relief.id))
    )
    if pupils is not None:
        query = query.where(among(Relief.pupil_id, pupils))
    found: dict[UUID, tuple[Grace, ...]] = {}
    for row in session.exec(query).all():
        if row.until is not None:
            grace = Grace(row.bill_id, row.until, parts_from(row))
            found[row.pupil_id] = (*found.get(row.pupil_id, ()), grace)
    return Muted(found)


def parts_from(row: Relief) -> tuple[tuple[date, Money], ...]:
    """Return the parts of a grace as they are stored."""
    return tuple((date.fromisoformat(each["due_on"]), Money(int(each["amount"]))) for each in row.parts)
