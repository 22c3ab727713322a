"""Names: clean text, class-list order, masking, search keys."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.people.names import clean_text, masked, search_key, sort_key

_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
VOWELS = [unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in _TONES]
CONSONANTS = (
    "b",
    "c",
    "ch",
    "d",
    "đ",
    "g",
    "gi",
    "h",
    "kh",
    "l",
    "m",
    "n",
    "ng",
    "nh",
    "ph",
    "qu",
    "t",
    "th",
    "tr",
    "x",
)
SYLLABLES = st.builds(
    lambda onset, vowel, coda: (onset + vowel + coda).capitalize(),
    st.sampled_from(CONSONANTS),
    st.sampled_from(VOWELS),
    st.sampled_from(("", "n", "ng", "m", "i", "o")),
)
NAMES = st.lists(SYLLABLES, min_size=2, max_size=6).map(" ".join)


def test_class_list_goes_by_given_name_then_family_name() -> None:
    ordered = [
        "Trần Văn An",
        "Nguyễn Thị Minh Anh",
        "Lê Ánh",
        "Nguyễn Văn Ân",
        "Bùi Dung",
        "Đặng Dung",
        "Bùi Đào",
        "Lê Hoa",
        "Lê Hòa",
        "Lê Hỏa",
        "Lê Hõa",
        "Lê Hóa",
        "Lê Họa",
        "Điểu Ôn",
        "Vũ Ơn",
        "Lý Ưng",
        "Kpă Y Thiêm Ưt",
    ]
    backwards = ordered[::-1]
    assert sorted(backwards, key=sort_key) == ordered


def test_every_letter_of_the_alphabet_has_its_place() -> None:
    alphabet = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
    backwards = alphabet[::-1]
    assert sorted(backwards, key=sort_key) == list(alphabet)


@given(SYLLABLES, SYLLABLES, SYLLABLES)
def test_the_letters_decide_before_the_tones(family: str, one: str, two: str) -> None:
    def toneless(word: str) -> str:
        kept = (mark for mark in unicodedata.normalize("NFD", word) if mark not in _TONES[1:])
        return unicodedata.normalize("NFC", "".join(kept))

    if toneless(one) != toneless(two):
        as_written = sort_key(f"{family} {one}") < sort_key(f"{family} {two}")
        assert as_written == (sort_key(f"{family} {toneless(one)}") < sort_key(f"{family} {toneless(two)}"))


@given(NAMES)
def test_the_order_does_not_see_how_a_name_is_encoded(name: str) -> None:
    assert sort_key(unicodedata.normalize("NFD", name)) == sort_key(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Nguyễn Thị Minh Anh", "N. T. M. Anh"),
        ("Đỗ Ân", "Đ. Ân"),
        ("  ông  Út ", "Ô. Út"),
        ("K' Brềnh", "K. Brềnh"),
        ("'Y Bhăm Êban", "Y. B. Êban"),
        ("K'Tân", "K'Tân"),
        (unicodedata.normalize("NFD", "Ổn Ánh"), "Ổ. Ánh"),
    ],
)
def test_masked_keeps_the_given_name_only(name: str, shown: str) -> None:
    assert masked(name) == shown


@given(NAMES)
def test_masked_hides_every_other_word(name: str) -> None:
    *others, given_name = name.split()
    shown = masked(name).split()
    assert shown[-1] == given_name
    assert [len(word) for word in shown[:-1]] == [2] * len(others)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Điểu K'Rể", "dieu k re"),
        ("H' Bŭp Ayŭn", "h bup ayun"),
        ("NGUYỄN  Đức", "nguyen duc"),
        ("Bộ GD&ĐT", "bo gd dt"),
    ],
)
def test_search_key_is_plain(name: str, key: str) -> None:
    assert search_key(name) == key


@given(NAMES)
def test_search_key_is_ascii_and_blind_to_case_and_encoding(name: str) -> None:
    key = search_key(name)
    assert key.isascii()
    assert len(key.split()) == len(name.split())
    assert search_key(unicodedata.normalize("NFD", name.upper())) == key


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\u200bNguyễn\u00a0 Văn\u200d An\ufeff", "Nguyễn Văn An"),
        ("Trần\r\nThị\tB\u00adé", "Trần Thị Bé"),
        ("Le\u200b\u0302", "Lê"),
        ("\u202eAn\u202c", "An"),
        ("\u200b \u2060", ""),
    ],
)
def test_clean_text_drops_what_nobody_sees(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_clean_text_is_done_after_once(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not {"Cf", "Cc"} & {unicodedata.category(char) for char in once}
