"""What may be charged: items, their prices from day to day, and how each price stands to the council's caps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session, col, select
from starlette.responses import Response

from billing.errors import NotFound
from billing.fees import editing, pricing
from billing.fees.caps import Cap
from billing.fees.item_rows import find_item, items_of
from billing.fees.items import Group, Level, PartMonth, Quantity, Unit
from billing.fees.standings import Measure, PriceStanding, read_measure, standing_of
from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.paging import Pages
from service.api.people import REFUSALS
from service.api.shapes import (
    Answer,
    Body,
    Code,
    Count,
    Day,
    Grade,
    Name,
    Page,
    PositiveDong,
    Reason,
    Sought,
    Text,
    Yes,
)

router = APIRouter(
    prefix="/api/v1/schools/{school}/items", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["items"]
)

Carry = Literal["none", "same_item", "offset_round"]


class CapOut(Answer):
    """What a council allows at most for one unit."""

    amount: int
    unit: Unit
    legal_basis: str


class StandingOut(Answer):
    """How a price stands at one level: within a cap, without one, free (private school), or refused."""

    level: Level
    standing: Literal["within", "no_cap", "free", "refused"]
    reason: str
    cap: CapOut | None


class PriceOut(Answer):
    """A price of one unit, dated; empty lists of levels, grades or classes mean all. ``amount`` in đồng."""

    id: int
    amount: int
    valid_from: date
    valid_to: date | None
    quantity: Quantity
    count: int
    levels: list[Level]
    grades: list[int]
    classes: list[str]
    part_month: PartMonth
    standings: list[StandingOut]


class ItemOut(Answer):
    """An item of the school's catalogue with the prices that hold today or are to come."""

    code: str
    legal_name: str
    group: Group
    unit: Unit
    legal_basis: str
    revenue_account: str
    bank_account_id: UUID
    payer: str
    opt_in: bool
    carry_over: Carry
    valid_from: date
    valid_to: date | None
    prices: list[PriceOut]


class NewItemIn(Body):
    """A new item; its price comes next."""

    code: Code
    legal_name: Name
    group: Group
    unit: Unit
    legal_basis: Name
    revenue_account: Code
    bank_account_id: UUID
    valid_from: Day
    opt_in: Yes = False
    carry_over: Carry = "none"


class ItemChangeIn(Body):
    """What is to be different from now on; bills that stand keep what they say."""

    legal_name: Name | None = None
    legal_basis: Name | None = None
    revenue_account: Code | None = None
    bank_account_id: UUID | None = None
    carry_over: Carry | None = None


class EndIn(Body):
    """The last day, and why."""

    last_day: Day
    reason: Text = ""


class NewPriceIn(Body):
    """A price from a day on; the one that holds for the same pupils ends the day before."""

    amount: PositiveDong
    valid_from: Day
    valid_to: Day | None = None
    quantity: Quantity | None = None
    count: Count = 1
    levels: frozenset[Level] = frozenset()
    grades: frozenset[Grade] = frozenset()
    classes: frozenset[Code] = frozenset()
    part_month: PartMonth = PartMonth.WHOLE


@router.get("")
def items(call: Calling, pages: Pages) -> Page[ItemOut]:
    """List the items, those that ended too, in the order of their codes."""
    query = items_of(call.school_id).order_by(col(FeeItem.code))
    if pages.after is not None:
        query = query.where(col(FeeItem.code) > pages.after)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return _page(call, pages, rows)


def _page(call: Call, pages: Pages, rows: Sequence[FeeItem]) -> Page[ItemOut]:
    shown = _shower(call, rows)
    return pages.page(rows, lambda row: row.code, shown)


@router.post("", status_code=201, response_model=ItemOut)
def add(call: Calling, body: NewItemIn) -> Response:
    """Add an item to the catalogue."""

    def make() -> ItemOut:
        new = editing.NewItem(**body.model_dump())
        return _one(call, editing.add_item(call.session, call.school, new, call.actor, call.now))

    return call.create(make)


# Codes of former days may hold a stroke, so a code is all that stands between what comes before and after it.
@router.get("/{code:path}")
def item(call: Calling, code: Sought) -> ItemOut:
    """Return one item."""
    return _one(call, find_item(call.session, call.school_id, code))


@router.patch("/{code:path}")
def change(call: Calling, code: Sought, body: ItemChangeIn) -> ItemOut:
    """Change name, basis or accounts of an item; fields that are left out stay as they are."""
    wanted = editing.ItemChange(**body.model_dump())
    return _one(call, editing.change_item(call.session, call.school, code, wanted, call.actor, call.now))


