"""Tests of telling movements apart: what speaks against one movement is never outweighed by an equal sum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation import pairing
from reconciliation.pairing import Told, likeness, pair, told, vouches
from tests.reconciliation.matching_builders import reference
from tests.reconciliation.pairing_one_by_one import pair_one_by_one

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
        (message("NGUYEN VAN AN hp"), message("TRAN THI BE hp"), False),
        (message("NGUYEN VAN AN hp"), message("NGUYEN VAN AN hp-CT tu 2", day=1), True),
        (message("hp", "1"), message("nop hoc phi lop 3A", "1", day=1), False),
        (message("NGUYEN VAN AN"), message("NGUYEN VAN ANH nop"), False),
        (message("NGUYEN VAN AN nop"), message("NGUYE N VAN AN nop-CT 2"), True),
        (message(A), message(f"NHAN TU 111 ND {A[:6]}"), True),
        (message(A), message(f"NHAN TU 111 ND {A[:6]}", day=1), False),
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


@pytest.mark.parametrize(
    ("one", "other", "sure"),
    [
        (message(A), message(f"ck {A}"), True),
        (message("x", "FT25279000001"), message("", "FT25279000001"), True),
        (message("NGUYEN VAN AN hp"), message("nguyen van an HP"), True),
        (message("hoc phi"), message("hoc phi"), False),
        (message(f"hoc phi {A}"), message("hoc phi"), False),
        (message(f"hoc phi {A}"), message(""), False),
        (message("x", "17"), message("y", "17"), False),
        (message("NGUYEN VAN AN"), message("NGUYEN VAN AN nop"), False),
    ],
)
def test_only_what_tells_vouches(one: Told, other: Told, *, sure: bool) -> None:
    assert vouches(one, other) == vouches(other, one) == sure
    held = replace(other, held=True)
    assert (pair([one], [held]) != {}) == sure


def test_equal_days_join_what_is_all_alike_and_nothing_that_names_two_families() -> None:
    an, be, bare = message("NGUYEN VAN AN nop"), message("TRAN THI BE nop"), message("hoc phi")

    assert pair([an, be], [bare]) == {}
    assert pair([be, bare], [bare]) == {1: 0}
    assert pair([an], [bare]) == {0: 0}
    assert len(pair([bare] * 3, [message("tien an")] * 2)) == 2
    assert pair([message("NGUYEN VAN ANH"), an], [message("NGUYEN VAN AN")]) == {1: 0}


NAMES = ("NGUYEN VAN AN", "NGUYEN VAN ANH", "TRAN THI BE", "LE THI HOA", "PHAM MINH TIEN")


@given(
    wrapped=st.lists(
        st.sampled_from(["{} nop hoc phi", "MBVCB.17.{}.hoc phi-CT tu 222", "{}"]), min_size=5, max_size=5
    ),
    booked=st.permutations(range(5)),
    heard=st.permutations(range(5)),
    lines=st.integers(1, 5),
    callbacks=st.integers(1, 5),
    days=st.lists(st.integers(0, 1), min_size=5, max_size=5),
    said=st.sampled_from(["", " hoc phi"]),
)
def test_two_families_of_one_sum_never_swap(  # noqa: PLR0913, PLR0917  drawn by Hypothesis
    wrapped: list[str], booked: list[int], heard: list[int], lines: int, callbacks: int, days: list[int], said: str
) -> None:
    shown = [message(wrapped[n].format(NAMES[n]), str(n), day=days[n], booked=True) for n in booked[:lines]]
    told_of = [message(f"{NAMES[n]}{said}") for n in heard[:callbacks]]
    pairs = pair(shown, told_of)

    assert {booked[line]: heard[other] for line, other in pairs.items()} == {
        n: n for n in booked[:lines] if n in heard[:callbacks]
    }


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


MEMOS = ("", "hoc phi", "nop tien hp", "ban tru thang 9", A, f"hoc phi {A[:6]}", f"{B} lop 1", "NGUYEN VAN AN nop",
         "NGUYEN VAN ANH", "NGUYEN VAN AN nop-CT 2", "NGUYE N VAN AN")  # fmt: skip
NUMBERS = (None, "17", "18", "FT25279000001", "FT25279000002", "FT25279000003", "MB2527900004", "5279.17")


@st.composite
def messages(draw: st.DrawFn, *, booked: bool) -> Told:
    made = message(
        draw(st.sampled_from(MEMOS)), draw(st.sampled_from(NUMBERS)), day=draw(st.integers(0, 2)), booked=booked
    )
    at = made.at + timedelta(minutes=draw(st.integers(0, 3)))
    return replace(made, at=at, held=not booked and draw(st.integers(0, 5)) == 0)


@given(st.lists(messages(booked=True), max_size=9), st.lists(messages(booked=False), max_size=9))
def test_kinds_give_what_comparing_one_by_one_gives(lines: list[Told], others: list[Told]) -> None:
    assert pair(lines, others) == pair_one_by_one(lines, others)


def test_lines_that_nothing_tells_apart_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand payments of one sum and day, each line with a number of its own: so a morning's fees come in."""
    compared = 0

    def counted(one: Told, other: Told) -> pairing.Likeness | None:
        nonlocal compared
        compared += 1
        return likeness(one, other)

    monkeypatch.setattr(pairing, "likeness", counted)
    lines = [message("nop tien", f"FT25279{n:06}", booked=True) for n in range(1000)]
    others = [replace(message(MEMOS[1 + n % 3], f"{n:05}"), at=MORNING + timedelta(seconds=n)) for n in range(1000)]

    assert sorted(pair(lines, others).values()) == list(range(1000))
    assert compared <= 10
