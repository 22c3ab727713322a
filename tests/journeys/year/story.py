"""Makes up a school year from a seed (pure): who comes and goes, is absent, pays, and what the office does about it.

It knows who studies where on which day, so that nothing impossible is told; what a family has to pay it does not know,
so payments are told as shares of what is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from tests.journeys.year import events as e
from tests.journeys.year.paying import payments
from tests.journeys.year.schools import GRANTED, GRANTS, LAST, MAY, YEAR, three_schools

PUPILS = 12
_ONE = timedelta(days=1)
_HOLIDAYS = frozenset({date(2025, 9, 1), date(2025, 9, 2), date(2026, 1, 1), date(2026, 4, 30), date(2026, 5, 1)})
_TET = frozenset(e.days(date(2026, 2, 16), date(2026, 2, 22)))
_STATES = ("left", "transferred_out", "transferred_out", "paused")


@dataclass
class Stay:
    """A pupil's time at a school, class by class; ``last`` None while it goes on."""

    pupil: str
    school: str
    first: date
    groups: list[tuple[date, str]]
    last: date | None = None

    def group_on(self, day: date) -> str | None:
        """Return the class on a day; nothing before and after."""
        if day < self.first or (self.last is not None and day > self.last):
            return None
        return [group for since, group in self.groups if since <= day][-1]


@dataclass
class Maker:
    """A story as far as it is told."""

    random: Random
    plans: tuple[e.SchoolPlan, ...]
    told: list[e.Event] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    registered: set[tuple[str, str, str]] = field(default_factory=set)
    off: set[tuple[str, date]] = field(default_factory=set)
    leaving: list[tuple[str, str]] = field(default_factory=list)
    born: int = 0

    def chance(self, percent: int) -> bool:
        """Throw a dice."""
        return self.random.randrange(100) < percent

    def day(self, first: date, last: date) -> date:
        """Return any day of a stretch."""
        return first + timedelta(days=self.random.randint(0, (last - first).days))

    def tell(self, *events: e.Event) -> None:
        """Add to the story."""
        self.told += events

    def here(self, school: str, day: date) -> list[Stay]:
        """Return who studies at a school on a day."""
        return [stay for stay in self.stays if stay.school == school and stay.group_on(day) is not None]

    def somebody(self, school: str, day: date) -> Stay | None:
        """Return somebody who studies at a school on a day."""
        there = self.here(school, day)
        return self.random.choice(there) if there else None


def make_story(seed: int, months: int = 12, pupils: int = PUPILS) -> e.Story:
    """Return the year of a seed, or its first months, of schools that begin with so many pupils each."""
    random = Random(seed)  # noqa: S311  chance, not secrecy
    maker = Maker(random, three_schools(dearer=random.randrange(500)))
    _begin(maker, pupils)
    told = list(e.months(YEAR, LAST))[:months]
    for month in told:
        for plan in maker.plans:
            _month(maker, plan, month)
        maker.tell(e.Look(e.moment(e.end_of(month), 20), "", whole=month.month in (12, 5)))
    _end(maker, told[-1])
    ordered = sorted(maker.told, key=lambda event: event.at)
    return e.Story(seed, maker.plans, tuple(ordered))


def school_days(month: date) -> list[date]:
    """Return the days of a month on which schools expect to cook."""
    every = e.days(month, e.end_of(month))
    return [day for day in every if day.weekday() < 5 and day not in _HOLIDAYS and day not in _TET]


def rounds_of(plan: e.SchoolPlan) -> Iterator[tuple[date, date, date]]:
    """Yield first day, last day and day of issue of a school's rounds.

    The second school bills after the month from January on; the private one joins two pairs of months and goes on to
    July.
    """
    last = max(price.last for price in plan.prices)
    joined = {date(2025, 9, 1): date(2025, 10, 1), date(2026, 1, 1): date(2026, 2, 1)}
    months = list(e.months(YEAR, last))
    while months:
        first = months.pop(0)
        until = first
        if plan.kind == "private" and first in joined:
            until = months.pop(0)
        after = plan.key == "hoa-lan" and first >= date(2026, 1, 1)
        issued = e.end_of(first) + timedelta(days=3) if after else first + timedelta(days=2)
        yield first, e.end_of(until), issued


