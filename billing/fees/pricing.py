"""Giving an item a new price, dated: the old one ends the day before, and the caps are asked first.

A price that is replaced from its very first day is marked as withdrawn and stays; bills that stand keep what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.errors import NotFound, Refused
from billing.fees import tables
from billing.fees.caps import CapVerdict
from billing.fees.item_rows import end_price, find_item, items_of, live_prices, note, one_at_a_time
from billing.fees.items import Level, PartMonth, Price, Quantity, Span, Unit
from billing.fees.schedule import item_of, judge_prices, price_of, price_row
from billing.money import Money
from billing.people.tables import School


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price as an accountant enters it.

    Without ``valid_to`` it holds as long as the price it replaces would have, or until the next one. ``quantity``
    None: meal days for meals, else fixed.
    """

    amount: Money
    valid_from: date
    valid_to: date | None = None
    quantity: Quantity | None = None
    count: int = 1
    levels: frozenset[Level] = frozenset()
    grades: frozenset[int] = frozenset()
    classes: frozenset[str] = frozenset()
    part_month: PartMonth = PartMonth.WHOLE


@dataclass(frozen=True, slots=True)
class Priced:
    """A price that now stands, how it stands against the caps, and what became of the one before.

    ``replaced``: the price that ended the day before or was withdrawn; ``resumed``: its rest, after the new one ends.
    """

    price: tables.FeePrice
    verdicts: tuple[CapVerdict, ...]
    replaced: tables.FeePrice | None = None
    resumed: tables.FeePrice | None = None


def add_price(  # noqa: PLR0913, PLR0917  what is priced, where, by whom
    session: Session, school: School, code: str, new: NewPrice, actor: Actor, now: datetime
) -> Priced:
    """Give an item a price from a day on, for everybody or for some levels, grades or classes.

    The price that holds for the same pupils ends the day before; if the new one ends earlier than it would have, it
    resumes afterwards. Raises ``OverCap`` (with the article and the cap, also for too high a rise on last year),
    ``Prohibited``, ``NotComparable``, and ``Refused`` when another price holds for some of the same pupils.
    """
    one_at_a_time(session, school.id)
    item = find_item(session, school.id, code)
    rows = live_prices(session, item)
    same = [row for row in rows if _audience(row) == _new_audience(new)]
    until = _until(new, same)
    price = Price(
        item=item_of(item),
        amount=new.amount,
        valid=Span(new.valid_from, until),
        quantity=new.quantity or (Quantity.MEAL_DAYS if item.unit == Unit.MEAL_DAY else Quantity.FIXED),
        count=new.count,
        levels=new.levels,
        grades=new.grades,
        classes=new.classes,
        part_month=new.part_month,
    )
    _refuse_ended(item, price)
    _refuse_second(price, [row for row in rows if row not in same], item)
    verdicts = judge_prices(session, school, [price])
    replaced, resumed = _give_way(session, item, same, price, now)
    row = price_row(school.id, item.id, price)
    session.add(row)
    session.flush()
    note(
        session,
        actor,
        now,
        item,
        "fees.add_price",
        amount=row.amount.dong,
        valid_from=row.valid_from.isoformat(),
        replaced=None if replaced is None else replaced.id,
    )
    return Priced(row, verdicts, replaced, resumed)


def withdraw_price(  # noqa: PLR0913, PLR0917  which one, where, by whom, why
    session: Session, school: School, price_id: int, actor: Actor, now: datetime, reason: str
) -> tables.FeePrice:
    """Take back a price that should never have been; bills that stand keep what they say. Needs a reason."""
    one_at_a_time(session, school.id)
    if not reason.strip():
        raise Refused("Hãy ghi lý do bỏ đơn giá.")
    row = _find_price(session, school, price_id)
    row.withdrawn_at = now
    session.add(row)
    session.flush()
    item = session.exec(items_of(school.id).where(tables.FeeItem.id == row.item_id)).one()
    note(session, actor, now, item, "fees.withdraw_price", reason=reason, price=price_id)
    return row


