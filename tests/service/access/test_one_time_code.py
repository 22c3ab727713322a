"""Six digits: read kindly, compared by a keyed digest that belongs to one row."""

import hashlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.one_time_code import code_digest, is_right, read_code

KEY = bytes(range(32))
CODES = st.from_regex(r"[0-9]{6}", fullmatch=True)
KEYS = st.binary(min_size=32, max_size=40)


@given(CODES, st.lists(st.sampled_from([" ", "-", ".", "\u00a0", "\t"]), min_size=7, max_size=7))
def test_a_code_is_read_however_it_is_spaced(code: str, gaps: list[str]) -> None:
    typed = "".join(gap + digit for gap, digit in zip(gaps, code + " ", strict=True))
    assert read_code(typed) == code


@given(st.text(max_size=12))
def test_what_is_read_is_six_ascii_digits_or_nothing(typed: str) -> None:
    found = read_code(typed)
    assert found is None or (len(found) == 6 and set(found) <= set("0123456789"))


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５６", "١٢٣٤٥٦", "+12345", "12345\0"])
def test_anything_else_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


@given(KEYS, st.uuids(), CODES, CODES)
def test_only_the_code_that_was_sent_is_right(key: bytes, code_id: UUID, sent: str, tried: str) -> None:
    assert is_right(key, code_id, tried, code_digest(key, code_id, sent)) == (tried == sent)


@given(st.uuids(), st.uuids(), CODES)
def test_a_digest_is_worth_nothing_for_another_row_or_under_another_key(one: UUID, two: UUID, code: str) -> None:
    digest = code_digest(KEY, one, code)
    assert is_right(KEY, two, code, digest) == (one == two)
    assert not is_right(KEY[::-1], one, code, digest)
    assert digest not in {hashlib.sha256(code.encode()).digest(), hashlib.sha256(one.bytes + code.encode()).digest()}
    assert len(digest) == 32


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        code_digest(KEY[:31], UUID(int=1), "123456")
