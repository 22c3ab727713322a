"""The desk of the page of bank feeds, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billing.errors import Refused
from reconciliation import releasing
from reconciliation.lists.again import ask_span
from service.access.roles import Actor, Place, SignedIn
from service.pages import feed_rows
from service.pages.feed_views import FeedPage
from service.pages.typed import read_day
from service.pages.within import RowsWithin


class FeedDeskRows(RowsWithin):
    """Bank feeds and held money, answered from rows."""

    def bank_feeds(self, who: SignedIn, place: Place, now: datetime) -> FeedPage:
        """Return the page."""
        return feed_rows.feed_page(self._within(place), place.id, who.user_id, now)

    def compare_again(self, who: SignedIn, place: Place, feed_id: UUID, days: tuple[str, str], now: datetime) -> None:
        """Ask to compare days of a list; the poller does it."""
        first, last = (read_day(each) for each in days)
        if first is None or last is None:
            raise Refused("Hãy chọn ngày đầu và ngày cuối cần so lại.")
        ask_span(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, feed_id, (first, last), now)
        self.bells.append("reconciliation.poll")

    def ask_release(self, who: SignedIn, place: Place, transfer_id: UUID, reason: str, now: datetime) -> None:
        """Ask to let held money go."""
        actor = self._actor(who, Actor.ACCOUNTANT)
        releasing.ask_release(self._within(place), actor, place.id, transfer_id, reason, now)

    def ask_distrust(self, who: SignedIn, place: Place, transfer_id: UUID, reason: str, now: datetime) -> None:
        """Ask to put it aside."""
        actor = self._actor(who, Actor.ACCOUNTANT)
        releasing.ask_distrust(self._within(place), actor, place.id, transfer_id, reason, now)

    def approve_release(self, who: SignedIn, place: Place, release_id: UUID, now: datetime) -> None:
        """Let it go, which is settled after the commit, or put it aside."""
        actor = self._actor(who, Actor.APPROVER)
        releasing.approve_release(self._within(place), actor, place.id, release_id, now)
        self.bells.append("reconciliation.settle")

    def refuse_release(self, who: SignedIn, place: Place, release_id: UUID, reason: str, now: datetime) -> None:
        """Say no, or take one's own back."""
        releasing.refuse_release(self._within(place), self._looks(who, place), place.id, release_id, reason, now)
