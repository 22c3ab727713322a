"""The words of a simulated school year: what schools charge, and what happens on which day (pure).

Everything here is plain: names for schools and pupils, whole đồng as ``int``, days. Nothing of the product is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

MAIN, SECOND = "main", "second"
MEALS = "meal_days"
RARE = ("term", "year", "once")
LATE_CHOICES = ("take", "leave", "take", "take_again")


@dataclass(frozen=True, slots=True)
class Item:
    """What a school charges for; ``carry`` is what its leftovers may pay."""

    code: str
    name: str
    group: str
    unit: str
    revenue: str
    account: str = MAIN
    opt_in: bool = False
    carry: str = "none"


@dataclass(frozen=True, slots=True)
class Price:
    """Đồng for one unit, with its days; ``part``: what a month costs of which the pupil was there in part only."""

    item: str
    amount: int
    first: date
    last: date
    part: str = "whole"
    quantity: str = "fixed"


@dataclass(frozen=True, slots=True)
class Reduction:
    """What somebody else carries: a share or an amount a month of some items (``state`` first, ``donor`` last)."""

    key: str
    kind: str
    payer: str
    items: tuple[str, ...]
    first: date
    last: date
    percent: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """A school: its kind, classes and list of charges. ``standing``: reductions that hold for everybody."""

    key: str
    kind: str
    classes: tuple[tuple[str, int], ...]
    items: tuple[Item, ...]
    prices: tuple[Price, ...]
    standing: tuple[Reduction, ...] = ()

    def item(self, code: str) -> Item:
        """Return an item by its code."""
        return next(item for item in self.items if item.code == code)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at a school at a moment (UTC)."""

    at: datetime
    school: str


@dataclass(frozen=True, slots=True)
class Arrive(Event):
    """A pupil comes into a class; who studied elsewhere before stays the same person."""

    pupil: str
    group: str
    first: date


@dataclass(frozen=True, slots=True)
class ChangeClass(Event):
    """A pupil goes to another class of the school."""

    pupil: str
    group: str
    first: date


@dataclass(frozen=True, slots=True)
class Leave(Event):
    """A pupil leaves; ``approved`` and ``settled``: whether the corrections and the leftover are dealt with at once."""

    pupil: str
    last: date
    state: str
    approved: bool = True
    back: bool = False


@dataclass(frozen=True, slots=True)
class ComeBack(Event):
    """Who left comes back in the same year; ``items``: what it wants again of what it was registered for."""

    pupil: str
    group: str
    first: date
    items: frozenset[str]


@dataclass(frozen=True, slots=True)
class FinishLeaving(Event):
    """What a leaver did not use is approved, and the rest given back."""

    pupil: str


@dataclass(frozen=True, slots=True)
class Register(Event):
    """A family registers for an item."""

    pupil: str
    item: str
    first: date
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class EndRegistration(Event):
    """A family ends a registration."""

    pupil: str
    item: str
    last: date


@dataclass(frozen=True, slots=True)
class Reduce(Event):
    """A pupil gets a reduction, entered by one person and approved by another."""

    pupil: str
    reduction: Reduction


@dataclass(frozen=True, slots=True)
class EndReduction(Event):
    """A reduction ends earlier than it would have."""

    pupil: str
    key: str
    last: date


@dataclass(frozen=True, slots=True)
class ChangePrice(Event):
    """An item costs something else from a day on."""

    item: str
    amount: int
    first: date


@dataclass(frozen=True, slots=True)
class DayOff(Event):
    """The whole school stays at home on a day."""

    day: date


@dataclass(frozen=True, slots=True)
class Tick(Event):
    """A teacher says who of a class is absent on a day; before 8 o'clock the kitchen still hears of it."""

    group: str
    day: date
    absent: frozenset[str]


@dataclass(frozen=True, slots=True)
class OfficeAbsence(Event):
    """The office enters an absence, with or without its meal."""

    pupil: str
    day: date
    credited: bool


