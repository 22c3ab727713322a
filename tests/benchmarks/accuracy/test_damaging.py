"""What hands do to a code is what the accuracy run says it is."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.accuracy.damaging import EDITS, one_damaged, towards, two_damaged
from billing.payments.reference import ALPHABET, DATA_LENGTH, LENGTH, exact, find, make

codes = st.text(ALPHABET, min_size=DATA_LENGTH, max_size=DATA_LENGTH).map(make)
chance = st.randoms(use_true_random=False)


def differing(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


@given(codes, st.integers(0, LENGTH - 1), st.sampled_from(EDITS), chance)
def test_one_mistake_is_one_edit_and_the_reader_still_finds_the_code(
    code: str, place: int, edit: str, random: Random
) -> None:
    typed = one_damaged(code, place, edit, random)
    assume(typed is not None)
    assert typed is not None
    assert typed != code
    assert len(typed) == LENGTH - (edit == "lost")
    assert exact(typed) == ()
    assert code in find(typed).corrected
    if edit == "swapped":
        assert sorted(typed) == sorted(code)


@given(codes, chance)
def test_two_mistakes_are_never_the_code_itself(code: str, random: Random) -> None:
    assert exact(two_damaged(code, random)) == ()


@given(codes, st.integers(0, DATA_LENGTH - 1), st.integers(1, 28), st.integers(1, 2), chance)
def test_a_step_towards_a_twin_is_nearer_to_it(code: str, place: int, other: int, steps: int, random: Random) -> None:
    data = code[2 : 2 + DATA_LENGTH]
    letter = ALPHABET[(ALPHABET.index(data[place]) + other) % len(ALPHABET)]
    twin = make(data[:place] + letter + data[place + 1 :])
    assert differing(code, twin) == 3
    typed = towards(code, twin, steps, random)
    assert (differing(code, typed), differing(twin, typed)) == (steps, 3 - steps)
