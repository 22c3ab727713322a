"""Tests of files that would mislead a reader: what cannot be read for certain is refused with its place, never 0."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pytest
from openpyxl import Workbook, load_workbook

from billing.errors import RowProblem
from billing.money import Money
from reconciliation.errors import StatementLayoutUnknown, StatementTotalsDiffer, StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.reading import read_statement
from reconciliation.statements.sheets import read_sheets
from tests.reconciliation.statements import bank_files
from tests.reconciliation.statements.bank_files import ACCOUNT, FEE, FIRST, LAST
from tests.reconciliation.statements.workbooks import mb, workbook

HEADING = ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
ONE = ["08/09/2025", "B1", FIRST, "", "650.000", "1.650.000"]


def vpbank(*lines: Sequence[object], account: object = ACCOUNT) -> bytes:
    return workbook(["VPBank"], ["Số tài khoản", account], HEADING, *lines)


def problems_of(content: bytes) -> list[RowProblem]:
    with pytest.raises(StatementUnreadable) as refused:
        read_statement(content)
    problems = refused.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


@pytest.mark.parametrize(
    "cell", ["65O.000", "650.000,50", "=SUM(E1:E2)", "#REF!", "650.0000", True, 650000.5, "6.5E+5"]
)
def test_a_sum_that_cannot_be_read_names_its_sheet_and_cell(cell: object) -> None:
    (problem,) = problems_of(vpbank(ONE, ["09/09/2025", "B2", LAST, "", cell, "2.300.000"]))

    assert (problem.line, problem.column) == (5, "Ghi có")
    assert "trang “Sheet”, ô E5" in problem.reason


def test_an_unreadable_sum_in_a_text_file_is_refused_too() -> None:
    rows = bank_files.table()
    rows[4] = ["09/09/2025", "B2", FEE, "11.OOO", "", "1.639.000"]

    (problem,) = problems_of(bank_files.delimited(rows))
    assert (problem.line, problem.column) == (5, "Ghi nợ")


def test_numbers_as_text_are_read() -> None:
    text = [["'08/09/2025".strip("'"), "B1", FIRST, "", "650000", " 1650000 "]]

    assert read_statement(vpbank(*text)).closing == Money(1_650_000)


@pytest.mark.parametrize("number", [123456789012345680, 1.2345678901234568e17, 1234567890123450, 1e15, 12345.5, -5])
def test_an_account_that_may_have_been_rounded_is_refused(number: float) -> None:
    with pytest.raises(StatementUnreadable, match="mất chữ số"):
        read_statement(vpbank(ONE, account=number))
    with pytest.raises(StatementUnreadable, match="mất chữ số"):
        read_statement(bank_files.delimited([["VPBank"], ["Số tài khoản", "1.23457E+17"], HEADING, ONE], ";"))


@pytest.mark.parametrize("number", [123456789012345679, 1234567890123456, 987654321])
def test_an_account_with_all_of_its_digits_is_recovered(number: int) -> None:
    read = read_statement(with_number(number))

    assert read.account == str(number)
    assert read.is_of(str(number))
    assert read.is_of(f"00{number}")
    assert not read.is_of(f"1{number}")


def test_an_old_xls_holds_every_number_as_a_double_and_long_ones_are_refused() -> None:
    rows: list[Sequence[object]] = [["VPBank"], ["Số tài khoản", 123456789012345679], HEADING, ONE]
    with pytest.raises(StatementUnreadable, match="mất chữ số"):
        read_statement(bank_files.xls(rows))


def test_a_day_merged_over_rows_is_meant_for_all_and_a_sum_for_one() -> None:
    book = load_workbook(io.BytesIO(vpbank(ONE, [None, "B2", LAST, "", "350.000", "2.000.000"])))
    book.worksheets[0].merge_cells("A4:A5")
    assert [line.day.day for line in read_statement(saved(book)).lines] == [8, 8]

    book = load_workbook(io.BytesIO(vpbank(ONE, ["09/09/2025", "B2", LAST, "", None, "2.300.000"])))
    book.worksheets[0].merge_cells("E4:E5")
    (problem,) = problems_of(saved(book))
    assert (problem.line, problem.column) == (5, "Ghi nợ, Ghi có")


def test_merged_days_are_known_in_xls_and_html_too() -> None:
    rows = [["VPBank"], HEADING, ONE, ["", "B2", LAST, "", "350.000", "2.000.000"]]
    read = read_statement(bank_files.xls(rows, merges=[(2, 3, 0, 0)]))
    assert [line.day.day for line in read.lines] == [8, 8]

    cells = "".join(f"<td>{cell}</td>" for cell in ONE[1:])
    more = "".join(f"<td>{cell}</td>" for cell in rows[3][1:])
    heading = "".join(f"<th>{cell}</th>" for cell in HEADING)
    page = f"<table><tr><td>VPBank</td></tr><tr>{heading}</tr><tr><td rowspan=2>{ONE[0]}</td>{cells}</tr>"
    assert [line.day.day for line in read_statement(f"{page}<tr>{more}</tr></table>".encode()).lines] == [8, 8]


def test_a_heading_merged_over_two_columns_finds_its_value_in_either() -> None:
    wide = ["Ngày giao dịch", "Nội dung", "Số tiền ghi nợ", None, "Số tiền ghi có", None, "Số dư"]
    lines = [
        ["08/09/2025", FIRST, None, None, None, "650.000", "1.650.000"],
        ["09/09/2025", FEE, "11.000", None, None, None, "1.639.000"],
    ]
    read = read_statement(workbook(["VPBank"], wide, *lines))

    assert [line.signed.dong for line in read.lines] == [650_000, -11_000]


def test_footers_are_no_movements_and_a_movement_after_a_total_is_not_lost() -> None:
    total, footer = ["Tổng cộng", "", "", "", "650.000", ""], ["", "", "", "", "Kế toán trưởng", ""]
    assert len(read_statement(vpbank(ONE, total, footer)).lines) == 1

    late = ["09/09/2025", "B2", LAST, "", "350.000", "2.000.000"]
    assert len(read_statement(vpbank(ONE, total, late)).lines) == 2


@pytest.mark.parametrize(
    "tail",
    [
        [["Tổng cộng", "", "", "", "650.001", ""]],
        [["", "", "", "1", "650.000", ""]],
        [["Tổng trang", "", "", "0", "650.000", ""], ["Tổng cộng", "", "", "", "1", ""]],
        [["09/09/2025", "B2", LAST, "", "350.000", "2.000.001"]],
        [["Số dư cuối kỳ", "", "", "", "", "1.650.001"]],
    ],
)
def test_wrong_totals_and_balances_are_refused(tail: list[Sequence[object]]) -> None:
    with pytest.raises(StatementTotalsDiffer):
        read_statement(vpbank(ONE, *tail))


def test_a_count_of_movements_is_no_total() -> None:
    assert len(read_statement(vpbank(ONE, ["Tổng số giao dịch: 1"])).lines) == 1


@pytest.mark.parametrize(
    "content",
    [
        mb(("1", "08/09/2025", "", "650.000", "1.650.000", "x"))[:-200],
        bank_files.xls(bank_files.table())[:3000],
        bank_files.vietcombank_html()[:-60],
        bank_files.mt940()[:-60],
        bank_files.camt053()[:-60],
        bank_files.camt053().replace(b"<CdtDbtInd>DBIT</CdtDbtInd>", b"", 1),
        b"%PDF-1.7 sao ke",
        b"\x00\x01\x02\x03",
        b"   ",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2000,
    ],
)
def test_a_cut_or_foreign_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(StatementUnreadable):
        read_statement(content)


def test_a_table_of_no_bank_is_told_from_a_broken_one() -> None:
    with pytest.raises(StatementLayoutUnknown):
        read_statement(workbook(["Tháng", "Doanh số"], ["9", "100"]))


def test_every_format_keeps_the_limit_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_ROWS", 2)
    files = [make() for _, make in bank_files.LAYOUT_FILES.values()]
    for content in [*files, bank_files.delimited(bank_files.table()), bank_files.xls(bank_files.table())]:
        with pytest.raises(StatementUnreadable, match="hơn 2 dòng"):
            read_statement(content, account=ACCOUNT)


@pytest.mark.parametrize("page", ["<!--" * 50_000, "<" * 50_000, "<td a " * 20_000, "<![if x]>", "<!-- x"])
def test_a_page_of_open_ends_is_refused_at_once(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's parser would go through them anew from each: it must not even be asked."""
    fed: list[str] = []
    monkeypatch.setattr("html.parser.HTMLParser.feed", lambda _, text: fed.append(text))
    with pytest.raises(StatementUnreadable):
        read_statement(f"<table>{page}".encode())
    assert all("<!" not in text for text in fed)
    assert sum(map(len, fed)) < 100


