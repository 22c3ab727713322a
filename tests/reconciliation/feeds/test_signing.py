"""Tests of what signed feeds share: JSON as JavaScript writes it, and secrets that are all tried."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.errors import CallbackUnreadable, SignatureWrong
from reconciliation.feeds.pay2s import BEARER, Pay2sFeed
from reconciliation.feeds.signing import as_bytes, compact_sorted, javascript_number, raw_text, same

_WHOLE = st.integers(-(2**53), 2**53)
_JSON = st.recursive(
    st.none() | st.booleans() | _WHOLE | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_JSON)
def test_it_says_the_same_without_a_blank_and_whatever_the_order(value: object) -> None:
    written = compact_sorted(value)

    assert json.loads(written) == value
    assert compact_sorted(json.loads(json.dumps(value, sort_keys=True))) == written
    as_bytes(written).decode("utf-8")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(value: float) -> None:
    assert float(javascript_number(value)) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (599000, "599000"),
        (599000.0, "599000"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-5, "0.00001"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.25e22, "1.25e+22"),
        (2**53 + 1, "9007199254740992"),
        (10**400, "null"),
        (float("inf"), "null"),
    ],
)
def test_numbers_are_written_as_javascript_does(value: float, written: str) -> None:
    assert javascript_number(value) == written


def test_letters_are_escaped_and_sorted_as_javascript_does() -> None:
    # U+FF5E comes after the surrogates that an emoji begins with, though its code point is smaller.
    assert compact_sorted({"～": 1, "😀": 2, "a": 'ộ/"\\\n\x01\u2028\x7f\ud800'}) == (
        '{"a":"ộ/\\"\\\\\\n\\u0001\u2028\x7f\\ud800","😀":2,"～":1}'
    )


def test_all_secrets_are_tried_before_anything_is_judged() -> None:
    tried: list[bytes] = []
    feed = Pay2sFeed(BEARER, ["the new one", "the old one"])
    answers = iter([True, False, False, False])

    def right(secret: bytes) -> bool:
        tried.append(secret)
        return next(answers)

    feed.demand(right)
    with pytest.raises(SignatureWrong):
        feed.demand(right)

    assert tried == [b"the new one", b"the old one"] * 2


def test_texts_and_secrets_are_the_same_only_whole() -> None:
    assert same("khóa", "khóa".encode())
    assert not same("khóa", "khoá")
    assert not same("\ud800", "?")


@pytest.mark.parametrize(("value", "written"), [(None, ""), ("", ""), (" a ", " a "), (7, "7")])
def test_a_field_to_be_signed_stands_as_it_came(value: object, written: str) -> None:
    assert raw_text({"x": value}, "x") == written


@pytest.mark.parametrize("value", [True, 1.0, [], {}])
def test_what_has_no_one_spelling_is_not_signed(value: object) -> None:
    with pytest.raises(CallbackUnreadable, match="x"):
        raw_text({"x": value}, "x")
