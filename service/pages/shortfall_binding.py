"""The desk of the page of money from abroad that arrives short, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from reconciliation.shortfalls.accepting import agree_shortfall, ask_shortfall, take_back_shortfall
from reconciliation.shortfalls.limiting import ask_limit, decide_limit
from service.access.roles import Actor, Place, SignedIn
from service.pages.shortfall_rows import shortfall_page
from service.pages.shortfall_views import ShortfallPage, TypedShortfall
from service.pages.typed import read_id, read_money, school_day
from service.pages.within import RowsWithin


class ShortfallRows(RowsWithin):
    """Money from abroad that arrives short, answered from rows."""

    def shortfalls(self, who: SignedIn, place: Place, now: datetime) -> ShortfallPage:
        """Return the page."""
        return shortfall_page(self._within(place), place.id, who.user_id, school_day(now))

    def ask_shortfall(self, who: SignedIn, place: Place, typed: TypedShortfall, now: datetime) -> None:
        """Ask another person to accept what is missing."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        transfer, bill = read_id(typed.transfer), read_id(typed.bill)
        with self._whole():
            ask_shortfall(session, actor, place.id, transfer, bill, typed.paper, typed.reason, now)

    def agree_shortfall(self, who: SignedIn, place: Place, relief_id: UUID, now: datetime) -> None:
        """Agree to what another person asked for."""
        session, actor = self._within(place), self._actor(who, Actor.APPROVER)
        with self._whole():
            agree_shortfall(session, actor, place.id, relief_id, now)

    def take_back_shortfall(self, who: SignedIn, place: Place, relief_id: UUID, reason: str, now: datetime) -> None:
        """Take an acceptance back."""
        session, actor = self._within(place), self._looks(who, place)
        with self._whole():
            take_back_shortfall(session, actor, place.id, relief_id, reason, now)

    def ask_limit(self, who: SignedIn, place: Place, most: str, reason: str, now: datetime) -> None:
        """Ask for another limit."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        with self._whole():
            ask_limit(session, actor, place.id, read_money(most), reason, now)

    def decide_limit(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, limit_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree to a limit or say no."""
        session, actor = self._within(place), self._looks(who, place)
        with self._whole():
            decide_limit(session, actor, place.id, limit_id, now, approved=approved, reason=reason)
