"""A pasted list of numbers: read line by line, every wrong line named, nothing guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import BadRows, Refused
from billing.payments.numbers import read_numbers

NUMBER = st.text("0123456789ABCxyz", min_size=4, max_size=19)


@given(st.lists(NUMBER, min_size=1, max_size=30, unique=True), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_a_clean_list_comes_back_in_its_order(numbers: list[str], between: str) -> None:
    assert read_numbers(between.join(f" {number}\tghi chu" for number in numbers)) == tuple(numbers)


@given(st.lists(NUMBER, min_size=1, max_size=10, unique=True), st.data())
def test_every_wrong_line_is_named(numbers: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(numbers)))
    wrong = data.draw(st.sampled_from(["96-247", "abc", "Số tài khoản", "9" * 20, numbers[0]]))
    lines = [*numbers[:place], wrong, *numbers[place:]]
    with pytest.raises(BadRows) as caught:
        read_numbers("\n".join(lines))
    last = max(number for number, line in enumerate(lines, 1) if line == wrong)
    assert [each.line for each in caught.value.problems] == [last]


def test_what_is_known_and_what_is_empty_is_refused() -> None:
    with pytest.raises(BadRows, match="1 dòng"):
        read_numbers("96247ABC01\n96247ABC02", {"96247ABC02"})
    with pytest.raises(Refused, match="trống"):
        read_numbers(" \n\n")
