"""One SMS: only letters of the GSM alphabet, never more than 160, names cut where they can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.wording.gsm import ALPHABET, cut, cut_name, cut_school, is_one_sms, plain, short_school

# 3GPP TS 23.038 §6.2.1, the default alphabet without the escape to its extension.
GSM_7BIT = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


def test_our_letters_are_letters_of_the_gsm_alphabet() -> None:
    assert len(GSM_7BIT) == 127
    assert ALPHABET <= GSM_7BIT


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Nguyễn Thị Minh Ánh", "Nguyen Thi Minh Anh"),
        ("Trường Tiểu học Đồng Tâm", "Truong Tieu hoc Dong Tam"),
        ("đợt 2 – “BHYT”…", 'dot 2 - "BHYT".'),
        ("Điểu K’Rể", "Dieu K'Re"),
        ("Nguye\u0302\u0303n", "Nguyen"),
        ("603.000 ₫", "603.000 d"),
        ("a\r\nb\u200bc", "a bc"),
        ("ｆｕｌｌ ½ 北", "full 1 2"),
        ("{x}[y]~^|\\€@$", "x y"),
    ],
)
def test_vietnamese_without_its_marks(text: str, bare: str) -> None:
    assert plain(text) == bare


@given(st.text(max_size=80))
def test_whatever_is_written_only_our_letters_are_left(text: str) -> None:
    bare = plain(text)
    assert set(bare) <= ALPHABET
    assert bare == plain(bare) == bare.strip()


plains = st.text(st.sampled_from("abcdefg hijk LMN."), max_size=60).map(plain)


@given(plains, st.integers(6, 60))
def test_what_is_cut_fits_and_begins_as_before(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert text.startswith((short, short[:-1]))


@given(plains, st.integers(6, 60))
def test_a_name_keeps_its_end_where_that_fits(name: str, limit: int) -> None:
    short = cut_name(name, limit)
    given_name = name.rpartition(" ")[2]
    assert len(short) <= limit
    assert short.endswith(given_name) or len(given_name) > limit


@given(plains, st.integers(9, 60))
def test_a_school_fits_too(name: str, limit: int) -> None:
    assert len(cut_school(f"THCS {name}", limit)) <= limit


def test_a_school_is_named_in_short_and_keeps_its_own_name() -> None:
    assert short_school("Trường Trung học cơ sở Nguyễn Thị Minh Khai") == "THCS Nguyen Thi Minh Khai"
    assert short_school("TRƯỜNG MẦM NON Sơn Ca") == "MN Son Ca"
    assert short_school("Trường Quốc tế Á Châu") == "Truong Quoc te A Chau"
    assert cut_school("THCS Nguyen Thi Minh Khai", 16) == "THCS Minh Khai"
    assert cut_name("N. T. M. Anh", 8) == "M. Anh"


def test_one_sms_is_160_letters_and_not_161() -> None:
    assert is_one_sms("a" * 160)
    assert not is_one_sms("a" * 161)
    assert not is_one_sms("")
    assert not is_one_sms("ạ")