def test_cells_over_many_rows_and_columns_stay_within_the_columns() -> None:
    (sheet,) = read_sheets(b"<table>" + b"<tr><td rowspan=60 colspan=60>x</td></tr>" * 200 + b"</table>")

    assert max(map(len, sheet.rows)) <= grid.MAX_COLUMNS


def test_entities_of_xml_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    content = bank_files.camt053().replace(b"?>", b"?>" + bomb, 1).replace(b"hoc phi", b"&b;")
    with pytest.raises(StatementUnreadable):
        read_statement(content)


def merged(times: int, cells: str = "A1:A200") -> bytes:
    """Return a statement whose sheet says so many times that the same cells are merged; a few kilobytes."""
    content = io.BytesIO()
    more = b"<mergeCells>" + f'<mergeCell ref="{cells}"/>'.encode() * times + b"</mergeCells></worksheet>"
    with zipfile.ZipFile(io.BytesIO(vpbank(ONE))) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</worksheet>", more))
    return content.getvalue()


def test_a_small_file_of_many_merges_cells_or_tags_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(read_statement(merged(3)).lines) == 1
    opened: list[object] = []
    monkeypatch.setattr("reconciliation.statements.xlsx_sheets.load_workbook", opened.append)
    with pytest.raises(StatementUnreadable, match="quá nhiều ô gộp"):
        read_statement(merged(grid.MAX_MERGES + 1))
    for name in ("MAX_CELLS", "MAX_TAGS"):
        with monkeypatch.context() as patch:
            patch.setattr(grid, name, 10)
            with pytest.raises(StatementUnreadable):
                read_statement(vpbank(ONE))
    assert opened == []


@pytest.mark.parametrize(
    "page", ["<tr><td rowspan=60>x</td></tr>" * 40, "<tr>" + "<td rowspan=60 colspan=9>x</td>" * 6 + "</tr>"]
)
def test_cells_of_a_page_that_reach_over_many_are_counted(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_MERGED_CELLS", 200)
    with pytest.raises(StatementUnreadable, match="quá nhiều ô gộp"):
        read_sheets(f"<table>{page}</table>".encode())


def test_the_cells_of_every_grid_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_CELLS", 12)
    for content in (bank_files.delimited(bank_files.table()), bank_files.vietcombank_html()):
        with pytest.raises(StatementUnreadable, match="hơn 12 ô"):
            read_statement(content)


def with_number(number: int) -> bytes:
    """Write the account as a number with all of its digits, as no spreadsheet would but a bank's program may."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(vpbank(ONE, account=424242))) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"<v>424242</v>", f"<v>{number}</v>".encode()))
    return content.getvalue()


def saved(book: Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