@dataclass(frozen=True, slots=True)
class Close(Event):
    """A class's month is closed."""

    group: str
    month: date


@dataclass(frozen=True, slots=True)
class Issue(Event):
    """A round is drafted, previewed, submitted, approved by another person, and issued."""

    code: str
    name: str
    first: date
    last: date
    meal_days: frozenset[date]
    due: date


@dataclass(frozen=True, slots=True)
class Supplement(Event):
    """A round for those who have no bill in an issued one."""

    code: str
    base: str
    due: date


@dataclass(frozen=True, slots=True)
class ChooseLate(Event):
    """Who came when a round was over is asked about, item by item; ``turn`` says what is chosen."""

    base: str
    turn: int


@dataclass(frozen=True, slots=True)
class SettleMeals(Event):
    """Meals of a round are settled by the days attended."""

    round: str


@dataclass(frozen=True, slots=True)
class LowerPrice(Event):
    """An item of an issued round becomes cheaper for everybody."""

    round: str
    item: str
    amount: int


@dataclass(frozen=True, slots=True)
class LowerLine(Event):
    """Some of what an item of one bill still comes to is credited."""

    round: str
    pupil: str
    item: str
    percent: int


@dataclass(frozen=True, slots=True)
class TakeBack(Event):
    """A pupil's bills of a round are taken back, or newly calculated ones put in their place."""

    round: str
    pupil: str
    replace: bool


@dataclass(frozen=True, slots=True)
class TakeBackLate(Event):
    """Bills of one of the pupils of a supplementary round are taken back, if ``turn`` says so; ``replace`` as there."""

    round: str
    turn: int
    replace: bool


@dataclass(frozen=True, slots=True)
class Lock(Event):
    """A round takes no more corrections."""

    round: str


@dataclass(frozen=True, slots=True)
class Pay(Event):
    """A family pays what its newest (``older``: the one before) requests ask for: a share, and something more.

    ``way``: *qr*, *cash*, *nocode* (no reference in the memo), *both* (the references of all pupils in one transfer).
    ``times``: how often the same sum is paid; ``told``: how often the bank tells of each payment.
    """

    pupils: tuple[str, ...]
    way: str = "qr"
    percent: int = 100
    extra: int = 0
    older: bool = False
    times: int = 1
    told: int = 1


@dataclass(frozen=True, slots=True)
class BankFee(Event):
    """The bank takes something from the school's account."""

    amount: int


@dataclass(frozen=True, slots=True)
class UseCredit(Event):
    """An accountant sets a pupil's credit against open bills."""

    pupil: str
    freely: bool


@dataclass(frozen=True, slots=True)
class Refund(Event):
    """A family gets its credit back: asked for, and (``steps``) approved, paid, sent, rejected or taken back."""

    pupil: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefundGraduates(Event):
    """Everything kept for pupils of the last grade goes to one request, is approved and paid."""

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WriteOff(Event):
    """The rest of one of the bills that are open is no longer asked for; ``turn`` says of which."""

    turn: int


@dataclass(frozen=True, slots=True)
class OpenYear(Event):
    """What is open and kept is listed for the next school year, and signed by a second person."""

    year: str


@dataclass(frozen=True, slots=True)
class Look(Event):
    """Everything is compared; ``whole``: also what costs time."""

    whole: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """A year: the schools as they begin, and everything that happens, in the order of time."""

    seed: int
    schools: tuple[SchoolPlan, ...]
    events: tuple[Event, ...]


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the moment (UTC) of an hour of a school day (Viet Nam)."""
    return datetime.combine(day, time(hour, minute), UTC) - timedelta(hours=7)


def end_of(month: date) -> date:
    """Return the last day of a day's month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def days(first: date, last: date) -> Iterator[date]:
    """Yield every day of a stretch."""
    while first <= last:
        yield first
        first += timedelta(days=1)


def months(first: date, last: date) -> Iterator[date]:
    """Yield the first days of all months that a stretch touches."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = end_of(month) + timedelta(days=1)
