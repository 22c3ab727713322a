"""The desk of the page of bank feeds, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from reconciliation import releasing
from service.access.roles import Actor, Place, SignedIn
from service.pages import feed_rows
from service.pages.feed_views import FeedPage
from service.pages.within import RowsWithin


class FeedDeskRows(RowsWithin):
    """Bank feeds and held money, answered from rows."""

    def bank_feeds(self, who: SignedIn, place: Place, now: datetime) -> FeedPage:
        """Return the page."""
        return feed_rows.feed_page(self._within(place), place.id, who.user_id, now)

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
