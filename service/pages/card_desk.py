"""What the pages of card payments are asked to do (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from reconciliation.cards.outcomes import Returned
from service.access.roles import Place, SignedIn
from service.pages.card_views import CardOffer, CardOrder, CardPage


class CardDesk(Protocol):
    """Card payments of families and of the office."""

    def card_offer(self, link_digest: bytes, token: str, now: datetime) -> CardOffer | None:
        """Return what may be paid by card; None for an unknown link. Raises ``CardsOff``."""

    def card_returned(self, link_digest: bytes, now: datetime) -> Returned:
        """Return what a family that comes back from the card provider is told; *nothing* for an unknown link."""

    def begin_card(self, link_digest: bytes, now: datetime) -> CardOrder | None:
        """Write a checkout, or find the open one; None for an unknown link. Raises ``CardsOff``."""

    def cards(self, who: SignedIn, place: Place, before: int, now: datetime) -> CardPage:
        """Return the cards of a school, the payments from behind one (0 for the newest) on."""

    def ask_card_switch(  # noqa: PLR0913  an act of a person with its facts
        self, who: SignedIn, place: Place, account_id: UUID, reason: str, now: datetime, *, turn_on: bool
    ) -> None:
        """Ask to take cards, or to stop."""

    def decide_card_switch(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, switch_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree or say no."""

    def ask_card_refund(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, checkout_id: UUID, amount: str, reason: str, now: datetime
    ) -> None:
        """Ask to give money back to a card."""

    def decide_card_refund(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, refund_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree or say no."""

    def tie_card_payout(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, payout_id: str, transfer_id: str, reason: str, now: datetime
    ) -> bool:
        """Tie a payout to the bank's transfer; False where another person has to agree first."""

    def ask_card_untie(self, who: SignedIn, place: Place, payout_id: str, reason: str, now: datetime) -> None:
        """Ask that a tie be undone."""

    def ask_card_explain(self, who: SignedIn, place: Place, movement_id: str, reason: str, now: datetime) -> None:
        """Ask to take a movement of Stripe's for a cost."""

    def ask_card_top_up(self, who: SignedIn, place: Place, movement_id: str, reason: str, now: datetime) -> None:
        """Ask to take money that came to Stripe for the school's own."""

    def ask_card_opening(self, who: SignedIn, place: Place, account_id: UUID, reason: str, now: datetime) -> None:
        """Ask to take what Stripe holds beside all that is known for what it held before."""

    def decide_card_act(  # noqa: PLR0913  as above
        self, who: SignedIn, place: Place, act_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree to what another person asked for about payouts and movements, or say no."""

    def ask_card_several(  # noqa: PLR0913, PLR0917  as above
        self, who: SignedIn, place: Place, payouts: Sequence[str], transfers: Sequence[str], reason: str, now: datetime
    ) -> None:
        """Ask to tie one payout to several transfers, or several payouts to one."""

    def ask_card_page_end(self, who: SignedIn, place: Place, page_id: str, reason: str, now: datetime) -> None:
        """Ask to end a page of which nothing more is to be heard."""

    def cards_in_menu(self, place: Place, now: datetime) -> int:
        """Count what of a school's cards waits for a person."""
