"""Short ways to write items, prices, reductions and pupils, and Hypothesis strategies for them."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from billing.fees.charges import Period, PupilFacts, Registration, Schedule
from billing.fees.items import (
    FeeItem,
    Group,
    Level,
    Ownership,
    PartMonth,
    Payer,
    Price,
    Quantity,
    Reduction,
    Span,
    Unit,
)
from billing.money import Money

SCHOOL_YEAR = Span(date(2025, 9, 1), date(2026, 5, 31))
OCTOBER = Span(date(2025, 10, 1), date(2025, 10, 31))


def weekdays(days: Span) -> frozenset[date]:
    """Return Monday to Friday within the days."""
    assert days.end is not None
    count = (days.end - days.start).days + 1
    every = (days.start + timedelta(days=each) for each in range(count))
    return frozenset(day for day in every if day.weekday() < 5)


def period(days: Span = OCTOBER, code: str = "2025-10") -> Period:
    """Return a period with meals on its weekdays."""
    return Period(code, "Tháng 10/2025", days, weekdays(days))


def item(  # noqa: PLR0913  each is a field worth varying
    code: str = "NUOCUONG",
    *,
    group: Group = Group.AGREED,
    unit: Unit = Unit.MONTH,
    account: str = "main",
    name: str = "",
    opt_in: bool = False,
) -> FeeItem:
    """Return an item; the name is the code unless given."""
    return FeeItem(code, name or code, group, unit, account, "Thỏa thuận", "531", opt_in)


def price(of: FeeItem, dong: int, valid: Span = SCHOOL_YEAR, **other: Any) -> Price:  # noqa: ANN401  any field of Price
    """Return a price for the school year; meals follow the meal days."""
    rule = Quantity.MEAL_DAYS if of.unit is Unit.MEAL_DAY else Quantity.FIXED
    return Price(of, Money(dong), valid, **{"quantity": rule, **other})


def percent(  # noqa: PLR0913  each is a field worth varying
    of: int,
    payer: Payer = Payer.STATE,
    *,
    id: str = "",  # noqa: A002  the field's name
    items: tuple[str, ...] = (),
    groups: tuple[Group, ...] = (),
    valid: Span = SCHOOL_YEAR,
    from_sibling: int = 1,
) -> Reduction:
    """Return a reduction by percent; for every group unless items or groups are given."""
    return Reduction(
        id=id or f"{payer}-{of}",
        title="Hộ nghèo",
        payer=payer,
        valid=valid,
        legal_basis="Nghị định 238/2025/NĐ-CP",
        percent=of,
        items=frozenset(items),
        groups=frozenset(groups if items or groups else Group),
        from_sibling=from_sibling,
    )


def amount_off(dong: int, code: str, payer: Payer = Payer.DONOR, valid: Span = SCHOOL_YEAR) -> Reduction:
    """Return a reduction by so many đồng a month of one item."""
    return Reduction(
        id=f"{payer}-{code}-{dong}",
        title="Học bổng",
        payer=payer,
        valid=valid,
        legal_basis="Quyết định của nhà trường",
        amount=Money(dong),
        items=frozenset({code}),
    )


def pupil(
    number: int = 1,
    *reductions: Reduction,
    enrolled: tuple[Span, ...] = (SCHOOL_YEAR,),
    registrations: tuple[Registration, ...] = (),
    sibling_order: int = 1,
    class_name: str = "1A",
) -> PupilFacts:
    """Return a pupil of class 1A for the whole school year."""
    return PupilFacts(
        pupil_id=UUID(int=number),
        level=Level.PRIMARY,
        grade=1,
        class_name=class_name,
        enrolled=enrolled,
        registrations=registrations,
        reductions=reductions,
        sibling_order=sibling_order,
    )


def public(*prices: Price, reductions: tuple[Reduction, ...] = ()) -> Schedule:
    """Return the schedule of a public school."""
    return Schedule(Ownership.PUBLIC, prices, reductions)


def private(*prices: Price, reductions: tuple[Reduction, ...] = ()) -> Schedule:
    """Return the schedule of a private school."""
    return Schedule(Ownership.PRIVATE, prices, reductions)


# What follows makes arbitrary schools: several accounts, groups, payers, overlapping and late dates.

_CODES = ("A1", "B2", "C3", "D4", "E5", "F6")
# Often all on one account, so that a bill of many lines is seen too.
_ACCOUNTS = (("main",), ("main", "meals", "insurance"))
_DONG = st.integers(1, 50_000_000)
_GROUPS = st.sampled_from([group for group in Group if group is not Group.DONATION])


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Draw days around the school year, some without an end."""
    start = SCHOOL_YEAR.start + timedelta(days=draw(st.integers(-40, 280)))
    length = draw(st.one_of(st.none(), st.integers(0, 200)))
    return Span(start, None if length is None else start + timedelta(days=length))


@st.composite
def prices(draw: st.DrawFn) -> tuple[Price, ...]:
    """Draw up to six prices of different items, by month or by meal."""
    made = []
    accounts = draw(st.sampled_from(_ACCOUNTS))
    for code in draw(st.lists(st.sampled_from(_CODES), unique=True, min_size=1, max_size=6)):
        unit = draw(st.sampled_from([Unit.MONTH, Unit.MEAL_DAY]))
        account, opt_in = draw(st.sampled_from(accounts)), draw(st.booleans())
        of = item(code, group=draw(_GROUPS), unit=unit, account=account, opt_in=opt_in)
        part = draw(st.sampled_from(PartMonth)) if unit is Unit.MONTH else PartMonth.WHOLE
        made.append(price(of, draw(_DONG), part_month=part))
    return tuple(made)


@st.composite
def reductions(draw: st.DrawFn) -> tuple[Reduction, ...]:
    """Draw up to five reductions with ids of their own."""
    payers = st.sampled_from([Payer.STATE, Payer.SCHOOL, Payer.DONOR])
    made: list[Reduction] = []
    for number in range(draw(st.integers(0, 5))):
        valid, code = draw(spans()), draw(st.sampled_from(_CODES))
        if draw(st.booleans()):
            groups = tuple(draw(st.sets(_GROUPS, max_size=2)))
            made.append(
                percent(
                    draw(st.integers(1, 100)),
                    draw(payers),
                    id=f"r{number}",
                    items=(code,),
                    groups=groups,
                    valid=valid,
                    from_sibling=draw(st.integers(1, 3)),
                )
            )
        else:
            made.append(amount_off(draw(_DONG) + number, code, draw(payers), valid))
    return tuple({each.id: each for each in made}.values())


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Draw the schedule of a public or private school."""
    return Schedule(draw(st.sampled_from(Ownership)), draw(prices()))


@st.composite
def pupils(draw: st.DrawFn) -> PupilFacts:
    """Draw a pupil who may come late, leave, come back, and register for anything."""
    stays = st.one_of(st.just(SCHOOL_YEAR), spans())
    wanted = draw(st.lists(st.tuples(st.sampled_from(_CODES), stays), max_size=4))
    return pupil(
        draw(st.integers(1, 10_000)),
        *draw(reductions()),
        enrolled=tuple(draw(st.lists(stays, min_size=1, max_size=2))),
        registrations=tuple(Registration(code, days) for code, days in wanted),
        sibling_order=draw(st.integers(1, 4)),
    )
