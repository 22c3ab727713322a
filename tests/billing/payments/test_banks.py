"""Tests of billing.payments.banks: the list itself, and finding a bank in it."""

from __future__ import annotations

import re
import unicodedata

import pytest

from billing.payments.banks import all_banks, bank_by_bin, banks_by_name


def test_the_list_is_whole_and_clean() -> None:
    banks = all_banks()
    assert len(banks) == 71
    assert [bank.bin for bank in banks] == sorted({bank.bin for bank in banks})
    for bank in banks:
        assert re.fullmatch("[0-9]{6}", bank.bin)
        for text in (bank.short_name, bank.napas_code, bank.name):
            assert text
            assert text == " ".join(unicodedata.normalize("NFC", text).split())


def test_a_bank_by_its_bin() -> None:
    vietcombank = bank_by_bin("970436")
    assert vietcombank is not None
    assert (vietcombank.short_name, vietcombank.name) == ("Vietcombank", "Ngân hàng TMCP Ngoại Thương Việt Nam")
    assert bank_by_bin("970000") is None
    assert bank_by_bin("") is None


@pytest.mark.parametrize(
    ("text", "bins"),
    [
        ("Vietcombank", ["970436"]),
        ("vcb", ["970436"]),
        ("MB", ["970422"]),
        ("mb bank", ["970422"]),
        ("ACB", ["970416"]),
        ("Đông Á", ["970406"]),
        ("dong a", ["970406"]),
        ("Nông nghiệp", ["970405"]),
        ("CIMB", ["422589", "970459"]),
        ("ngoại thương", ["970436"]),
        ("", []),
        ("  ", []),
        ("😀", []),
        ("Ngân hàng Sao Hỏa", []),
    ],
)
def test_banks_by_what_people_call_them(text: str, bins: list[str]) -> None:
    assert [bank.bin for bank in banks_by_name(text)] == bins
