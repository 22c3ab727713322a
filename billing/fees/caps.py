"""What a price may be: caps of the councils, the allowed rise on last year, and what may not be collected (pure)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from billing.errors import OverCap, Refused
from billing.fees.errors import NotComparable, Prohibited
from billing.fees.items import LEVEL_NAMES, UNIT_NAMES, FeeItem, Group, Level, Ownership, Price, Span, Unit
from billing.money import Money

EVERYWHERE = ""
_YEAR_STARTS_IN = 8


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a resolution allows for one item, level, zone, former area and unit, with its dates.

    ``zone`` and ``area`` may be ``EVERYWHERE`` (a national rule). ``max_rise_percent`` bounds the rise on last
    year's price where the council bounds it (Ho Chi Minh City: 15).
    """

    item_code: str
    level: Level
    zone: str
    area: str
    unit: Unit
    max_amount: Money
    legal_basis: str
    valid: Span
    max_rise_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What decides which caps bind a school; its zone is that of the date asked for."""

    ownership: Ownership
    level: Level
    zone: str
    area: str


@dataclass(frozen=True, slots=True)
class Prohibition:
    """Words that give away an item which a public school may not collect, and the article that forbids it.

    ``words`` and ``unless`` are folded (no marks, lower case). A name that holds one of ``unless`` is left alone:
    "vệ sinh bán trú" is a capped service, "vệ sinh lớp học" is forbidden.
    """

    words: tuple[str, ...]
    article: str
    valid: Span
    unless: tuple[str, ...] = ()
    except_donations: bool = False  # may be given of one's own free will (circular 16/2018), and is then never charged
    except_tuition: bool = False  # is in order where it is booked as tuition, which the State pays


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All caps and prohibitions that are looked at together."""

    caps: tuple[Cap, ...] = ()
    prohibitions: tuple[Prohibition, ...] = ()


class Standing(StrEnum):
    """How a price stands against the caps."""

    WITHIN = "within"  # a cap holds and is kept
    NO_CAP = "no_cap"  # no cap valid at the date: the approver must say yes
    FREE = "free"  # private school: its own prices


@dataclass(frozen=True, slots=True)
class CapVerdict:
    """The answer for one price: how it stands, the cap that decided, and why, in words."""

    item: FeeItem
    amount: Money
    standing: Standing
    cap: Cap | None
    reason: str

    @property
    def needs_yes(self) -> bool:
        """Whether the approver must agree to this price in so many words."""
        return self.standing is Standing.NO_CAP


def check_price(
    price: Price,
    place: Place,
    on: date,
    rules: Rulebook,
    last_year: Money | None = None,
) -> CapVerdict:
    """Judge one price of a school at a date.

    Raises ``Prohibited`` (with the article), ``OverCap`` (item, cap, basis; also for too high a rise on
    ``last_year``) and ``NotComparable`` (the cap is given in another unit). A private school is not bound.
    """
    item = price.item
    if place.ownership is Ownership.PRIVATE:
        return CapVerdict(item, price.amount, Standing.FREE, None, "Trường ngoài công lập tự quyết định mức thu.")
    refuse_prohibited(item, on, rules.prohibitions)
    binding = _binding(item, place, on, rules.caps)
    if not binding:
        reason = f"Khoản thu {item.name} chưa có mức trần vào ngày {on:%d/%m/%Y}; người duyệt phải đồng ý rõ ràng."
        return CapVerdict(item, price.amount, Standing.NO_CAP, None, reason)
    cap = min((cap for cap in binding if cap.unit is item.unit), key=lambda cap: cap.max_amount, default=None)
    if cap is None:
        raise _not_comparable(item, binding[0])
    _refuse_over(price, place.level, cap)
    _refuse_rise(price, cap, last_year)
    reason = f"Trần {cap.max_amount}/{UNIT_NAMES[cap.unit]} theo {cap.legal_basis}."
    return CapVerdict(item, price.amount, Standing.WITHIN, cap, reason)


