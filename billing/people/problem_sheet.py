"""The bad rows of an upload as an XLSX to download, repair by and keep (pure): text only, no formula can arise."""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from billing.errors import RowProblem

_HEADINGS = ("Dòng", "Cột", "Vì sao", "Cách sửa")
_WIDTHS = (9, 32, 60, 70)
_LONGEST_CELL = 32_767


def write_problems(problems: Sequence[RowProblem]) -> bytes:
    """Return an XLSX with one line per problem; line 0 (the whole file) is shown as “Cả tệp”."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Cần sửa")
    for letter, width in zip("ABCD", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.append([text_cell(sheet, heading, bold=True) for heading in _HEADINGS])
    for problem in problems:
        line = str(problem.line) if problem.line else "Cả tệp"
        sheet.append([text_cell(sheet, text) for text in (line, problem.column, problem.reason, problem.remedy)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_BOLD = Font(bold=True)
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def text_cell(sheet: WriteOnlyWorksheet, text: str, *, bold: bool = False) -> Cell:
    """Return a text cell; its format stays Text, so that even retyping ``=1+1`` in Excel gives no formula."""
    cell: Cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST_CELL])
    cell.data_type = "s"  # openpyxl would make a formula of a text that starts with =
    cell.number_format = "@"
    cell.quotePrefix = True
    if bold:
        cell.font = _BOLD
    return cell
