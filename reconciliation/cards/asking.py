"""Asking Stripe for what its webhooks did not tell: which feeds are due, from when, and keeping what is news.

Asked every five minutes, from 48 hours before what was last covered, as banks' lists are (``reconciliation.lists``):
the events of that span, the movements of the balance, what became of pages that nobody told of, and what Stripe holds.
A row that tells nothing new is counted and not kept. An approved refund is sent at once; a page on which more would be
paid than is due now is closed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.money import Money
from billing.payments.balances import request_balances, rest_of
from billing.vault import Vault
from reconciliation.cards.booking import tells_news
from reconciliation.cards.checking_out import end_checkout, still_open
from reconciliation.cards.facts import read_told
from reconciliation.cards.refunding import ToSend, refunds_to_send
from reconciliation.cards.tables import CardBalance, CardCheckout, CardSession
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.json_body import JsonObject
from reconciliation.feeds.opening import feed_by_id, secrets_of
from reconciliation.feeds.stripe import PROVIDER
from reconciliation.inbox import store_message
from reconciliation.lists.base import LIST
from reconciliation.lists.polling import BACK, covered_to
from reconciliation.lists.tables import Poll
from reconciliation.tables import Feed

EVERY = timedelta(minutes=5)
ASKED_AFTER = timedelta(minutes=5)
EVENTS = (
    "charge.succeeded",
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "payout.paid",
    "payout.failed",
)
"""The events that a webhook has to be set up for, and that are asked for."""
_MOST_SESSIONS = 50
"""Pages of which nobody told, in one asking; events tell of them too."""
_MOST_REASON = 300

DUE = f"""
    SELECT f.id AS feed_id, f.school_id, least(
        coalesce(p.ended_at + interval '{EVERY.seconds} seconds', f.opened_at),
        (SELECT min(d.at) FROM card_refund_decisions d
         JOIN card_refunds r ON r.school_id = d.school_id AND r.id = d.refund_id
         JOIN card_checkouts c ON c.school_id = r.school_id AND c.id = r.checkout_id
         WHERE d.school_id = f.school_id AND c.bank_account_id = f.bank_account_id AND d.approved
           AND d.at > coalesce(p.began_at, f.opened_at)
           AND NOT EXISTS (SELECT FROM card_refund_answers a WHERE a.refund_id = r.id))) AS since
    FROM feeds f LEFT JOIN LATERAL (
        SELECT max(p.ended_at) AS ended_at, max(p.began_at) AS began_at FROM polls p
        WHERE p.school_id = f.school_id AND p.feed_id = f.id AND p.ended_at <= :now) p ON true
    WHERE f.provider = 'stripe' AND f.scheme = 'list' AND f.closed_at IS NULL
