"""Whether a round may collect what it would charge: asked when it is calculated, so at the preview and the issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Refused
from billing.fees.charges import Charge
from billing.fees.items import Ownership
from billing.fees.pupils import BilledPupil
from billing.people.tables import School
from billing.plans.reading import approved_plans
from billing.plans.rules import Asked, local_day, needs_plan, refuse_problems


def refuse_unplanned(
    session: Session,
    school: School,
    school_year: str,
    charges: Sequence[Charge],
    pupils: Mapping[UUID, BilledPupil],
) -> None:
    """Raise ``NotPlanned`` with every charged item that no approved plan in force holds at its price or more.

    The plan's price is that of the pupil's level and grade. Looks at each different line once for a grade; asks the
    database nothing while the school needs no plan.
    """
    asked = _asked(school, charges, pupils)
    if asked:
        refuse_problems(asked, approved_plans(session, school.id, school_year))


def require_plans(session: Session, school: School, first_day: date, actor: Actor, now: datetime) -> None:
    """Let rounds from ``first_day`` on collect planned items only; decided once, moved only before it begins.

    Raises ``Refused`` at a private school, and when the day has come already.
    """
    if school.kind != Ownership.PUBLIC:
        raise Refused("Trường ngoài công lập thu theo hợp đồng với gia đình, không bắt buộc kế hoạch thu.")
    was = school.plans_required_from
    if was is not None and was <= local_day(now):
        raise Refused(f"Kế hoạch thu đã bắt buộc từ {was:%d/%m/%Y}, không lùi hay bỏ được nữa.")
    school.plans_required_from = first_day
    session.add(school)
    session.flush()
    deed = Deed(school.id, "plans.require", "school", str(school.id))
    before = None if was is None else was.isoformat()
    record_deed(session, actor, deed, now, before=before, after=first_day.isoformat())


def _asked(school: School, charges: Sequence[Charge], pupils: Mapping[UUID, BilledPupil]) -> list[Asked]:
    """Return each different item, price and first day that needs a plan, by level and grade of who is charged."""
    if school.plans_required_from is None:
        return []
    first = {}  # pupils alike share one tuple of lines, also across grades
    for charge in charges:
        facts = pupils[charge.pupil_id].facts
        first[id(charge.lines), facts.level, facts.grade] = charge
    found: dict[Asked, None] = {}
    for (_, level, grade), charge in first.items():
        for line in charge.lines:
            day = max(line.because.price_days.start, charge.period.days.start)
            if needs_plan(Ownership(school.kind), line.item.group, day, school.plans_required_from):
                item = line.item
                found[Asked(item.code, item.name, item.unit, line.unit_price, day, level, grade)] = None
    return list(found)
