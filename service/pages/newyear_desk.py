"""What the pages of a new school year ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.newyear_views import (
    BalancesPage,
    ClassesPage,
    FormerDetail,
    FormerPage,
    GoingOnPage,
    PricesPage,
    PromotionPage,
    TypedChoice,
    TypedClasses,
    TypedFormer,
    TypedPrices,
    TypedWays,
    YearPage,
)
from service.pages.views import Download


class NewYearDesk(Protocol):
    """The steps into a new year; an empty ``year`` means the one that is next."""

    def new_year(self, who: SignedIn, place: Place, year: str, now: datetime) -> YearPage:
        """Return the steps with what is done and what is next."""

    def year_prices(self, who: SignedIn, place: Place, year: str, percent: str, now: datetime) -> PricesPage:
        """Return the prices that would go on, raised by a share."""

    def copy_prices(self, who: SignedIn, place: Place, year: str, typed: TypedPrices, now: datetime) -> int:
        """Write prices; return how many are new. Raises ``BadRows``."""

    def year_classes(self, who: SignedIn, place: Place, year: str, now: datetime) -> ClassesPage:
        """Return the classes proposed and made."""

    def make_classes(self, who: SignedIn, place: Place, year: str, typed: TypedClasses, now: datetime) -> int:
        """Make classes; return how many are new."""

    def promotion(self, who: SignedIn, place: Place, year: str, class_id: str, now: datetime) -> PromotionPage:
        """Return who becomes what, with the pupils of one class of last year."""

    def choose_promotion(self, who: SignedIn, place: Place, year: str, typed: TypedChoice, now: datetime) -> int:
        """Write down what becomes of pupils; return how many choices are new."""

    def usual_promotion(self, who: SignedIn, place: Place, year: str, class_id: str, now: datetime) -> int:
        """Choose the usual way for everybody undecided, of one class or all."""

    def class_ways(self, who: SignedIn, place: Place, year: str, typed: TypedWays, now: datetime) -> int:
        """Choose for everybody undecided what their class of last year does; return how many were decided."""

    def promotion_file(self, who: SignedIn, place: Place, year: str, now: datetime) -> Download:
        """Return the list of everybody to edit and bring back."""

    def take_promotion_file(self, who: SignedIn, place: Place, year: str, data: bytes, now: datetime) -> int:
        """Bring it back; raises ``BadRows`` with every line that cannot be taken."""

    def promote(self, who: SignedIn, place: Place, year: str, first_day: str, now: datetime) -> int:
        """Carry out what was chosen; return how many pupils it was."""

    def going_on(self, who: SignedIn, place: Place, year: str, now: datetime) -> GoingOnPage:
        """Return what can go on for pupils."""

    def carry_on(self, who: SignedIn, place: Place, year: str, items: Sequence[str], now: datetime) -> int:
        """Write what goes on; return how many rows are new."""

    def balances(self, who: SignedIn, place: Place, year: str, now: datetime) -> BalancesPage:
        """Return the opening list."""

    def draw_up_balances(self, who: SignedIn, place: Place, year: str, now: datetime) -> None:
        """Write the list down for signing."""

    def sign_balances(self, who: SignedIn, place: Place, opening_id: UUID, now: datetime) -> str:
        """Sign a list and return its year; raises ``SamePerson`` or ``Conflict``."""

    def balances_file(self, who: SignedIn, place: Place, opening_id: UUID, now: datetime) -> Download:
        """Return a list as a workbook."""

    def former(self, who: SignedIn, place: Place, now: datetime) -> FormerPage:
        """Return the files of former programs."""

    def former_template(self, who: SignedIn, place: Place) -> Download:
        """Return the file to fill in."""

    def read_former(self, who: SignedIn, place: Place, typed: TypedFormer, data: bytes, now: datetime) -> UUID:
        """Read a file in for approval; raises ``BadRows`` or ``Refused``."""

    def former_import(self, who: SignedIn, place: Place, import_id: UUID, now: datetime) -> FormerDetail:
        """Return one file."""

    def approve_former(self, who: SignedIn, place: Place, import_id: UUID, now: datetime) -> None:
        """Take a file over; raises ``SamePerson`` or ``Conflict``."""

    def reject_former(self, who: SignedIn, place: Place, import_id: UUID, reason: str, now: datetime) -> None:
        """Say no to a file."""