def stop_price(  # noqa: PLR0913, PLR0917  which one, until when, where, by whom, why
    session: Session, school: School, price_id: int, last_day: date, actor: Actor, now: datetime, reason: str = ""
) -> tables.FeePrice:
    """Let a price end earlier than it would have; afterwards the item has none until another is given.

    Raises ``Refused`` before its first day, after its end, and for a day that makes no whole month where those count.
    """
    one_at_a_time(session, school.id)
    row = _find_price(session, school, price_id)
    if last_day < row.valid_from or (row.valid_to is not None and last_day > row.valid_to):
        until = f" đến {row.valid_to:%d/%m/%Y}" if row.valid_to else ""
        raise Refused(f"Đơn giá có hiệu lực từ {row.valid_from:%d/%m/%Y}{until}. Hãy chọn ngày dừng trong khoảng đó.")
    item = session.exec(items_of(school.id).where(tables.FeeItem.id == row.item_id)).one()
    end_price(row, item, last_day)
    session.add(row)
    session.flush()
    note(session, actor, now, item, "fees.stop_price", reason=reason, price=price_id, last_day=last_day.isoformat())
    return row


def _find_price(session: Session, school: School, price_id: int) -> tables.FeePrice:
    row = session.exec(
        select(tables.FeePrice).where(tables.FeePrice.school_id == school.id, tables.FeePrice.id == price_id)
    ).one_or_none()
    if row is None or row.withdrawn_at is not None:
        raise NotFound("Không tìm thấy đơn giá này, hoặc đơn giá đã được bỏ.", price=price_id)
    return row


def _audience(row: tables.FeePrice) -> tuple[frozenset[str], frozenset[int], frozenset[str]]:
    return frozenset(row.levels), frozenset(row.grades), frozenset(row.class_codes)


def _new_audience(new: NewPrice) -> tuple[frozenset[str], frozenset[int], frozenset[str]]:
    return frozenset(level.value for level in new.levels), new.grades, new.classes


def _until(new: NewPrice, same: Sequence[tables.FeePrice]) -> date | None:
    """Return the last day of a new price: as given, else that of the price it replaces, else before the next one."""
    following = [row.valid_from for row in same if row.valid_from > new.valid_from]
    before_next = min(following) - timedelta(days=1) if following else None
    if new.valid_to is not None:
        if before_next is not None and new.valid_to > before_next:
            raise Refused(
                f"Đã có đơn giá từ {min(following):%d/%m/%Y}; đơn giá mới phải kết thúc trước ngày đó, hoặc bỏ đơn giá"
                " kia trước.",
                valid_to=new.valid_to,
            )
        return new.valid_to
    replaced = [row for row in same if Span(row.valid_from, row.valid_to).holds(new.valid_from)]
    return replaced[0].valid_to if replaced else before_next


def _refuse_ended(item: tables.FeeItem, price: Price) -> None:
    if item.valid_to is not None and (price.valid.end is None or price.valid.end > item.valid_to):
        raise Refused(f"Khoản thu {item.legal_name} đã dừng sau ngày {item.valid_to:%d/%m/%Y}.", item=item.code)


def _refuse_second(price: Price, others: Sequence[tables.FeePrice], item: tables.FeeItem) -> None:
    for row in others:
        other = price_of(row, item)
        meets = all(
            not some or not more or bool(some & more)
            for some, more in (
                (price.levels, other.levels),
                (price.grades, other.grades),
                (price.classes, other.classes),
            )
        )
        if meets and (common := price.valid.within(other.valid)):
            raise Refused(
                f"Khoản thu {item.legal_name} đã có đơn giá {other.amount} cho một phần các học sinh này từ"
                f" {common.start:%d/%m/%Y}. Hãy chọn đúng cấp, khối, lớp của đơn giá đó, hoặc bỏ đơn giá đó trước.",
                item=item.code,
            )


def _give_way(
    session: Session, item: tables.FeeItem, same: Sequence[tables.FeePrice], price: Price, now: datetime
) -> tuple[tables.FeePrice | None, tables.FeePrice | None]:
    """End the price that holds on the new one's first day; return it, and its rest after the new one's last day."""
    start, end = price.valid.start, price.valid.end
    old = next((row for row in same if Span(row.valid_from, row.valid_to).holds(start)), None)
    if old is None:
        return None, None
    was = price_of(old, item)
    resumed = None
    if end is not None and (was.valid.end is None or was.valid.end > end):
        rest = replace(was, valid=Span(end + timedelta(days=1), was.valid.end))
        resumed = price_row(old.school_id, item.id, rest)
    if old.valid_from == start:
        old.withdrawn_at = now
    else:
        end_price(old, item, start - timedelta(days=1))
    session.add(old)
    if resumed is not None:
        session.add(resumed)
    session.flush()
    return old, resumed
