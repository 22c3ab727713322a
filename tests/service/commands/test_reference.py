"""Tests of the door `reference`."""

from __future__ import annotations

import json

import pytest

from billing.payments.reference import is_valid, make
from service.__main__ import main


def test_one_new_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", "new"]) == 0
    assert is_valid(capsys.readouterr().out.removesuffix("\n"))


def test_many_new_references(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", "new", "500"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(set(lines)) == len(lines) == 500
    assert all(is_valid(line) for line in lines)


@pytest.mark.parametrize("count", ["-1", "0", "1.5", "x", "", "9" * 5000, "1000001", "２", "1 000"])
def test_other_counts_are_refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", "new", count]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1


def test_a_memo_is_searched(capsys: pytest.CaptureFixture[str]) -> None:
    code, other = make("2345678"), make("ABCDEGH")
    slip = other[:4] + "0" + other[5:]
    assert main(["reference", "find", f"MBVCB.1.{code.lower()[:5]} {code[5:]}.{slip} 10"]) == 0
    assert json.loads(capsys.readouterr().out) == {"exact": [code], "corrected": [other]}


@pytest.mark.parametrize("memo", ["", "-x", "--help", "- Ma GD", "\x00", "\ud800", "😀", "x" * 1_000_000])
def test_any_memo_has_an_answer(memo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", "find", memo]) == 0
    assert json.loads(capsys.readouterr().out) == {"exact": [], "corrected": []}


@pytest.mark.parametrize("words", [[], ["find"], ["find", "a", "b"], ["gone"], ["new", "1", "2"]])
def test_unusable_arguments_are_told_on_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", *words]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1
