"""Tests of the door `words`."""

from __future__ import annotations

import pytest

from service.__main__ import main


@pytest.mark.parametrize(
    ("amount", "words"), [("105000", "Một trăm linh năm nghìn đồng"), ("0", "Không đồng"), ("007", "Bảy đồng")]
)
def test_an_amount_is_spelled(amount: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["words", amount]) == 0
    assert capsys.readouterr().out == f"{words}\n"


@pytest.mark.parametrize(
    "amount",
    ["-5", "1e5", "", " ", "1.000", "1 000", "5đ", "１２", "0x10", "+5", "1_000", "9" * 5000, "\x00", "\ud800", "--x"],
)
def test_anything_but_digits_is_refused_on_one_line(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["words", amount]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1
    assert len(answer.err) < 200
