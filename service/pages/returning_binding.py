"""The desk of the pages of transfers that go back to their payer, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from reconciliation.returning.asking import Chosen, ask_return
from reconciliation.returning.deciding import bring_back
from service.access.roles import Actor, Place, SignedIn
from service.pages import refund_rows, returning_rows
from service.pages.returning_views import AskBackPage, GoingBackPage, TypedReturn
from service.pages.typed import read_id, school_day
from service.pages.within import RowsWithin


class ReturningRows(RowsWithin):
    """Transfers that nobody could place, on their way back, answered from rows."""

    def going_back(self, who: SignedIn, place: Place, now: datetime) -> GoingBackPage:
        """Return the transfers that wait or go back."""
        del who
        return returning_rows.going_back_page(self._within(place), place.id, school_day(now))

    def ask_back_page(self, who: SignedIn, place: Place, transfer_id: UUID, now: datetime) -> AskBackPage:
        """Return one waiting transfer."""
        del who
        session = self._within(place)
        return returning_rows.ask_back_page(session, self._wiring.vault, place.id, transfer_id, school_day(now))

    def ask_back(self, who: SignedIn, place: Place, transfer_id: UUID, typed: TypedReturn, now: datetime) -> UUID:
        """Ask that a transfer goes back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        chosen = Chosen(typed.source, typed.bank, typed.name, typed.account, typed.proof)
        asked = ask_return(session, self._wiring.vault, actor, place.id, transfer_id, chosen, typed.reason, now)
        return asked.id

    def bring_back(  # noqa: PLR0913, PLR0917  which line, by which money
        self, who: SignedIn, place: Place, refund_id: UUID, line_id: UUID, came: str, now: datetime
    ) -> None:
        """Write down that the bank brought a line's money back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        refund_rows.refuse_other_line(session, refund_rows.refund_of(session, place.id, refund_id), line_id)
        bring_back(session, actor, place.id, line_id, read_id(came), now)
