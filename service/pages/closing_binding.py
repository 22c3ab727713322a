"""The desk of the page of closing a month, on rows."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from billing.closing import deciding
from billing.errors import Conflict
from reconciliation.closing.checking import unfinished
from service.access.roles import Actor, Place, SignedIn
from service.pages.closing_rows import closing_page
from service.pages.closing_views import ClosingPage
from service.pages.within import RowsWithin


class ClosingRows(RowsWithin):
    """Closing a month by two people and opening it again by two, on rows."""

    def closing(self, who: SignedIn, place: Place, now: datetime) -> ClosingPage:
        """Return the month to close, what waits, and what is closed."""
        return closing_page(self._within(place), place.id, who.user_id, now)

    def ask_close(  # noqa: PLR0913, PLR0917  which month, having seen what
        self, who: SignedIn, place: Place, month: date, mark: str, reason: str, now: datetime
    ) -> None:
        """Ask for a month to be closed."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        deciding.refuse_turn(session, place.id, month, now)
        found = unfinished(session, place.id, month, now)
        if deciding.mark_of(found) != mark:
            raise Conflict("Từ lúc bạn mở trang, việc chưa xong của tháng đã khác. Hãy xem lại rồi đề nghị.")
        deciding.ask_close(session, actor, place.id, month, found, reason, now)

    def ask_reopen(self, who: SignedIn, place: Place, month: date, reason: str, now: datetime) -> None:
        """Ask for the last closed month to be opened again."""
        deciding.ask_reopen(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, month, reason, now)

    def agree_period(self, who: SignedIn, place: Place, ask_id: UUID, now: datetime) -> str:
        """Agree, and return what was done: *close* or *reopen*. The book is held before it is looked at."""
        session, actor = self._within(place), self._actor(who, Actor.APPROVER)
        with session.begin_nested():  # the page tells what stood against it, so nothing half done may stay
            deciding.hold_book(session, place.id)
            asked = deciding.open_ask(session, place.id, ask_id)
            found = unfinished(session, place.id, asked.month, now) if asked.kind == "close" else ()
            return deciding.agree(session, actor, place.id, ask_id, found, now).kind

    def refuse_period(self, who: SignedIn, place: Place, ask_id: UUID, reason: str, now: datetime) -> None:
        """Say no, or take one's own request back."""
        deciding.refuse(self._within(place), self._looks(who, place), place.id, ask_id, reason, now)
