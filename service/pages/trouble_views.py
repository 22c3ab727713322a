"""What the page of things gone astray shows (pure): the bank's messages unread, ours that may not have arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UnreadMessage:
    """A message of the bank whose money is not in the book; ``reason`` is empty while nobody has tried to read it.

    ``inbox_id`` is there once it was put aside: then it can be marked as seen.
    """

    received_at: datetime
    account: str
    reason: str
    inbox_id: int | None = None


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message that was put aside and that somebody has marked as seen (``seen_at``), with what became of it."""

    received_at: datetime
    account: str
    reason: str
    seen_at: datetime
    who: str
    said: str


@dataclass(frozen=True, slots=True)
class UnsureMessage:
    """A message to a family of which nobody knows whether it arrived; ``otherwise``: how it was told all the same."""

    tried_at: datetime
    pupil: str
    guardian: str
    contact: str
    channel: str
    what: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class TroublePage:
    """The lists, the newest first, and how many there are of each; a list shows at most ``SHOWN``.

    ``cards`` are what Stripe told and is not in the book: ``reason`` names its id there.
    """

    unread: tuple[UnreadMessage, ...]
    unread_count: int
    unsure: tuple[UnsureMessage, ...]
    unsure_count: int
    cards: tuple[UnreadMessage, ...] = ()
    cards_count: int = 0
    seen: tuple[SeenMessage, ...] = ()
