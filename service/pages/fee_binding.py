"""The desk of the pages of fees on rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

from service.access.roles import Actor, Place, SignedIn
from service.pages import item_rows
from service.pages.fee_views import CatalogueChoice, CataloguePage, CatalogueRow, ItemsPage
from service.pages.within import RowsWithin

_LOCAL = timezone(timedelta(hours=7))


def school_day(now: datetime) -> date:
    """Return the day it is in Viet Nam."""
    return now.astimezone(_LOCAL).date()


class FeeRows(RowsWithin):
    """Items, catalogues, registrations and reductions, answered from rows."""

    def items(self, who: SignedIn, place: Place, now: datetime) -> ItemsPage:
        """Return the school's items with their prices."""
        del who
        return item_rows.items_page(self._within(place), place.id, school_day(now))

    def catalogues(self, who: SignedIn, place: Place) -> tuple[CatalogueRow, ...]:
        """Return the catalogues that come with the program."""
        del who, place
        return item_rows.shipped_catalogues()

    def catalogue(self, who: SignedIn, place: Place, choice: CatalogueChoice, now: datetime) -> CataloguePage:
        """Return what loading a catalogue would do."""
        del who
        return item_rows.catalogue_page(self._within(place), place.id, choice, now)

    def load_catalogue(
        self, who: SignedIn, place: Place, choice: CatalogueChoice, accounts: Mapping[str, str], now: datetime
    ) -> None:
        """Load a catalogue into the chosen accounts."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        item_rows.load_chosen(session, place.id, actor, choice, accounts, now)
