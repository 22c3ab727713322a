"""A workbook file (.xlsx, ECMA-376), written row by row as a stream; equal input gives equal bytes (pure).

openpyxl wrote the same sheets in a minute that this file writes in seconds, and put the time of day into each file.
Text is always a typed string, in text format, and marked as quoted where it looks like a formula: a bank's memo
``=HYPERLINK(…)`` stays what it is, also after somebody confirms the cell. There is no way to write a formula.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import IO
from xml.sax.saxutils import escape

from billing.money import Money
from reconciliation.reports.cells import Digest, Value, plain_value, safe_text
from reconciliation.reports.workbook_parts import (
    BOLD,
    COUNT,
    DAY,
    DECLARATION,
    HEADING,
    MAIN,
    MOMENT,
    MONEY,
    QUOTED,
    TEXT,
    parts,
    sheet_path,
)

_FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four: full-width forms
_ROWS_AT_ONCE = 1000
_SECONDS_A_DAY = 86_400
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets that believe in 29 February 1900


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Vietnamese heading and its width in characters."""

    heading: str
    width: int


class Workbook:
    """A workbook being written: its sheets stand in the order of ``titles``, whatever order they are written in."""

    def __init__(self, titles: Sequence[str], *, name: str, created: datetime) -> None:
        self._titles = list(titles)
        self._buffer = BytesIO()
        self._zip = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED)
        for path, text in parts(self._titles, name, created).items():
            self._zip.writestr(_entry(path), DECLARATION + text)

    @contextmanager
    def sheet(
        self, title: str, columns: Sequence[Column], *, freeze: str, data_rows: int = 0, digest: Digest | None = None
    ) -> Iterator[Sheet]:
        """Open one sheet; a filter stands over its ``data_rows`` when there are any."""
        number = self._titles.index(title) + 1
        with self._zip.open(_entry(sheet_path(number)), "w") as stream:
            stream.write((DECLARATION + _sheet_head(columns, freeze, selected=number == 1)).encode())
            sheet = Sheet(title, columns, stream, digest)
            yield sheet
            sheet.flush()
            stream.write(_sheet_tail(columns, data_rows).encode())

    def finish(self) -> bytes:
        """Return the finished file."""
        self._zip.close()
        return self._buffer.getvalue()


class Sheet:
    """One open sheet: headings, data rows (digested), and rows beside the data."""

    def __init__(self, title: str, columns: Sequence[Column], stream: IO[bytes], digest: Digest | None) -> None:
        self._title = title
        self._columns = columns
        self._letters = [column_letter(number) for number in range(len(columns))]
        self._stream = stream
        self._digest = digest
        self._rows: list[str] = []
        self._count = 0

    def head(self) -> None:
        """Write the columns' headings."""
        self.heading([column.heading for column in self._columns])

    def heading(self, texts: Sequence[str]) -> None:
        """Write one row of headings."""
        self._row([_text(text, HEADING) for text in texts])

    def data(self, *values: Value) -> None:
        """Write one data row (its first value is its running number) and add it to the digest."""
        if self._digest is None or type(values[0]) is not int:
            raise TypeError("a data row begins with its number, on a sheet with a digest")
        self._digest.add(self._title, [plain_value(value) for value in values])
        self._row([_cell(value, 0) for value in values])

    def note(self, *values: Value, bold: bool = False) -> None:
        """Write a row beside the data: a total, a check, a blank; it begins with text or an empty cell."""
        if values and isinstance(values[0], int | Money):
            raise TypeError("only data rows begin with a number")
        self._row([_cell(value, BOLD if bold else 0) for value in values])

    def flush(self) -> None:
        """Hand the rows written so far to the file."""
        self._stream.write("".join(self._rows).encode())
        self._rows.clear()

    def _row(self, cells: Sequence[tuple[str, str]]) -> None:
        """Write one row of (attributes, content); cells without content are left out."""
        if len(cells) > len(self._letters):
            raise ValueError(f"{len(cells)} cells do not fit into {len(self._letters)} columns")
        self._count += 1
        row = self._count
        written = "".join(
            f'<c r="{letter}{row}" {attributes}>{content}</c>'
            for letter, (attributes, content) in zip(self._letters, cells, strict=False)
            if content
        )
        self._rows.append(f'<row r="{row}">{written}</row>')
        if len(self._rows) >= _ROWS_AT_ONCE:
            self.flush()


def column_letter(number: int) -> str:
    """Return the name of a column counted from 0: A to Z, then AA."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _cell(value: Value, bold: int) -> tuple[str, str]:
    """Return one value as (attributes, content) of its cell; ``("", "")`` when there is nothing to show."""
    plain = plain_value(value)
    if plain is None:
        return "", ""
    if isinstance(plain, str):
        return _text(plain, (QUOTED if plain.startswith(_FORMULA_STARTS) else TEXT) + bold)
    if isinstance(plain, datetime):
        return f's="{MOMENT + bold}"', f"<v>{_serial(plain)}</v>"
    if isinstance(plain, date):
        return f's="{DAY + bold}"', f"<v>{(plain - _EPOCH).days}</v>"
    return f's="{(MONEY if isinstance(value, Money) else COUNT) + bold}"', f"<v>{plain}</v>"


def _text(text: str, style: int) -> tuple[str, str]:
    content = escape(safe_text(text))
    return f's="{style}" t="inlineStr"', f'<is><t xml:space="preserve">{content}</t></is>'


def _serial(moment: datetime) -> str:
    """Return a wall-clock moment in days since the epoch, ten decimals, without any float."""
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return f"{(moment.date() - _EPOCH).days}.{seconds * 10**10 // _SECONDS_A_DAY:010d}"


def _entry(path: str) -> zipfile.ZipInfo:
    """Return a part's entry with a fixed time, so that the file depends on its content alone."""
    entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _sheet_head(columns: Sequence[Column], freeze: str, *, selected: bool) -> str:
    """Return what stands before the rows; panes above and left of the cell ``freeze`` (such as D2) stay in view."""
    letters = freeze.rstrip("0123456789")
    left = next(number for number in range(len(columns)) if column_letter(number) == letters)
    above = int(freeze[len(letters) :]) - 1
    split = f'xSplit="{left}" ' if left else ""
    tab = 'tabSelected="1" ' if selected else ""
    pane = "bottomRight" if left else "bottomLeft"
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{column.width}" customWidth="1"/>'
        for number, column in enumerate(columns, start=1)
    )
    return (
        f'<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<sheetViews><sheetView {tab}workbookViewId="0">'
        f'<pane {split}ySplit="{above}" topLeftCell="{freeze}" activePane="{pane}" state="frozen"/>'
        f'<selection pane="{pane}"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData>'
    )


def _sheet_tail(columns: Sequence[Column], data_rows: int) -> str:
    """Return what stands behind the rows: the filter, and A4 landscape one page wide."""
    reference = f"A1:{column_letter(len(columns) - 1)}{data_rows + 1}"
    offered = f'<autoFilter ref="{reference}"/>' if data_rows else ""
    margins = '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>'
    setup = '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
    return f"</sheetData>{offered}{margins}{setup}</worksheet>"
