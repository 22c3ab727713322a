"""Tests of what counts as a difference between feeds, and of ages."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money, total
from reconciliation.differences.differing import Kind, Movement, Teller, by_age, differences

TODAY = date(2025, 10, 20)
CALL, LIST, FILE = Teller.CALLBACK, Teller.LIST, Teller.STATEMENT


@pytest.mark.parametrize(
    ("tellers", "covered", "called", "kinds"),
    [
        ({CALL, FILE}, True, True, ()),
        ({CALL}, False, True, ()),  # no statement covers the day yet
        ({CALL}, True, True, (Kind.NOT_ON_STATEMENT,)),
        ({FILE}, True, True, (Kind.NEVER_CALLED,)),
        ({FILE}, True, False, ()),  # an account without callbacks
        ({LIST}, False, True, (Kind.ONLY_LISTED,)),
        ({LIST, FILE}, True, True, (Kind.ONLY_LISTED,)),
        ({LIST}, True, True, (Kind.NOT_ON_STATEMENT, Kind.ONLY_LISTED)),
        ({LIST, CALL}, True, True, (Kind.NOT_ON_STATEMENT,)),
    ],
)
def test_a_difference_is_what_a_feed_should_have_told(
    tellers: set[Teller], *, covered: bool, called: bool, kinds: tuple[Kind, ...]
) -> None:
    movement = Movement(TODAY, Money(50_000), frozenset(tellers), covered=covered, called=called)
    assert differences(movement) == kinds


movements = st.builds(
    Movement,
    day=st.integers(0, 40).map(lambda days: TODAY - timedelta(days=days)),
    amount=st.sampled_from([Money(50_000), Money(70_000)]),
    tellers=st.sets(st.sampled_from(Teller), min_size=1).map(frozenset),
    covered=st.booleans(),
    called=st.booleans(),
)


def told(rows: list[Movement]) -> Counter[tuple[Kind, date, Money]]:
    """Return how many differences of each kind, day and sum there are: two equal ones are two."""
    return Counter((kind, each.day, each.amount) for each in rows for kind in differences(each))


@given(st.lists(movements), st.randoms())
def test_the_order_of_movements_means_nothing(rows: list[Movement], chance: Random) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)
    assert told(rows) == told(mixed)
    assert by_age(rows, TODAY) == by_age(mixed, TODAY)


@given(st.lists(movements))
def test_every_movement_has_one_age(rows: list[Movement]) -> None:
    ages = by_age(rows, TODAY)
    assert sum(each.count for each in ages) == len(rows)
    assert total(each.amount for each in ages) == total(each.amount for each in rows)
    assert [(each.first, each.last) for each in ages] == [(0, 1), (2, 3), (4, 7), (8, None)]


@given(movements)
def test_a_further_teller_never_makes_a_new_difference_but_uncovers_none(movement: Movement) -> None:
    all_told = Movement(movement.day, movement.amount, frozenset(Teller), movement.covered, movement.called)
    assert differences(all_told) == ()
    assert len(differences(movement)) <= 2
    if not movement.covered and not movement.called:
        assert differences(movement) == ()
