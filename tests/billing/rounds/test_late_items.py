"""Properties of what is asked about for a pupil who came when a round was over."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.fees.charges import Period, Registration, Schedule
from billing.fees.charging import charge_pupil
from billing.fees.items import RARE_UNITS, FeeItem, Ownership, Price, Quantity, Span, Unit
from billing.money import Money
from billing.rounds.late_items import as_if_there, only_these, open_items
from tests.factories.fees import item, percent, price, pupil

SEPTEMBER = Span(date(2025, 9, 1), date(2025, 9, 30))
OCTOBER = Span(date(2025, 10, 1), date(2025, 10, 31))
PERIOD = Period("2025-09", "Tháng 9/2025", SEPTEMBER)
CODES = ("A", "B", "C", "D", "E")
units = st.sampled_from([Unit.MONTH, Unit.TERM, Unit.YEAR, Unit.ONCE])
codes = st.frozensets(st.sampled_from(CODES))


def priced(code: str, unit: Unit, month: Span, dong: int, *, opt_in: bool) -> Price:
    of: FeeItem = item(code, unit=unit, opt_in=opt_in)
    rule = Quantity.REGISTERED if opt_in else Quantity.FIXED
    return price(of, dong, month, quantity=rule)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Draw up to five items, each with a price of September or of October."""
    months, sums = st.sampled_from([SEPTEMBER, OCTOBER]), st.integers(1, 500_000)
    kept = [code for code in CODES if draw(st.booleans())]
    return Schedule(
        Ownership.PRIVATE,
        tuple(priced(code, draw(units), draw(months), draw(sums), opt_in=draw(st.booleans())) for code in kept),
    )


@given(schedules(), st.integers(-40, 200), codes, codes, st.integers(1, 100))
def test_only_what_was_over_is_offered_and_it_costs_what_a_classmate_paid(
    schedule: Schedule, days_after: int, registered: frozenset[str], closed: frozenset[str], off: int
) -> None:
    """The pupil comes so many days after the month; a classmate was there, registered and reduced alike."""
    came = Span(date(2025, 9, 30) + timedelta(days=days_after))
    asked = tuple(Registration(code, came, 2) for code in sorted(registered))
    reduction = percent(off, valid=Span(date(2025, 1, 1)))
    late = pupil(1, reduction, enrolled=(came,), registrations=asked)
    offered = open_items(late, SEPTEMBER, schedule.prices, closed)
    expected = {
        each.item.code
        for each in schedule.prices
        if each.item.unit in RARE_UNITS and each.valid == SEPTEMBER
        if each.item.code in registered or not each.item.opt_in
        if each.item.code not in closed
    }
    assert {each.item.code for each in offered} == (expected if days_after > 0 else set())

    there = tuple(Registration(code, SEPTEMBER, 2) for code in sorted(registered))
    classmate = pupil(2, reduction, enrolled=(SEPTEMBER,), registrations=there)
    usual = {line.item.code: line.family_share for line in charge_pupil(classmate, PERIOD, schedule).lines}
    charge = charge_pupil(as_if_there(late, SEPTEMBER), PERIOD, only_these(schedule, offered))
    assert {line.item.code: line.family_share for line in charge.lines} == {
        each.item.code: usual[each.item.code] for each in offered
    }


def test_a_reduction_that_came_to_an_end_before_the_pupil_came_counts_no_more() -> None:
    """What held only in September was another school's child's; what holds on the first day counts."""
    book = price(item("SACH", unit=Unit.YEAR), 100_000, SEPTEMBER)
    came, schedule = Span(date(2025, 11, 3)), Schedule(Ownership.PRIVATE, (book,))
    was, holds = percent(50, id="was", valid=SEPTEMBER), percent(20, id="holds", valid=Span(date(2025, 11, 1)))
    late = pupil(1, was, holds, enrolled=(came,))
    charge = charge_pupil(as_if_there(late, SEPTEMBER), PERIOD, schedule)
    assert charge.family_due == Money(80_000)


def test_two_stays_count_from_the_first() -> None:
    """Who was there on one of the days is none of it, also after a return."""
    book = price(item("SACH", unit=Unit.YEAR), 100_000, SEPTEMBER)
    twice = pupil(1, enrolled=(Span(date(2025, 9, 1), date(2025, 9, 12)), Span(date(2025, 11, 3))))
    assert open_items(twice, SEPTEMBER, (book,)) == ()
