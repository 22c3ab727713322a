"""Tests of the door ``statement read``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.__main__ import main
from tests.reconciliation.statements.bank_files import ACCOUNT, vietcombank_cashup
from tests.reconciliation.statements.workbooks import MB_HEADER, mb, workbook

LINE = ("1", "08/09/2025", "", "650.000", "1.650.000", "FW23 hoc phi")


def test_lines_are_printed_with_the_stable_keys(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "saoke.xlsx"
    file.write_bytes(mb(LINE))

    assert main(["statement", "read", str(file)]) == 0
    said = capsys.readouterr()
    printed = json.loads(said.out)
    assert len(printed.pop("id")) == 32
    assert printed == {
        "provider": "mb",
        "amount": 650_000,
        "direction": "in",
        "memo": "FW23 hoc phi",
        "account": "0123456789",
        "virtual_account": None,
        "bank_reference": None,
        "time": "2025-09-07T17:00:00Z",
        "kind": "transfer",
        "line": 5,
        "balance": 1_650_000,
    }


@pytest.mark.parametrize(
    "content", [b"no workbook", workbook(["a"]), mb(LINE, LINE), mb(("1", "x", "", "1", "1", "y"))]
)
def test_an_unreadable_statement_is_no(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "saoke.xlsx"
    file.write_bytes(content)

    assert main(["statement", "read", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


def test_a_bank_can_be_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "saoke.xlsx"
    file.write_bytes(workbook(MB_HEADER, LINE))

    assert main(["statement", "read", str(file), "--bank", "mb"]) == 0
    assert json.loads(capsys.readouterr().out)["amount"] == 650_000


def test_of_two_accounts_one_is_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "saoke.xlsx"
    file.write_bytes(vietcombank_cashup())

    assert main(["statement", "read", str(file)]) == 1
    assert ACCOUNT in capsys.readouterr().err
    assert main(["statement", "read", str(file), "--account", ACCOUNT]) == 0
    assert {json.loads(line)["account"] for line in capsys.readouterr().out.splitlines()} == {ACCOUNT}


@pytest.mark.parametrize("content", [mb(LINE), workbook(["SAO KÊ CHI TIẾT TÀI KHOẢN"], MB_HEADER, LINE)])
def test_a_file_that_does_not_show_the_asked_account_is_no(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "saoke.xlsx"
    file.write_bytes(content)

    assert main(["statement", "read", str(file), "--account", "9998887776"]) == 1
    said = capsys.readouterr()
    assert (said.out, "9998887776" in said.err) == ("", True)


def test_a_missing_file_is_unusable(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["statement", "read", str(tmp_path / "none.xlsx")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
