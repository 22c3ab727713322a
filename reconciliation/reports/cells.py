"""Safe spreadsheet cells: text stays text, đồng stay whole numbers, data rows are counted and digested (pure).

A bank's memo ``=HYPERLINK(…)`` is a typed string here and never a formula, also after somebody confirms the cell in a
spreadsheet (text format, quoted). The digest is SHA-256 over the data rows as written, one JSON array a line (sheet,
then cells; dates as ``2025-09-05T00:00:00``; empty cells at the end left out), so that anybody can make it again from
the file: a data row is a row whose first cell is a whole number.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from billing.money import Money

SCHOOL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
LONGEST = 32_000  # characters; the format allows 32,767
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\t\r\n\x85\u2028\u2029]")
_FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four: full-width forms
_HEAD_FILL = PatternFill("solid", fgColor="FFE8EEF4")

Value = str | int | date | datetime | Money | None
Plain = str | int | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Vietnamese heading and its width in characters."""

    heading: str
    width: int


def safe_text(text: str) -> str:
    """Return ``text`` as a cell may hold it: NFC, one line, signs the format forbids as U+FFFD, not too long."""
    one_line = _BREAKS.sub(" ", unicodedata.normalize("NFC", text))
    clean = _ILLEGAL.sub("\ufffd", one_line)
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"


def plain_value(value: Value) -> Plain:
    """Return what the file holds for ``value``: safe text, whole number, the school's wall clock to the second."""
    if isinstance(value, Money):
        return value.dong
    if isinstance(value, str):
        return safe_text(value) or None
    if isinstance(value, datetime):
        return value.astimezone(SCHOOL_TIME).replace(tzinfo=None, microsecond=0)
    return value


class Digest:
    """SHA-256 over data rows in the order they are written, and how many there were."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.rows = 0

    def add(self, sheet: str, values: Sequence[Plain]) -> None:
        """Count one data row as it stands in the sheet."""
        cells = [f"{value:%Y-%m-%dT%H:%M:%S}" if isinstance(value, date) else value for value in values]
        while cells and cells[-1] is None:
            cells.pop()
        row = json.dumps([sheet, *cells], ensure_ascii=False, separators=(",", ":"))
        self._sha256.update(row.encode("utf-8") + b"\n")
        self.rows += 1

    def hexdigest(self) -> str:
        """Return the digest of all rows so far."""
        return self._sha256.hexdigest()


class _Cells:
    """The shared cells of one sheet: one object per kind serves all rows, which keeps 100,000 rows quick.

    All carry a style, because openpyxl changes the kind of an unstyled cell that it meets twice in a row.
    """

    def __init__(self, sheet: Any, *, bold: bool) -> None:  # noqa: ANN401  openpyxl's stubs say Any too
        def made(number_format: str) -> Cell:
            cell = WriteOnlyCell(sheet)
            cell.number_format = number_format
            cell.font = Font(bold=bold)
            return cell

        self._text, self._quoted = made("@"), made("@")
        self._quoted.quotePrefix = True
        self._others = {
            int: made("0"),
            Money: made("#,##0"),
            date: made("dd/mm/yyyy"),
            datetime: made("dd/mm/yyyy hh:mm:ss"),
        }

    def holding(self, value: Value) -> Cell | None:
        """Return the shared cell of this value's kind with the value in it; nothing for an empty one."""
        plain = plain_value(value)
        if plain is None:
            return None
        if not isinstance(plain, str):
            cell = self._others[type(value)]
            cell.value = plain
            return cell
        cell = self._quoted if plain.startswith(_FORMULA_STARTS) else self._text
        cell.value = plain
        cell.data_type = "s"  # openpyxl would make "=…" a formula
        return cell


class Sheet:
    """One sheet, written row by row: headings, data rows (digested), and rows beside the data."""

    def __init__(self, workbook: Workbook, title: str, columns: Sequence[Column], digest: Digest | None = None) -> None:
        self.title = title
        self._digest = digest
        self._columns = columns
        self._sheet = workbook.create_sheet(title)
        self._cells = {bold: _Cells(self._sheet, bold=bold) for bold in (False, True)}
        for number, column in enumerate(columns, start=1):
            self._sheet.column_dimensions[get_column_letter(number)].width = column.width
        self._sheet.page_setup.orientation = "landscape"
        self._sheet.page_setup.paperSize = 9  # A4
        self._sheet.page_setup.fitToHeight = 0
        self._sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)

    def freeze(self, cell: str) -> None:
        """Keep what stands above and left of ``cell`` in view; before the first row only."""
        self._sheet.freeze_panes = cell

    def head(self) -> None:
        """Write the columns' headings as the first row."""
        self.heading([column.heading for column in self._columns])

    def heading(self, texts: Sequence[str]) -> None:
        """Write one row of headings."""
        cells = [WriteOnlyCell(self._sheet, value=safe_text(text)) for text in texts]
        for cell in cells:
            cell.data_type = "s"
            cell.font = Font(bold=True)
            cell.fill = _HEAD_FILL
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        self._sheet.append(cells)

    def data(self, *values: Value) -> None:
        """Write one data row (its first value is its running number) and add it to the digest."""
        if self._digest is None or type(values[0]) is not int:
            raise TypeError("a data row begins with its number, on a sheet with a digest")
        self._digest.add(self.title, [plain_value(value) for value in values])
        self._append(values, bold=False)

    def note(self, *values: Value, bold: bool = False) -> None:
        """Write a row beside the data: a total, a check, a blank; it begins with text or an empty cell."""
        if values and isinstance(values[0], int | Money):
            raise TypeError("only data rows begin with a number")
        self._append(values, bold=bold)

    def filter(self, rows: int) -> None:
        """Offer a filter over the headings in the first row and the ``rows`` data rows under them."""
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._columns))}{rows + 1}"

    def _append(self, values: Sequence[Value], *, bold: bool) -> None:
        # A generator on purpose: openpyxl writes each cell out before it asks for the next one,
        # so the shared cell objects are free again by then.
        cells = self._cells[bold]
        self._sheet.append(cells.holding(value) for value in values)


def report_digest(workbook: bytes) -> tuple[str, int]:
    """Make the digest again from a finished workbook: (hex digest, number of data rows)."""
    digest = Digest()
    book = load_workbook(BytesIO(workbook), read_only=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            values = [_read(value) for value in row]
            if values and isinstance(values[0], int):
                digest.add(sheet.title, values)
    book.close()
    return digest.hexdigest(), digest.rows


def _read(value: object) -> Plain:
    """Return a cell's value as it was written: moments are stored as fractions of a day, so round to seconds."""
    if isinstance(value, datetime):
        return (value + timedelta(milliseconds=500)).replace(microsecond=0)
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"a report holds no {type(value).__name__}")