def code_of(first: date) -> str:
    """Return the code of the round that begins on a day."""
    return f"{first:%Y-%m}"


def _begin(maker: Maker, pupils: int) -> None:
    for plan in maker.plans:
        for number in range(pupils):
            group = plan.classes[number % len(plan.classes)][0]
            _arrive(maker, plan, _newborn(maker), group, YEAR, e.moment(YEAR, 6))
        for stay in maker.random.sample(maker.here(plan.key, YEAR), 3):
            _grant(maker, plan, stay, YEAR, e.moment(YEAR, 8))


def _newborn(maker: Maker) -> str:
    maker.born += 1
    return f"em {maker.born}"


def _arrive(maker: Maker, plan: e.SchoolPlan, pupil: str, group: str, first: date, at: datetime) -> None:  # noqa: PLR0913, PLR0917  who comes where and when
    maker.stays.append(Stay(pupil, plan.key, first, [(first, group)]))
    maker.tell(e.Arrive(at, plan.key, pupil, group, first))
    if first > YEAR and maker.chance(25):
        _grant(maker, plan, maker.stays[-1], first, at)
    boards = maker.chance(80)
    for item in plan.items:
        wanted = boards if item.code in {"BANTRU", "TIENAN"} else maker.chance(40)
        if item.opt_in and wanted:
            _register(maker, plan, pupil, item.code, first, at)


def _register(maker: Maker, plan: e.SchoolPlan, pupil: str, item: str, first: date, at: datetime) -> None:  # noqa: PLR0913, PLR0917  as above
    quantity = maker.random.randint(2, 20) if item == "NGOAIGIO" else 1
    maker.registered.add((plan.key, pupil, item))
    maker.tell(e.Register(at, plan.key, pupil, item, first, quantity))


def _grant(maker: Maker, plan: e.SchoolPlan, stay: Stay, first: date, at: datetime) -> None:
    """Let somebody carry something for a pupil; half of it ends within a month, or is ended."""
    kind, payer, fixed = maker.random.choice(GRANTS[plan.kind])
    codes = [code for code in GRANTED[kind] if any(item.code == code for item in plan.items)]
    items = tuple(codes[: maker.random.randint(1, len(codes))])
    amount = maker.random.randint(1_000, 150_000) if fixed is None and len(items) == 1 and maker.chance(50) else None
    percent = None if amount is not None else fixed or maker.random.randint(5, 90)
    last = LAST if maker.chance(50) else maker.day(first + timedelta(days=40), first + timedelta(days=160))
    key = f"{stay.pupil} {plan.key} {first}"
    granted = e.Reduction(key, kind, payer, items, first, min(last, LAST), percent, amount)
    maker.tell(e.Reduce(at, plan.key, stay.pupil, granted))
    if maker.chance(30):
        ends = maker.day(first + timedelta(days=10), first + timedelta(days=39))
        maker.tell(e.EndReduction(e.moment(ends - _ONE, 15), plan.key, stay.pupil, key, ends))


