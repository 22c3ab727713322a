"""Tests of the one way to write a receipt's number."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from billing.payments.receipt_number import padded, with_book

ROOT = Path(__file__).resolve().parents[3]
codes = st.from_regex(r"[A-Z0-9/-]{1,20}", fullmatch=True)
numbers = st.integers(1, 10**9)


@given(codes, numbers)
def test_it_is_the_number_behind_its_book_and_fits_an_address(book: str, number: int) -> None:
    text = with_book(book, number)
    assert "/" not in text
    assert text.removeprefix(book.replace("/", "-") + "-") == padded(number)
    assert int(padded(number)) == number


@given(numbers, numbers)
def test_numbers_of_a_book_sort_as_text(one: int, other: int) -> None:
    if max(one, other) < 10**7:
        assert (padded(one) < padded(other)) == (one < other)


def test_nothing_else_pads_a_receipts_number() -> None:
    padding = re.compile(r"(receipt|row|low|high)\S*:0\d", re.IGNORECASE)
    rooms = ("billing", "reconciliation", "notifications", "service")
    found = [
        str(path)
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if padding.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
