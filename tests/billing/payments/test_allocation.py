"""Tests of splitting money over bills."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO, Money, total
from billing.payments.allocation import Part, allocate

moneys = st.integers(0, 10**9).map(Money)


def test_the_first_listed_is_filled_first() -> None:
    parts, left = allocate(Money(150), [("old", Money(100)), ("paid", Money(0)), ("new", Money(80))])

    assert parts == (Part("old", Money(100)), Part("new", Money(50)))
    assert left == ZERO


def test_what_is_too_much_is_left_over() -> None:
    assert allocate(Money(150), [("a", Money(100))]) == ((Part("a", Money(100)),), Money(50))
    assert allocate(Money(150), []) == ((), Money(150))


@pytest.mark.parametrize(("amount", "rest"), [(-1, 5), (5, -1)])
def test_nothing_is_below_zero(amount: int, rest: int) -> None:
    with pytest.raises(ValueError, match="below 0"):
        allocate(Money(amount), [("a", Money(rest))])


@given(moneys, st.lists(moneys, max_size=8))
def test_parts_and_rest_add_up_and_no_bill_gets_more_than_its_rest(amount: Money, rests: list[Money]) -> None:
    parts, left = allocate(amount, list(enumerate(rests)))

    assert total(part.amount for part in parts) + left == amount
    assert all(ZERO < part.amount <= rests[part.bill] for part in parts)
    assert left == max(ZERO, amount - total(rests))
    filled = [part.bill for part in parts if part.amount == rests[part.bill]]
    assert filled == [part.bill for part in parts][: len(filled)], "only the last one may be partly paid"


@given(moneys, moneys, st.lists(moneys, max_size=6))
def test_two_payments_fill_as_one_does(first: Money, second: Money, rests: list[Money]) -> None:
    bills = list(enumerate(rests))
    paid = dict.fromkeys(range(len(rests)), ZERO)
    parts, left = allocate(first, bills)
    for part in parts:
        paid[part.bill] += part.amount
    more, more_left = allocate(second, [(bill, rest - paid[bill]) for bill, rest in bills])
    for part in more:
        paid[part.bill] += part.amount
    at_once, left_at_once = allocate(first + second, bills)

    assert {part.bill: part.amount for part in at_once} == {bill: sum_ for bill, sum_ in paid.items() if sum_}
    assert left + more_left == left_at_once