def _month(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Tell a month of a school."""
    issues = [each for each in rounds_of(plan) if each[2].replace(day=1) == month]
    if month > max(price.last for price in plan.prices):
        _summer(maker, plan, month)
    else:
        _school_month(maker, plan, month)
    for first, last, issued in issues:
        _round(maker, plan, first, last, issued)
    if plan.key == "hoa-mai":
        maker.tell(e.BankFee(e.moment(month + timedelta(days=25), 6), plan.key, 11_000))


def _school_month(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Tell of a month in which there is school."""
    _prices(maker, plan, month)
    _people(maker, plan, month)
    _wishes(maker, plan, month)
    _attendance(maker, plan, month)
    _money_back(maker, plan, month)


def _prices(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Make meals dearer on any day, boarding from the first of a month on."""
    meal = next(price.amount for price in plan.prices if price.item == "TIENAN")
    if month.month in {11, 3}:
        first = maker.day(month + timedelta(days=5), month + timedelta(days=24))
        dearer = meal + maker.random.randint(-1_500, 3_000)
        known = first - timedelta(days=maker.random.choice((1, 20)))
        maker.tell(e.ChangePrice(e.moment(known, 15), plan.key, "TIENAN", dearer, first))
    if month.month == 1 and plan.kind == "public":
        maker.tell(e.ChangePrice(e.moment(month - timedelta(days=9), 15), plan.key, "BANTRU", 290_000, month))


def _people(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Let pupils come, go, and change class; who goes to another of the three schools is there the next day."""
    if maker.chance(40):
        first = maker.day(month + _ONE, e.end_of(month))
        _arrive(maker, plan, _newborn(maker), maker.random.choice(plan.classes)[0], first, e.moment(first, 5))
    if maker.chance(30) and (stay := maker.somebody(plan.key, month)):
        first = maker.day(month + timedelta(days=8), month + timedelta(days=24))
        other = next(group for group, _ in plan.classes if group != stay.groups[-1][1])
        if first > stay.groups[-1][0] and stay.group_on(first):
            stay.groups.append((first, other))
            maker.tell(e.ChangeClass(e.moment(first, 5), plan.key, stay.pupil, other, first))
    if maker.chance(60) and (stay := maker.somebody(plan.key, month)):
        _leave(maker, plan, stay, maker.day(max(month, stay.groups[-1][0]), e.end_of(month)))


def _leave(maker: Maker, plan: e.SchoolPlan, stay: Stay, last: date) -> None:
    state = maker.random.choice(_STATES)
    if maker.chance(15):
        maker.tell(e.Leave(e.moment(last, 16), plan.key, stay.pupil, last, state, approved=False, back=True))
        return
    stay.last = last
    approved, over = maker.chance(60), last
    maker.tell(e.Leave(e.moment(last, 16), plan.key, stay.pupil, last, state, approved=approved))
    if not approved:
        over = last + timedelta(days=maker.random.choice((2, 6, 20)))
        maker.tell(e.FinishLeaving(e.moment(over, 16), plan.key, stay.pupil))
    maker.leaving.append((plan.key, stay.pupil))
    been = {each.school for each in maker.stays if each.pupil == stay.pupil}
    others = [other for other in maker.plans if other.key not in been]
    if state == "transferred_out" and others and last < MAY - timedelta(days=20):
        other = maker.random.choice(others)
        _arrive(maker, other, stay.pupil, maker.random.choice(other.classes)[0], last + _ONE, e.moment(last + _ONE, 5))
    elif maker.chance(40):
        _come_back(maker, plan, stay.pupil, over + timedelta(days=maker.random.randint(7, 40)))


def _come_back(maker: Maker, plan: e.SchoolPlan, pupil: str, first: date) -> None:
    """Let a leaver begin again, with some of what it was registered for; not for the last weeks of a year."""
    if first > MAY - timedelta(days=20):
        return
    group = maker.random.choice(plan.classes)[0]
    held = [item.code for item in plan.items if (plan.key, pupil, item.code) in maker.registered]
    again = frozenset(code for code in held if maker.chance(70))
    maker.registered -= {(plan.key, pupil, code) for code in held if code not in again}
    maker.stays.append(Stay(pupil, plan.key, first, [(first, group)]))
    maker.tell(e.ComeBack(e.moment(first, 5), plan.key, pupil, group, first, again))


def _wishes(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Let families end and begin registrations, and get reductions."""
    for stay in maker.here(plan.key, month):
        for item in (item for item in plan.items if item.opt_in):
            key = plan.key, stay.pupil, item.code
            if key in maker.registered and maker.chance(4):
                last = maker.day(month + _ONE, e.end_of(month))
                maker.registered.discard(key)
                maker.tell(e.EndRegistration(e.moment(last, 10), plan.key, stay.pupil, item.code, last))
            elif key not in maker.registered and maker.chance(8):
                first = e.end_of(month) + _ONE
                if stay.last is None:
                    _register(maker, plan, stay.pupil, item.code, first, e.moment(e.end_of(month), 9))
    granted = {event.pupil for event in maker.told if isinstance(event, e.Reduce) and event.school == plan.key}
    if maker.chance(40) and (chosen := maker.somebody(plan.key, month)) and chosen.pupil not in granted:
        _grant(maker, plan, chosen, month, e.moment(month, 9))


def _attendance(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Tell of days off, absences in time and too late, and the end of the month."""
    cooked = school_days(month)
    if maker.chance(40):
        off = maker.random.choice(cooked)
        maker.off.add((plan.key, off))
        maker.tell(e.DayOff(e.moment(off - timedelta(days=maker.random.choice((1, 9))), 15), plan.key, off))
    open_days = [day for day in cooked if (plan.key, day) not in maker.off]
    for group, _ in plan.classes:
        for day in sorted(maker.random.sample(open_days, 3)):
            _tick(maker, plan, group, day)
    if maker.chance(60) and (stay := maker.somebody(plan.key, maker.random.choice(open_days))):
        there = [day for day in open_days if stay.group_on(day)]
        day = maker.random.choice(there)
        seen = e.end_of(month) + timedelta(days=4) if maker.chance(40) else day + _ONE
        if stay.last is None or seen <= stay.last:
            maker.tell(e.OfficeAbsence(e.moment(seen, 11), plan.key, stay.pupil, day, maker.chance(80)))
    closed = e.end_of(month) + _ONE
    for group, _ in plan.classes:
        late = timedelta(days=5) if maker.chance(10) else timedelta(0)
        maker.tell(e.Close(e.moment(closed + late, 8), plan.key, group, month))


def _tick(maker: Maker, plan: e.SchoolPlan, group: str, day: date) -> None:
    there = sorted(stay.pupil for stay in maker.here(plan.key, day) if stay.group_on(day) == group)
    absent = frozenset(maker.random.sample(there, min(len(there), maker.random.randint(0, 3))))
    hour = maker.random.choice((7, 7, 7, 9))
    maker.tell(e.Tick(e.moment(day, hour), plan.key, group, day, absent))
    if maker.chance(15):
        fewer = frozenset(sorted(absent)[1:])
        maker.tell(e.Tick(e.moment(day, hour, 30), plan.key, group, day, fewer))


def _round(maker: Maker, plan: e.SchoolPlan, first: date, last: date, issued: date) -> None:
    """Tell of a round: its issue, who pays, late arrivals, its meals, its corrections, its end."""
    code = code_of(first)
    meals = frozenset(day for month in e.months(first, last) for day in school_days(month))
    due = issued + timedelta(days=17)
    name = f"Đợt thu {code}" if first.month == last.month else f"Đợt thu từ {first:%m/%Y} đến {last:%m/%Y}"
    maker.tell(e.Issue(e.moment(issued, 9), plan.key, code, name, first, last, meals, due))
    pupils = [stay.pupil for stay in maker.here(plan.key, issued)]
    maker.tell(*payments(maker.random, plan.key, pupils, issued))
    _corrections(maker, plan, code, issued)
    maker.tell(e.Supplement(e.moment(issued + timedelta(days=20), 9), plan.key, f"{code}-BS", code, due + timedelta(9)))
    closed = max(e.end_of(last) + _ONE, issued)
    settled = closed if maker.chance(80) else closed + timedelta(days=10)
    maker.tell(e.SettleMeals(e.moment(settled, 14), plan.key, code))
    if maker.chance(50):
        maker.tell(e.SettleMeals(e.moment(closed + timedelta(days=24), 14), plan.key, code))
    maker.tell(e.Lock(e.moment(max(closed, issued) + timedelta(days=50), 15), plan.key, code))
    if any(plan.item(price.item).unit in e.RARE and first <= price.first <= last for price in plan.prices):
        _late_items(maker, plan, code, last)


def _late_items(maker: Maker, plan: e.SchoolPlan, code: str, last: date) -> None:
    """Tell who asks, three times in the year, what those who came late pay of a round, and of bills taken back."""
    for number, (soonest, latest) in enumerate(((25, 45), (70, 100), (125, 170)), start=1):
        asked = maker.day(last + timedelta(days=soonest), last + timedelta(days=latest))
        if asked > MAY:
            return
        maker.tell(e.ChooseLate(e.moment(asked, 11), plan.key, code, maker.random.randrange(60)))
        billed, supplement = asked + timedelta(days=maker.random.choice((0, 2, 9))), f"{code}-TB{number}"
        maker.tell(e.Supplement(e.moment(billed, 12), plan.key, supplement, code, billed + timedelta(days=14)))
        maker.tell(e.TakeBackLate(e.moment(billed + timedelta(days=2), 10), plan.key, supplement,
                                  maker.random.randrange(60), maker.chance(50)))  # fmt: skip


def _corrections(maker: Maker, plan: e.SchoolPlan, code: str, issued: date) -> None:
    def later(first: int, last: int) -> datetime:
        return e.moment(maker.day(issued + timedelta(first), issued + timedelta(last)), 10)

    item = maker.random.choice(plan.items)
    if maker.chance(50) and (stay := maker.somebody(plan.key, issued)):
        maker.tell(e.LowerLine(later(1, 25), plan.key, code, stay.pupil, item.code, maker.random.randint(1, 100)))
    if maker.chance(20):
        cheaper = max(price.amount for price in plan.prices if price.item == item.code) * 9 // 10
        maker.tell(e.LowerPrice(later(1, 25), plan.key, code, item.code, cheaper))
    if maker.chance(60) and (stay := maker.somebody(plan.key, issued)):
        maker.tell(e.TakeBack(later(1, 15), plan.key, code, stay.pupil, replace=maker.chance(50)))


def _money_back(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Tell of refunds that go well, are refused or taken back, and of credit that is used by hand."""
    ways = (("approve", "pay"), ("approve", "pay"), ("reject",), ("approve", "take_back"), ("approve", "sent"), ())
    if maker.chance(40) and (stay := maker.somebody(plan.key, month)):
        day = maker.day(month + _ONE, e.end_of(month))
        maker.tell(e.Refund(e.moment(day, 15, 30), plan.key, stay.pupil, maker.random.choice(ways)))
    if maker.chance(30) and (stay := maker.somebody(plan.key, month)):
        day = maker.day(month + _ONE, e.end_of(month))
        maker.tell(e.UseCredit(e.moment(day, 15, 45), plan.key, stay.pupil, freely=maker.chance(50)))


def _summer(maker: Maker, plan: e.SchoolPlan, month: date) -> None:
    """Tell of the months without rounds: late money, refunds, and the last grade's leftovers."""
    everybody = sorted({stay.pupil for stay in maker.stays if stay.school == plan.key})
    for pupil in everybody:
        if maker.chance(40):
            at = e.moment(maker.day(month, e.end_of(month)), maker.random.randint(8, 19))
            way = maker.random.choice(("qr", "cash"))
            maker.tell(e.Pay(at, plan.key, (pupil,), way, maker.random.choice((100, 100, 60))))
    if month.month in {6, 8}:
        maker.tell(e.RefundGraduates(e.moment(month + timedelta(days=24), 9), plan.key, ("5A",)))
    if month.month == 8:
        written = e.moment(month + timedelta(days=27), 9)
        maker.tell(*(e.WriteOff(written, plan.key, maker.random.randrange(100)) for _ in range(2)))
    for pupil in maker.random.sample(everybody, 3):
        at = e.moment(maker.day(month, e.end_of(month)), 15)
        maker.tell(e.Refund(at, plan.key, pupil, ("approve", "pay")))


def _end(maker: Maker, month: date) -> None:
    """Deal with what still waits, and look at everything once more."""
    after = e.end_of(month) + timedelta(days=1)
    for school, pupil in maker.leaving:
        maker.tell(e.FinishLeaving(e.moment(after + timedelta(days=25), 9), school, pupil))
    if month.replace(day=1) == LAST.replace(day=1):
        signed = e.moment(after + timedelta(days=26), 9)
        maker.tell(*(e.OpenYear(signed, plan.key, "2026-2027") for plan in maker.plans))
    maker.tell(e.Look(e.moment(after + timedelta(days=27), 20), "", whole=True))
    limit = e.moment(after + timedelta(days=28), 0)
    maker.told = [event for event in maker.told if event.at < limit]
