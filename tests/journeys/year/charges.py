"""What a pupil is charged, reckoned apart from the product (pure): from the words of the rules, day by day.

A pupil pays an item for a month with a day on which it is there, the price holds and (where asked for) it is
registered. Meals count by days: cooked, no day off, and no absence that was credited in a class's closed month. What a
month in part costs, its price says. Who was billed, left and came back pays of a month what that bill left of it. A
reduction counts for a month if it holds on the first such day; the State's
share comes first, then the school's, then a donor's, each at most what is left. An amount is given once a month,
whatever an item's price does in it and however often the pupil comes back. Of the State's rights to less tuition only
the greatest is granted, and at a private school (whose classes here are of a level with nine months of study) none in
June, July and August. Of what a school gives for paying ahead, only the greatest is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from tests.journeys.year.events import MEALS, Price, Reduction, SchoolPlan, days, end_of

_GROUPS = ("tuition", "service", "agreed", "pass_through")
_PAYERS = ("state", "school", "donor")
_AHEAD = {"CANAM", "NUANAM", "QUY"}
_MIDDLE = 15


def share_of(amount: int, percent: int) -> int:
    """Return so many hundredths of an amount, half a đồng rounded up."""
    return (amount * percent + 50) // 100


@dataclass(frozen=True, slots=True)
class Taken:
    """What one reduction takes off a line."""

    payer: str
    percent: int | None
    amount: int


@dataclass(slots=True)
class Line:
    """A line of a bill as charged, and what later corrections made of its price, its units and its shares.

    ``unused``: what of the shares as charged a leaver did not use.
    """

    item: str
    meals: bool
    half: bool
    price: int
    units: int
    taken: tuple[Taken, ...]
    lower_price: int | None = None
    used: int | None = None
    family_off: int = 0
    state_off: int = 0
    unused: int = 0
    unused_state: int = 0

    @property
    def gross(self) -> int:
        """Price × units."""
        return self.price * self.units

    @property
    def family(self) -> int:
        """What was billed to the family."""
        return self.gross - sum(each.amount for each in self.taken)

    @property
    def state(self) -> int:
        """What was asked of the State."""
        return sum(each.amount for each in self.taken if each.payer == "state")

    @property
    def due(self) -> int:
        """What it comes to for the family."""
        return self.family - self.family_off


@dataclass(slots=True)
class Absent:
    """A day away: whether its meal is credited, in which class it was told, and who told of it."""

    credited: bool
    group: str
    by_office: bool


@dataclass
class Stay:
    """When a pupil is at a school, and in which class since when."""

    first: date
    groups: list[tuple[date, str]]
    last: date | None = None

    def holds(self, day: date) -> bool:
        """Say whether the pupil is there on a day."""
        return self.first <= day and (self.last is None or day <= self.last)

    def group_on(self, day: date) -> str:
        """Return the last class up to a day; the first one before it began."""
        return ([group for since, group in self.groups if since <= day] or [self.groups[0][1]])[-1]


@dataclass
class Registered:
    """A registration for an item with its days."""

    first: date
    quantity: int
    last: date | None = None

    def holds(self, day: date) -> bool:
        """Say whether it holds on a day."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass
