"""Tests of what notes come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.cash.denominations import DENOMINATIONS, counted
from billing.money import Money

NOTES = st.dictionaries(st.sampled_from(DENOMINATIONS), st.integers(0, 500))


@given(one=NOTES, other=NOTES)
def test_two_bundles_together_are_what_each_is(one: dict[int, int], other: dict[int, int]) -> None:
    both = {face: one.get(face, 0) + other.get(face, 0) for face in one.keys() | other.keys()}
    assert counted(both) == counted(one) + counted(other)


def test_what_is_no_note_or_number() -> None:
    assert counted({500_000: 2, 1_000: 3}) == Money(1_003_000)
    for notes in ({3_000: 1}, {1_000: -1}, {1_000: 100_001}):
        with pytest.raises(ValueError, match="notes of"):
            counted(notes)
