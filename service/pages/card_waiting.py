"""What of a school's cards waits for a person, counted from rows: told on the overview, for a dispute has its day."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from reconciliation.cards.balances import balances
from reconciliation.cards.explaining import open_card_acts, topped_up, unclear
from reconciliation.cards.tables import CardRefund, CardRefundDecision, CardSwitch, CardSwitchDecision
from service.pages.card_payment_rows import disputes
from service.pages.card_views import CardsWaiting
from service.pages.trouble_rows import unread


def cards_waiting(session: Session, school_id: UUID, now: datetime) -> CardsWaiting:
    """Count disputes to be answered, what waits for the second person, differences, what is unclear or put aside."""
    to_answer = [row for row in disputes(session, school_id) if row.to_answer]
    ours = topped_up(session, school_id)
    moved = [fact for fact in unclear(session, school_id) if fact.stripe_id not in ours]
    return CardsWaiting(
        disputes=len(to_answer),
        due_by=min((row.due_by for row in to_answer if row.due_by is not None), default=None),
        decisions=_to_decide(session, school_id),
        differences=sum(bool(row.difference or row.others) for row in balances(session, school_id)),
        unclear=len(moved),
        aside=unread(session, school_id, now, cards=True),
    )


def cards_in_menu(session: Session, school_id: UUID, now: datetime) -> int:
    """Count all of it for the menu; one look tells it of a school that never asked for cards."""
    asked = select(CardSwitch.id).where(CardSwitch.school_id == school_id).limit(1)
    return cards_waiting(session, school_id, now).total if session.exec(asked).first() is not None else 0


def _to_decide(session: Session, school_id: UUID) -> int:
    """Count what one person asked for and another decides: refunds, acts, switches."""
    refunds = (
        select(func.count())
        .select_from(CardRefund)
        .outerjoin(CardRefundDecision, col(CardRefundDecision.refund_id) == col(CardRefund.id))
        .where(CardRefund.school_id == school_id, col(CardRefundDecision.refund_id).is_(None))
    )
    switches = (
        select(func.count())
        .select_from(CardSwitch)
        .outerjoin(CardSwitchDecision, col(CardSwitchDecision.switch_id) == col(CardSwitch.id))
        .where(CardSwitch.school_id == school_id, col(CardSwitchDecision.switch_id).is_(None))
    )
    acts = len(open_card_acts(session, school_id))
    return session.exec(refunds).one() + session.exec(switches).one() + acts
