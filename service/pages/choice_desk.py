"""What the pages of choices ask of the house."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.choice_views import Chosen, FamilyChoicesPage, OfferPage, OffersPage, Ticked, TypedOffer
from service.pages.family_account_views import FamilyAccountDesk


class FamilyChoiceDesk(FamilyAccountDesk, Protocol):
    """A family's own page of choices, behind a link and a one-time code; nothing is answered for an unknown link."""

    def family_choices(
        self, link_digest: bytes, token: str, session_digest: bytes | None, language: str, now: datetime
    ) -> FamilyChoicesPage | None:
        """Return what can be chosen, with a session of this child's guardian; else where a code can be sent."""

    def choose(
        self, link_digest: bytes, session_digest: bytes, ticked: Sequence[Ticked], language: str, now: datetime
    ) -> Chosen | None:
        """Register for what was ticked, all or nothing; raises ``Refused`` after the deadline."""

    def stop_choice(  # noqa: PLR0913, PLR0917  which one, as it was shown
        self, link_digest: bytes, session_digest: bytes, code: str, digest: bytes, language: str, now: datetime
    ) -> Chosen | None:
        """End a registration after the day that was shown."""


class OfferDesk(Protocol):
    """The office opens items for registration, closes them, and refuses a choice with a reason."""

    def offers(self, who: SignedIn, place: Place, code: str, now: datetime) -> OffersPage:
        """Return the offers of a school and, with an item's code, the form that opens it."""

    def open_offer(self, who: SignedIn, place: Place, typed: TypedOffer, now: datetime) -> UUID:
        """Open an item; raises ``Refused`` or ``Conflict``."""

    def offer(self, who: SignedIn, place: Place, offer_id: UUID, now: datetime) -> OfferPage:
        """Return one offer with its choices; raises ``NotFound``."""

    def invite_to_offer(self, who: SignedIn, place: Place, offer_id: UUID, now: datetime) -> None:
        """Ask the families that have not answered; raises ``Conflict`` today, and after some times."""

    def close_offer(self, who: SignedIn, place: Place, offer_id: UUID, now: datetime) -> None:
        """Close an offer."""

    def refuse_choice(self, who: SignedIn, place: Place, choice_id: str, reason: str, now: datetime) -> None:
        """Refuse a family's choice, with a reason."""


class ChoiceDesk(FamilyChoiceDesk, OfferDesk, Protocol):
    """Both."""
