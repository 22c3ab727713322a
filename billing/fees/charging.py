"""What one pupil is charged in one period, with every share and its payer (pure).

The rules, in the order they are applied:

1. A period is looked at month by month, so a quarter costs exactly what its three months cost.
2. A pupil is charged for a month in which they are enrolled (and registered, where the item asks for it) on
   at least one day; meals are counted by the meal days on which they are there and not absent (as far as their
   class's month is closed). Not for a month that the family pays another way, say with its year (``paid_otherwise``).
   Where the price says so, a month
   of which the pupil was there in one half only costs half, or nothing (``PartMonth``): a line of its own.
   Who left, was billed and came back pays of a month only what the bill of the time before left of it (``before``).
3. A reduction counts for a month if it is valid on the pupil's first day in that month (of that price).
   Percentages are of the gross. The State's share comes first, then the school's, then a donor's; each takes
   at most what is left, so all of them together never exceed the gross. An amount of one kind is taken once a month,
   also where the item's price changes within it, or the pupil came back and holds it under a row of either stay.
4. Tuition of public schools is the State's in full (resolution 217/2025/QH15, decree 238/2025/NĐ-CP).
5. Of several reductions of the State on tuition, the highest counts and no other; where it pays nine months a year, it
   takes nothing off in June, July and August. So a claim can ask for what a bill asks of the State (decision 0046).
6. Of several reductions for paying ahead (a year, half a year, a quarter), the one that gives the family most counts on
   an item's month and no other; the line names those that gave way (decision 0050).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby, pairwise

from billing.errors import Refused
from billing.fees.charges import (
    PUBLIC_TUITION,
    AppliedReduction,
    Because,
    Charge,
    ChargeLine,
    GaveWay,
    MonthFacts,
    Period,
    PupilFacts,
    Registration,
    Schedule,
)
from billing.fees.council_rates import BY_MONTHS_STUDIED, SUMMER
from billing.fees.items import Group, PartMonth, Payer, Price, Quantity, Reduction, Span, last_day
from billing.money import ZERO, Money, total

_PAYER_ORDER = {Payer.STATE: 0, Payer.SCHOOL: 1, Payer.DONOR: 2}
_MIDDLE = 15  # the last day of a month's first half
_HALVES = {PartMonth.WHOLE: 2, PartMonth.HALF: 1, PartMonth.NONE: 0}
_GROUP_ORDER = {group: place for place, group in enumerate(Group)}


@dataclass(frozen=True, slots=True)
class _ItemFacts:
    """All that the lines of one item depend on; pupils who are alike in these share the lines.

    ``nine_months``: tuition for which the State pays nothing in June, July and August.
    """

    enrolled: tuple[Span, ...]
    registrations: tuple[Registration, ...]
    absent: frozenset[date]
    reductions: tuple[Reduction, ...]
    before: tuple[Span, ...] = ()
    nine_months: bool = False


# What an amount a month has taken off so far, by kind, year and month.
_Spent = dict[tuple[str, int, int], Money]


def charge_pupil(pupil: PupilFacts, period: Period, schedule: Schedule) -> Charge:
    """Charge one pupil; raises ``Refused`` if two of an item's prices fit, or two reductions share an id."""
    return next(charge_all([pupil], period, schedule))


def charge_all(pupils: Iterable[PupilFacts], period: Period, schedule: Schedule) -> Iterator[Charge]:
    """Charge many pupils, in their order; pupils with the same facts share one calculation.

    Raises ``Refused`` as ``charge_pupil`` does.
    """
    prices = sorted(schedule.prices, key=_place)
    fitting: dict[tuple[int, int, str], tuple[tuple[int, ...], ...]] = {}
    profiles: dict[tuple[object, ...], tuple[ChargeLine, ...]] = {}
    known: dict[tuple[tuple[int, ...], _ItemFacts], tuple[ChargeLine, ...]] = {}
    seen: dict[tuple[object, ...], tuple[PupilFacts, tuple[ChargeLine, ...]]] = {}
    for pupil in pupils:
        audience = id(pupil.level), pupil.grade, pupil.class_name
        if audience not in fitting:
            fitting[audience] = _fitting(prices, pupil, period)
        places = fitting[audience]
        # Whoever reads pupils lets those alike share the very same objects: their ids are compared much faster. What
        # is seen keeps them alive, so no id is given away twice.
        same = _same(pupil, places)
        if same not in seen:
            profile = _profile(pupil, places)
            if profile not in profiles:
                profiles[profile] = tuple(_lines_of(pupil, prices, places, period, schedule.standing(), known))
            seen[same] = pupil, profiles[profile]
        yield Charge(pupil.pupil_id, period, seen[same][1])