class Facts:
    """All that is known of a school by now: prices, pupils, registrations, reductions, days."""

    plan: SchoolPlan
    prices: list[Price]
    stays: dict[str, Stay] = field(default_factory=dict)
    registered: dict[tuple[str, str], list[Registered]] = field(default_factory=dict)
    reductions: dict[str, list[Reduction]] = field(default_factory=dict)
    off: set[date] = field(default_factory=set)
    absent: dict[tuple[str, date], Absent] = field(default_factory=dict)
    closed: set[tuple[str, date]] = field(default_factory=set)
    earlier: dict[str, list[Stay]] = field(default_factory=dict)

    def all_stays(self, pupil: str) -> list[Stay]:
        """Return every time a pupil was at the school, in their order; ``stays`` holds the last."""
        return [*self.earlier.get(pupil, []), self.stays[pupil]]

    def change_price(self, item: str, amount: int, first: date) -> None:
        """Let an item cost something else from a day on; what held then ends the day before."""
        old = next(price for price in self.prices if price.item == item and price.first <= first <= price.last)
        self.prices.remove(old)
        if old.first < first:
            self.prices.append(replace(old, last=first - timedelta(days=1)))
        self.prices.append(replace(old, first=first, amount=amount))

    def register(self, pupil: str, item: str, first: date, quantity: int) -> None:
        """Add a registration."""
        self.registered.setdefault((pupil, item), []).append(Registered(first, quantity))

    def end_registration(self, pupil: str, item: str, last: date) -> None:
        """End registrations after a day; those that would begin later never do."""
        kept = [each for each in self.registered.get((pupil, item), []) if each.first <= last]
        for each in kept:
            each.last = last if each.last is None else min(each.last, last)
        self.registered[pupil, item] = kept

    def end_stay(self, pupil: str, last: date) -> None:
        """End a pupil's time and all its registrations after a day."""
        self.stays[pupil].last = last
        for owner, item in list(self.registered):
            if owner == pupil:
                self.end_registration(pupil, item, last)

    def cooked(self, months: Sequence[date], meal_days: Collection[date]) -> set[date]:
        """Return the days of some months on which meals are cooked."""
        return {day for day in meal_days if day not in self.off and day.replace(day=1) in months}

    def eaten(self, pupil: str, there: set[date], cooked: set[date]) -> int:
        """Count the meals of a pupil on the days it is there."""
        return sum(day in cooked and not self._credited(pupil, day) for day in there)

    def _credited(self, pupil: str, day: date) -> bool:
        away = self.absent.get((pupil, day))
        return away is not None and away.credited and (away.group, day.replace(day=1)) in self.closed


def charge(  # noqa: PLR0913, PLR0917  whose, for which months and stays
    facts: Facts,
    pupil: str,
    months: Sequence[date],
    meal_days: Collection[date],
    stays: Sequence[Stay] | None = None,
    paid: Sequence[Stay] = (),
) -> list[Line]:
    """Return the lines of a pupil for some months, in the order in which a bill shows them.

    ``stays``: the times that are billed, all of them if not given; ``paid``: those before, which another bill charges.
    """
    there = facts.all_stays(pupil) if stays is None else stays
    cooked = facts.cooked(months, meal_days)
    given: dict[tuple[str, tuple[str, ...], date], int] = {}

    def place(price: Price) -> tuple[int, str, date]:
        return _GROUPS.index(facts.plan.item(price.item).group), price.item, price.first

    for price in sorted(facts.prices, key=place) if paid else ():
        list(_lines(facts, pupil, price, months, cooked, paid, (), given))
    return [
        line
        for price in sorted(facts.prices, key=place)
        for line in _lines(facts, pupil, price, months, cooked, there, paid, given)
    ]


def _lines(  # noqa: PLR0913, PLR0917  as above
    facts: Facts,
    pupil: str,
    price: Price,
    months: Sequence[date],
    cooked: set[date],
    stays: Sequence[Stay],
    paid: Sequence[Stay],
    given: dict[tuple[str, tuple[str, ...], date], int],
) -> Iterator[Line]:
    by_half: dict[bool, list[tuple[date, int]]] = {False: [], True: []}
    for month in months:
        there = _there(facts, pupil, price, month, stays)
        units = _units(facts, pupil, price, there, cooked)
        before = set() if price.quantity == MEALS else _there(facts, pupil, price, month, paid)
        half = {2: False, 1: True}.get(_halves(price.part, there | before) - _halves(price.part, before))
        if units and half is not None:
            by_half[half].append((min(there), units))
    fitting = _fitting(facts, pupil, price.item)
    for half, parts in by_half.items():
        if parts:
            amount = share_of(price.amount, 50) if half else price.amount
            units = sum(count for _, count in parts)
            taken = _taken(fitting, amount, parts, given, _granting(facts, price.item))
            yield Line(price.item, price.quantity == MEALS, half, amount, units, taken)


