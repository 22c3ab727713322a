"""The desk of the pages of pupils' health insurance, on rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing.audit.recording import Deed, record_deed
from billing.errors import Refused
from billing.insurance.changing import change_cards
from billing.insurance.doubling import OtherCard, ask_back, show_other_card
from billing.insurance.listing import draft_list, find_list, send_list
from billing.insurance.opening import open_item
from billing.insurance.passing_on import NewPayout, approve_payout, enter_payout, reject_payout, undo_payout
from billing.people.tables import School
from reconciliation.outgoing.standing import refuse_tied
from service.access.roles import Actor, Place, SignedIn
from service.pages import insurance_rows
from service.pages.insurance_views import (
    CardPage,
    ClassCards,
    InsurancePage,
    ListPage,
    TypedCard,
    TypedClassCards,
    TypedPayout,
)
from service.pages.typed import read_day, read_id, read_money, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class InsuranceRows(RowsWithin):
    """Cards, lists for the insurer, the money passed on, double cover, answered from rows."""

    def insurance(self, who: SignedIn, place: Place, year: str, now: datetime) -> InsurancePage:
        """Return the overview of a year."""
        today = school_day(now)
        wanted = insurance_rows.read_year(year, today)
        return insurance_rows.insurance_page(self._within(place), place.id, wanted, today, who.user_id)

    def open_insurance(self, who: SignedIn, place: Place, account: str, now: datetime) -> None:
        """Open the item under which insurance is billed."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        open_item(session, session.get_one(School, place.id), read_id(account), actor, school_day(now), now)

    def class_cards(self, who: SignedIn, place: Place, class_id: UUID, year: str, now: datetime) -> ClassCards:
        """Return the pupils of a class."""
        del who
        today = school_day(now)
        wanted = insurance_rows.read_year(year, today)
        return insurance_rows.class_cards(self._within(place), place.id, class_id, wanted, today)

    def enter_class_cards(
        self, who: SignedIn, place: Place, class_id: UUID, typed: TypedClassCards, now: datetime
    ) -> int:
        """Let the ticked pupils buy at school; who has another card is left alone."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        cards = insurance_rows.class_typed(session, place.id, class_id, typed, school_day(now))
        done = change_cards(session, self._wiring.vault, actor, place.id, cards, now)
        return done.new + done.changed

    def pupil_card(self, who: SignedIn, place: Place, pupil_id: UUID, year: str, now: datetime) -> CardPage:
        """Return one pupil's card with the reason, and write down that it was looked at."""
        session, today = self._within(place), school_day(now)
        wanted = insurance_rows.read_year(year, today)
        found = insurance_rows.card_page(session, self._wiring.vault, place.id, pupil_id, wanted, today)
        looked = Deed(place.id, "insurance.look", "pupil", str(pupil_id))
        record_deed(session, self._looks(who, place), looked, now, year=wanted)
        return found

    def enter_card(self, who: SignedIn, place: Place, pupil_id: UUID, typed: TypedCard, now: datetime) -> None:
        """Write one pupil's card down."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        card = insurance_rows.card_typed(pupil_id, typed, school_day(now))
        change_cards(session, self._wiring.vault, actor, place.id, [card], now)

    def show_other_card(self, who: SignedIn, place: Place, pupil_id: UUID, typed: TypedCard, now: datetime) -> None:
        """Ask for the doubled months to be given back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        year, first = insurance_rows.read_year(typed.year, school_day(now)), read_day(typed.card_end)
        if first is None:
            raise Refused("Hãy ghi ngày thẻ kia bắt đầu có giá trị.")
        card = OtherCard(pupil_id, year, first, typed.reason, typed.number)
        show_other_card(session, self._wiring.vault, actor, place.id, card, now)

    def refund_insurance(self, who: SignedIn, place: Place, pupil_id: UUID, now: datetime) -> UUID:
        """Ask for the pupil's credit under insurance to be given back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return ask_back(session, self._wiring.vault, actor, place.id, pupil_id, now).id

    def next_insurance_list(self, who: SignedIn, place: Place, year: str, now: datetime) -> ListPage:
        """Return the list as it would be sent now."""
        del who
        session, wanted = self._within(place), insurance_rows.read_year(year, school_day(now))
        return insurance_rows.draft_page(session, draft_list(session, self._wiring.vault, place.id, wanted))

    def send_insurance_list(self, who: SignedIn, place: Place, year: str, shown: str, now: datetime) -> UUID:
        """Freeze the list as it was shown."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        wanted = insurance_rows.read_year(year, school_day(now))
        return send_list(session, self._wiring.vault, actor, place.id, wanted, shown, now).id

    def insurance_list(self, who: SignedIn, place: Place, list_id: UUID) -> ListPage:
        """Return a list that was sent."""
        del who
        session = self._within(place)
        return insurance_rows.sent_page(session, self._wiring.vault, find_list(session, place.id, list_id))

    def insurance_list_sheet(self, who: SignedIn, place: Place, list_id: UUID, now: datetime) -> Download:
        """Return a list that was sent as XLSX, with the cards' numbers; the taking is written down."""
        session = self._within(place)
        sent = find_list(session, place.id, list_id)
        name, content = insurance_rows.sheet_of(session, self._wiring.vault, sent)
        taken = Deed(place.id, "insurance.take_list", "insurance_list", str(list_id))
        record_deed(session, self._looks(who, place), taken, now)
        return Download(content, _XLSX, f"{name}.xlsx")

    def enter_insurance_payout(self, who: SignedIn, place: Place, typed: TypedPayout, now: datetime) -> int:
        """Write down what was passed on."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        day, sent = read_day(typed.day), find_list(session, place.id, read_id(typed.list_id))
        if day is None:
            raise Refused("Hãy chọn ngày chuyển tiền.")
        new = NewPayout(sent.id, read_money(typed.amount), day, typed.reference)
        enter_payout(session, actor, place.id, new, now)
        return sent.year

    def decide_insurance_payout(  # noqa: PLR0913, PLR0917  a deed, its reason and moment
        self, who: SignedIn, place: Place, payout_id: UUID, deed: str, reason: str, now: datetime
    ) -> None:
        """Approve, reject or undo a payout."""
        session, actor = self._within(place), self._looks(who, place)
        if deed == "duyet":
            approve_payout(session, place.id, payout_id, replace(actor, role=Actor.APPROVER.value), now)
        elif deed == "huy":
            refuse_tied(session, place.id, payout_id)
            undo_payout(session, place.id, payout_id, replace(actor, role=Actor.APPROVER.value), reason, now)
        else:
            reject_payout(session, place.id, payout_id, actor, reason, now)
