"""Tests of telling movements apart: what speaks against one movement is never outweighed by an equal sum."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.pairing import Told, likeness, pair, told
from tests.reconciliation.matching_builders import reference

MORNING = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
A, B = reference(1), reference(2)


def message(memo: str = "", number: str | None = None, *, day: int = 0, booked: bool = False) -> Told:
    at = MORNING + timedelta(days=day)
    return told(at.date(), at, memo, number, booked=booked)


@pytest.mark.parametrize(
    ("one", "other", "may_be_one"),
    [
        (message(A), message(B), False),
        (message(A, "FT25279000001"), message(B, "FT25279000001"), False),
        (message("hoc phi", "FT25279000001"), message("hoc phi", "FT25279000002"), False),
        (message("hoc phi", "FT25279000001"), message("hoc phi", "5279.17"), True),
        (message("hoc phi", "17"), message("hoc phi", "18"), True),
        (message(f"{A} lop 6A tu NGUYEN VAN PHU"), message(f"ck {A.lower()} lop 6A"), True),
        (message(f"lop 6A {A}"), message(f"lop 6A {A[:6]}"), True),
        (message(A), message(""), True),
        (message(A), message("gia dinh khac nop tien"), False),
        (message("hoc phi"), message("hoc phi", day=1), True),
        (message(A), message(f"ck {A}", day=1), True),
        (message(A, booked=True), message(A, day=1, booked=True), False),
        (message("gia dinh mot"), message("gia dinh hai", day=1), False),
        (message(A, "FT25279000001"), message(A, "FT25279000001", day=2), False),
    ],
)
def test_what_speaks_for_and_against_one_movement(one: Told, other: Told, *, may_be_one: bool) -> None:
    assert (likeness(one, other) is not None) == may_be_one
    assert likeness(one, other) == likeness(other, one)


def test_the_best_evidence_goes_first_whatever_the_order_of_lines() -> None:
    lines = [message("hoc phi thang 10"), message(f"ck {A}"), message(A), message("tien an", "FT25279000001")]
    others = [message("tien an them", "FT25279000001"), message(A), message(f"nop {A}")]

    assert pair(lines, others) == {3: 0, 2: 1, 1: 2}
    assert pair(lines[::-1], others) == {0: 0, 1: 1, 2: 2}


@given(
    families=st.integers(2, 6),
    numbered=st.booleans(),
    heard=st.sets(st.integers(0, 5)),
    chance=st.randoms(use_true_random=False),
)
def test_each_line_finds_its_own_callback_and_no_other(
    families: int, heard: set[int], chance: Random, *, numbered: bool
) -> None:
    lines = [message(f"ck {reference(n)}", f"FT2527900{n:04}" if numbered else None) for n in range(families)]
    at_once = [n for n in range(families) if n in heard]
    callbacks = [message(f"MBVCB.{n} {reference(n)} tu khach", lines[n].bank_reference) for n in at_once]
    order = list(range(families))
    chance.shuffle(order)
    pairs = pair([lines[n] for n in order], callbacks)

    assert {order[place]: at_once[other] for place, other in pairs.items()} == {n: n for n in at_once}
