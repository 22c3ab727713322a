"""The desk of the pages of fees on rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from billing.audit.recording import Actor as DeedActor
from billing.bills.reached import bills_reached
from billing.fees import reducing
from service.access.roles import Actor, Place, SignedIn
from service.pages import item_edits, item_rows, opt_in_rows, reduction_rows
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
from service.pages.round_binding import RoundRows
from service.pages.typed import school_day
from service.pages.views import Download


class FeeRows(RoundRows):
    """Items, catalogues, registrations and reductions, answered from rows; and rounds below them."""

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

    def catalogue_file(self, who: SignedIn, place: Place, name: str) -> Download:
        """Return a shipped catalogue as a file to edit."""
        del who, place
        return item_rows.catalogue_file(name)

    def load_catalogue(
        self, who: SignedIn, place: Place, choice: CatalogueChoice, accounts: Mapping[str, str], now: datetime
    ) -> None:
        """Load a catalogue into the chosen accounts."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        item_rows.load_chosen(session, place.id, actor, choice, accounts, now)

    def item(self, who: SignedIn, place: Place, code: str, now: datetime) -> ItemPage:
        """Return one item with its prices."""
        del who
        return item_edits.item_page(self._within(place), place.id, code, school_day(now))

    def new_item(self, who: SignedIn, place: Place, now: datetime) -> tuple[tuple[str, str], ...]:
        """Return the accounts that a new item may pay into."""
        del who, now
        return tuple(item_rows.own_accounts(self._within(place), place.id))

    def _editor(self, who: SignedIn, place: Place, now: datetime) -> item_edits.Editor:
        return item_edits.Editor(self._within(place), place.id, self._actor(who, Actor.ACCOUNTANT), now)

    def add_item(self, who: SignedIn, place: Place, typed: TypedItem, now: datetime) -> str:
        """Add an item and return its code."""
        return self._editor(who, place, now).add(typed)

    def change_item(self, who: SignedIn, place: Place, typed: TypedItem, now: datetime) -> None:
        """Change name, basis or accounts of an item."""
        self._editor(who, place, now).change(typed)

    def price_item(self, who: SignedIn, place: Place, code: str, typed: TypedPrice, now: datetime) -> None:
        """Give an item a price from a day on."""
        self._editor(who, place, now).price(code, typed)

    def withdraw_price(self, who: SignedIn, place: Place, price_id: int, reason: str, now: datetime) -> None:
        """Take back a price."""
        self._editor(who, place, now).withdraw(price_id, reason)

    def end_item(  # noqa: PLR0913, PLR0917  what is ended, where, when, why
        self, who: SignedIn, place: Place, code: str, last: date, reason: str, now: datetime
    ) -> None:
        """Stop charging an item after a day."""
        self._editor(who, place, now).end(code, last, reason)

    # Registrations.

    def opt_ins(self, who: SignedIn, place: Place, day: date | None, now: datetime) -> OptInsPage:
        """Return the registrations of all classes on a day."""
        del who
        return opt_in_rows.opt_ins_page(self._within(place), place.id, day or school_day(now))

    def opt_in_class(  # noqa: PLR0913, PLR0917  an item in a class on a day
        self, who: SignedIn, place: Place, code: str, class_id: UUID, day: date | None, now: datetime
    ) -> OptInClassPage:
        """Return one item in one class, pupil by pupil."""
        del who
        return opt_in_rows.opt_in_class_page(self._within(place), place.id, code, class_id, day or school_day(now))

    def register(self, who: SignedIn, place: Place, wanted: NewOptIns, now: datetime) -> int:
        """Register classes or ticked pupils."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return opt_in_rows.take_classes(session, place.id, actor, wanted, now)

    def end_opt_ins(self, who: SignedIn, place: Place, ended: EndedOptIns, now: datetime) -> int:
        """End registrations."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return opt_in_rows.end_pupils(session, place.id, actor, ended, now)

    # Reductions: lists say who and when; what for is read one at a time, and each look is recorded.

    def reductions(self, who: SignedIn, place: Place, words: str, now: datetime) -> ReductionList:
        """Return what waits and what was decided."""
        return reduction_rows.reduction_list(self._within(place), place.id, who.user_id, words, school_day(now))

    def reduction(self, who: SignedIn, place: Place, reduction_id: UUID, now: datetime) -> ReductionPage:
        """Return everything on one reduction and record the look."""
        session, actor = self._within(place), self._looking(who, place)
        return reduction_rows.reduction_page(session, place.id, reduction_id, actor, now)

    def reaches_back(self, place: Place, reduction_id: UUID) -> bool:
        """Tell whether a reduction reaches back over issued months."""
        session = self._within(place)
        return bool(bills_reached(session, reducing.find_reduction(session, place.id, reduction_id)))

    def find_pupils(self, who: SignedIn, place: Place, words: str, now: datetime) -> tuple[PupilHit, ...]:
        """Return pupils by name, code or class."""
        del who
        return reduction_rows.pupil_hits(self._within(place), place.id, words, school_day(now))

    def reduction_form(self, who: SignedIn, place: Place, enrolment_id: UUID, now: datetime) -> ReductionForm:
        """Return what a new reduction of a pupil can be."""
        del who
        return reduction_rows.reduction_form(self._within(place), place.id, enrolment_id, school_day(now))

    def enter_reduction(self, who: SignedIn, place: Place, typed: TypedReduction, now: datetime) -> UUID:
        """Enter a reduction that waits for another person."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return reduction_rows.take_reduction(session, place.id, actor, typed, now)

    def approve_reduction(self, who: SignedIn, place: Place, reduction_id: UUID, now: datetime) -> None:
        """Approve what another person entered."""
        session, actor = self._within(place), self._actor(who, Actor.APPROVER)
        reducing.approve_reduction(session, place.id, reduction_id, actor, now)

    def withdraw_reduction(self, who: SignedIn, place: Place, reduction_id: UUID, reason: str, now: datetime) -> None:
        """Refuse what waits, or take back what was a mistake."""
        session, actor = self._within(place), self._looking(who, place)
        reducing.withdraw_reduction(session, place.id, reduction_id, actor, now, reason)

    def end_reduction(  # noqa: PLR0913, PLR0917  which one, when, why
        self, who: SignedIn, place: Place, reduction_id: UUID, last: date, reason: str, now: datetime
    ) -> None:
        """End a reduction after a day."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        reducing.end_reduction(session, place.id, reduction_id, last, actor, now, reason)

    def _looking(self, who: SignedIn, place: Place) -> DeedActor:
        """Return who looks, in the first of the roles held here that may."""
        ranked = (Actor.APPROVER, Actor.ACCOUNTANT, Actor.AUDITOR)
        role = next(role for role in ranked if role in who.roles_in(place))
        return self._actor(who, role)
