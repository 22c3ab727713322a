"""A reason that nobody can read is none, wherever one is demanded."""

from __future__ import annotations

import unicodedata
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.audit.recording import Deed
from billing.errors import Refused
from billing.visible import is_blank
from service.api.shapes import Reason
from service.pages.typed import clean

INVISIBLE = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e"
    "\u2028\u202e\u2800\u3000\u3164\ufe0f\uffa0\U000e0020"
)
NOTHING_SEEN = st.text(st.sampled_from(INVISIBLE + " \t\u00a0\u2003"), max_size=12)
WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1).filter(
    lambda text: not set(text) & set(INVISIBLE)
)


@given(NOTHING_SEEN)
def test_nothing_that_can_be_seen_is_no_reason(text: str) -> None:
    assert is_blank(text)
    assert clean(text) == ""
    assert Reason(reason=text).reason == ""
    if text.strip():
        with pytest.raises(Refused, match="không nhìn thấy"):
            Deed(uuid4(), "some.deed", "thing", "1", text)


@given(NOTHING_SEEN, WORDS, NOTHING_SEEN)
def test_one_sign_that_can_be_seen_is_enough(before: str, words: str, behind: str) -> None:
    text = before + words + behind
    assert not is_blank(text)
    assert clean(text)
    assert Deed(uuid4(), "some.deed", "thing", "1", text).reason == text


@given(st.characters(categories=("Cf", "Zs", "Zl", "Zp", "Mn", "Me")))
def test_no_sign_of_these_kinds_is_seen_alone(sign: str) -> None:
    """Formatting signs, blanks, and marks without a letter to stand on."""
    assert is_blank(sign), unicodedata.name(sign, hex(ord(sign)))


@pytest.mark.parametrize("reason", ["Đã gọi ngân hàng", "?", "QĐ 15/QĐ-HT", "gia\u0301o", "👍", "語"])
def test_reasons_of_people(reason: str) -> None:
    assert not is_blank(reason)
