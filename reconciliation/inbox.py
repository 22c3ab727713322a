"""The inbox: raw messages about money, stored once, byte for byte, before anybody reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.vault import Vault
from reconciliation.tables import Feed, InboxMessage, InboxResult

BODY_CONTEXT = "inbox.body"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message without a result, and the school of its feed."""

    inbox_id: int
    school_id: UUID


def digest_of(body: bytes) -> bytes:
    """Return what makes a message of a feed the same message: SHA-256 of the raw body."""
    return hashlib.sha256(body).digest()


def waiting_messages(
    session: Session, limit: int, but: Collection[int] = (), but_of: Collection[UUID] = ()
) -> list[Waiting]:
    """Return the oldest messages without a result, over all schools in scope; not those named, nor of those schools."""
    done = select(InboxResult.inbox_id).where(InboxResult.inbox_id == InboxMessage.id).exists()
    query = (
        select(InboxMessage.id, Feed.school_id)
        .join(Feed, col(Feed.id) == col(InboxMessage.feed_id))
        .where(~done)
        .order_by(col(InboxMessage.id))
        .limit(limit)
    )
    if but:
        query = query.where(col(InboxMessage.id).not_in(but))
    if but_of:
        query = query.where(col(Feed.school_id).not_in(but_of))
    return [Waiting(inbox_id, school_id) for inbox_id, school_id in session.exec(query).all() if inbox_id is not None]


def claim(session: Session, inbox_ids: Sequence[int]) -> list[InboxMessage]:
    """Claim messages until the end of this transaction; leave out what others hold or have finished.

    The lock is taken before the result is looked for, so a message finished in between is not read twice.
    """
    lock = text(
        "SELECT id FROM unnest(cast(:ids AS bigint[])) AS wanted(id)"
        " WHERE pg_try_advisory_xact_lock(hashtextextended('inbox ' || id, 0))"
    )
    mine = session.execute(lock, {"ids": list(inbox_ids)}).scalars().all()
    done = select(InboxResult.inbox_id).where(InboxResult.inbox_id == InboxMessage.id).exists()
    query = select(InboxMessage).where(col(InboxMessage.id).in_(mine), ~done).order_by(col(InboxMessage.id))
    return list(session.exec(query).all())


def store_message(session: Session, vault: Vault, feed: Feed, body: bytes, now: datetime) -> int | None:
    """Store a message that a person brings, such as a statement; None when the feed has these bytes already."""
    row = {
        "feed_id": feed.id,
        "digest": digest_of(body),
        "body_sealed": vault.seal_bytes(body, BODY_CONTEXT),
        "headers": {},
        "received_at": now,
    }
    stored = session.execute(
        insert(InboxMessage).values(row).on_conflict_do_nothing().returning(col(InboxMessage.id)),
    )
    return stored.scalar_one_or_none()
