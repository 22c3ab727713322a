"""The code of a refund: read whatever a bank glues around it, and never taken for a payment reference."""

from __future__ import annotations

import secrets

from hypothesis import given
from hypothesis import strategies as st

from billing.credits.refund_code import LENGTH, PREFIX, codes_in, new_code
from billing.payments import reference

CODES = st.integers(0, reference.HOW_MANY - 1).map(lambda number: new_code(lambda _: number))
GLUE = st.text(st.sampled_from("0123456789abcHT xyz.-/"), max_size=20)


@given(GLUE, CODES, GLUE)
def test_it_is_found_whatever_stands_around_it(before: str, code: str, after: str) -> None:
    assert code in codes_in(f"{before}{code}{after}")
    assert code in codes_in(f"{before} {code.lower()} {after}")


@given(CODES)
def test_neither_is_read_as_the_other(code: str) -> None:
    assert reference.find(f"hoan {code} cam on") == ((), ())
    assert codes_in(reference.PREFIX + code[len(PREFIX) :]) == ()


@given(CODES, st.integers(len(PREFIX), LENGTH - 1), st.sampled_from(reference.ALPHABET))
def test_one_wrong_character_is_noticed(code: str, place: int, wrong: str) -> None:
    damaged = code[:place] + wrong + code[place + 1 :]
    assert codes_in(damaged) == ((code,) if damaged == code else ())


def test_each_is_named_once_in_order() -> None:
    one, two = new_code(secrets.randbelow), new_code(secrets.randbelow)
    assert codes_in(f"{two} {one} {two}") == (two, one)
    assert (len(one), one[:2]) == (LENGTH, PREFIX)
