"""Tests of one code in all its spellings."""

from hypothesis import given
from hypothesis import strategies as st

from billing.cash.spelling import folded


def test_letters_blanks_and_wide_signs_make_no_other_book() -> None:
    assert {folded(code) for code in ("AB/25", "ab/25", " Ab / 25 ", "ＡＢ/２５")} == {"ab/25"}
    assert folded("QĐ 1") == folded("qđ1")
    assert folded("AB/25") != folded("AB/26")


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=20))
def test_blanks_never_matter(code: str) -> None:
    assert folded(f" {code} ") == folded(code) == folded("".join(code.split()))
