"""A family goes to pay by card: our row first, then Stripe's page, and never two pages of one request at once.

The row is committed before Stripe is asked, and its id makes the idempotency key: whoever is killed or times out
between the two asks again with the same key and is given the same page. Before a new page is made, older ones of the
request are closed at Stripe; once it is kept, whoever kept another one meanwhile is seen, and that one is closed. A row
whose page nobody was given is used again only while Stripe would still take its end (30 minutes from now at least);
its page, if one was made, ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.money import Money
from billing.payments.balances import request_balances, rest_of
from billing.payments.tables import PaymentRequest
from reconciliation.cards import objects
from reconciliation.cards.errors import CardsOff
from reconciliation.cards.outcomes import Returned
from reconciliation.cards.switching import takes_cards
from reconciliation.cards.tables import CardCheckout, CardEnd, CardFact, CardSession

OPEN_FOR = timedelta(minutes=45)
"""Stripe keeps a page open for 30 minutes at least."""
USABLE_FOR = timedelta(minutes=10)
"""A page is handed out again while it stays open at least so long."""
PAGELESS_FOR = timedelta(minutes=10)
"""A row without a page is asked for again while its end is far enough away for Stripe."""
HEARD_WITHIN = timedelta(minutes=15)
"""What came of a page is heard so soon after its time: Stripe is asked every five minutes."""
LEAST, MOST = Money(10_000), Money(499_999_999)
"""Stripe takes no less than about half a US dollar; above this bills are paid in instalments anyway."""


def begin_checkout(session: Session, request: PaymentRequest, asked: Money, now: datetime) -> CardCheckout:
    """Return the checkout of a request for what is asked for now: an open one of the same sum, or a new one.

    Raises ``CardsOff`` where the school takes no cards for the account, or the sum cannot be paid so.
    """
    if not takes_cards(session, request.school_id, request.bank_account_id):
        raise CardsOff("Nhà trường không nhận thẻ cho thông báo này. Xin chuyển khoản theo mã trên trang.")
    if not LEAST <= asked <= MOST:
        raise CardsOff(f"Số tiền này không trả được bằng thẻ (từ {LEAST} đến {MOST}). Xin chuyển khoản.")
    _hold_request(session, request.id)
    found = _open(session, request, asked, now)
    if found is not None:
        return found
    checkout = CardCheckout(
        school_id=request.school_id,
        request_id=request.id,
        bank_account_id=request.bank_account_id,
        amount=asked,
        created_at=now,
        expires_at=now + OPEN_FOR,
    )
    session.add(checkout)
    session.flush()
    return checkout


def keep_session(session: Session, checkout: CardCheckout, made: objects.Session, now: datetime) -> None:
    """Keep Stripe's page of a checkout; harmless when it is kept already, also by somebody at the same moment."""
    _hold_request(session, checkout.request_id)
    row = {
        "checkout_id": checkout.id,
        "school_id": checkout.school_id,
        "session_id": made.id,
        "url": made.url,
        "at": now,
    }
    session.execute(insert(CardSession).values(row).on_conflict_do_nothing(index_elements=["checkout_id"]))


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page of Stripe's on which somebody might still pay."""

    checkout_id: UUID
    session_id: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a page that was just made: other open pages of its request.

    ``superfluous``: less is due by now than would be paid on it, so it is the one to be closed.
    """

    superfluous: bool
    others: tuple[OpenPage, ...]


def beside(session: Session, checkout: CardCheckout) -> Beside:
    """Return what was opened beside a page whose session was kept in this transaction.

    Two presses at once with different sums see no page of each other when they begin. One request is looked at by one
    transaction at a time from here on, so whichever page is kept second sees the first.
    """
    _hold_request(session, checkout.request_id)
    due = rest_of(request_balances(session, checkout.school_id, [checkout.request_id])[checkout.request_id])
    return Beside(due < checkout.amount, tuple(older_pages(session, checkout)))


def older_pages(session: Session, checkout: CardCheckout) -> list[OpenPage]:
    """Return the other open pages of a checkout's request, oldest first: they are closed before a new one is made."""
    rows = session.exec(
        select(CardSession.checkout_id, CardSession.session_id)
        .join(CardCheckout, col(CardCheckout.id) == col(CardSession.checkout_id))
        .where(
            CardCheckout.school_id == checkout.school_id,
            CardCheckout.request_id == checkout.request_id,
            CardCheckout.id != checkout.id,
            *still_open(),
        )
        .order_by(col(CardCheckout.created_at))
    ).all()
    return [OpenPage(checkout_id, session_id) for checkout_id, session_id in rows]