def _lines_of(  # noqa: PLR0913, PLR0917  the pupil, what is charged, and what is known already
    pupil: PupilFacts,
    prices: Sequence[Price],
    places: tuple[tuple[int, ...], ...],
    period: Period,
    standing: tuple[Reduction, ...],
    known: dict[tuple[tuple[int, ...], _ItemFacts], tuple[ChargeLine, ...]],
) -> Iterator[ChargeLine]:
    reductions = _in_order(standing + pupil.reductions, pupil)
    for of_item in places:
        key = of_item, _item_facts(prices[of_item[0]], pupil, reductions)
        lines = known.get(key)
        if lines is None:
            lines = known[key] = tuple(_item_lines([prices[place] for place in of_item], key[1], period))
        yield from lines


def _profile(pupil: PupilFacts, places: tuple[tuple[int, ...], ...]) -> tuple[object, ...]:
    """Return all that a pupil's charge depends on: the prices of the class, and everything of the pupil's own."""
    own = pupil.level, pupil.enrolled, pupil.registrations, pupil.reductions, pupil.paid_otherwise, pupil.before
    return places, own, pupil.sibling_order, pupil.citizen, pupil.absent


def _same(pupil: PupilFacts, places: tuple[tuple[int, ...], ...]) -> tuple[object, ...]:
    """Return the same by the ids of the objects: who is alike in these is alike in ``_profile``."""
    return (
        places,
        id(pupil.level),
        id(pupil.enrolled),
        id(pupil.registrations),
        id(pupil.reductions),
        id(pupil.paid_otherwise),
        id(pupil.before),
        id(pupil.absent),
        pupil.sibling_order,
        pupil.citizen,
    )


def split_by_account(charge: Charge) -> dict[str, Charge]:
    """Split a charge into one per beneficiary account, by account key: one bill pays into one account."""
    parts: dict[str, list[ChargeLine]] = defaultdict(list)
    for line in charge.lines:
        parts[line.item.account].append(line)
    return {key: Charge(charge.pupil_id, charge.period, tuple(parts[key])) for key in sorted(parts)}


def _fitting(ordered: Sequence[Price], pupil: PupilFacts, period: Period) -> tuple[tuple[int, ...], ...]:
    """Return the places of the prices that hold for a pupil's class in the period, by item; raises ``Refused``."""
    places = tuple(
        place
        for place, price in enumerate(ordered)
        if price.meets(pupil.level, pupil.grade, pupil.class_name) and price.valid.within(period.days)
    )
    for earlier, later in pairwise(ordered[place] for place in places):
        if earlier.item.code == later.item.code and earlier.valid.within(later.valid):
            raise Refused(
                f"Khoản thu {later.item.name} có hai đơn giá cùng áp dụng cho lớp {pupil.class_name}; chỉ giữ lại một.",
                item=later.item.code,
            )
    return tuple(tuple(of_item) for _, of_item in groupby(places, key=lambda place: ordered[place].item.code))


def _item_facts(price: Price, pupil: PupilFacts, reductions: Sequence[Reduction]) -> _ItemFacts:
    """Return what of a pupil's facts the lines of a price depend on; of all prices of an item it is the same."""
    registered = price.item.opt_in or price.quantity is Quantity.REGISTERED
    return _ItemFacts(
        enrolled=_charged_days(pupil, pupil.enrolled, price.item.code),
        registrations=tuple(each for each in pupil.registrations if registered and each.item == price.item.code),
        absent=pupil.absent if price.quantity is Quantity.MEAL_DAYS else frozenset(),
        reductions=tuple(reduction for reduction in reductions if reduction.covers(price.item)),
        before=_charged_days(pupil, pupil.before, price.item.code),
        nine_months=price.item.group is Group.TUITION
        and PUBLIC_TUITION not in reductions
        and pupil.level not in BY_MONTHS_STUDIED,
    )


