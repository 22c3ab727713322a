"""Signs in words: each kind has its sentence, and evidence of an unknown shape is left out, never an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.weak_signs import Sign
from service.pages.sign_words import in_words

NEAR = {"sign": "corrected", "reference": "FW2345678AB", "position": 6, "read": "4", "meant": "7"}


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ({**NEAR, "change": "wrong"}, "Mã gần giống FW2345678AB: ký tự thứ 6 ghi 4, đúng là 7"),
        ({**NEAR, "change": "lost"}, "Mã gần giống FW2345678AB: thiếu 7 ở ký tự thứ 6"),
        ({**NEAR, "change": "extra"}, "Mã gần giống FW2345678AB: thừa 4 ở ký tự thứ 6"),
        ({**NEAR, "change": "swapped"}, "Mã gần giống FW2345678AB: hai ký tự 4 viết đảo, từ ký tự thứ 6"),
        ({"sign": "name", "written": "LE {THI} BINH"}, "Nội dung có tên của em: LE {THI} BINH"),
        ({"sign": "payer", "paid_before": True}, "Tài khoản chuyển tiền đã từng nộp cho em này"),
        ({"sign": "amount", "due": 1}, "Số tiền đúng"),
    ],
)
def test_a_sign_is_told_in_one_sentence(sign: dict[str, object], words: str) -> None:
    assert in_words([sign]) == (words,)


def test_every_sign_has_words() -> None:
    for sign in Sign:
        assert len(in_words([{**NEAR, "change": "wrong", "sign": sign.value, "written": "x"}])) == 1


json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
signs = st.fixed_dictionaries(
    {}, optional={"sign": st.sampled_from([*Sign, "odd"]), "change": json_like, "read": json_like}
)


@given(st.one_of(json_like, st.lists(signs, max_size=4)))
def test_no_shape_of_evidence_breaks_the_page(kept: object) -> None:
    assert all(in_words(kept))
