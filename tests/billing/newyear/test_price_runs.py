"""Which prices go on: every run once, at its last price, one year on; nothing is made of nothing."""

from __future__ import annotations

from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from billing.fees.items import FeeItem, Group, Price, Span, Unit
from billing.money import Money
from billing.newyear.price_runs import carried_prices, raised
from billing.newyear.years import days_of

LAST_YEAR = days_of("2025-2026")
FIRST_DAY = date(2026, 9, 1)
WATER = FeeItem("NUOC", "Nước uống", Group.AGREED, Unit.MONTH, "1", "TT", "3388")
INSURANCE = FeeItem("BHYT", "BHYT", Group.PASS_THROUGH, Unit.ONCE, "1", "TT", "3388")


def month(first: int, last: int | None = None) -> Span:
    """Return months of the school year, counted from September 2025."""

    def starts(number: int) -> date:
        return date(2025 + (number + 8) // 12, (number + 8) % 12 + 1, 1)

    ends = None if last is None else starts(last + 1).toordinal() - 1
    return Span(starts(first), None if ends is None else date.fromordinal(ends))


def test_following_prices_are_one_run_and_apart_they_are_two() -> None:
    run = [Price(WATER, Money(10_000), month(0, 3)), Price(WATER, Money(12_000), month(4, 8))]
    (one,) = carried_prices(run, LAST_YEAR, FIRST_DAY)
    assert (one.price.amount, one.days) == (Money(12_000), Span(date(2026, 9, 1), date(2027, 5, 31)))
    twice = [Price(INSURANCE, Money(300_000), month(0, 0)), Price(INSURANCE, Money(600_000), month(4, 4))]
    assert [(each.price.amount.dong, each.days.start) for each in carried_prices(twice, LAST_YEAR, FIRST_DAY)] == [
        (300_000, date(2026, 9, 1)),
        (600_000, date(2027, 1, 1)),
    ]


def test_what_has_no_end_goes_on_and_what_reaches_over_by_its_own_days_is_left() -> None:
    (one,) = carried_prices([Price(WATER, Money(10_000), month(0))], LAST_YEAR, FIRST_DAY)
    assert (one.goes_on, one.days) == (True, Span(FIRST_DAY))
    assert carried_prices([Price(WATER, Money(10_000), month(0, 20))], LAST_YEAR, FIRST_DAY) == []
    assert carried_prices([Price(WATER, Money(10_000), month(-24, -14))], LAST_YEAR, FIRST_DAY) == []


@given(
    lengths=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 90)), min_size=1, max_size=5),
    chance=st.randoms(use_true_random=False),
)
def test_runs_in_any_order_are_the_runs_of_the_year(lengths: list[tuple[int, int, int]], chance: Random) -> None:
    prices, at = [], 0
    for gap, more, amount in lengths:
        if at + gap + more > 10:
            break
        prices.append(Price(WATER, Money(amount * 1_000), month(at + gap, at + gap + more)))
        at += gap + more + 1
    carried = carried_prices(prices, LAST_YEAR, FIRST_DAY)
    runs = 1 + sum(gap > 0 for gap, _, _ in lengths[1 : len(prices)]) if prices else 0
    assert len(carried) == runs
    assert len({each.key for each in carried}) == len(carried)
    if carried:
        assert carried[-1].price == prices[-1]
    shuffled = list(prices)
    chance.shuffle(shuffled)
    assert carried_prices(shuffled, LAST_YEAR, FIRST_DAY) == carried


@given(amount=st.integers(1, 10**8), percent=st.integers(0, 100))
def test_a_raise_is_near_its_share_and_whole_thousands(amount: int, percent: int) -> None:
    risen = raised(Money(amount), percent)
    if percent == 0:
        assert risen == Money(amount)
    else:
        assert risen.dong % 1000 == 0
        assert abs(risen.dong * 100 - amount * (100 + percent)) <= 50_100
