"""How many portions the kitchen cooks on a day: who is registered for meals, without whom had been called off in time.

It is counted in fees because only the registrations say who eats; absences know classes and days, no items.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.attendance.days import VIET_NAM
from billing.attendance.reading import away_on, called_off, classes_in, days_off, members_by_class
from billing.attendance.ticking import cutoff_of
from billing.fees.items import Unit
from billing.fees.tables import FeeItem, OptIn
from billing.people.names import sort_key
from billing.people.tables import ClassGroup


@dataclass(frozen=True, slots=True)
class ClassPortions:
    """A class on a day. ``portions``: one number for each meal item. ``too_late``: names called off after the hour."""

    group: ClassGroup
    pupils: int
    called_off: int
    portions: tuple[int, ...]
    too_late: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KitchenCount:
    """A day's portions as of ``at`` (UTC: the cut-off hour, or now when that is still to come).

    ``day_off``: why nobody eats, or nothing. ``meals``: names of the meal items, in the order of the portions.
    """

    day: date
    at: datetime
    final: bool
    day_off: str
    meals: tuple[str, ...]
    classes: tuple[ClassPortions, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        """The school's portions of each meal item."""
        return tuple(sum(each.portions[place] for each in self.classes) for place in range(len(self.meals)))


def kitchen_count(session: Session, school_id: UUID, day: date, now: datetime) -> KitchenCount:
    """Count a day's portions class by class."""
    cutoff = datetime.combine(day, cutoff_of(session, school_id), VIET_NAM)
    at = min(cutoff, now)
    items = _meals(session, school_id, day)
    off = days_off(session, school_id, day, day).get(day, "")
    told = called_off(session, school_id, day, at)
    late = away_on(session, school_id, day) - told
    members = members_by_class(session, school_id, day)
    eaters = [_eaters(session, item, day) for item in items]
    return KitchenCount(
        day=day,
        at=at,
        final=now >= cutoff,
        day_off=off,
        meals=tuple(item.legal_name for item in items),
        classes=tuple(
            _class_portions(group, members[group.id], told, late, [] if off else eaters)
            for group in ([] if off else classes_in(session, school_id, day.replace(day=1)))
            if members.get(group.id)
        ),
    )


def _class_portions(
    group: ClassGroup,
    members: dict[UUID, str],
    told: frozenset[UUID],
    late: frozenset[UUID],
    eaters: list[frozenset[UUID] | None],
) -> ClassPortions:
    there = members.keys() - told
    portions = tuple(len(there if who is None else there & who) for who in eaters)
    cooked_for = {key for key in late & members.keys() if any(who is None or key in who for who in eaters)}
    names = sorted((members[key] for key in cooked_for), key=sort_key)
    return ClassPortions(group, len(members), len(members) - len(there), portions, tuple(names))


def _meals(session: Session, school_id: UUID, day: date) -> list[FeeItem]:
    rows = session.exec(
        select(FeeItem)
        .where(
            FeeItem.school_id == school_id,
            FeeItem.unit == Unit.MEAL_DAY.value,
            col(FeeItem.valid_from) <= day,
            or_(col(FeeItem.valid_to).is_(None), col(FeeItem.valid_to) >= day),
        )
        .order_by(col(FeeItem.position), col(FeeItem.code))
    ).all()
    return list(rows)


def _eaters(session: Session, item: FeeItem, day: date) -> frozenset[UUID] | None:
    """Return who is registered for a meal on a day; None where it needs no registration."""
    if not item.opt_in:
        return None
    rows = session.exec(
        select(col(OptIn.enrolment_id)).where(
            OptIn.school_id == item.school_id,
            OptIn.item_id == item.id,
            col(OptIn.withdrawn_at).is_(None),
            col(OptIn.valid_from) <= day,
            or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) >= day),
        )
    ).all()
    return frozenset(rows)
