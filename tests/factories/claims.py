"""Short ways to make rates, claims and schools for them.

The amounts of ``INVENTED`` are made up for tests, inside the Government's frame. No council has decided them; those of
Đồng Nai are not known.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.claims.claiming import (
    ClaimPlan,
    approve_claim,
    calculate_claim,
    draft_claim,
    find_claim,
    submit_claim,
)
from billing.claims.tables import StateClaim
from billing.fees.council_rates import CouncilRate, RateFile, RateKind, parse_rates
from billing.fees.items import Level, Span
from billing.fees.support import load_rates
from billing.money import Money
from tests.factories.rounds import BillingSchool
from tests.factories.schools import SCHOOL_YEAR

PUBLIC_RATE = Money(120_000)  # invented
PRIVATE_RATE = Money(150_000)  # invented
LEARNING_RATE = Money(150_000)
EVERY_LEVEL = [level.value for level in Level]
INVENTED = {
    "title": "Mức bịa ra để thử, không phải của hội đồng nhân dân nào",
    "comment": "Không dùng cho trường thật.",
    "sources": [{"code": "BIA", "text": "Nghị quyết bịa ra để thử"}],
    "rates": [
        {
            "kind": "tuition_compensation",
            "levels": EVERY_LEVEL,
            "amount": PUBLIC_RATE.dong,
            "basis": "BIA",
            "valid_from": "2025-09-01",
        },
        {
            "kind": "private_support",
            "levels": EVERY_LEVEL,
            "amount": PRIVATE_RATE.dong,
            "basis": "BIA",
            "valid_from": "2025-09-01",
        },
    ],
}


def invented_rates() -> RateFile:
    """Return the invented rates as a file would give them."""
    return parse_rates(json.dumps(INVENTED), "bia.json")


def load_invented(session: Session, province_id: UUID) -> None:
    """Give a province the invented rates."""
    load_rates(session, province_id, invented_rates())


def rate(  # noqa: PLR0913  each is a field worth varying
    kind: RateKind = RateKind.TUITION,
    dong: int = 120_000,
    *,
    level: Level = Level.PRIMARY,
    zone: str = "",
    area: str = "",
    months: int | None = 9,
    valid: Span | None = None,
) -> CouncilRate:
    """Return a rate of one level from September 2025 on."""
    return CouncilRate(kind, level, zone, area, Money(dong), months, "NQ thử", valid or Span(date(2025, 9, 1)))


def plan_of(school_id: UUID, kind: RateKind, instalment: int = 1, **other: date) -> ClaimPlan:
    """Return the plan of a claim of the school year, with budget codes."""
    return ClaimPlan(
        school_id,
        kind,
        SCHOOL_YEAR,
        instalment,
        chapter_code="822",
        category_code="071",
        economic_code="6199",
        **other,
    )


def approved_claim(
    session: Session,
    billing: BillingSchool,
    kind: RateKind,
    now: datetime,
    instalment: int = 1,
    **months: date,
) -> StateClaim:
    """Draft, calculate, submit and approve a claim; return it."""
    return approved(session, billing.accountant, billing.approver, plan_of(billing.id, kind, instalment, **months), now)


def approved(session: Session, maker: Actor, checker: Actor, plan: ClaimPlan, now: datetime) -> StateClaim:
    """Do the same for a plan and two people."""
    claim = draft_claim(session, maker, plan, now)
    calculate_claim(session, claim.id, maker, now)
    digest = find_claim(session, claim.id).digest
    assert digest is not None
    submit_claim(session, claim.id, digest.hex(), maker, now)
    return approve_claim(session, claim.id, digest.hex(), checker, now)
