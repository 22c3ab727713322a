"""Ids that sort by the moment they were made at, one by one and many at once."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.storage import new_id, new_ids

_MILLISECOND = 1_000_000


def demand_version_7(made: UUID, earliest: int, latest: int) -> None:
    """Demand the marks of RFC 9562 and the moment, in milliseconds since 1970."""
    assert (made.version, made.variant) == (7, RFC_4122)
    assert earliest <= made.int >> 80 <= latest


@given(st.integers(0, 300))
def test_many_ids_are_as_one_by_one(count: int) -> None:
    earliest = time.time_ns() // _MILLISECOND
    made = [*new_ids(count), new_id()]
    latest = time.time_ns() // _MILLISECOND
    assert len(set(made)) == count + 1
    for each in made:
        demand_version_7(each, earliest, latest)


def test_what_is_drawn_at_random_differs_from_id_to_id() -> None:
    random_bits = [(each.int & (1 << 62) - 1) for each in new_ids(500)]
    assert len(set(random_bits)) == len(random_bits)
