"""What the pages of the State's money ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.claims_views import (
    ClaimPage,
    ClaimRow,
    EntitlementsPage,
    PayoutPage,
    StateMoneyPage,
    TypedChoice,
    TypedClaim,
    TypedEntitlement,
    TypedPayment,
    TypedPayout,
    TypedStep,
)
from service.pages.views import Download


class ListDesk(Protocol):
    """Lists for the State and the money that came on them."""

    def state_money(self, who: SignedIn, place: Place, now: datetime) -> StateMoneyPage:
        """Return rates, lists, and to whom support goes."""

    def draft_claim(self, who: SignedIn, place: Place, typed: TypedClaim, now: datetime) -> UUID:
        """Write down a list and work it out; raises ``Refused`` or ``Conflict``."""

    def claim(self, who: SignedIn, place: Place, claim_id: UUID, page: int) -> ClaimPage:
        """Return one list; raises ``NotFound``."""

    def step_claim(self, who: SignedIn, place: Place, claim_id: UUID, step: TypedStep, now: datetime) -> None:
        """Work out, submit, approve, send or withdraw a list; raises ``SamePerson`` or ``Conflict``."""

    def claim_list(self, who: SignedIn, place: Place, claim_id: UUID, now: datetime) -> Download:
        """Return the workbook of an approved list, and record who opened it."""

    def record_state_payment(
        self, who: SignedIn, place: Place, claim_id: UUID, typed: TypedPayment, now: datetime
    ) -> None:
        """Write down money that came on a list."""

    def undo_state_payment(  # noqa: PLR0913, PLR0917  which one, and why
        self, who: SignedIn, place: Place, claim_id: UUID, payment_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back money that was written down wrongly."""


class PayoutDesk(Protocol):
    """Money handed to families."""

    def payout_lists(self, who: SignedIn, place: Place) -> tuple[tuple[ClaimRow, int], ...]:
        """Return the approved learning-cost lists, and how many families of each have not been paid."""

    def payouts(self, who: SignedIn, place: Place, claim_id: UUID, now: datetime) -> PayoutPage:
        """Return the payout list; raises ``NotFound``."""

    def pay_out(self, who: SignedIn, place: Place, claim_id: UUID, typed: TypedPayout, now: datetime) -> None:
        """Write down a signature; raises ``Conflict`` when the pupil's money was handed over before."""

    def undo_payout(  # noqa: PLR0913, PLR0917  which one, and why
        self, who: SignedIn, place: Place, claim_id: UUID, payout_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back a payout that was written down wrongly."""


class SupportDesk(Protocol):
    """To whom support goes, and who has a right to learning-cost support."""

    def choose_support(self, who: SignedIn, place: Place, typed: TypedChoice, now: datetime) -> None:
        """Write down who gets the support of a private school's pupils."""

    def decide_choice(self, who: SignedIn, place: Place, choice_id: UUID, now: datetime, *, approved: bool) -> None:
        """Approve a choice, or drop it before it is approved."""

    def entitlements(self, who: SignedIn, place: Place, words: str, chosen: str, now: datetime) -> EntitlementsPage:
        """Return the rights of a school's pupils, and record the look."""

    def entitle(self, who: SignedIn, place: Place, typed: TypedEntitlement, now: datetime) -> None:
        """Enter a right that waits for another person."""

    def approve_entitlement(self, who: SignedIn, place: Place, entitlement_id: UUID, now: datetime) -> None:
        """Approve what another person entered; raises ``SamePerson`` or ``Conflict``."""

    def end_entitlement(  # noqa: PLR0913, PLR0917  which one, when, why
        self, who: SignedIn, place: Place, entitlement_id: UUID, last: date, reason: str, now: datetime
    ) -> None:
        """End a right after a day, or drop one that nobody approved."""

    def proof_of_study(self, who: SignedIn, place: Place, enrolment_id: UUID, now: datetime) -> Download:
        """Return the letter of a private pupil, and record that it was given out."""


class ClaimDesk(ListDesk, PayoutDesk, SupportDesk, Protocol):
    """All pages of the State's money."""
