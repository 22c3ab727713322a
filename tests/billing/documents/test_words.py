"""Tests of billing.documents.words: amounts written out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.documents.words import OFFICIAL, SOUTHERN, Wording, amount_in_words, number_in_words
from billing.money import Money


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "Không đồng"),
        (1, "Một đồng"),
        (4, "Bốn đồng"),
        (5, "Năm đồng"),
        (10, "Mười đồng"),
        (11, "Mười một đồng"),
        (14, "Mười bốn đồng"),
        (15, "Mười lăm đồng"),
        (20, "Hai mươi đồng"),
        (21, "Hai mươi mốt đồng"),
        (24, "Hai mươi tư đồng"),
        (25, "Hai mươi lăm đồng"),
        (100, "Một trăm đồng"),
        (104, "Một trăm linh bốn đồng"),
        (105, "Một trăm linh năm đồng"),
        (110, "Một trăm mười đồng"),
        (111, "Một trăm mười một đồng"),
        (999, "Chín trăm chín mươi chín đồng"),
        (1_000, "Một nghìn đồng"),
        (1_005, "Một nghìn không trăm linh năm đồng"),
        (1_010, "Một nghìn không trăm mười đồng"),
        (105_000, "Một trăm linh năm nghìn đồng"),
        (631_800, "Sáu trăm ba mươi mốt nghìn tám trăm đồng"),
        (1_000_005, "Một triệu không trăm linh năm đồng"),
        (1_001_001, "Một triệu không trăm linh một nghìn không trăm linh một đồng"),
        (1_105_000, "Một triệu một trăm linh năm nghìn đồng"),
        (1_263_600, "Một triệu hai trăm sáu mươi ba nghìn sáu trăm đồng"),
        (2_050_000, "Hai triệu không trăm năm mươi nghìn đồng"),
        (10_010_000, "Mười triệu không trăm mười nghìn đồng"),
        (1_000_000_000, "Một tỷ đồng"),
        (1_000_000_005, "Một tỷ không trăm linh năm đồng"),
        (1_000_000_000_000, "Một nghìn tỷ đồng"),
        (
            1_234_567_890_123,
            (
                "Một nghìn hai trăm ba mươi tư tỷ năm trăm sáu mươi bảy triệu tám trăm chín mươi nghìn "
                "một trăm hai mươi ba đồng"
            ),
        ),
        (10**18, "Một tỷ tỷ đồng"),
    ],
)
def test_amounts_in_words(amount: int, words: str) -> None:
    assert amount_in_words(Money(amount)) == words


def test_a_school_may_write_as_the_south_does() -> None:
    assert amount_in_words(Money(105_000), SOUTHERN) == "Một trăm lẻ năm ngàn đồng"
    assert amount_in_words(Money(105_000), Wording(empty_ten="lẻ")) == "Một trăm lẻ năm nghìn đồng"


def test_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0"):
        amount_in_words(Money(-5))


UNITS = {
    "không": 0,
    "một": 1,
    "mốt": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "tư": 4,
    "năm": 5,
    "lăm": 5,
    "sáu": 6,
    "bảy": 7,
    "tám": 8,
    "chín": 9,
}


def read_group(words: list[str]) -> int:
    """Read up to 999, written a second time the other way round."""
    value = 0
    if "trăm" in words:
        value, words = UNITS[words[0]] * 100, words[2:]
    if "mươi" in words:
        value, words = value + UNITS[words[0]] * 10, words[2:]
    elif words[:1] == ["mười"]:
        value, words = value + 10, words[1:]
    elif words[:1] == ["linh"]:
        words = words[1:]
    assert len(words) <= 1
    return value + sum(UNITS[word] for word in words)


def read(words: list[str]) -> int:
    if "tỷ" in words:
        at = len(words) - 1 - words[::-1].index("tỷ")
        return read(words[:at]) * 10**9 + read(words[at + 1 :])
    value = 0
    for name, size in (("triệu", 10**6), ("nghìn", 10**3)):
        if name in words:
            at = words.index(name)
            value, words = value + read_group(words[:at]) * size, words[at + 1 :]
    return value + read_group(words)


@given(st.integers(0, 10**21) | st.integers(0, 10**7) | st.integers(0, 10**5).map(lambda number: number * 1000))
def test_words_are_read_as_the_same_number(number: int) -> None:
    words = number_in_words(number, OFFICIAL)
    assert read(words.split()) == number
    assert words == words.lower()
    assert "  " not in words


def test_no_two_numbers_are_written_alike() -> None:
    every = [number_in_words(number) for number in itertools.chain(range(2_000), range(999_000, 1_001_100))]
    assert len(set(every)) == len(every)


@given(st.integers(1, 10**12))
def test_the_digits_rules_hold_everywhere(number: int) -> None:
    words = number_in_words(number).split()
    for before, word in itertools.pairwise(["", *words]):
        assert (word == "mốt") <= (before == "mươi")
        assert (word == "tư") <= (before == "mươi")
        assert (word == "lăm") == (before in {"mươi", "mười"} and word in {"năm", "lăm"})
        assert not (before == "mươi" and word in {"một", "bốn"})
