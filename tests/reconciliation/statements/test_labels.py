"""Tests of what is said beside the movements: totals told from names, accounts under any label, the currency."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from openpyxl import load_workbook

from reconciliation.errors import StatementUnreadable
from reconciliation.statements.labels import is_total
from reconciliation.statements.reading import read_statement
from tests.reconciliation.statements.bank_files import ACCOUNT, FIRST, LAST, delimited
from tests.reconciliation.statements.workbooks import workbook

HEADING = ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
ONE = ["08/09/2025", "B1", FIRST, "", "650.000", "1.650.000"]
TWO = ["09/09/2025", "B2", LAST, "", "350.000", "2.000.000"]
TOTAL = ["Tổng trang", "", "", "0", "650.000", ""]


def vpbank(*lines: Sequence[object], top: Sequence[object] = ("Số tài khoản", ACCOUNT)) -> bytes:
    return workbook(["VPBank"], top, HEADING, *lines)


@pytest.mark.parametrize(
    "label", ["Tổng", "TỔNG CỘNG:", "Tổng số/Total", "Tong phat sinh no", "Cộng trang", "Total debit", "Tổng số GD: 12"]
)
def test_a_total_is_whole_words_of_a_total(label: str) -> None:
    assert is_total(["", label, "", "1"])


@pytest.mark.parametrize("label", ["Tống Thị Hoa nộp", "TONG THI HOA", "Tống", "Tổng phụ trách nộp", "Tongtien", ""])
def test_a_name_is_no_total(label: str) -> None:
    assert not is_total([label, "650.000"])


def test_a_memo_of_somebody_called_tong_under_a_merged_day_is_a_movement() -> None:
    heading = ["Ngày giao dịch", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
    lines: list[Sequence[object]] = [
        ["08/09/2025", "an", "", "650.000", "1.650.000"],
        [None, "Tống Thị Hoa nộp", "", "650.000", "2.300.000"],
    ]
    book = load_workbook(io.BytesIO(workbook(["VPBank"], ["Số tài khoản", ACCOUNT], heading, *lines)))
    book.worksheets[0].merge_cells("A4:A5")
    content = io.BytesIO()
    book.save(content)

    assert [line.memo for line in read_statement(content.getvalue()).lines] == ["an", "Tống Thị Hoa nộp"]


@pytest.mark.parametrize("day", ["O9/09/2025", "", "ngày 9"])
def test_a_sum_below_a_total_without_a_day_that_can_be_read_is_an_error(day: str) -> None:
    with pytest.raises(StatementUnreadable, match="dòng 6, cột Ngày"):
        read_statement(vpbank(ONE, TOTAL, [day, *TWO[1:]]))


def test_below_a_total_of_a_page_a_blank_day_is_filled_down_where_the_bank_does_so() -> None:
    heading = ["STT", "Ngày hạch toán", "Mô tả giao dịch", "Nợ", "Có", "Số dư", "Số giao dịch"]
    lines: list[Sequence[object]] = [
        [1, "08/09/2025", "a", "", "650.000", "1.650.000", "R1"],
        ["Tổng trang", "", "", "0", "650.000", "", ""],
        [2, "", "b", "", "350.000", "2.000.000", "R2"],
    ]
    read = read_statement(workbook(["Lịch sử giao dịch VietinBank"], ["Số tài khoản", ACCOUNT], heading, *lines))

    assert [(line.day.day, line.signed.dong) for line in read.lines] == [(8, 650_000), (8, 350_000)]


@pytest.mark.parametrize("footer", [["Số món:", "", "", "0", "1", ""], ["", "", "", "", "Kế toán trưởng", ""]])
def test_counts_and_signatures_below_a_total_are_no_movements(footer: list[object]) -> None:
    assert len(read_statement(vpbank(ONE, TOTAL, footer)).lines) == 1


@pytest.mark.parametrize(
    "top",
    [
        ["Tài khoản: 9998887776 - CONG TY XYZ"],
        ["Tài khoản", "9998887776"],
        ["Tài khoản:", "TRUONG TIEU HOC AN BINH - 9998887776"],
        ["Số hiệu tài khoản", "9998887776"],
        ["Số TK", "999 888 7776"],
        ["Account", '="9998887776"'],
        ["A/C No.", 9998887776],
    ],
)
def test_the_account_is_found_under_any_label(top: list[object]) -> None:
    assert read_statement(vpbank(ONE, top=top)).account == "9998887776"


def test_a_number_kept_as_text_in_a_text_file_is_read() -> None:
    rows = [["VPBank"], ["Số tài khoản", '="0123456789"'], HEADING, ONE]

    assert read_statement(delimited(rows, ";")).account == ACCOUNT


def test_a_name_is_not_taken_for_an_account() -> None:
    assert read_statement(vpbank(ONE, top=["Tài khoản: TRUONG TIEU HOC AN BINH"])).account is None


@pytest.mark.parametrize(
    "top",
    [
        ["Loại tiền: USD"],
        ["Loại tiền/Currency", "", "EUR"],
        ["Đơn vị tính: nghìn đồng"],
        ["Số tài khoản", "0123456789 (USD)"],
    ],
)
def test_another_currency_is_refused(top: list[object]) -> None:
    with pytest.raises(StatementUnreadable, match="không phải đồng"):
        read_statement(vpbank(["08/09/2025", "B1", "fee", "", "650.00", "1,650.00"], top=top))


@pytest.mark.parametrize("top", [["Loại tiền: VND"], ["Loại tiền/Currency", "Đồng Việt Nam"], ["Đơn vị tính", "đồng"]])
def test_the_dong_is_read(top: list[object]) -> None:
    assert len(read_statement(vpbank(ONE, top=top)).lines) == 1


def test_a_row_in_another_currency_is_named() -> None:
    lines = [[*ONE, "VND"], [*TWO, "USD"]]
    with pytest.raises(StatementUnreadable, match="dòng 5, cột Loại tiền"):
        read_statement(workbook(["VPBank"], ["Số tài khoản", ACCOUNT], [*HEADING, "Loại tiền"], *lines))
    with pytest.raises(StatementUnreadable, match="usd"):
        read_statement(workbook(["VPBank"], [*HEADING[:4], "Số tiền ghi có (USD)", "Số dư"], ONE))
