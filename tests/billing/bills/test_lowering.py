"""Credit notes: a lower price lowers everybody's share, and no line gives more than it has."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.bills.lowering import BilledLine, Off, Taken, by_amount, notes, to_price, to_quantity, to_used
from billing.errors import Refused
from billing.money import ZERO, Money, total


def line(quantity: int, price: int, *taken: Taken, family_off: int = 0, state_off: int = 0) -> BilledLine:
    """Bill a line as the rules do: each reduction takes at most what is left."""
    gross = left = quantity * price
    kept = []
    for each in taken:
        wanted = Money(gross).percent(each.percent) if each.percent is not None else each.amount
        amount = min(left, wanted.dong)
        left -= amount
        kept.append(Taken(each.payer, each.percent, Money(amount)))
    return BilledLine(7, quantity, Money(price), Money(left), tuple(kept), Money(family_off), Money(state_off))


HALF = Taken("state", 50, ZERO)
TAKEN = st.lists(
    st.builds(
        Taken,
        st.sampled_from(["state", "school", "donor"]),
        st.one_of(st.none(), st.integers(1, 100)),
        st.integers(0, 500_000).map(Money),
    ),
    max_size=4,
)


def test_who_pays_all_of_it_falls_by_the_whole_difference() -> None:
    assert to_price(line(1, 425_000), Money(400_000)) == Off(7, Money(25_000))
    assert to_price(line(22, 32_000), Money(30_000)) == Off(7, Money(44_000))


def test_a_half_exempt_line_falls_by_half_and_the_state_by_the_other() -> None:
    assert to_price(line(1, 425_000, HALF), Money(400_000)) == Off(7, Money(12_500), Money(12_500))


def test_a_second_lowering_takes_off_only_what_is_new() -> None:
    once = line(1, 425_000, HALF, family_off=12_500, state_off=12_500)
    assert to_price(once, Money(390_000)) == Off(7, Money(5_000), Money(5_000))
    assert not to_price(once, Money(400_000))


def test_half_a_month_costs_half_of_the_lower_price() -> None:
    """A month at 425,000 was 212,500 for who came after the 15th; at 400,000 it is 200,000."""
    half = replace(line(1, 212_500), half=True)
    assert to_price(half, Money(400_000)) == Off(7, Money(12_500))
    assert not to_price(half, Money(425_000))
    lowered = replace(half, lower_price=Money(400_000), family_off=Money(12_500))
    assert not to_quantity(lowered, 1)
    assert to_quantity(lowered, 0) == Off(7, Money(200_000))


def test_a_price_that_is_not_lower_changes_nothing() -> None:
    assert not to_price(line(1, 425_000), Money(425_000))
    assert not to_price(line(1, 425_000, HALF), Money(500_000))


@given(st.integers(0, 30), st.integers(0, 10**7), st.integers(0, 10**7), TAKEN)
def test_a_lower_price_is_billed_as_if_it_had_been_the_price(
    quantity: int, price: int, lower: int, taken: list[Taken]
) -> None:
    billed = line(quantity, price, *taken)
    again = line(quantity, min(price, lower), *taken)
    off = to_price(billed, Money(lower))
    assert billed.family_share - off.family == again.family_share
    assert billed.by_state - off.state == again.by_state


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 10**6), TAKEN)
def test_units_not_used_are_billed_as_if_they_had_never_been(
    quantity: int, used: int, price: int, taken: list[Taken]
) -> None:
    billed = line(quantity, price, *taken)
    again = line(min(used, quantity), price, *taken)
    off = to_quantity(billed, used)
    assert billed.family_share - off.family == again.family_share
    assert billed.by_state - off.state == again.by_state
    left = BilledLine(7, quantity, billed.unit_price, billed.family_share, billed.taken, off.family, off.state)
    assert not to_quantity(left, used)


def test_a_lower_price_and_fewer_units_are_multiplied() -> None:
    cheaper = BilledLine(7, 20, Money(20_000), Money(400_000), family_off=Money(200_000), used=10)
    assert to_price(cheaper, Money(15_000)) == Off(7, Money(50_000)), "150,000 stay: ten days at 15,000"
    fewer = BilledLine(7, 20, Money(20_000), Money(400_000), family_off=Money(100_000), lower_price=Money(15_000))
    assert to_quantity(fewer, 10) == Off(7, Money(150_000))


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 10**6), st.integers(0, 10**6), TAKEN)
def test_price_and_units_fall_to_the_same_in_either_order(
    quantity: int, used: int, price: int, lower: int, taken: list[Taken]
) -> None:
    billed = line(quantity, price, *taken)
    price_first = to_price(billed, Money(lower))
    then = replace(billed, family_off=price_first.family, state_off=price_first.state, lower_price=Money(lower))
    units_first = to_quantity(billed, used)
    after = replace(billed, family_off=units_first.family, state_off=units_first.state, used=used)
    again = line(min(used, quantity), min(price, lower), *taken)
    for first, second in ((price_first, to_quantity(then, used)), (units_first, to_price(after, Money(lower)))):
        assert billed.family_share - first.family - second.family == again.family_share
        assert billed.by_state - first.state - second.state == again.by_state


def used_of(billed: BilledLine, family: Money, state: Money) -> BilledLine:
    """Let an approved leaving take these parts of the shares as billed off a line."""
    off = to_used(billed, family, state)
    return replace(
        billed, family_off=billed.family_off + off.family, state_off=billed.state_off + off.state,
        unused=billed.unused + family, unused_state=billed.unused_state + state,
    )  # fmt: skip


def cheaper(billed: BilledLine, price: int) -> BilledLine:
    """Let an approved correction lower the price of a line."""
    off = to_price(billed, Money(price))
    return replace(
        billed, family_off=billed.family_off + off.family, state_off=billed.state_off + off.state,
        lower_price=min(Money(price), billed.unit_price if billed.lower_price is None else billed.lower_price),
    )  # fmt: skip


def test_half_a_month_used_is_half_of_the_lower_price_in_either_order() -> None:
    """Boarding of 300,000 was used for half a month, and costs 200,000 by a later decision: 100,000 stay."""
    billed = line(1, 300_000)
    for done in (
        cheaper(used_of(billed, Money(150_000), ZERO), 200_000),
        used_of(cheaper(billed, 200_000), Money(150_000), ZERO),
    ):
        assert done.family_share - done.family_off == Money(100_000)


@given(st.integers(1, 5), st.integers(1, 10**6), st.lists(st.integers(0, 10**6), max_size=3), TAKEN, st.data())
def test_a_leaving_and_lower_prices_come_to_the_same_in_any_order(
    quantity: int, price: int, lower: list[int], taken: list[Taken], data: st.DataObject
) -> None:
    billed = line(quantity, price, *taken)
    family = Money(data.draw(st.integers(0, billed.family_share.dong)))
    state = Money(data.draw(st.integers(0, billed.by_state.dong)))
    acts: list[Callable[[BilledLine], BilledLine]] = [lambda each: used_of(each, family, state)]
    acts += [partial(cheaper, price=to) for to in lower]
    ends = set()
    for order in permutations(acts):
        done = billed
        for act in order:
            done = act(done)
            assert ZERO <= done.family_off <= done.family_share
            assert ZERO <= done.state_off <= done.by_state
        ends.add((done.family_off, done.state_off))
    assert len(ends) == 1
    [(family_off, state_off)] = ends
    if not any(to < price for to in lower):
        assert (family_off, state_off) == (family, state), "at the price as billed nothing is rounded"


def test_a_percentage_of_one_month_in_three_stays_that() -> None:
    quarter = BilledLine(7, 3, Money(100_000), Money(250_000), (Taken("state", 50, Money(50_000)),))
    assert to_price(quarter, Money(80_000)) == Off(7, Money(50_000), Money(10_000))


@given(st.lists(st.integers(0, 10**6), max_size=6), st.integers(0, 5 * 10**6))
def test_what_is_open_goes_first_and_nothing_is_lost(offs: list[int], rest: int) -> None:
    made = notes([Off(place, Money(amount)) for place, amount in enumerate(offs)], Money(rest))
    assert [note.off_rest.dong + note.to_credit.dong for note in made] == offs
    assert total(note.off_rest for note in made) == Money(min(rest, sum(offs)))


@pytest.mark.parametrize("amount", [0, -1, 400_001])
def test_no_line_gives_more_than_it_has(amount: int) -> None:
    with pytest.raises(Refused, match=r"từ 1 đ đến 400\.000 đ"):
        by_amount(line(1, 425_000, family_off=25_000), Money(amount))
    assert by_amount(line(1, 425_000, family_off=25_000), Money(400_000)) == Off(7, Money(400_000))


def test_a_price_below_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="không được âm"):
        to_price(line(1, 5), Money(-1))
