"""An approved plan of collections for everything a school charges that needs one."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session, col, select

from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from billing.plans.papers import Paper, read_paper
from billing.plans.planning import Decision, Estimate, Meeting, add_paper, approve_plan, draft_plan, submit_plan
from billing.plans.rules import PLANNED_GROUPS
from billing.plans.tables import CollectionPlan
from tests.factories.rounds import BillingSchool
from tests.factories.schools import SCHOOL_YEAR, YEAR_STARTS

PDF = b"%PDF-1.4\n% invented\n%%EOF\n"
MEETING = Meeting(date(2025, 8, 30), "Hội trường", 310, 320)
DECISION = Decision("12/QĐ-UBND", date(2025, 9, 1), "Lê Văn Ký", "UBND phường", YEAR_STARTS)


def paper(name: str = "biên bản.pdf") -> Paper:
    """Return a small PDF."""
    return read_paper(name, PDF)


def estimates(session: Session, billing: BillingSchool) -> list[Estimate]:
    """Return everything that needs a plan, at the school's dearest price of it."""
    dearest: dict[str, Money] = {}
    groups = [group.value for group in PLANNED_GROUPS]
    query = select(col(FeeItem.code), col(FeeItem.item_group), col(FeePrice.amount)).where(
        FeePrice.school_id == billing.id, FeePrice.item_id == FeeItem.id
    )
    for code, group, amount in session.exec(query).all():
        if group in groups:
            dearest[code] = max(amount, dearest.get(code, amount))
    return [Estimate(code, price, 30, 9, "Chi phí thực tế chia đầu học sinh", "Chi trực tiếp cho học sinh")
            for code, price in dearest.items()]  # fmt: skip


def submitted_plan(session: Session, billing: BillingSchool, wanted: list[Estimate], now: datetime) -> CollectionPlan:
    """Draft a plan with its minutes and submit it."""
    plan = draft_plan(session, billing.id, SCHOOL_YEAR, MEETING, wanted, billing.accountant, now)
    add_paper(session, billing.id, plan.id, "minutes", paper(), billing.accountant, now)
    submit_plan(session, billing.id, plan.id, billing.accountant, now)
    return plan


def approved_plan(
    session: Session,
    billing: BillingSchool,
    now: datetime,
    wanted: list[Estimate] | None = None,
    decision: Decision = DECISION,
) -> CollectionPlan:
    """Take a plan as far as its approval; without ``wanted`` it holds all that needs one."""
    plan = submitted_plan(session, billing, wanted or estimates(session, billing), now)
    approve_plan(session, billing.id, plan.id, decision, paper("quyết định.pdf"), billing.approver, now)
    return plan
