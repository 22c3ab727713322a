"""What the pages of fees ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.fee_views import (
    CatalogueChoice,
    CataloguePage,
    CatalogueRow,
    EndedOptIns,
    ItemPage,
    ItemsPage,
    NewOptIns,
    OptInClassPage,
    OptInsPage,
    PupilHit,
    ReductionForm,
    ReductionList,
    ReductionPage,
    TypedItem,
    TypedPrice,
    TypedReduction,
)
from service.pages.views import Download


class ItemDesk(Protocol):
    """Items, prices and catalogues."""

    def items(self, who: SignedIn, place: Place, now: datetime) -> ItemsPage:
        """Return the school's items with their prices."""

    def catalogues(self, who: SignedIn, place: Place) -> tuple[CatalogueRow, ...]:
        """Return the catalogues that come with the program."""

    def catalogue(self, who: SignedIn, place: Place, choice: CatalogueChoice, now: datetime) -> CataloguePage:
        """Return what loading a catalogue would do; raises ``NotFound`` or ``BadCatalogue``."""

    def catalogue_file(self, who: SignedIn, place: Place, name: str) -> Download:
        """Return a shipped catalogue as a file to edit; raises ``NotFound``."""

    def load_catalogue(
        self, who: SignedIn, place: Place, choice: CatalogueChoice, accounts: Mapping[str, str], now: datetime
    ) -> None:
        """Load a catalogue; ``accounts``: its account keys to ids of the school's accounts."""

    def item(self, who: SignedIn, place: Place, code: str, now: datetime) -> ItemPage:
        """Return one item with its prices; raises ``NotFound``."""

    def new_item(self, who: SignedIn, place: Place, now: datetime) -> tuple[tuple[str, str], ...]:
        """Return the accounts (id, name) that a new item may pay into."""

    def add_item(self, who: SignedIn, place: Place, typed: TypedItem, now: datetime) -> str:
        """Add an item and return its code; raises ``Prohibited``, ``Conflict`` or ``Refused``."""

    def change_item(self, who: SignedIn, place: Place, typed: TypedItem, now: datetime) -> None:
        """Change name, basis or accounts of an item."""

    def price_item(self, who: SignedIn, place: Place, code: str, typed: TypedPrice, now: datetime) -> None:
        """Give an item a price from a day on; raises ``OverCap``, ``Prohibited`` or ``Refused``."""

    def withdraw_price(self, who: SignedIn, place: Place, price_id: int, reason: str, now: datetime) -> None:
        """Take back a price, with a reason."""

    def end_item(  # noqa: PLR0913, PLR0917  what is ended, where, when, why
        self, who: SignedIn, place: Place, code: str, last: date, reason: str, now: datetime
    ) -> None:
        """Stop charging an item after a day."""


class OptInDesk(Protocol):
    """What families registered for."""

    def opt_ins(self, who: SignedIn, place: Place, day: date | None, now: datetime) -> OptInsPage:
        """Return the registrations of all classes on a day (today unless given)."""

    def opt_in_class(  # noqa: PLR0913, PLR0917  an item in a class on a day
        self, who: SignedIn, place: Place, code: str, class_id: UUID, day: date | None, now: datetime
    ) -> OptInClassPage:
        """Return one item in one class, pupil by pupil; raises ``NotFound``."""

    def register(self, who: SignedIn, place: Place, wanted: NewOptIns, now: datetime) -> int:
        """Register classes or ticked pupils; return how many were new or changed."""

    def end_opt_ins(self, who: SignedIn, place: Place, ended: EndedOptIns, now: datetime) -> int:
        """End registrations; return how many changed."""


class ReductionDesk(Protocol):
    """Reductions of pupils: entered by one, approved by another; every look at one is recorded."""

    def reductions(self, who: SignedIn, place: Place, words: str, now: datetime) -> ReductionList:
        """Return what waits and what was decided; no kinds, no shares."""

    def reduction(self, who: SignedIn, place: Place, reduction_id: UUID, now: datetime) -> ReductionPage:
        """Return everything on one reduction and record the look; raises ``NotFound``."""

    def reaches_back(self, place: Place, reduction_id: UUID) -> bool:
        """Tell whether a reduction reaches back over months whose bills are issued."""

    def find_pupils(self, who: SignedIn, place: Place, words: str, now: datetime) -> tuple[PupilHit, ...]:
        """Return pupils by name, code or class."""

    def reduction_form(self, who: SignedIn, place: Place, enrolment_id: UUID, now: datetime) -> ReductionForm:
        """Return what a new reduction of a pupil can be; raises ``NotFound``."""

    def enter_reduction(self, who: SignedIn, place: Place, typed: TypedReduction, now: datetime) -> UUID:
        """Enter a reduction that waits for another person; returns its id."""

    def approve_reduction(self, who: SignedIn, place: Place, reduction_id: UUID, now: datetime) -> None:
        """Approve what another person entered; raises ``SamePerson`` or ``Conflict``."""

    def withdraw_reduction(self, who: SignedIn, place: Place, reduction_id: UUID, reason: str, now: datetime) -> None:
        """Refuse what waits, or take back what was a mistake, with a reason."""

    def end_reduction(  # noqa: PLR0913, PLR0917  which one, when, why
        self, who: SignedIn, place: Place, reduction_id: UUID, last: date, reason: str, now: datetime
    ) -> None:
        """End a reduction after a day, with a reason."""


class FeeDesk(ItemDesk, OptInDesk, ReductionDesk, Protocol):
    """All pages of fees."""
