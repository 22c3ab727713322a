"""What the pages of fees ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from service.access.roles import Place, SignedIn
from service.pages.fee_views import CatalogueChoice, CataloguePage, CatalogueRow, ItemsPage


class ItemDesk(Protocol):
    """Items, prices and catalogues."""

    def items(self, who: SignedIn, place: Place, now: datetime) -> ItemsPage:
        """Return the school's items with their prices."""

    def catalogues(self, who: SignedIn, place: Place) -> tuple[CatalogueRow, ...]:
        """Return the catalogues that come with the program."""

    def catalogue(self, who: SignedIn, place: Place, choice: CatalogueChoice, now: datetime) -> CataloguePage:
        """Return what loading a catalogue would do; raises ``NotFound`` or ``BadCatalogue``."""

    def load_catalogue(
        self, who: SignedIn, place: Place, choice: CatalogueChoice, accounts: Mapping[str, str], now: datetime
    ) -> None:
        """Load a catalogue; ``accounts``: its account keys to ids of the school's accounts."""
