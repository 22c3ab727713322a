"""What the page of reminders shows, and what is typed into it (pure)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class RemindedDay:
    """A day on which it was looked: how many families were reminded, and how many left alone for money on its way."""

    day: date
    reminded: int
    muted: int


@dataclass(frozen=True, slots=True)
class ReminderPage:
    """On which days before and after the due day the school reminds (both without a sign), and the last days."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    days: tuple[RemindedDay, ...]


class ReminderDesk(Protocol):
    """On which days families are reminded of what is not paid yet."""

    def reminders(self, who: SignedIn, place: Place) -> ReminderPage:
        """Return the setting and what came of it."""

    def set_reminders(self, who: SignedIn, place: Place, days: Collection[int], now: datetime) -> None:
        """Set the days from the due day on (below zero: before it); raises ``Refused``."""
