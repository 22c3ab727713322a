"""Keeping that a further feed told of a transfer that we know already."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from reconciliation.tables import Transfer

# The feed of the transfer's own message needs no row, nor does a repeat of any feed: a list is fetched again and again.
_TELL = text("""
INSERT INTO transfer_tellings (school_id, transfer_id, feed_id, inbox_id, at)
SELECT :school, :transfer, i.feed_id, i.id, :now FROM inbox i
WHERE i.id = :inbox AND i.feed_id <> (SELECT k.feed_id FROM inbox k WHERE k.id = :known)
ON CONFLICT DO NOTHING
""")


def note_telling(session: Session, known: Transfer, inbox_id: int, now: datetime) -> None:
    """Write down, once for each feed, that a message told of a transfer that another feed told of first."""
    facts = {"school": known.school_id, "transfer": known.id, "inbox": inbox_id, "known": known.inbox_id, "now": now}
    session.execute(_TELL, facts)