@router.post("/{code:path}/end")
def end(call: Calling, code: Sought, body: EndIn) -> ItemOut:
    """Stop charging an item after a day."""
    done = editing.end_item(call.session, call.school, code, body.last_day, call.actor, call.now, body.reason)
    return _one(call, done)


@router.post("/{code:path}/prices", status_code=201, response_model=ItemOut)
def price(call: Calling, code: Sought, body: NewPriceIn) -> Response:
    """Give an item a price; refused above a cap, with the cap and the article in the message."""

    def make() -> ItemOut:
        new = pricing.NewPrice(
            amount=Money(body.amount),
            valid_from=body.valid_from,
            valid_to=body.valid_to,
            quantity=body.quantity,
            count=body.count,
            levels=body.levels,
            grades=body.grades,
            classes=body.classes,
            part_month=body.part_month,
        )
        pricing.add_price(call.session, call.school, code, new, call.actor, call.now)
        return _one(call, find_item(call.session, call.school_id, code))

    return call.create(make)


@router.post("/{code:path}/prices/{price_id}/withdraw")
def withdraw_price(call: Calling, code: Sought, price_id: int, body: Reason) -> ItemOut:
    """Take back a price that should never have been; with a reason."""
    found = find_item(call.session, call.school_id, code)
    if price_id not in {row.id for row in _prices(call.session, [found.id], date.min)[found.id]}:
        raise NotFound("Không tìm thấy đơn giá này, hoặc đơn giá đã được bỏ.", price=price_id)
    pricing.withdraw_price(call.session, call.school, price_id, call.actor, call.now, body.reason)
    return _one(call, found)


def _one(call: Call, row: FeeItem) -> ItemOut:
    return _shower(call, [row])(row)


def _shower(call: Call, rows: Sequence[FeeItem]) -> Callable[[FeeItem], ItemOut]:
    """Return what shows the items of one page, whose prices are read at once."""
    school, today = call.school, call.today
    measure = read_measure(call.session, school)
    prices = _prices(call.session, [row.id for row in rows], today)
    return lambda row: _item(row, [_price(each, row, measure, today) for each in prices[row.id]])


def _item(row: FeeItem, prices: list[PriceOut]) -> ItemOut:
    return ItemOut(
        code=row.code,
        legal_name=row.legal_name,
        group=Group(row.item_group),
        unit=Unit(row.unit),
        legal_basis=row.legal_basis,
        revenue_account=row.revenue_account,
        bank_account_id=row.bank_account_id,
        payer=row.payer,
        opt_in=row.opt_in,
        carry_over=row.carry_over,  # type: ignore[arg-type]  # the database knows only these words
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        prices=prices,
    )


def _price(row: FeePrice, item: FeeItem, measure: Measure, today: date) -> PriceOut:
    return PriceOut(
        id=row.id or 0,
        amount=row.amount.dong,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        quantity=Quantity(row.quantity_rule),
        count=row.quantity,
        levels=[Level(level) for level in row.levels],
        grades=row.grades,
        classes=row.class_codes,
        part_month=PartMonth(row.part_month),
        standings=[_standing(each) for each in standing_of(row, item, measure, max(today, row.valid_from))],
    )


def _standing(each: PriceStanding) -> StandingOut:
    return StandingOut(
        level=each.level,
        standing=each.standing.value if each.standing else "refused",
        reason=each.reason,
        cap=_cap(each.cap) if each.cap else None,
    )


def _cap(cap: Cap) -> CapOut:
    return CapOut(amount=cap.max_amount.dong, unit=cap.unit, legal_basis=cap.legal_basis)


def _prices(session: Session, item_ids: Collection[UUID], today: date) -> defaultdict[UUID, list[FeePrice]]:
    """Return the prices that hold on a day or are to come, by item."""
    rows = session.exec(
        select(FeePrice)
        .where(
            col(FeePrice.item_id).in_(item_ids),
            col(FeePrice.withdrawn_at).is_(None),
            col(FeePrice.valid_to).is_(None) | (col(FeePrice.valid_to) >= today),
        )
        .order_by(col(FeePrice.valid_from), col(FeePrice.id))
    ).all()
    found: defaultdict[UUID, list[FeePrice]] = defaultdict(list)
    for row in rows:
        found[row.item_id].append(row)
    return found