def still_open() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a checkout that is neither paid nor ended."""
    paid = select(CardFact.id).where(
        CardFact.school_id == CardCheckout.school_id, CardFact.checkout_id == CardCheckout.id
    )
    ended = select(CardEnd.checkout_id).where(CardEnd.checkout_id == CardCheckout.id)
    return ~paid.exists(), ~ended.exists()


def returned(session: Session, request: PaymentRequest, now: datetime) -> Returned:
    """Return how it stands with the pages of a request of which no outcome is known."""
    latest = session.exec(
        select(CardCheckout.expires_at)
        .join(CardSession, col(CardCheckout.id) == col(CardSession.checkout_id))
        .where(CardCheckout.school_id == request.school_id, CardCheckout.request_id == request.id, *still_open())
        .order_by(col(CardCheckout.expires_at).desc())
    ).first()
    if latest is None:
        return Returned.NOTHING
    return Returned.WAITING if now <= latest + HEARD_WITHIN else Returned.LATE


def unheard(session: Session, school_id: UUID, now: datetime, limit: int) -> list[tuple[CardCheckout, str]]:
    """Return checkouts whose page is over and of which nobody has told, oldest first, with Stripe's id of the page."""
    rows = session.exec(
        select(CardCheckout, CardSession.session_id)
        .join(CardSession, col(CardCheckout.id) == col(CardSession.checkout_id))
        .where(CardCheckout.school_id == school_id, CardCheckout.expires_at < now - HEARD_WITHIN, *still_open())
        .order_by(col(CardCheckout.expires_at))
        .limit(limit)
    ).all()
    return list(rows)


def end_checkout(session: Session, school_id: UUID, checkout_id: UUID, now: datetime) -> bool:
    """Write down that a checkout is over: nobody can pay there, and nothing paid is left; tell whether it was open."""
    row = {"checkout_id": checkout_id, "school_id": school_id, "at": now}
    added = insert(CardEnd).values(row).on_conflict_do_nothing().returning(col(CardEnd.checkout_id))
    return session.execute(added).scalar_one_or_none() is not None


def url_of(session: Session, checkout_id: UUID) -> str | None:
    """Return the address of a checkout's page, if Stripe made one."""
    found = session.get(CardSession, checkout_id)
    return None if found is None else found.url


def idempotency_key(checkout_id: UUID) -> str:
    """Return the key under which Stripe makes the page of a checkout once."""
    return f"checkout-{checkout_id}"


def closing_key(checkout_id: UUID, now: datetime) -> str:
    """Return the key under which a page is closed: another one each minute.

    Stripe gives a key's answer again for a day, a fault of its own too; closing what is closed already changes nothing.
    """
    return f"expire-{checkout_id}-{int(now.timestamp()) // 60}"


def _hold_request(session: Session, request_id: UUID) -> None:
    name = {"name": f"card request {request_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)


def _open(session: Session, request: PaymentRequest, asked: Money, now: datetime) -> CardCheckout | None:
    """Return a checkout of the same sum whose page is open for a while yet and not paid, or can still be made."""
    paged = select(CardSession.checkout_id).where(CardSession.checkout_id == CardCheckout.id)
    return session.exec(
        select(CardCheckout)
        .where(
            CardCheckout.school_id == request.school_id,
            CardCheckout.request_id == request.id,
            CardCheckout.amount == asked,
            CardCheckout.expires_at >= now + USABLE_FOR,
            paged.exists() | (col(CardCheckout.created_at) > now - PAGELESS_FOR),
            *still_open(),
        )
        .order_by(col(CardCheckout.created_at).desc())
    ).first()
