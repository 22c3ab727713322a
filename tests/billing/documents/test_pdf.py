"""Text, pages and bytes that all printed documents share."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.platypus import Flowable, Spacer

from billing.documents import pdf
from tests.billing.documents.pages import pictures, words

ALPHABET = "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"


def printed(*story: Flowable) -> bytes:
    return pdf.render([pdf.Printout(story, "chân trang")], title="Thử", author="Trường")


def test_every_vietnamese_letter_is_drawn_and_can_be_read_back() -> None:
    page = words(printed(pdf.line(ALPHABET, size=7), pdf.line(ALPHABET.upper(), size=6, bold=True)))[0]
    assert ALPHABET in page
    assert ALPHABET.upper() in page


def test_decomposed_letters_are_drawn_composed() -> None:
    decomposed = unicodedata.normalize("NFD", "Nguyễn Thị Hường")
    assert printed(pdf.line(decomposed)) == printed(pdf.line("Nguyễn Thị Hường"))


@pytest.mark.parametrize(
    "hostile",
    [
        '<img src="http://127.0.0.1:9/x.png"/>',
        "<b>đậm</b> &amp; &#65;",
        '<a href="javascript:alert(1)">x</a>',
        "</para><para>",
        "<font name='Courier'>x",
        "{{ 7*7 }} %s %(x)s",
    ],
)
def test_markup_is_printed_and_never_obeyed(hostile: str) -> None:
    page = words(printed(pdf.line(hostile), pdf.field("Tên", hostile)))[0]
    assert page.count(hostile) == 2
    assert b"/URI" not in printed(pdf.line(hostile))


def test_invisible_characters_are_dropped_and_unknown_ones_are_seen() -> None:
    assert pdf.drawable("An\u202e\u200b\x00\n\tBình \U0001f600\ud800") == "An Bình \ufffd"


@given(st.text(max_size=400))
def test_anything_becomes_one_short_drawable_line(text: str) -> None:
    shown = pdf.drawable(text)
    assert len(shown) <= pdf.LONGEST
    assert "\n" not in shown
    assert pdf.drawable(shown) == shown


@given(st.text(max_size=300))
@settings(max_examples=40, deadline=None)
def test_any_text_can_be_printed(text: str) -> None:
    rows = [[pdf.line(text), pdf.line(text)]] * 3
    assert printed(pdf.field(text, text), pdf.grid(rows, [60, 100])).startswith(b"%PDF")


def test_equal_input_gives_equal_bytes_without_the_time_of_day() -> None:
    made = printed(pdf.line("Biên lai"))
    assert made == printed(pdf.line("Biên lai"))
    assert b"Helvetica" not in made
    assert re.findall(rb"Date \(D:(\d{8})", made) == [b"20000101", b"20000101"]


def test_long_tables_run_over_pages_with_their_head_and_no_row_lost() -> None:
    rows = [[pdf.line("Đầu bảng"), pdf.line("")], *([pdf.line(f"dòng {n}."), pdf.line("x")] for n in range(120))]
    pages = words(printed(pdf.grid(rows, [200, 100])))
    assert len(pages) > 2
    assert all("Đầu bảng" in page for page in pages)
    assert all(f"dòng {n}." in " ".join(pages) for n in range(120))
    assert pages[1].endswith(f"Trang 2/{len(pages)}")


def test_what_must_stay_together_moves_to_the_next_page_whole() -> None:
    block = pdf.columns([[pdf.line("một"), pdf.line("hai")]], [100])
    pages = words(printed(Spacer(0, pdf.INNER_HEIGHT - 20), block))
    assert "một" not in pages[0]
    assert "một hai" in pages[1]


def test_what_is_taller_than_a_page_is_an_error_and_not_an_endless_loop() -> None:
    with pytest.raises(ValueError, match="taller than a page"):
        printed(Spacer(0, pdf.INNER_HEIGHT + 1))


def test_nothing_is_drawn_outside_the_margins() -> None:
    rows = [[pdf.line("W" * 200), pdf.line("9" * 200)]] * 30
    for picture in pictures(printed(pdf.grid(rows, [pdf.INNER_WIDTH - 90, 90]))):
        left = picture.crop((0, 0, round(pdf.MARGIN * 150 / 72) - 4, picture.height))
        right = picture.crop((round((pdf.WIDTH - pdf.MARGIN) * 150 / 72) + 4, 0, picture.width, picture.height))
        assert left.getextrema() == right.getextrema() == (255, 255)
