"""The desk of the pages of a new school year, on rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing.errors import Refused
from billing.newyear.carrying_on import carry_on
from billing.newyear.choosing import choose, choose_by_class, choose_usual
from billing.newyear.classes import make_classes
from billing.newyear.copying import copy_prices
from billing.newyear.former import propose_former, reject_former
from billing.newyear.former_sheet import template
from billing.newyear.opening import draw_up, find_opening, sign
from billing.newyear.opening_sheet import opening_workbook
from billing.newyear.promotion import promote
from billing.newyear.promotion_sheet import export_promotion, import_promotion
from billing.newyear.taking_over import approve_former
from billing.people.tables import School
from service.access.roles import Actor, Place, SignedIn
from service.access.staff import Noted, note
from service.pages import former_rows, newyear_rows
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
from service.pages.typed import read_day, read_id, read_money, read_percent, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NewYearRows(RowsWithin):
    """The steps into a new year and a former program's data, answered from rows."""

    def new_year(self, who: SignedIn, place: Place, year: str, now: datetime) -> YearPage:
        """Return the steps."""
        del who
        school, chosen = self._whole_school(place), self._year(place, year, now)
        return newyear_rows.year_page(self._within(place), school, chosen, school_day(now))

    def year_prices(self, who: SignedIn, place: Place, year: str, percent: str, now: datetime) -> PricesPage:
        """Return the prices that would go on."""
        del who
        school, chosen = self._whole_school(place), self._year(place, year, now)
        return newyear_rows.prices_page(self._within(place), school, chosen, read_percent(percent) or 0)

    def copy_prices(self, who: SignedIn, place: Place, year: str, typed: TypedPrices, now: datetime) -> int:
        """Write prices."""
        school, chosen = self._whole_school(place), self._year(place, year, now)
        if len(typed.keys) != len(typed.amounts):
            raise Refused("Bảng mức thu thiếu ô. Hãy tải lại trang rồi làm lại.")
        amounts = {key: read_money(amount) for key, amount in zip(typed.keys, typed.amounts, strict=True)}
        return copy_prices(self._within(place), school, chosen, amounts, self._actor(who, Actor.ACCOUNTANT), now)

    def year_classes(self, who: SignedIn, place: Place, year: str, now: datetime) -> ClassesPage:
        """Return the classes."""
        del who
        school, chosen = self._whole_school(place), self._year(place, year, now)
        return newyear_rows.classes_page(self._within(place), school, chosen)

    def make_classes(self, who: SignedIn, place: Place, year: str, typed: TypedClasses, now: datetime) -> int:
        """Make classes."""
        school, chosen = self._whole_school(place), self._year(place, year, now)
        wanted = newyear_rows.classes_typed(typed)
        return make_classes(self._within(place), school, chosen, wanted, self._actor(who, Actor.ACCOUNTANT), now)

    def promotion(self, who: SignedIn, place: Place, year: str, class_id: str, now: datetime) -> PromotionPage:
        """Return who becomes what."""
        del who
        school, chosen = self._whole_school(place), self._year(place, year, now)
        return newyear_rows.promotion_page(self._within(place), school, chosen, class_id)

    def choose_promotion(self, who: SignedIn, place: Place, year: str, typed: TypedChoice, now: datetime) -> int:
        """Write down what becomes of pupils."""
        chosen, wanted = self._year(place, year, now), newyear_rows.choices_typed(typed)
        return choose(self._within(place), place.id, chosen, wanted, self._actor(who, Actor.ACCOUNTANT), now)

    def usual_promotion(self, who: SignedIn, place: Place, year: str, class_id: str, now: datetime) -> int:
        """Choose the usual way for everybody undecided."""
        school, chosen = self._whole_school(place), self._year(place, year, now)
        group = read_id(class_id) if class_id else None
        return choose_usual(self._within(place), school, chosen, group, self._actor(who, Actor.ACCOUNTANT), now)

    def class_ways(self, who: SignedIn, place: Place, year: str, typed: TypedWays, now: datetime) -> int:
        """Choose for everybody undecided what their class of last year does."""
        chosen, ways = self._year(place, year, now), newyear_rows.ways_typed(typed)
        return choose_by_class(self._within(place), place.id, chosen, ways, self._actor(who, Actor.ACCOUNTANT), now)

    def promotion_file(self, who: SignedIn, place: Place, year: str, now: datetime) -> Download:
        """Return the list of everybody, and write down who took it."""
        session, chosen = self._within(place), self._year(place, year, now)
        self._taken(who, place, now)
        content = export_promotion(session, place.id, chosen)
        return Download(content, _XLSX, f"Xét lên lớp {chosen}.xlsx")

    def take_promotion_file(self, who: SignedIn, place: Place, year: str, data: bytes, now: datetime) -> int:
        """Bring it back."""
        chosen, actor = self._year(place, year, now), self._actor(who, Actor.ACCOUNTANT)
        return import_promotion(self._within(place), place.id, chosen, data, actor, now)

    def promote(self, who: SignedIn, place: Place, year: str, first_day: str, now: datetime) -> int:
        """Carry out what was chosen."""
        session, chosen, day = self._within(place), self._year(place, year, now), read_day(first_day)
        if day is None:
            raise Refused("Hãy chọn ngày đầu của năm học mới.")
        actor = self._actor(who, Actor.ACCOUNTANT)
        done = promote(session, self._wiring.vault, place.id, chosen, day, actor, now)
        return done.placed + done.gone + done.completed

    def going_on(self, who: SignedIn, place: Place, year: str, now: datetime) -> GoingOnPage:
        """Return what can go on for pupils."""
        del who
        return newyear_rows.going_on_page(self._within(place), place.id, self._year(place, year, now))

    def carry_on(self, who: SignedIn, place: Place, year: str, items: Sequence[str], now: datetime) -> int:
        """Write what goes on."""
        chosen, actor = self._year(place, year, now), self._actor(who, Actor.ACCOUNTANT)
        went = carry_on(self._within(place), place.id, chosen, items, actor, now)
        return went.reductions + went.rules + went.registrations

    def balances(self, who: SignedIn, place: Place, year: str, now: datetime) -> BalancesPage:
        """Return the opening list."""
        chosen = self._year(place, year, now)
        return newyear_rows.balances_page(self._within(place), place.id, chosen, who.user_id)

    def draw_up_balances(self, who: SignedIn, place: Place, year: str, now: datetime) -> None:
        """Write the list down for signing."""
        chosen, actor = self._year(place, year, now), self._actor(who, Actor.ACCOUNTANT)
        draw_up(self._within(place), place.id, chosen, actor, now)

    def sign_balances(self, who: SignedIn, place: Place, opening_id: UUID, now: datetime) -> str:
        """Sign a list and return its year."""
        return sign(self._within(place), place.id, opening_id, self._actor(who, Actor.APPROVER), now).school_year

    def balances_file(self, who: SignedIn, place: Place, opening_id: UUID, now: datetime) -> Download:
        """Return a list as a workbook, and write down who took it."""
        session = self._within(place)
        opening = find_opening(session, place.id, opening_id)
        self._taken(who, place, now)
        return Download(opening_workbook(session, opening), _XLSX, f"Số dư đầu năm học {opening.school_year}.xlsx")

    def former(self, who: SignedIn, place: Place, now: datetime) -> FormerPage:
        """Return the files of former programs."""
        del who
        return former_rows.former_page(self._within(place), place.id, school_day(now))

    def former_template(self, who: SignedIn, place: Place) -> Download:
        """Return the file to fill in."""
        del who, place
        return Download(template(), _XLSX, "Mẫu số dư phần mềm cũ.xlsx")

    def read_former(self, who: SignedIn, place: Place, typed: TypedFormer, data: bytes, now: datetime) -> UUID:
        """Read a file in for approval."""
        plan, actor = former_rows.plan_typed(typed), self._actor(who, Actor.ACCOUNTANT)
        return propose_former(self._within(place), self._whole_school(place), plan, data, actor, now).id

    def former_import(self, who: SignedIn, place: Place, import_id: UUID, now: datetime) -> FormerDetail:
        """Return one file."""
        del now
        return former_rows.former_detail(self._within(place), place.id, import_id, who.user_id)

    def approve_former(self, who: SignedIn, place: Place, import_id: UUID, now: datetime) -> None:
        """Take a file over."""
        session, actor = self._within(place), self._actor(who, Actor.APPROVER)
        approve_former(session, self._whole_school(place), import_id, actor, now, self._wiring.reference_key)

    def reject_former(self, who: SignedIn, place: Place, import_id: UUID, reason: str, now: datetime) -> None:
        """Say no to a file."""
        reject_former(self._within(place), place.id, import_id, self._looks(who, place), reason, now)

    def _whole_school(self, place: Place) -> School:
        return self._within(place).get_one(School, place.id)

    def _year(self, place: Place, year: str, now: datetime) -> str:
        return newyear_rows.year_of(self._within(place), place.id, year, school_day(now))

    def _taken(self, who: SignedIn, place: Place, now: datetime) -> None:
        """Write down that a list of pupils left the house."""
        caller = self._caller
        taken = Noted("export_sheet", "done", who.user_id, place.id, caller.address, caller.request_id)
        note(self._session, taken, now)
