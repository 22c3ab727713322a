"""What the pages of a billing round ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from datetime import date, datetime
from typing import IO, Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.round_views import (
    CorrectionPage,
    CorrectionRow,
    NewRound,
    NoticesPage,
    PupilCharges,
    RoundMore,
    RoundPupils,
    SlipsPage,
    StartStep,
    TypedCorrection,
    TypedRound,
)
from service.pages.views import Download


class RoundDesk(Protocol):
    """A round from its form to its lock."""

    def start_steps(self, who: SignedIn, place: Place, now: datetime) -> tuple[StartStep, ...]:
        """Return where the school stands on its way to a round."""

    def round_alert(self, who: SignedIn, place: Place) -> int:
        """Return the percentage above which a change of the total is asked about."""

    def set_round_alert(self, who: SignedIn, place: Place, percent: int, now: datetime) -> None:
        """Set that percentage; raises ``Refused`` for a number that makes no sense."""

    def new_round(self, who: SignedIn, place: Place, first: str, last: str, now: datetime) -> NewRound:
        """Return what a new round for some months (``2025-10``) would be; empty texts ask for a proposal."""

    def draft_round(self, who: SignedIn, place: Place, typed: TypedRound, now: datetime) -> UUID:
        """Write down a round and calculate it; returns its id."""

    def draft_supplementary(self, who: SignedIn, place: Place, base: UUID, due_on: date, now: datetime) -> UUID:
        """Write down and calculate a round for who has no bill in an issued one; returns its id."""

    def round_more(self, who: SignedIn, place: Place, round_id: UUID) -> RoundMore:
        """Return totals, differences and oddities of a round; raises ``NotFound``."""

    def round_pupils(self, who: SignedIn, place: Place, round_id: UUID, words: str, page: int) -> RoundPupils:
        """Return one page of a round's pupils."""

    def pupil_charges(  # noqa: PLR0913, PLR0917  a pupil in a round, in a language
        self, who: SignedIn, place: Place, round_id: UUID, pupil_id: UUID, language: str, now: datetime
    ) -> PupilCharges:
        """Return the full explanation of what a round charges a pupil, and record the look."""

    def withdraw_round(self, who: SignedIn, place: Place, round_id: UUID, reason: str, now: datetime) -> None:
        """Give a round up before it is issued, with a reason."""

    def lock_round(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> None:
        """Lock an issued round: nothing of it is corrected any more."""

    def unlock_round(self, who: SignedIn, place: Place, round_id: UUID, reason: str, now: datetime) -> None:
        """Open a locked round again; another person than who locked it, with a reason."""


class PaperDesk(Protocol):
    """A round on paper."""

    def slips(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> SlipsPage:
        """Return what can be printed of an issued round."""

    def class_slips(self, who: SignedIn, place: Place, round_id: UUID, class_id: UUID, now: datetime) -> Download:
        """Return the slips of one class as PDF; raises ``NotFound`` when there are none."""

    def ask_for_all_slips(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> None:
        """Ask for the slips of all classes; asking again while they are printed is harmless."""

    def all_slips(
        self, who: SignedIn, place: Place, round_id: UUID, print_id: UUID, now: datetime
    ) -> tuple[str, IO[bytes]]:
        """Return a name and a temporary file with the slips of all classes (ZIP of PDFs), once they are printed."""

    def notices(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> NoticesPage:
        """Return who was told by which channel."""


class CorrectionDesk(Protocol):
    """Corrections of issued bills: one asks, another decides."""

    def corrections(self, who: SignedIn, place: Place) -> tuple[CorrectionRow, ...]:
        """Return what waits for a decision, oldest first."""

    def correction(self, who: SignedIn, place: Place, correction_id: UUID) -> CorrectionPage:
        """Return what a request would do; raises ``NotFound``."""

    def ask_correction(self, who: SignedIn, place: Place, typed: TypedCorrection, now: datetime) -> UUID:
        """Ask for a bill to be voided, replaced or lowered; returns the request's id."""

    def ask_price(  # noqa: PLR0913, PLR0917  an item of a round, its price, why
        self, who: SignedIn, place: Place, round_id: UUID, item: str, price: str, reason: str, now: datetime
    ) -> UUID:
        """Ask for one item to be lowered to a price in all bills of a round; returns the request's id."""

    def approve_correction(self, who: SignedIn, place: Place, correction_id: UUID, now: datetime) -> None:
        """Carry a request out; raises ``SamePerson`` or ``Conflict``."""

    def reject_correction(self, who: SignedIn, place: Place, correction_id: UUID, reason: str, now: datetime) -> None:
        """Say no, with a reason."""


class RoundWork(RoundDesk, PaperDesk, CorrectionDesk, Protocol):
    """All pages of rounds."""
