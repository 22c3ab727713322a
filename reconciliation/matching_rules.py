"""Which weaker signs a school lets suggest: kept anew with each change, the newest row counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from reconciliation.tables import MatchingRule
from reconciliation.weak_signs import Sign


def suggest_by_now(session: Session, school_id: UUID) -> frozenset[Sign]:
    """Return the signs of the newest setting; all of them where the school has set nothing."""
    newest = select(MatchingRule).where(MatchingRule.school_id == school_id).order_by(col(MatchingRule.id).desc())
    rule = session.exec(newest.limit(1)).first()
    return frozenset(Sign) if rule is None else frozenset(Sign(each) for each in rule.suggest_by)


def set_suggest_by(
    session: Session, school_id: UUID, signs: Collection[Sign], made_by: UUID, now: datetime
) -> MatchingRule:
    """Keep a new setting; it holds for transfers that are decided from now on."""
    rule = MatchingRule(school_id=school_id, suggest_by=sorted(sign.value for sign in signs), made_by=made_by, at=now)
    session.add(rule)
    session.flush()
    return rule