def _charged_days(pupil: PupilFacts, days: tuple[Span, ...], item: str) -> tuple[Span, ...]:
    """Return days of a pupil at the school without those for which an item is paid another way."""
    for out in pupil.paid_otherwise:
        if out.item == item:
            days = tuple(rest for span in days for rest in span.without(out.days))
    return days


def _place(price: Price) -> tuple[int, str, date]:
    return _GROUP_ORDER[price.item.group], price.item.code, price.valid.start


def _in_order(reductions: Sequence[Reduction], pupil: PupilFacts) -> list[Reduction]:
    by_id: dict[str, Reduction] = {}
    for reduction in reductions:
        if by_id.setdefault(reduction.id, reduction) != reduction:
            raise Refused(f"Hai miễn giảm khác nhau cùng mang mã {reduction.id}.", reduction=reduction.id)
    fitting = [
        reduction
        for reduction in by_id.values()
        if pupil.sibling_order >= reduction.from_sibling
        and (not reduction.levels or pupil.level in reduction.levels)
        and (pupil.citizen or not reduction.citizens_only)
    ]
    return sorted(fitting, key=_rank)


def _rank(reduction: Reduction) -> tuple[int, bool, date, str]:
    by_amount = reduction.amount is not None
    return _PAYER_ORDER[reduction.payer], by_amount, reduction.valid.start, reduction.id


def _item_lines(prices: Sequence[Price], facts: _ItemFacts, period: Period) -> Iterator[ChargeLine]:
    """Give the lines of an item's prices, first ones first; an amount a month is less what the bill before took."""
    spent: _Spent = {}
    if facts.before and any(reduction.amount is not None for reduction in facts.reductions):
        earlier = replace(facts, enrolled=facts.before, before=())
        for price in prices:
            list(_price_lines(price, earlier, period, spent))
    for price in prices:
        yield from _price_lines(price, facts, period, spent)


def _price_lines(price: Price, facts: _ItemFacts, period: Period, spent: _Spent) -> Iterator[ChargeLine]:
    """Give the line of the whole months of a price, then that of the half ones; months without units give none."""
    whole: list[tuple[Span, list[Span], int]] = []
    half: list[tuple[Span, list[Span], int]] = []
    for month in period.days.months():
        stay = _stay(price, facts, month)
        units = _units(price, facts, period, stay)
        if not units:
            continue
        part = _part_left(price, facts, month)
        if part is not PartMonth.NONE:
            (half if part is PartMonth.HALF else whole).append((month, stay, units))
    if whole:
        yield _line(price, whole, facts, spent)
    if half:
        yield _line(price, half, facts, spent, half=True)


def _line(
    price: Price,
    months: Sequence[tuple[Span, list[Span], int]],
    facts: _ItemFacts,
    spent: _Spent,
    *,
    half: bool = False,
) -> ChargeLine:
    unit_price = price.half if half else price.amount
    taken: dict[Reduction, Money] = {}
    gave_way: dict[tuple[str, str], list[str]] = {}
    for month, stay, units in months:
        gross = left = unit_price * units
        counting, behind = _one_prepayment(_counting(price, facts, stay[0].start, gross), gross)
        for pair in behind:
            gave_way.setdefault(pair, []).append(f"{month.start:%Y-%m}")
        for reduction in counting:
            key = reduction.kind or reduction.id, month.start.year, month.start.month
            already = spent.get(key, ZERO) if reduction.amount is not None else ZERO
            part = min(left, reduction.of(gross) - already)
            if part:
                taken[reduction] = taken.get(reduction, ZERO) + part
                spent[key] = already + part
                left -= part
    quantity = sum(units for _, _, units in months)
    gross = unit_price * quantity
    applied = tuple(AppliedReduction(each, taken[each]) for each in facts.reductions if each in taken)
    family = gross - total(each.amount for each in applied)
    because = Because(
        rule=price.quantity,
        price_days=price.valid,
        audience=price.audience(),
        months=tuple(_month_facts(*each) for each in months),
        half=half,
        gave_way=tuple(GaveWay(title, to, tuple(held)) for (title, to), held in gave_way.items()),
    )
    return ChargeLine(price.item, quantity, unit_price, gross, applied, family, because)


