"""The small pieces of texts: characters, lengths, dates."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.wording.plain import fitted, fitted_name, long_date, safe, short_date, within


@given(st.text(max_size=60), st.integers(5, 40))
@example("a" * 30 + "\u0301\u0302", 30)
def test_fitted_fits_and_is_safe(text: str, limit: int) -> None:
    short = fitted(text, limit)
    assert len(short) <= limit
    assert short == safe(short)
    assert unicodedata.is_normalized("NFC", short)
    assert not short.endswith(" ")
    if len(safe(text)) <= limit:
        assert short == safe(text)


@given(st.text(max_size=60))
def test_safe_is_one_line_without_mark_up(text: str) -> None:
    clean = safe(text)
    assert safe(clean) == clean
    assert not set(clean) & set("<>{}[]|\\^`\r\n\t\u200b\u202e")


def test_vietnamese_stays_as_it_is() -> None:
    name = "Điểu K'Rể Nguyễn Thị Ngọc Ánh"
    assert safe(unicodedata.normalize("NFD", name)) == name


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Tiền ăn bán trú tháng 9", 16, "Tiền ăn bán trú…"),
        ("Tiền ăn bán trú tháng 9", 23, "Tiền ăn bán trú tháng 9"),
        ("Xxxxxxxxxxxxxxxxxxxxxxxx", 10, "Xxxxxxxxx…"),
    ],
)
def test_a_long_text_ends_at_a_word(text: str, limit: int, short: str) -> None:
    assert fitted(text, limit) == short


def test_a_long_name_keeps_its_given_name() -> None:
    assert fitted_name("Công Tằng Tôn Nữ Nguyễn Thị Phương Thảo", 30) == "Tôn Nữ Nguyễn Thị Phương Thảo"
    assert fitted_name("Nguyễn Thị Hà", 30) == "Nguyễn Thị Hà"
    assert fitted_name("", 30) == ""


def test_dates_carry_their_weekday() -> None:
    assert long_date(date(2025, 9, 15)) == "Thứ Hai, 15/09/2025"
    assert long_date(date(2025, 9, 7)) == "Chủ Nhật, 07/09/2025"
    assert long_date(date(2025, 9, 15), "en") == "Monday, 15/09/2025"
    assert len(short_date(date(2025, 9, 1))) == 10


@pytest.mark.parametrize(("title", "inside"), [("Tháng 9/2025", "tháng 9/2025"), ("BHYT 2026", "BHYT 2026"), ("", "")])
def test_a_title_within_a_sentence(title: str, inside: str) -> None:
    assert within(title) == inside