def check_schedule(
    prices: Sequence[Price], place: Place, days: Span, rules: Rulebook, history: Sequence[Price] = ()
) -> tuple[CapVerdict, ...]:
    """Judge the prices that hold for the place's level within these days.

    Each at its first day among them, and again on every day from which another cap or prohibition holds for it: a cap
    that falls or ends within a round of several months binds the months after it. ``history``: earlier prices of the
    school, among them last year's, which bound the rise. In their order; raises what ``check_price`` raises.
    """
    meant = [price for price in prices if not price.levels or place.level in price.levels]
    return tuple(
        check_price(price, place, day, rules, last_price(history, price, place.level, day))
        for price in meant
        if (common := price.valid.within(days))
        for day in _days_to_judge(price.item, place, common, rules)
    )


def _days_to_judge(item: FeeItem, place: Place, days: Span, rules: Rulebook) -> list[date]:
    """Return the first of these days, and those on which what binds an item there changes, in order."""
    caps = [cap.valid for cap in rules.caps if _meant_for(cap, item, place)]
    ends = {span.end + timedelta(days=1) for span in caps if span.end is not None and span.end < date.max}
    starts = {span.start for span in (*caps, *(each.valid for each in rules.prohibitions))}
    return [days.start, *sorted(day for day in starts | ends if day > days.start and days.holds(day))]


def school_year(day: date) -> Span:
    """Return the school year of a day: 1 August to 31 July."""
    first = day.year if day.month >= _YEAR_STARTS_IN else day.year - 1
    return Span(date(first, _YEAR_STARTS_IN, 1), date(first + 1, _YEAR_STARTS_IN, 1) - timedelta(days=1))


def last_price(history: Iterable[Price], price: Price, level: Level, on: date) -> Money | None:
    """Return what the same item last cost in the school year before the day, for this level; None if it had no price.

    Its count is in it, as it is in what is compared with it: two "months" at half the price are one at the whole.
    Of several prices that held last, for different classes, the highest counts. A grade or class is compared only
    with a price that can have held for it.
    """
    before = school_year(school_year(on).start - timedelta(days=1))
    held = [
        (within.end, _asked(each))
        for each in history
        if each.item.code == price.item.code
        and each.item.unit is price.item.unit
        and (not each.levels or level in each.levels)
        and _meet(each.grades, price.grades)
        and (within := each.valid.within(before)) is not None
    ]
    return max(held, key=lambda each: (each[0] or date.max, each[1]), default=(None, None))[1]


def _meet(some: frozenset[int], others: frozenset[int]) -> bool:
    """Tell whether two lists, of which an empty one means everybody, have anything in common."""
    return not some or not others or bool(some & others)


def refuse_prohibited(item: FeeItem, on: date, prohibitions: Iterable[Prohibition]) -> None:
    """Raise ``Prohibited`` with the article if a public school may not collect an item of this name."""
    name = f" {fold(item.name)} "
    for each in prohibitions:
        free = (each.except_donations and item.group is Group.DONATION) or (
            each.except_tuition and item.group is Group.TUITION
        )
        if free or not each.valid.holds(on) or any(f" {words} " in name for words in each.unless):
            continue
        if any(f" {words} " in name for words in each.words):
            raise Prohibited(
                f"Không được thu “{item.name}”: {each.article}. Hãy bỏ khoản này khỏi danh mục.",
                item=item.code,
                article=each.article,
            )


def fold(text: str) -> str:
    """Return the text as lower-case words without marks: ``Vệ sinh lớp học`` is ``ve sinh lop hoc``."""
    bare = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    letters = (char if char.isalnum() else " " for char in bare if not unicodedata.combining(char))
    return " ".join("".join(letters).split())


def refuse_overlaps(caps: Iterable[Cap]) -> None:
    """Raise ``Refused`` if two caps of one item, level, zone, area and unit hold on the same day."""
    seen: dict[tuple[str, Level, str, str, Unit], list[Cap]] = {}
    for cap in caps:
        same = seen.setdefault(_key(cap), [])
        if any(cap.valid.within(other.valid) for other in same):
            raise Refused(
                f"Khoản thu {cap.item_code} có hai mức trần cùng hiệu lực cho cấp {LEVEL_NAMES[cap.level]}. Hãy ghi"
                " ngày kết thúc (valid_to) của mức cũ trước ngày bắt đầu của mức mới.",
                item=cap.item_code,
            )
        same.append(cap)