def _halves(rule: str, there: set[date]) -> int:
    """Count the halves of a month that cost something."""
    return {False: 2, True: 1, None: 0}[_part(rule, there)] if there else 0


def _there(facts: Facts, pupil: str, price: Price, month: date, stays: Sequence[Stay]) -> set[date]:
    """Return the days of a month for which a pupil can be charged an item."""
    wanted = facts.registered.get((pupil, price.item), [])
    opt_in = facts.plan.item(price.item).opt_in
    return {
        day
        for day in days(max(month, price.first), min(end_of(month), price.last))
        if any(stay.holds(day) for stay in stays) and (not opt_in or any(each.holds(day) for each in wanted))
    }


def _units(facts: Facts, pupil: str, price: Price, there: set[date], cooked: set[date]) -> int:
    if not there:
        return 0
    if price.quantity == MEALS:
        return facts.eaten(pupil, there, cooked)
    if price.quantity == "registered":
        on_first = [each for each in facts.registered[pupil, price.item] if each.holds(min(there))]
        return max(each.quantity for each in on_first)
    return 1


def _part(rule: str, there: set[date]) -> bool | None:
    """Tell whether a month costs half (True), all (False) or nothing (None)."""
    early, late = any(day.day <= _MIDDLE for day in there), any(day.day > _MIDDLE for day in there)
    if rule == "half_from_16":
        return early != late
    if rule == "none_from_16" and not early:
        return None
    return False


def _fitting(facts: Facts, pupil: str, item: str) -> list[Reduction]:
    every = [*facts.plan.standing, *facts.reductions.get(pupil, [])]
    held = [each for each in every if item in each.items and not (each.key == "NQ217" and facts.plan.kind != "public")]
    return sorted(held, key=lambda each: (_PAYERS.index(each.payer), each.amount is not None, each.first))


def _granting(facts: Facts, item: str) -> str:
    """Tell how the State's rights go together: of tuition the greatest, at a private school not in summer."""
    if facts.plan.item(item).group != "tuition":
        return "all"
    return "greatest" if facts.plan.kind == "public" else "greatest of nine months"


def _taken(
    fitting: Sequence[Reduction],
    amount: int,
    parts: Sequence[tuple[date, int]],
    given: dict[tuple[str, tuple[str, ...], date], int],
    granting: str,
) -> tuple[Taken, ...]:
    """Return what reductions take: month by month, each at most what the ones before it left."""
    sums = [0] * len(fitting)
    for first, units in parts:
        gross = left = amount * units
        wanted = [_wanted(each, first, gross, given) for each in fitting]
        _keep_granted(fitting, wanted, granting, first)
        for place, each in enumerate(fitting):
            part = min(left, wanted[place])
            sums[place] += part
            left -= part
            if each.amount is not None:
                key = (each.kind, each.items, first.replace(day=1))
                given[key] = given.get(key, 0) + part
    return tuple(Taken(each.payer, each.percent, sums[place]) for place, each in enumerate(fitting) if sums[place])


def _wanted(each: Reduction, first: date, gross: int, given: dict[tuple[str, tuple[str, ...], date], int]) -> int:
    if not each.first <= first <= each.last:
        return 0
    if each.percent is not None:
        return share_of(gross, each.percent)
    return (each.amount or 0) - given.get((each.kind, each.items, first.replace(day=1)), 0)


def _keep_granted(fitting: Sequence[Reduction], wanted: list[int], granting: str, first: date) -> None:
    """Set to nothing what the State does not grant of a month, and what is not the greatest for paying ahead."""
    ahead = [place for place, each in enumerate(fitting) if each.kind in _AHEAD]
    most = max(ahead, key=lambda place: wanted[place], default=None)
    for place in ahead:
        wanted[place] = wanted[place] if place == most else 0
    states = [place for place, each in enumerate(fitting) if each.payer == "state" and granting != "all"]
    best = max(states, key=lambda place: wanted[place], default=None)
    for place in states:
        if place != best or (granting.endswith("nine months") and first.month in {6, 7, 8}):
            wanted[place] = 0
