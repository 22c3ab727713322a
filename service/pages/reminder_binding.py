"""The desk of the page of reminders, on rows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from notifications.reminding import days_now, last_days, set_days
from service.access.roles import Actor, Place, SignedIn
from service.pages.reminder_views import RemindedDay, ReminderPage
from service.pages.within import RowsWithin


class ReminderRows(RowsWithin):
    """The days of reminders, answered from rows."""

    def reminders(self, who: SignedIn, place: Place) -> ReminderPage:
        """Return the setting and what came of it."""
        del who
        session = self._within(place)
        days = days_now(session, place.id)
        return ReminderPage(
            tuple(-day for day in days if day < 0),
            tuple(day for day in days if day >= 0),
            tuple(RemindedDay(row.day, row.reminded, row.muted) for row in last_days(session, place.id)),
        )

    def set_reminders(self, who: SignedIn, place: Place, days: Collection[int], now: datetime) -> None:
        """Set the days, and write down who did it."""
        set_days(self._within(place), place.id, days, self._actor(who, Actor.ACCOUNTANT), now)
