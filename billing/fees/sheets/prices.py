"""A school's items and prices, out as a sheet and back: what changed becomes a new dated price, twice the same is once.

A line that is gone from the sheet changes nothing: an item or a price ends where its last day is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import Conflict
from billing.fees import tables
from billing.fees.editing import ItemChange, NewItem, add_item, change_item
from billing.fees.item_rows import items_of, live_prices, one_at_a_time
from billing.fees.items import (
    CARRY_OVER_NAMES,
    GROUP_NAMES,
    LEVEL_NAMES,
    PART_MONTH_NAMES,
    QUANTITY_NAMES,
    UNIT_NAMES,
    CarryOver,
    Group,
    Level,
    PartMonth,
    Quantity,
    Unit,
)
from billing.fees.pricing import NewPrice, add_price, stop_price
from billing.fees.sheets.cells import NO, YES
from billing.fees.sheets.price_sheet import COLUMNS, PriceRow, read_prices
from billing.fees.sheets.taking import take_lines
from billing.ledger.tables import BankAccount
from billing.people.imported import Imported
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import School


def export_prices(session: Session, school: School) -> bytes:
    """Return the school's items and all their prices, past, present and coming, as an XLSX to edit and bring back."""
    numbers = {account: number for number, account in _accounts(session, school.id).items()}
    items = session.exec(items_of(school.id).order_by(col(tables.FeeItem.position), col(tables.FeeItem.code))).all()
    return write_sheet("Khoản thu", COLUMNS, (row for item in items for row in _lines(session, item, numbers)))


def import_prices(session: Session, school: School, data: bytes, actor: Actor, now: datetime) -> Imported:
    """Bring a sheet back; return how many of its lines were new, changed something, or said what was known.

    Raises ``BadRows`` with every line that cannot be read or that the rules refuse (a price above the cap, a
    prohibited item …), and then has written nothing.
    """
    one_at_a_time(session, school.id)
    rows = read_prices(data, _accounts(session, school.id))
    in_order = sorted(rows, key=lambda each: (each.code, each.valid_from, each.line.number))
    return take_lines(session, in_order, lambda row: _take(session, school, row, actor, now))


def _take(session: Session, school: School, row: PriceRow, actor: Actor, now: datetime) -> str:
    item = session.exec(items_of(school.id).where(tables.FeeItem.code == row.code)).one_or_none()
    if item is None:
        new = NewItem(
            code=row.code,
            legal_name=row.legal_name,
            group=row.group,
            unit=row.unit,
            legal_basis=row.legal_basis,
            revenue_account=row.revenue_account,
            bank_account_id=row.bank_account_id,
            valid_from=row.valid_from,
            opt_in=row.opt_in,
            carry_over=(row.carry_over or CarryOver.NONE).value,
        )
        add_item(session, school, new, actor, now)
        _take_price(session, school, row, actor, now, [])
        return "new"
    _refuse_other_nature(item, row)
    rule = row.carry_over.value if row.carry_over else item.carry_over
    change = ItemChange(row.legal_name, row.legal_basis, row.revenue_account, row.bank_account_id, rule)
    same_item = change == ItemChange(
        item.legal_name, item.legal_basis, item.revenue_account, item.bank_account_id, item.carry_over
    )
    if not same_item:
        change_item(session, school, row.code, change, actor, now)
    priced = _take_price(session, school, row, actor, now, live_prices(session, item))
    return priced if priced != "unchanged" or same_item else "changed"


def _take_price(  # noqa: PLR0913, PLR0917  one line, its school, and what is known
    session: Session, school: School, row: PriceRow, actor: Actor, now: datetime, known: list[tables.FeePrice]
) -> str:
    if row.amount is None:
        return "unchanged"
    same = next((price for price in known if _says(price) == _asked(row)), None)
    if same is not None and same.valid_to == row.valid_to:
        return "unchanged"
    if same is not None and same.id is not None and row.valid_to is not None and _later(same.valid_to, row.valid_to):
        stop_price(session, school, same.id, row.valid_to, actor, now, "Theo tệp nhập")
        return "changed"
    new = NewPrice(
        amount=row.amount,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        quantity=row.quantity,
        count=row.count,
        levels=row.levels,
        grades=row.grades,
        classes=row.classes,
        part_month=row.part_month,
    )
    done = add_price(session, school, row.code, new, actor, now)
    return "new" if done.replaced is None else "changed"


def _later(end: date | None, than: date) -> bool:
    return end is None or end > than


def _says(price: tables.FeePrice) -> tuple[object, ...]:
    return (
        price.amount,
        price.valid_from,
        price.quantity_rule,
        price.quantity,
        frozenset(price.levels),
        frozenset(price.grades),
        frozenset(price.class_codes),
        price.part_month,
    )


def _asked(row: PriceRow) -> tuple[object, ...]:
    usual = Quantity.MEAL_DAYS if row.unit is Unit.MEAL_DAY else Quantity.FIXED
    levels = frozenset(level.value for level in row.levels)
    rule = (row.quantity or usual).value
    return row.amount, row.valid_from, rule, row.count, levels, row.grades, row.classes, row.part_month.value


def _refuse_other_nature(item: tables.FeeItem, row: PriceRow) -> None:
    if (item.item_group, item.unit, item.opt_in) != (row.group.value, row.unit.value, row.opt_in):
        raise Conflict(
            f"Khoản thu {item.code} đã có với nhóm, đơn vị tính hoặc cách đăng ký khác. Hãy giữ như cũ, hoặc đặt mã mới"
            " cho khoản thu khác.",
            code=item.code,
        )


def _lines(session: Session, item: tables.FeeItem, numbers: dict[UUID, str]) -> Iterator[list[Value]]:
    about: list[Value] = [
        item.code,
        item.legal_name,
        GROUP_NAMES[Group(item.item_group)],
        UNIT_NAMES[Unit(item.unit)],
        item.legal_basis,
        item.revenue_account,
        numbers[item.bank_account_id],
        YES if item.opt_in else NO,
    ]
    leftover = CARRY_OVER_NAMES[CarryOver(item.carry_over)]
    prices = live_prices(session, item)
    if not prices:
        yield [*about, *[None] * 7, item.valid_from, item.valid_to, leftover]
    for price in prices:
        yield [
            *about,
            price.amount,
            QUANTITY_NAMES[Quantity(price.quantity_rule)],
            price.quantity,
            "; ".join(LEVEL_NAMES[Level(level)] for level in price.levels),
            "; ".join(map(str, price.grades)),
            "; ".join(price.class_codes),
            PART_MONTH_NAMES[PartMonth(price.part_month)],
            price.valid_from,
            price.valid_to,
            leftover,
        ]


def _accounts(session: Session, school_id: UUID) -> dict[str, UUID]:
    rows = session.exec(select(BankAccount.number, BankAccount.id).where(BankAccount.school_id == school_id)).all()
    return dict(rows)
