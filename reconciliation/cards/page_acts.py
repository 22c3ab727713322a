"""Ending a page of which nothing more is to be heard, by two people: its family can pay by card again.

So a payment that was put aside and given back in part: the machine cannot know what the rest is, and would wait for it
for ever. Who asks has looked at Stripe's dashboard and says what becomes of the rest; the other reads that.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import Conflict, NotFound
from billing.payments.tables import PaymentRequest
from billing.people.kinship import refuse_own_family
from reconciliation.cards.checking_out import HEARD_WITHIN, end_checkout, still_open
from reconciliation.cards.explaining import Wish, ask_act
from reconciliation.cards.tables import CardAct, CardCheckout, CardSession


def ask_end(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, page_id: str, reason: str, now: datetime
) -> CardAct:
    """Ask that a page is over; raises ``NotFound`` unless its time is over and nothing of it is booked or ended."""
    if _unheard(session, school_id, page_id, now) is None:
        raise NotFound("Trang thẻ này không có, chưa hết giờ, hoặc đã có kết quả.")
    refuse_own_family(session, actor, school_id, {pupil_of_page(session, school_id, page_id)})
    return ask_act(session, actor, Wish(school_id, "end_page", page_id), reason, now)


def carry_out_end(session: Session, act: CardAct, now: datetime) -> None:
    """End the page that an act names; raises ``Conflict`` where its outcome came meanwhile."""
    checkout = _unheard(session, act.school_id, act.subject, now)
    if checkout is None:
        raise Conflict("Trang thẻ này đã có kết quả. Xin tải lại trang.")
    end_checkout(session, act.school_id, checkout.id, now)


def pupil_of_page(session: Session, school_id: UUID, page_id: str) -> UUID:
    """Return whose page it is."""
    return session.exec(
        select(PaymentRequest.pupil_id)
        .join(CardCheckout, col(CardCheckout.request_id) == col(PaymentRequest.id))
        .join(CardSession, col(CardSession.checkout_id) == col(CardCheckout.id))
        .where(CardSession.school_id == school_id, CardSession.session_id == page_id)
    ).one()


def _unheard(session: Session, school_id: UUID, page_id: str, now: datetime) -> CardCheckout | None:
    return session.exec(
        select(CardCheckout)
        .join(CardSession, col(CardSession.checkout_id) == col(CardCheckout.id))
        .where(
            CardCheckout.school_id == school_id,
            CardSession.session_id == page_id,
            CardCheckout.expires_at < now - HEARD_WITHIN,
            *still_open(),
        )
    ).one_or_none()