def _counting(price: Price, facts: _ItemFacts, first: date, gross: Money) -> list[Reduction]:
    """Return the reductions that count for a month: on tuition, of the State's only the highest, in months it pays."""
    held = [reduction for reduction in facts.reductions if reduction.valid.holds(first)]
    if price.item.group is not Group.TUITION:
        return held
    states = [reduction for reduction in held if reduction.payer is Payer.STATE]
    if facts.nine_months and first.month in SUMMER:
        states = []
    best = max(states, key=lambda reduction: min(gross, reduction.of(gross)), default=None)  # of equals, the first
    return [reduction for reduction in held if reduction.payer is not Payer.STATE or reduction is best]


def _one_prepayment(held: list[Reduction], gross: Money) -> tuple[list[Reduction], list[tuple[str, str]]]:
    """Return what counts of a month's reductions, and of those for paying ahead which gave way, and to which."""
    ahead = [reduction for reduction in held if reduction.prepaid]
    if len(ahead) <= 1:
        return held, []
    best = max(ahead, key=lambda reduction: min(gross, reduction.of(gross)))  # of equals, the first
    counting = [reduction for reduction in held if not reduction.prepaid or reduction is best]
    return counting, [(reduction.title, best.title) for reduction in ahead if reduction is not best]


def _month_facts(month: Span, stay: Sequence[Span], units: int) -> MonthFacts:
    first, last = stay[0].start, max(span.end or date.max for span in stay)
    return MonthFacts(
        f"{month.start:%Y-%m}",
        units,
        first if first > month.start else None,
        last if month.end is not None and last < month.end else None,
    )


def _part_left(price: Price, facts: _ItemFacts, month: Span) -> PartMonth:
    """Tell what of a month is still to be paid; meals are counted by days, of which none is counted twice."""
    if not facts.before or price.quantity is Quantity.MEAL_DAYS:
        return _part(price, facts, month)
    earlier = replace(facts, enrolled=facts.before)
    everything = replace(facts, enrolled=(*facts.before, *facts.enrolled))
    left = _halves(price, everything, month) - _halves(price, earlier, month)
    return next(part for part, halves in _HALVES.items() if halves == max(left, 0))


def _halves(price: Price, facts: _ItemFacts, month: Span) -> int:
    return _HALVES[_part(price, facts, month)] if _stay(price, facts, month) else 0


def _part(price: Price, facts: _ItemFacts, month: Span) -> PartMonth:
    """Tell what of a month is paid: the whole of it, half or nothing, by the halves in which the pupil was there.

    The whole calendar month is looked at, also where the period holds only a part of it.
    """
    if price.part_month is PartMonth.WHOLE:
        return PartMonth.WHOLE
    first = month.start.replace(day=1)
    middle = first.replace(day=_MIDDLE)
    early = _stay(price, facts, Span(first, middle))
    late = _stay(price, facts, Span(middle + timedelta(days=1), last_day(first)))
    if early and (late or price.part_month is PartMonth.NONE):
        return PartMonth.WHOLE
    return price.part_month


def _stay(price: Price, facts: _ItemFacts, month: Span) -> list[Span]:
    """Return the days of the month for which the price holds for the pupil, first ones first."""
    days = price.valid.within(month)
    if days is None:
        return []
    spans = [span for enrolled in facts.enrolled if (span := enrolled.within(days))]
    if price.item.opt_in:
        spans = [both for span in spans for chosen in facts.registrations if (both := span.within(chosen.days))]
    return sorted(spans, key=lambda span: span.start)


def _units(price: Price, facts: _ItemFacts, period: Period, stay: list[Span]) -> int:
    if not stay:
        return 0
    if price.quantity is Quantity.MEAL_DAYS:
        eaten = period.meal_days - facts.absent
        return sum(any(span.holds(day) for span in stay) for day in eaten)
    if price.quantity is Quantity.REGISTERED:
        first = stay[0].start
        return max(each.quantity for each in facts.registrations if each.days.holds(first))
    return price.count