def followed(known: Sequence[Cap], new: Sequence[Cap]) -> tuple[tuple[Cap, Cap], ...]:
    """Return the caps without an end that a later one follows, each with the one that ends it the day before.

    Only within one item, level, zone, area and unit. Of several that follow, the first one counts.
    """
    pairs = []
    for cap in known:
        after = [each for each in new if _key(each) == _key(cap) and each.valid.start > cap.valid.start]
        if cap.valid.end is None and after:
            pairs.append((cap, min(after, key=lambda each: each.valid.start)))
    return tuple(pairs)


def not_loaded(file: Iterable[Cap], known: Sequence[Cap]) -> tuple[Cap, ...]:
    """Return the caps of a file that are not known; one without an end is also known as one that was ended since."""
    there = {*known, *(replace(cap, valid=Span(cap.valid.start)) for cap in known)}
    return tuple(cap for cap in file if cap not in there)


def apart(cap: Cap, known: Iterable[Cap]) -> bool:
    """Tell whether a cap holds on no day together with another of its item, level, zone, area and unit."""
    return not any(_key(cap) == _key(each) and cap.valid.within(each.valid) for each in known)


def _key(cap: Cap) -> tuple[str, Level, str, str, Unit]:
    return cap.item_code, cap.level, cap.zone, cap.area, cap.unit


def _binding(item: FeeItem, place: Place, on: date, caps: Iterable[Cap]) -> list[Cap]:
    return [cap for cap in caps if _meant_for(cap, item, place) and cap.valid.holds(on)]


def _meant_for(cap: Cap, item: FeeItem, place: Place) -> bool:
    """Tell whether a cap is one of this item, level and place, whatever its days."""
    return (
        cap.item_code == item.code
        and cap.level is place.level
        and cap.zone in (EVERYWHERE, place.zone)
        and cap.area in (EVERYWHERE, place.area)
    )


def _not_comparable(item: FeeItem, cap: Cap) -> NotComparable:
    return NotComparable(
        f"Khoản thu {item.name} tính theo {UNIT_NAMES[item.unit]}, còn mức trần tính theo {UNIT_NAMES[cap.unit]}"
        f" ({cap.legal_basis}). Hãy đổi đơn vị tính cho giống văn bản.",
        item=item.code,
        unit=item.unit,
        cap_unit=cap.unit,
    )


def _refuse_over(price: Price, level: Level, cap: Cap) -> None:
    asked = _asked(price)
    if asked > cap.max_amount:
        later = cap.valid.start > price.valid.start
        since = f" từ {cap.valid.start:%d/%m/%Y}" if later else ""
        until = ", hoặc cho đơn giá này kết thúc trước ngày đó" if later else ""
        raise OverCap(
            f"Khoản thu {price.item.name} cấp {LEVEL_NAMES[level]}: {asked}/{UNIT_NAMES[cap.unit]} vượt mức trần"
            f" {cap.max_amount} theo {cap.legal_basis}{since}. Hãy giảm đơn giá{until}.",
            item=price.item.code,
            amount=asked,
            cap=cap.max_amount,
            legal_basis=cap.legal_basis,
        )


def _asked(price: Price) -> Money:
    """Return what a month, term or year costs: a count above one would pass two half-priced ones under the cap of one.

    Of lessons, hours, days and kilometres the cap is one's, however many there are.
    """
    return price.amount * price.count if price.item.unit in _WHOLE_UNITS else price.amount


def _refuse_rise(price: Price, cap: Cap, last_year: Money | None) -> None:
    if last_year is None or cap.max_rise_percent is None:
        return
    asked = _asked(price)
    if asked.dong * 100 > last_year.dong * (100 + cap.max_rise_percent):
        raise OverCap(
            f"Khoản thu {price.item.name} tăng từ {last_year} lên {asked}, quá {cap.max_rise_percent} %"
            f" so với năm trước ({cap.legal_basis}). Hãy giảm đơn giá.",
            item=price.item.code,
            amount=asked,
            last_year=last_year,
            legal_basis=cap.legal_basis,
        )


_WHOLE_UNITS = frozenset({Unit.MONTH, Unit.TERM, Unit.YEAR, Unit.ONCE})
