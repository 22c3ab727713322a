"""Tests of money: refusals when built, and that no đồng is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO, Money, total

AMOUNTS = st.integers(-(10**13), 10**13).map(Money)


@pytest.mark.parametrize("wrong", [1.0, "1", True, None])
def test_money_refuses_what_is_no_whole_number(wrong: object) -> None:
    with pytest.raises(TypeError):
        Money(wrong)  # type: ignore[arg-type]  # that is the test


@given(AMOUNTS, st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_a_split_loses_nothing_and_is_fair(amount: Money, weights: list[int]) -> None:
    parts = amount.split(weights)
    assert total(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.dong * sum(weights) - amount.dong * weight) < sum(weights)


@given(AMOUNTS, AMOUNTS)
def test_adding_and_taking_away(one: Money, other: Money) -> None:
    assert one + other - other == one
    assert one - one == ZERO
    assert one + -one == ZERO


@given(AMOUNTS, st.integers(0, 100))
def test_a_percentage_is_right_to_half_a_dong(amount: Money, percent: int) -> None:
    assert abs(amount.percent(percent).dong * 100 - amount.dong * percent) <= 50


def test_families_read_points_between_thousands() -> None:
    assert str(Money(1_250_000)) == "1.250.000 đ"
