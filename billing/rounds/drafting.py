"""Starting a billing round: which days it bills, until when it is to be paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import NotAllowed, NotFound, Refused
from billing.fees.charging import Period
from billing.fees.items import Span
from billing.rounds.tables import BillingRound


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What an accountant enters for a round. ``code`` is unique within the school year, such as ``2025-10``."""

    school_id: UUID
    school_year: str
    code: str
    name: str
    days: Span
    meal_days: frozenset[date]
    due_on: date


def draft_round(session: Session, actor: Actor, plan: RoundPlan, now: datetime) -> BillingRound:
    """Write down a new round; raises ``Refused`` for days that make no sense or a code that is taken."""
    Period(plan.code, plan.name, plan.days, plan.meal_days)  # refuses meal days outside the period
    if plan.days.end is None:
        raise Refused("Kỳ thu phải có ngày kết thúc.")
    if plan.due_on < plan.days.start:
        raise Refused(f"Hạn nộp {plan.due_on:%d/%m/%Y} trước ngày đầu của kỳ thu.", due_on=plan.due_on)
    taken = select(BillingRound.id).where(
        BillingRound.school_id == plan.school_id,
        BillingRound.school_year == plan.school_year,
        BillingRound.code == plan.code,
    )
    if session.exec(taken).first() is not None:
        raise Refused(f"Năm học {plan.school_year} đã có đợt thu mã {plan.code}. Hãy đặt mã khác.", code=plan.code)
    made = BillingRound(
        school_id=plan.school_id,
        school_year=plan.school_year,
        code=plan.code,
        name=plan.name,
        period_from=plan.days.start,
        period_to=plan.days.end,
        meal_days=sorted(plan.meal_days),
        due_on=plan.due_on,
        made_by=person(actor),
        made_at=now,
    )
    session.add(made)
    session.flush()
    record_deed(session, actor, round_deed(made, "round.draft"), now, code=plan.code)
    return made


def find_round(session: Session, round_id: UUID) -> BillingRound:
    """Return a round as it stands now; raises ``NotFound`` outside what the caller may see."""
    found = session.exec(
        select(BillingRound).where(BillingRound.id == round_id).execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy đợt thu này.", round=round_id)
    return found


def person(actor: Actor) -> UUID:
    """Return who acts; raises ``NotAllowed`` for the system, since a person answers for a round."""
    if actor.user_id is None:
        raise NotAllowed("Đợt thu phải do một người có tên lập và duyệt.")
    return actor.user_id


def period_of(billing_round: BillingRound) -> Period:
    """Return the round's days and meal days as the rules take them."""
    days = Span(billing_round.period_from, billing_round.period_to)
    return Period(billing_round.code, billing_round.name, days, frozenset(billing_round.meal_days))


def round_deed(billing_round: BillingRound, action: str, reason: str = "") -> Deed:
    """Return a deed on the round, for the audit."""
    return Deed(billing_round.school_id, action, "billing_round", str(billing_round.id), reason)
