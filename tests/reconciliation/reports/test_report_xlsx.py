"""The workbook as an auditor opens it: whole numbers, no formula anywhere, totals and digest that can be made again."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.documents.cells import report_digest
from billing.money import Money
from reconciliation.reports.records import ReconciliationReport, TransferLine
from reconciliation.reports.report_xlsx import reconciliation_report_xlsx
from tests.reconciliation.reports.making import receipt, report, transfer, transfers, unpaid, wall

HOSTILE = (
    '=HYPERLINK("http://127.0.0.1/","x")',
    "=1+1",
    "+84912345678",
    "-5",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "=cmd|' /C calc'!A0",
    "<f>1+1</f>",
    "]]><c><f>1</f></c>",
    "&lt;f&gt;",
    "\x00=1\x0b",
    "\ud800\uffff",
    "_x003D_1",
    "  =1",
    "<r></r></is></c><c><f>1+1</f></c><c><is><r></r>",
    "<r>=1+1</r>",
)


def opened(workbook: bytes) -> dict[str, list[list[Any]]]:
    """Return every sheet's values, empty cells at the end of a row left out."""
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    return {sheet.title: [_trimmed(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def _trimmed(row: tuple[Any, ...]) -> list[Any]:
    values = list(row)
    while values and values[-1] is None:
        values.pop()
    return values


def labelled(rows: list[list[Any]], label: str) -> list[Any]:
    """Return the one row that begins with ``label``."""
    (found,) = [row for row in rows if row and row[0] == label]
    return found


def full_report() -> ReconciliationReport:
    rows = [transfer(), replace(transfer(70_000), allocated=Money(60_000), credit=Money(10_000))]
    rows.append(replace(transfer(5_000, "khong ma", "waiting"), allocated=Money(0), waiting=Money(5_000)))
    rows.append(replace(transfer(900, "phi", "ignored_out"), incoming=False, allocated=Money(0)))
    return report(rows, [receipt(1), receipt(2, 70_000), receipt(4, is_void=True)], [unpaid(), unpaid("3B")])


def test_the_five_sheets_and_their_rows() -> None:
    sheets = opened(reconciliation_report_xlsx(full_report()))
    assert list(sheets) == ["Tổng hợp", "Giao dịch", "Chờ xử lý", "Biên lai", "Chưa nộp"]
    assert sheets["Giao dịch"][1] == [
        1,
        wall(2025, 9, 11, 8, 3, 4),
        "Vietcombank •6789",
        "FT25248123456789",
        "Vào",
        100_000,
        "FW23456789A",
        "Đã khớp",
        "7501234567",
        "TB-0001",
        "01/2025-0000001",
        100_000,
        0,
        0,
        0,
        0,
        0,
        "Mã đúng, đúng số tiền",
    ]
    assert sheets["Chờ xử lý"][1][4:] == [5_000, "khong ma", "Chờ xử lý", "Không có mã", 20]
    assert sheets["Biên lai"][3][1:4] == ["01/2025", 4, wall(2025, 9, 11)]
    assert sheets["Biên lai"][3][8:] == ["HỦY", "Ghi nhầm"]
    assert sheets["Chưa nộp"][1][7:] == [wall(2025, 10, 10), 500, 200, 300]


def test_the_summary_shows_accounts_checks_books_and_classes() -> None:
    summary = opened(reconciliation_report_xlsx(full_report()))["Tổng hợp"]
    figures = [175_000, 900, 160_000, 10_000, 5_000, 0, 0, 174_100, 174_100, 0]
    assert labelled(summary, "Vietcombank •6789") == ["Vietcombank •6789", "TRUONG TIEU HOC DONG MAU", *figures]
    assert labelled(summary, "BIDV •0001")[2:] == [0] * 8
    assert labelled(summary, "01/2025")[1:] == [3, 1, 4, 1, 170_000, 1, 0, "3"]
    assert labelled(summary, "3B")[1:] == [1, 300]
    assert labelled(summary, "Chờ xử lý")[1:] == [1, 5_000]
    assert labelled(summary, "Bút toán cuối cùng được tính")[1] == 4711
    assert labelled(summary, "Số liệu ghi sổ đến (GMT+7)")[1] == wall(2025, 10, 1, 9, 3, 4)
    assert {row[1] for row in summary if len(row) == 5} == {"Đúng", "Kết quả"}


def test_the_summary_says_when_the_ledger_disagrees() -> None:
    made = full_report()
    first, *others = made.accounts
    bad = replace(made, accounts=[replace(first, allocated=first.allocated + Money(1)), *others])
    sheets = opened(reconciliation_report_xlsx(bad))
    assert labelled(sheets["Tổng hợp"], "Đã phân bổ: sổ cái và từng giao dịch")[1:] == ["LỆCH", 160_001, 160_000, 1]
    assert labelled(sheets["Giao dịch"], "Kiểm tra: lệch với sổ cái (phải là 0)")[11] == -1


@given(st.lists(transfers(), max_size=8))
@settings(max_examples=40, deadline=None)
def test_the_totals_are_the_sums_of_the_rows_above_them(rows: list[TransferLine]) -> None:
    sheet = opened(reconciliation_report_xlsx(report(rows)))["Giao dịch"]
    data = [row for row in sheet if row and isinstance(row[0], int)]
    assert len(data) == len(rows)
    incoming = [row for row in data if row[4] == "Vào"]
    sums = [sum(row[column] for row in incoming) for column in (5, 11, 12, 13, 14, 15, 16)]
    assert sums[0] == sum(sums[1:])
    whole = labelled(sheet, "Cộng tiền vào")
    assert [whole[column] for column in (5, 11, 12, 13, 14, 15, 16)] == sums
    assert labelled(sheet, "Cộng tiền ra")[5] == sum(row[5] for row in data if row[4] == "Ra")
    off = labelled(sheet, "Kiểm tra: lệch với sổ cái (phải là 0)")
    assert [off[column] for column in (5, 11, 12, 13, 14, 15)] == [0] * 6


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_in_any_text_column(text: str) -> None:
    row = replace(
        transfer(memo=text),
        bank_reference=text,
        pupil_codes=(text,),
        bills=(text,),
        receipts=(text,),
        evidence=text,
        allocated=Money(0),
        waiting=Money(100_000),
    )
    slip = replace(receipt(1, is_void=True), pupil_code=text, pupil_name=text, bank_reference=text, void_reason=text)
    open_item = replace(unpaid(text, text), pupil_name=text, bill=text, item=text, period=text)
    made = replace(report([row], [slip, replace(slip, book=text)], [open_item]), school_name=text)
    workbook = reconciliation_report_xlsx(made)
    assert len(sheet_parts(workbook)) == 5
    for xml in sheet_parts(workbook):
        assert b"<f>" not in xml
        assert list(fromstring(xml).iterfind(".//{*}c"))
        assert not list(fromstring(xml).iterfind(".//{*}f"))
    shown = {value for rows in opened(workbook).values() for cells in rows for value in cells}
    kept = re.sub("[\t\r\n]", " ", unicodedata.normalize("NFC", text))
    assert any(
        isinstance(value, str) and value.strip("\ufffd ") == kept.strip("\x00\x0b\ud800\uffff ") for value in shown
    )


def sheet_parts(workbook: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        return [file.read(name) for name in file.namelist() if name.startswith("xl/worksheets/")]


def test_what_looks_like_a_formula_stays_text_after_editing_too() -> None:
    book = openpyxl.load_workbook(io.BytesIO(reconciliation_report_xlsx(report([transfer(memo="=1+1")]))))
    cell = book["Giao dịch"]["G2"]
    assert (cell.value, cell.data_type, cell.number_format, cell.quotePrefix) == ("=1+1", "s", "@", True)


def test_amounts_are_whole_numbers_in_thousands_format_and_dates_are_dates() -> None:
    book = openpyxl.load_workbook(io.BytesIO(reconciliation_report_xlsx(full_report())))
    sheet = book["Giao dịch"]
    assert (type(sheet["F2"].value), sheet["F2"].number_format) == (int, "#,##0")
    assert sheet["B2"].number_format == "dd/mm/yyyy\\ hh:mm:ss"
    assert book["Biên lai"]["D2"].number_format == "dd/mm/yyyy"
    assert sheet["I2"].number_format == "@"
    amounts = amounts_as_written(reconciliation_report_xlsx(full_report()))
    assert len(amounts) > 50
    assert not [amount for amount in amounts if not re.fullmatch("-?[0-9]+", amount)]


def amounts_as_written(workbook: bytes) -> list[str]:
    """Return what stands in the file for every cell in thousands format (number format 3)."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        looks = fromstring(file.read("xl/styles.xml")).find("{*}cellXfs")
    assert looks is not None
    money = {str(number) for number, look in enumerate(looks) if look.get("numFmtId") == "3"}
    assert len(money) == 2  # plain and bold
    cells = [
        cell for xml in sheet_parts(workbook) for cell in fromstring(xml).iterfind(".//{*}c") if cell.get("s") in money
    ]
    return [cell.findtext("{*}v", "") for cell in cells]


def test_headings_stay_in_view_and_columns_can_be_filtered() -> None:
    book = openpyxl.load_workbook(io.BytesIO(reconciliation_report_xlsx(full_report())))
    assert [sheet.freeze_panes for sheet in book] == ["A3", "D2", "D2", "D2", "E2"]
    assert book["Giao dịch"].auto_filter.ref == "A1:S5"
    assert book["Giao dịch"].column_dimensions["G"].width == 44.7109375  # 44 characters and their padding
    assert book["Giao dịch"]["A1"].font.b
    assert book.active is not None
    assert book.active.title == "Tổng hợp"


@given(st.lists(transfers(), max_size=6))
@settings(max_examples=30, deadline=None)
def test_anybody_can_make_the_digest_again_from_the_file(rows: list[TransferLine]) -> None:
    workbook = reconciliation_report_xlsx(report(rows, [receipt(1)], [unpaid()]))
    summary = opened(workbook)["Tổng hợp"]
    digest, count = report_digest(workbook)
    assert labelled(summary, "SHA-256 của các dòng dữ liệu")[1] == digest
    assert labelled(summary, "Số dòng dữ liệu (trang 2–5)")[1] == count


def test_one_changed_dong_changes_the_digest() -> None:
    one = report_digest(reconciliation_report_xlsx(report([transfer(100_000)])))
    other = report_digest(reconciliation_report_xlsx(report([transfer(100_001)])))
    assert one[1] == other[1] == 1
    assert one[0] != other[0]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert reconciliation_report_xlsx(full_report()) == reconciliation_report_xlsx(full_report())


def test_an_empty_period_still_makes_a_report() -> None:
    sheets = opened(reconciliation_report_xlsx(report()))
    assert labelled(sheets["Tổng hợp"], "Số dòng dữ liệu (trang 2–5)")[1] == 0
    assert sheets["Giao dịch"][0][0] == "STT"


def test_nothing_in_the_workbook_tells_of_an_exemption() -> None:
    texts = [
        value for rows in opened(reconciliation_report_xlsx(full_report())).values() for row in rows for value in row
    ]
    forbidden = re.compile("miễn|giảm|hộ nghèo|nợ", re.IGNORECASE)
    assert not [text for text in texts if isinstance(text, str) and forbidden.search(text)]


def test_ten_thousand_transfers_are_written_whole() -> None:
    rows = [transfer(n + 1) for n in range(10_000)]
    workbook = reconciliation_report_xlsx(report(rows))
    assert report_digest(workbook)[1] == 10_000
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        assert file.testzip() is None
        xml = file.read("xl/worksheets/sheet2.xml")
    assert xml.count(b"<row ") == 10_005
    assert b'<row r="10006">' in xml  # the blank row over the totals is not written
