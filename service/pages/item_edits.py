"""Editing a school's items as they are typed: add, change, price, end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.errors import Refused
from billing.fees.editing import ItemChange, NewItem, add_item, change_item, end_item
from billing.fees.item_rows import find_item
from billing.fees.items import (
    LEVEL_NAMES,
    PART_MONTH_NAMES,
    QUANTITY_NAMES,
    CarryOver,
    Group,
    Level,
    PartMonth,
    Quantity,
    Unit,
)
from billing.fees.pricing import NewPrice, add_price, withdraw_price
from billing.fees.tables import FeeItem
from billing.people.tables import School
from service.pages.fee_views import ItemPage, TypedItem, TypedPrice
from service.pages.item_rows import item_row, own_accounts
from service.pages.typed import read_grades, read_id, read_money, read_words

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Editor:
    """Who edits the items of which school, and when."""

    session: Session
    school_id: UUID
    actor: Actor
    now: datetime

    @property
    def school(self) -> School:
        """The school's row."""
        return self.session.get_one(School, self.school_id)

    def add(self, typed: TypedItem) -> str:
        """Add an item; return its code."""
        if typed.first is None:
            raise Refused("Xin ghi ngày bắt đầu thu.")
        new = NewItem(
            code=typed.code,
            legal_name=typed.name,
            group=_chosen(typed.group, Group),
            unit=_chosen(typed.unit, Unit),
            legal_basis=typed.legal_basis,
            revenue_account=typed.revenue_account,
            bank_account_id=read_id(typed.account_id),
            valid_from=typed.first,
            opt_in=typed.opt_in,
            carry_over=_chosen(typed.carry_over or CarryOver.NONE, CarryOver),
        )
        return add_item(self.session, self.school, new, self.actor, self.now).code

    def change(self, typed: TypedItem) -> None:
        """Change name, basis or accounts of an item."""
        change = ItemChange(
            legal_name=typed.name or None,
            legal_basis=typed.legal_basis or None,
            revenue_account=typed.revenue_account or None,
            bank_account_id=read_id(typed.account_id),
            carry_over=_chosen(typed.carry_over, CarryOver) if typed.carry_over else None,
        )
        change_item(self.session, self.school, typed.code, change, self.actor, self.now)

    def price(self, code: str, typed: TypedPrice) -> None:
        """Give an item a price from a day on."""
        new = NewPrice(
            amount=read_money(typed.amount),
            valid_from=typed.first,
            valid_to=typed.last,
            quantity=_chosen(typed.quantity, Quantity) if typed.quantity else None,
            count=typed.count,
            levels=frozenset(_chosen(level, Level) for level in typed.levels),
            part_month=_chosen(typed.part_month or PartMonth.WHOLE, PartMonth),
            grades=read_grades(typed.grades),
            classes=read_words(typed.classes),
        )
        add_price(self.session, self.school, code, new, self.actor, self.now)

    def withdraw(self, price_id: int, reason: str) -> None:
        """Take back a price."""
        withdraw_price(self.session, self.school, price_id, self.actor, self.now, reason)

    def end(self, code: str, last: date, reason: str) -> None:
        """Stop charging an item after a day."""
        end_item(self.session, self.school, code, last, self.actor, self.now, reason)


def item_page(session: Session, school_id: UUID, code: str, today: date) -> ItemPage:
    """Return one item with its prices, and what its forms offer; raises ``NotFound``."""
    item = find_item(session, school_id, code)
    return ItemPage(
        row=item_row(session, item, today),
        account_id=str(item.bank_account_id),
        own=tuple(own_accounts(session, school_id)),
        first=_next_month(today),
        levels=_levels(session.get_one(School, school_id)),
        quantities=_quantities(item),
        part_months=tuple(PART_MONTH_NAMES.items()) if item.unit == Unit.MONTH else (),
        carry_over=item.carry_over,
    )


def _levels(school: School) -> tuple[tuple[str, str], ...]:
    """Return the levels between which a price may differ; none where the school has one only."""
    levels = [Level(level) for level in school.levels]
    return tuple((level.value, LEVEL_NAMES[level]) for level in levels) if len(levels) > 1 else ()


def _quantities(item: FeeItem) -> tuple[tuple[str, str], ...]:
    """Return the ways to count units; none where there is one only. Meals are always counted by meal days."""
    if item.unit == Unit.MEAL_DAY or not item.opt_in:
        return ()
    return tuple((each.value, QUANTITY_NAMES[each]) for each in (Quantity.FIXED, Quantity.REGISTERED))


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _chosen(text: str, kind: type[_Choice]) -> _Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise Refused("Lựa chọn này không có trong danh sách. Xin tải lại trang rồi chọn lại.") from error
