"""Tests of whether a statement adds up: balances, days that follow them, the printed period, totals anywhere."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import pytest
from openpyxl import Workbook

from billing.money import Money
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.reading import read_statement
from tests.reconciliation.statements.bank_files import ACCOUNT, FIRST, LAST
from tests.reconciliation.statements.workbooks import workbook

HEADING = ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
TOP: list[Sequence[object]] = [["VPBank"], ["Số tài khoản", ACCOUNT]]
ONE = ["08/09/2025", "B1", FIRST, "", "650.000", "1.650.000"]
TWO = ["09/09/2025", "B2", LAST, "", "350.000", "2.000.000"]
SWAPPED = datetime(2025, 6, 9)  # noqa: DTZ001  a cell of Excel: 6 September, day and month taken for each other


def sheets(*tables: Sequence[Sequence[object]]) -> bytes:
    book = Workbook()
    for place, rows in enumerate(tables):
        sheet = book.create_sheet(f"Trang {place + 1}")
        for row in rows:
            sheet.append(list(row))
    book.remove(book.worksheets[0])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize("order", [1, -1])
def test_a_balance_that_does_not_follow_names_row_sums_and_what_to_do(order: int) -> None:
    wrong = ["09/09/2025", "B2", LAST, "", "350.000", "2.000.001"]
    last = ["10/09/2025", "B3", LAST, "", "1.000", "2.001.001"]
    with pytest.raises(StatementTotalsDiffer) as refused:
        read_statement(workbook(*TOP, HEADING, *[ONE, wrong, last][::order]))

    said = refused.value.message
    assert "phải là 2.000.000 đ" in said
    assert "in 2.000.001 đ" in said
    assert "đừng sửa tệp" in said
    assert "dòng 5" in said


@pytest.mark.parametrize("day", ["05/08/2025", "02/10/2025", SWAPPED])
def test_a_day_outside_the_printed_period_is_refused(day: object) -> None:
    period = ["Từ ngày 01/09/2025 đến ngày 30/09/2025"]
    with pytest.raises(StatementUnreadable, match=r"Dòng 5 .*ngoài kỳ .*tải lại từ ngân hàng"):
        read_statement(workbook(*TOP, period, HEADING, [day, *ONE[1:]]))
    for beside in ("31/08/2025", "01/10/2025"):
        assert len(read_statement(workbook(*TOP, period, HEADING, [beside, *ONE[1:]])).lines) == 1


def test_days_that_go_back_while_the_balance_runs_on_are_refused() -> None:
    with pytest.raises(StatementUnreadable, match="Dòng 5 ghi ngày 09/06/2025 nhưng theo số dư lại đứng sau dòng 4"):
        read_statement(workbook(*TOP, HEADING, ONE, [SWAPPED, *TWO[1:]]))


def test_a_total_above_the_movements_is_of_all_of_them() -> None:
    total: list[object] = ["Tổng cộng", "", "", "0", "1.000.000", ""]
    assert len(read_statement(workbook(*TOP, HEADING, total, ONE, TWO)).lines) == 2
    with pytest.raises(StatementTotalsDiffer, match="Dòng 4"):
        read_statement(workbook(*TOP, HEADING, [*total[:4], "1.000.001", ""], ONE, TWO))


@pytest.mark.parametrize("second", [[HEADING, TWO], [["VPBank"], HEADING, TWO], [*TOP, HEADING, TWO]])
def test_a_second_sheet_goes_on_whether_or_not_it_names_bank_and_account(second: list[list[object]]) -> None:
    read = read_statement(sheets([*TOP, HEADING, ONE], second), account=ACCOUNT)

    assert [line.bank_reference for line in read.lines] == ["B1", "B2"]
    assert (read.account, read.closing) == (ACCOUNT, Money(2_000_000))


def test_a_sheet_of_movements_that_cannot_be_read_or_does_not_follow_refuses_the_file() -> None:
    with pytest.raises(StatementUnreadable, match="Trang “Trang 2” dòng 1"):
        read_statement(sheets([*TOP, HEADING, ONE], [TWO]))
    later = ["09/09/2025", "B2", LAST, "", "350.000", "2.350.000"]
    with pytest.raises(StatementTotalsDiffer, match="không nối nhau"):
        read_statement(sheets([*TOP, HEADING, ONE], [HEADING, later]))
    assert len(read_statement(sheets([["In ngày", "08/09/2025"]], [*TOP, HEADING, ONE])).lines) == 1


def test_a_workbook_of_more_sheets_than_are_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_SHEETS", 1)
    with pytest.raises(StatementUnreadable, match="hơn 1 trang"):
        read_statement(sheets([*TOP, HEADING, ONE], [HEADING, TWO]))
