"""Tests of the layouts: one made file of each, in each format, gives the same three movements."""

from __future__ import annotations

import codecs
from datetime import UTC, date, datetime

import pytest

from billing.money import Money
from reconciliation.errors import StatementUnreadable
from reconciliation.statements.lines import Statement
from reconciliation.statements.reading import read_statement, read_statements
from tests.reconciliation.statements import bank_files
from tests.reconciliation.statements.bank_files import ACCOUNT, LAYOUT_FILES, MOVEMENTS
from tests.reconciliation.statements.workbooks import workbook


def said(statement: Statement) -> list[tuple[str, int, str]]:
    return [(str(line.day), line.signed.dong, line.memo) for line in statement.lines]


@pytest.mark.parametrize("layout", LAYOUT_FILES)
def test_each_layout_gives_its_movements_oldest_first(layout: str) -> None:
    bank, make = LAYOUT_FILES[layout]
    read = read_statement(make(), account=ACCOUNT)

    assert (read.bank, read.account) == (bank, ACCOUNT)
    assert said(read) == MOVEMENTS
    assert (read.opening, read.closing) == (Money(1_000_000), Money(1_939_000))


def test_a_blank_day_of_vietinbank_is_the_day_above() -> None:
    read = read_statement(bank_files.vietinbank())

    assert [line.day.day for line in read.lines] == [8, 9, 10, 10]
    assert read.lines[0].time == datetime(2025, 9, 8, 2, tzinfo=UTC)
    assert [line.bank_reference for line in read.lines] == ["251VN01", "252VN01", "253VN01", "253VN02"]


def test_day_and_document_number_in_one_cell_are_told_apart() -> None:
    read = read_statement(bank_files.vietcombank_cashup(), account=ACCOUNT)

    assert [line.bank_reference for line in read.lines] == ["5078 - 12345", "5078 - 12346", "5078 - 12347"]


def test_a_fee_and_its_tax_go_out_together() -> None:
    fee = read_statement(bank_files.techcombank()).lines[1]

    assert (fee.signed, fee.balance) == (Money(-11_000), Money(1_639_000))


def test_of_two_accounts_the_asked_one_is_read_and_unasked_is_asked_back() -> None:
    content = bank_files.vietcombank_cashup(second="0099887766")

    assert read_statement(content, account="0099887766").money_in == Money(5_000)
    assert [each.account for each in read_statements(content)] == ["0099887766", ACCOUNT]
    with pytest.raises(StatementUnreadable, match=f"0099887766, {ACCOUNT}") as refused:
        read_statement(content)
    assert refused.value.facts["accounts"] == ["0099887766", ACCOUNT]
    with pytest.raises(StatementUnreadable, match="không có 4444444444"):
        read_statement(content, account="4444444444")


FORMATS = {
    "comma": bank_files.delimited(bank_files.table()),
    "semicolon": bank_files.delimited(bank_files.table(), ";", "utf-8-sig"),
    "tab, UTF-16": codecs.BOM_UTF16_LE + bank_files.delimited(bank_files.table(), "\t", "utf-16-le"),
    "UTF-16 without mark": bank_files.delimited(bank_files.table(), "\t", "utf-16-le"),
    "xls": bank_files.xls(bank_files.table()),
}


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_gives_the_same(format_: str) -> None:
    assert said(read_statement(FORMATS[format_])) == MOVEMENTS


def test_windows_1258_is_read_as_text_with_marks() -> None:
    memo = "học phí"  # as the letters of that code page stand: a letter and its mark
    loose = "ho\u0323c phi\u0301"
    rows = [[str(cell).replace("ê", "e") for cell in row] for row in bank_files.table(memo=loose)]
    plain = [["Ngay giao dich", "So but toan", "Noi dung", "So tien ghi no", "So tien ghi co", "So du"]]
    content = bank_files.delimited(
        [["VPBank", "", ""], ["So tai khoan", ACCOUNT, ""], *plain, *rows[3:]], ";", "cp1258"
    )

    assert read_statement(content).lines[-1].memo == memo


def test_sums_with_commas_do_not_hide_the_semicolon() -> None:
    rows = [[str(cell).replace(".", ",") for cell in row] for row in bank_files.table()]

    assert said(read_statement(bank_files.delimited(rows, ";"))) == MOVEMENTS


def test_old_xls_days_and_sums_may_be_numbers() -> None:
    rows = bank_files.table()
    rows[3:] = [
        [45908, "B1", bank_files.FIRST, "", 650_000, 1_650_000],
        [45909, "B2", bank_files.FEE, 11_000, "", 1_639_000],
        [45910, "B3", bank_files.LAST, "", 300_000, 1_939_000],
    ]

    assert said(read_statement(bank_files.xls(rows))) == MOVEMENTS


def test_a_month_without_a_year_is_of_the_period_also_over_new_year() -> None:
    content = workbook(
        ["ACB"],
        ["Tu ngay 15/12/2025 den ngay 14/01/2026"],
        ["Ngay", "Dien giai", "Ghi no", "Ghi co", "So du"],
        ["31-12", "a", "", "1,000", "1,000"],
        ["02-01", "b", "", "1,000", "2,000"],
    )

    assert [line.day for line in read_statement(content).lines] == [date(2025, 12, 31), date(2026, 1, 2)]
