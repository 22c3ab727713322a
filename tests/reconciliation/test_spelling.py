"""Tests of finding the very characters that spell a reference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.payments.reference import find, fold_memo
from reconciliation.memo import Memo
from reconciliation.spelling import changed, written
from tests.reconciliation.matching_builders import reference

CODE = reference(1)


def test_a_reference_is_found_as_it_was_written() -> None:
    memo = f"Đóng học phí {CODE[:5].lower()}. {CODE[5:]} tháng 9"

    assert written(Memo(memo), CODE) == {"written": f"{CODE[:5].lower()}. {CODE[5:]}", "at": [13, 26]}


def test_a_reference_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="substring"):
        written(Memo("hoc phi"), CODE)
    with pytest.raises(ValueError, match="one edit"):
        changed(Memo(f"hoc phi {CODE[:9]}"), CODE)


def test_each_kind_of_edit_is_named() -> None:
    wrong = changed(Memo(f"hp {CODE[:4]}0{CODE[5:]}"), CODE)
    lost = changed(Memo(f"hp {CODE[:10]}"), CODE)
    extra = changed(Memo(f"hp {CODE[:4]}0{CODE[4:]}"), CODE)
    swapped = changed(Memo("WF" + CODE[2:]), CODE)

    assert (wrong["change"], wrong["position"], wrong["read"], wrong["meant"]) == ("wrong", 5, "0", CODE[4])
    assert (lost["change"], lost["position"], lost["meant"]) == ("lost", 11, CODE[10])
    assert (extra["change"], extra["position"], extra["read"]) == ("extra", 5, "0")
    assert (swapped["change"], swapped["position"], swapped["read"]) == ("swapped", 1, "WF")
    assert wrong["at"] == [3, 14]


@given(st.text(max_size=60), st.integers(1, 50), st.text(max_size=60))
def test_what_is_found_spells_the_reference(before: str, number: int, after: str) -> None:
    code = reference(number)
    memo = before + code.lower() + after
    if code in find(memo).exact:
        place = written(Memo(memo), code)
        assert fold_memo(place["written"]) == code
        assert memo[place["at"][0] : place["at"][1]] == place["written"]


@given(st.text(max_size=30), st.integers(1, 50), st.integers(0, 10), st.characters())
def test_whatever_is_corrected_can_be_shown(before: str, number: int, at: int, letter: str) -> None:
    code = reference(number)
    memo = before + code[:at] + letter + code[at + 1 :]
    for near in find(memo).corrected:
        place = changed(Memo(memo), near)
        assert memo[place["at"][0] : place["at"][1]] == place["written"]
