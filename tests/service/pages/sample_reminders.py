"""The part of the sample desk that answers the page of reminders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from service.access.roles import Place, SignedIn
from service.pages.reminder_views import RemindedDay, ReminderPage

REMINDERS = ReminderPage((3,), (5, 15), (RemindedDay(date(2025, 10, 6), 128, 2), RemindedDay(date(2025, 9, 30), 9, 0)))


class SampleReminders:
    """Answers from the record above, and remembers what was set."""

    done: list[tuple[str, str]]

    def reminders(self, who: SignedIn, place: Place) -> ReminderPage:
        del who, place
        return REMINDERS

    def set_reminders(self, who: SignedIn, place: Place, days: Collection[int], now: datetime) -> None:
        del who, place, now
        self.done.append(("set reminders", ",".join(map(str, sorted(days)))))
