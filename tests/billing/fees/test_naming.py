"""Codes and names of items: the same for every door, and never what an address or a line cannot hold."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.fees.earning import may_be_charged
from billing.fees.naming import item_code, one_line


@given(st.text(max_size=45))
def test_a_code_that_is_taken_is_one_part_of_an_address_and_stays_itself(text: str) -> None:
    try:
        code = item_code(text)
    except Refused:
        return
    assert code == item_code(code)
    assert 0 < len(code) <= 40
    assert quote(code, safe="Đ") == code
    assert code[0] != "."


@pytest.mark.parametrize(("typed", "code"), [(" ngoaikhoa ", "NGOAIKHOA"), ("BHYT-3T", "BHYT-3T"), ("đ.1_a", "Đ.1_A")])
def test_codes_are_kept_in_capitals(typed: str, code: str) -> None:
    assert item_code(typed) == code


@given(st.text(max_size=60))
def test_a_name_that_is_taken_is_one_line_that_everybody_sees(text: str) -> None:
    try:
        line = one_line(text)
    except Refused:
        return
    assert line == one_line(line) == line.strip()
    assert "\n" not in line
    assert line.isprintable()


@given(st.text(alphabet="0123456789.KBHNS٣", max_size=9))
def test_only_accounts_of_income_or_passed_on_may_be_charged(code: str) -> None:
    if may_be_charged(code):
        head = code.split(".", maxsplit=1)[0]
        assert head.isascii()
        assert head.isdigit()
        assert head[:2] in {"51", "53", "71", "33"}
        assert head[:4] not in {"3383", "3387"}


@pytest.mark.parametrize(
    "code", ["511", "5111", "5112.A", "515", "531", "5312", "711", "3371", "3381", "3388", "3388.BT"]
)
def test_usual_accounts_may_be_charged(code: str) -> None:
    assert may_be_charged(code)
