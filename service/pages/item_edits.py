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
from billing.fees.items import Group, Unit
from billing.fees.pricing import NewPrice, add_price, withdraw_price
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
        )
        return add_item(self.session, self.school, new, self.actor, self.now).code

    def change(self, typed: TypedItem) -> None:
        """Change name, basis or accounts of an item."""
        change = ItemChange(
            legal_name=typed.name or None,
            legal_basis=typed.legal_basis or None,
            revenue_account=typed.revenue_account or None,
            bank_account_id=read_id(typed.account_id),
        )
        change_item(self.session, self.school, typed.code, change, self.actor, self.now)

    def price(self, code: str, typed: TypedPrice) -> None:
        """Give an item a price from a day on."""
        new = NewPrice(
            amount=read_money(typed.amount),
            valid_from=typed.first,
            valid_to=typed.last,
            count=typed.count,
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
    )


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _chosen(text: str, kind: type[_Choice]) -> _Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise Refused("Lựa chọn này không có trong danh sách. Xin tải lại trang rồi chọn lại.") from error
