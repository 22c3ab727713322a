"""Plans of a school as they stand: state, items, papers, and what holds on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import NotFound
from billing.fees.items import Level, Unit
from billing.plans.rules import Allowed, Approved, Audience
from billing.plans.tables import CollectionPlan, PlanItem, PlanPaper, PlanStep


def find_plan(session: Session, school_id: UUID, plan_id: UUID) -> CollectionPlan:
    """Return a plan of a school; raises ``NotFound``."""
    found = session.exec(
        select(CollectionPlan).where(CollectionPlan.school_id == school_id, CollectionPlan.id == plan_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy kế hoạch thu này.", plan=plan_id)
    return found


def plans_of(session: Session, school_id: UUID, school_year: str | None = None) -> list[CollectionPlan]:
    """Return a school's plans, the newest first; of one school year where it is given."""
    query = select(CollectionPlan).where(CollectionPlan.school_id == school_id)
    if school_year is not None:
        query = query.where(CollectionPlan.school_year == school_year)
    newest = query.order_by(col(CollectionPlan.school_year).desc(), col(CollectionPlan.version).desc())
    return list(session.exec(newest).all())


def steps_of(session: Session, school_id: UUID, plan_ids: Collection[UUID]) -> dict[UUID, list[PlanStep]]:
    """Return the steps of plans, each in its order."""
    found: dict[UUID, list[PlanStep]] = defaultdict(list)
    rows = session.exec(
        select(PlanStep)
        .where(PlanStep.school_id == school_id, col(PlanStep.plan_id).in_(plan_ids))
        .order_by(col(PlanStep.turn))
    ).all()
    for step in rows:
        found[step.plan_id].append(step)
    return dict(found)


def state_of(steps: Collection[PlanStep]) -> str:
    """Return *draft*, *submitted*, *approved* or *returned*."""
    return max(steps, key=lambda step: step.turn).kind if steps else "draft"


def items_in(session: Session, plan: CollectionPlan) -> list[PlanItem]:
    """Return the items of a plan in the order in which they were entered."""
    rows = session.exec(
        select(PlanItem)
        .where(PlanItem.school_id == plan.school_id, PlanItem.plan_id == plan.id)
        .order_by(col(PlanItem.id))
    ).all()
    return list(rows)


def paper_kinds(session: Session, plan: CollectionPlan) -> set[str]:
    """Return which kinds of papers a plan has."""
    query = select(PlanPaper.kind).where(PlanPaper.school_id == plan.school_id, PlanPaper.plan_id == plan.id)
    return set(session.exec(query).all())


def approvals(session: Session, school_id: UUID, school_year: str) -> list[tuple[CollectionPlan, PlanStep]]:
    """Return the approved plans of a school year with their approval, the newest version first."""
    rows = session.exec(
        select(CollectionPlan, PlanStep)
        .join(PlanStep, col(PlanStep.plan_id) == col(CollectionPlan.id))
        .where(
            CollectionPlan.school_id == school_id,
            PlanStep.school_id == school_id,
            CollectionPlan.school_year == school_year,
            PlanStep.kind == "approved",
        )
        .order_by(col(CollectionPlan.version).desc())
    ).all()
    return list(rows)


def approved_plans(session: Session, school_id: UUID, school_year: str) -> list[Approved]:
    """Return what the approved plans of a school year allow."""
    return [
        Approved(plan.version, step.valid_from or date.max, _allowed(items_in(session, plan)))
        for plan, step in approvals(session, school_id, school_year)
    ]


def decided_on(
    session: Session, school_id: UUID, school_year: str, day: date
) -> tuple[CollectionPlan, PlanStep] | None:
    """Return the newest approved plan that holds on a day, with the decision."""
    found = approvals(session, school_id, school_year)
    return next(((plan, step) for plan, step in found if step.valid_from and step.valid_from <= day), None)


def decision_words(step: PlanStep) -> str:
    """Return the decision of an approval as families read it: number, day, authority."""
    day = f" ngày {step.decided_on:%d/%m/%Y}" if step.decided_on else ""
    return f"Số {step.number}{day} ({step.authority})"


def audience_of(item: PlanItem) -> Audience:
    """Return for whom a planned price is."""
    return Audience(frozenset(map(Level, item.levels)), frozenset(item.grades))


def _allowed(items: Collection[PlanItem]) -> dict[str, list[Allowed]]:
    found: dict[str, list[Allowed]] = defaultdict(list)
    for item in items:
        found[item.item_code].append(Allowed(Unit(item.unit), item.price, audience_of(item)))
    return dict(found)