"""  # noqa: S608  our own numbers
WAITING = f"SELECT feed_id, school_id, since FROM ({DUE}) AS asking WHERE since <= :now"  # noqa: S608  our own text


@dataclass(frozen=True, slots=True)
class DueCards:
    """A feed that is to be asked now."""

    feed_id: UUID
    school_id: UUID


@dataclass(frozen=True, slots=True)
class AskedPage:
    """A page of which nobody told: asked for, and closed first where it is ``superfluous`` (less is due by now).

    One that ``should_be_over`` and that Stripe does not know ends: it was of another key.
    """

    checkout_id: UUID
    session_id: str
    superfluous: bool
    should_be_over: bool


@dataclass(frozen=True, slots=True)
class CardAsking:
    """What is needed to ask one feed, read before it is asked: no transaction stays open meanwhile."""

    due: DueCards
    key: str = field(repr=False)
    first: datetime
    account_id: UUID
    refunds: tuple[ToSend, ...]
    pages: tuple[AskedPage, ...]


@dataclass(slots=True)
class Tally:
    """What was found so far in one asking."""

    pages: int = 0
    listed: int = 0
    fresh: int = 0


def due_cards(session: Session, now: datetime, limit: int) -> list[DueCards]:
    """Return the feeds over all schools in scope that are to be asked, the longest waiting first."""
    rows = session.execute(text(f"{WAITING} ORDER BY since, feed_id LIMIT :limit"), {"now": now, "limit": limit})
    return [DueCards(feed_id, school_id) for feed_id, school_id, _ in rows]


def prepare(session: Session, vault: Vault, due: DueCards, now: datetime) -> CardAsking | None:
    """Read what an asking needs; None when somebody else has asked meanwhile.

    A checkout for which Stripe made no page that anybody was given ends with its time.
    """
    still = text(f"SELECT 1 FROM ({WAITING}) AS due WHERE feed_id = :feed")  # noqa: S608  our own text
    if session.execute(still, {"now": now, "feed": due.feed_id}).first() is None:
        return None
    feed = feed_by_id(session, due.school_id, due.feed_id)
    _end_pageless(session, due.school_id, feed.bank_account_id, now)
    return CardAsking(
        due,
        secrets_of(feed, vault)[0],
        _covered(session, feed, now) - BACK,
        feed.bank_account_id,
        tuple(refunds_to_send(session, due.school_id, feed.bank_account_id)),
        _pages(session, due.school_id, feed.bank_account_id, now),
    )


def _covered(session: Session, feed: Feed, now: datetime) -> datetime:
    """Return to which moment an account was covered by any of its feeds with an API key, the former ones too.

    What happened while none was open is asked for as well: where none was ever asked, from when the first was opened.
    """
    former = session.exec(
        select(Feed).where(
            Feed.school_id == feed.school_id,
            Feed.bank_account_id == feed.bank_account_id,
            Feed.provider == PROVIDER,
            Feed.scheme == LIST,
        )
    ).all()
    told = [covered_to(session, feed.school_id, each.id, "window", now) for each in former]
    return max((each for each in told if each is not None), default=min(each.opened_at for each in former))


def keep_rows(  # noqa: PLR0913, PLR0917  rows, where they belong, and what was found so far
    session: Session, vault: Vault, asking: CardAsking, tally: Tally, rows: Iterable[JsonObject], now: datetime
) -> int:
    """Put what is news into the inbox, one message for each row; return how many were."""
    feed = feed_by_id(session, asking.due.school_id, asking.due.feed_id)
    kept = 0
    for row in rows:
        tally.listed += 1
        body = json.dumps(row, sort_keys=True).encode()  # in ASCII: half a character in a field ends no asking
        if _is_news(session, asking.due.school_id, body):
            kept += store_message(session, vault, feed, body, now) is not None
    tally.fresh += kept
    return kept


def keep_balance(session: Session, asking: CardAsking, dong: int, now: datetime, *, others: Sequence[str] = ()) -> None:
    """Keep what Stripe says it holds, and which other currencies it names."""
    row = CardBalance(
        school_id=asking.due.school_id,
        bank_account_id=asking.account_id,
        amount=Money(dong),
        others=" ".join(others),
        at=now,
    )
    session.add(row)
    session.flush()


def record_asking(  # noqa: PLR0913, PLR0917  one row with its facts
    session: Session, asking: CardAsking, tally: Tally, reason: str, began_at: datetime, now: datetime
) -> None:
    """Write down an asking that is over; it failed if there is a reason."""
    session.add(
        Poll(
            school_id=asking.due.school_id,
            feed_id=asking.due.feed_id,
            kind="window",
            first=asking.first,
            last=began_at,
            outcome="failed" if reason else "done",
            reason=reason[:_MOST_REASON],
            pages=tally.pages,
            listed=tally.listed,
            fresh=tally.fresh,
            began_at=began_at,
            ended_at=now,
        )
    )
    session.flush()


def _is_news(session: Session, school_id: UUID, body: bytes) -> bool:
    """Tell whether a row tells something; one that cannot be read is kept, to be put aside where people see it."""
    try:
        return tells_news(session, school_id, read_told(body))
    except CallbackUnreadable:
        return True


def _open_checkouts(school_id: UUID, account_id: UUID) -> list[Any]:
    return [CardCheckout.school_id == school_id, CardCheckout.bank_account_id == account_id, *still_open()]


def _pages(session: Session, school_id: UUID, account_id: UUID, now: datetime) -> tuple[AskedPage, ...]:
    """Return every page on which too much would be paid, then the oldest of those of which nobody told in a while."""
    rows = session.exec(
        select(CardCheckout, CardSession.session_id)
        .join(CardSession, col(CardCheckout.id) == col(CardSession.checkout_id))
        .where(*_open_checkouts(school_id, account_id))
        .order_by(col(CardCheckout.created_at))
    ).all()
    due = request_balances(session, school_id, [checkout.request_id for checkout, _ in rows]) if rows else {}
    found = [
        AskedPage(
            checkout.id,
            session_id,
            superfluous=rest_of(due.get(checkout.request_id, [])) < checkout.amount,
            should_be_over=checkout.expires_at < now,
        )
        for checkout, session_id in rows
    ]
    untold = {checkout.id for checkout, _ in rows if checkout.created_at <= now - ASKED_AFTER}
    to_ask = [page for page in found if not page.superfluous and page.checkout_id in untold]
    return (*(page for page in found if page.superfluous), *to_ask[:_MOST_SESSIONS])


def _end_pageless(session: Session, school_id: UUID, account_id: UUID, now: datetime) -> None:
    paged = select(CardSession.checkout_id).where(CardSession.checkout_id == CardCheckout.id)
    query = select(CardCheckout.id).where(
        *_open_checkouts(school_id, account_id), CardCheckout.expires_at < now, ~paged.exists()
    )
    for each in session.exec(query).all():
        end_checkout(session, school_id, each, now)
