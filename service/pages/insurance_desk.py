"""What the pages of pupils' health insurance ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.insurance_views import (
    CardPage,
    ClassCards,
    InsurancePage,
    ListPage,
    TypedCard,
    TypedClassCards,
    TypedPayout,
)
from service.pages.views import Download


class InsuranceDesk(Protocol):
    """Cards, lists for the insurer, the money passed on, double cover."""

    def insurance(self, who: SignedIn, place: Place, year: str, now: datetime) -> InsurancePage:
        """Return the overview of a year (this one unless given)."""

    def open_insurance(self, who: SignedIn, place: Place, account: str, now: datetime) -> None:
        """Open the item under which insurance is billed; raises ``Conflict`` or ``Refused``."""

    def class_cards(self, who: SignedIn, place: Place, class_id: UUID, year: str, now: datetime) -> ClassCards:
        """Return the pupils of a class; raises ``NotFound``."""

    def enter_class_cards(
        self, who: SignedIn, place: Place, class_id: UUID, typed: TypedClassCards, now: datetime
    ) -> int:
        """Let the ticked pupils buy at school; who has another card is left alone. Return how many rows are new."""

    def pupil_card(self, who: SignedIn, place: Place, pupil_id: UUID, year: str, now: datetime) -> CardPage:
        """Return one pupil's card with the reason, and write down that it was looked at."""

    def enter_card(self, who: SignedIn, place: Place, pupil_id: UUID, typed: TypedCard, now: datetime) -> None:
        """Write one pupil's card down; raises ``Refused``."""

    def show_other_card(self, who: SignedIn, place: Place, pupil_id: UUID, typed: TypedCard, now: datetime) -> None:
        """Ask for the doubled months to be given back; ``card_end`` of the typed card is its first day."""

    def refund_insurance(self, who: SignedIn, place: Place, pupil_id: UUID, now: datetime) -> UUID:
        """Ask for the pupil's credit under insurance to be given back; return the request."""

    def next_insurance_list(self, who: SignedIn, place: Place, year: str, now: datetime) -> ListPage:
        """Return the list as it would be sent now."""

    def send_insurance_list(self, who: SignedIn, place: Place, year: str, shown: str, now: datetime) -> UUID:
        """Freeze the list as it was shown; raises ``Conflict`` when it changed."""

    def insurance_list(self, who: SignedIn, place: Place, list_id: UUID) -> ListPage:
        """Return a list that was sent; raises ``NotFound``."""

    def insurance_list_sheet(self, who: SignedIn, place: Place, list_id: UUID, now: datetime) -> Download:
        """Return a list that was sent as XLSX, with the cards' numbers."""

    def enter_insurance_payout(self, who: SignedIn, place: Place, typed: TypedPayout, now: datetime) -> int:
        """Write down what was passed on; return the year."""

    def decide_insurance_payout(  # noqa: PLR0913, PLR0917  a deed, its reason and moment
        self, who: SignedIn, place: Place, payout_id: UUID, deed: str, reason: str, now: datetime
    ) -> None:
        """Approve (*duyet*), reject (*tu-choi*) or undo (*huy*) a payout."""
