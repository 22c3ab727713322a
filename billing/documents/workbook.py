"""A report's workbook, written row by row by XlsxWriter; equal input gives equal bytes (pure).

There is no way to write a formula: every value goes through the method of its own kind, never through XlsxWriter's
``write``, which guesses. Text stays in text format, and is marked as quoted where it looks like a formula: a bank's
memo ``=HYPERLINK(…)`` stays what it is, also after somebody confirms the cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from tempfile import TemporaryDirectory
from typing import IO

# XlsxWriter has hints in its source, but no mark (py.typed) that they may be used.
from xlsxwriter import Workbook as File  # type: ignore[import-untyped]  # no py.typed
from xlsxwriter.format import Format  # type: ignore[import-untyped]  # no py.typed
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]  # no py.typed

from billing.documents.cells import Digest, Value, plain_value, safe_text
from billing.money import Money

_OPTIONS = {
    "constant_memory": True,  # one row in memory; strings stand in their cells
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_A4 = 9
_LARGEST = 10**15 - 1  # spreadsheets keep 15 digits
_FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four: full-width forms
_BEFORE_ESCAPE = re.compile("(?<=_)(?=x[0-9A-Fa-f]{4}_)")  # _x003D_ in a cell would be read as =
_RUN = "<r>"  # XlsxWriter takes text from <r> to </r> for its own finished markup
_TEXT, _COUNT, _MONEY = 49, 1, 3  # the format's own numbers of "@", "0" and "#,##0"
_KINDS: Mapping[str, Mapping[str, object]] = {
    "text": {"num_format": _TEXT},
    "quoted": {"num_format": _TEXT, "quote_prefix": True},
    "count": {"num_format": _COUNT},
    "money": {"num_format": _MONEY},
    "day": {"num_format": "dd/mm/yyyy"},
    "moment": {"num_format": "dd/mm/yyyy\\ hh:mm:ss"},
}
_HEADING = {"num_format": _TEXT, "bold": True, "bg_color": "#E8EEF4", "valign": "top", "text_wrap": True}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Vietnamese heading and its width in characters."""

    heading: str
    width: int


@contextmanager
def workbook_into(stream: IO[bytes], titles: Sequence[str], *, name: str, created: datetime) -> Iterator[Workbook]:
    """Open a workbook with these sheets; it stands in ``stream`` after the block.

    ``created`` (UTC) is the moment the figures are of: XlsxWriter would write the time of day. Rows wait in a private
    folder, which is gone after the block also when it fails.
    """
    with (
        TemporaryDirectory(prefix="hocphi-") as folder,
        File(stream, {**_OPTIONS, "tmpdir": folder}) as file,
    ):
        file.set_properties({"title": safe_text(name), "author": "Hocphi", "created": created})
        for title in titles:
            file.add_worksheet(title)
        yield Workbook(file)


class Workbook:
    """A workbook being written: its sheets stand in their given order, whatever order they are written in."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._formats = {
            (kind, bold): file.add_format({**looks, "bold": bold})
            for kind, looks in _KINDS.items()
            for bold in (False, True)
        }
        self._heading = file.add_format(_HEADING)

    def sheet(
        self, title: str, columns: Sequence[Column], *, freeze: str, data_rows: int = 0, digest: Digest | None = None
    ) -> Sheet:
        """Return one sheet to write, A4 landscape; panes above and left of the cell ``freeze`` stay in view.

        A filter stands over its ``data_rows`` when there are any.
        """
        sheet = self._file.get_worksheet_by_name(title)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, column.width)
        sheet.freeze_panes(freeze)
        if data_rows:
            sheet.autofilter(0, 0, data_rows, len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.5)
        return Sheet(sheet, columns, self._formats, self._heading, digest)


class Sheet:
    """One open sheet: headings, data rows (digested), and rows beside the data."""

    def __init__(
        self,
        sheet: Worksheet,
        columns: Sequence[Column],
        formats: Mapping[tuple[str, bool], Format],
        heading: Format,
        digest: Digest | None,
    ) -> None:
        self._sheet = sheet
        self._columns = columns
        self._formats = formats
        self._heading = heading
        self._digest = digest
        self._count = 0

    def head(self) -> None:
        """Write the columns' headings."""
        self.heading([column.heading for column in self._columns])

    def heading(self, texts: Sequence[str]) -> None:
        """Write one row of headings."""
        row = self._next(len(texts))
        for column, text in enumerate(texts):
            self._text(row, column, safe_text(text), self._heading)

    def data(self, *values: Value) -> None:
        """Write one data row (its first value is its running number) and add it to the digest."""
        if self._digest is None or type(values[0]) is not int:
            raise TypeError("a data row begins with its number, on a sheet with a digest")
        self._row(values, bold=False)
        self._digest.add(self._sheet.get_name(), [plain_value(value) for value in values])

    def note(self, *values: Value, bold: bool = False) -> None:
        """Write a row beside the data: a total, a check, a blank; it begins with text or an empty cell."""
        if values and isinstance(values[0], int | Money):
            raise TypeError("only data rows begin with a number")
        self._row(values, bold=bold)

    def _next(self, cells: int) -> int:
        """Return the number of the next row, counted from 0, which has room for so many cells."""
        if cells > len(self._columns):
            raise ValueError(f"{cells} cells do not fit into {len(self._columns)} columns")
        self._count += 1
        return self._count - 1

    def _row(self, values: Sequence[Value], *, bold: bool) -> None:
        row = self._next(len(values))
        for column, value in enumerate(values):
            self._cell(row, column, value, bold=bold)

    def _cell(self, row: int, column: int, value: Value, *, bold: bool) -> None:
        """Write one value by its kind; there is no cell where there is nothing to show."""
        plain = plain_value(value)
        if plain is None:
            return
        if isinstance(plain, str):
            kind = "quoted" if plain.startswith(_FORMULA_STARTS) else "text"
            self._text(row, column, plain, self._formats[kind, bold])
        elif isinstance(plain, date):
            kind = "moment" if isinstance(plain, datetime) else "day"
            _written(self._sheet.write_datetime(row, column, plain, self._formats[kind, bold]))
        elif abs(plain) > _LARGEST:
            raise ValueError(f"a spreadsheet would round {plain}")
        else:
            kind = "money" if isinstance(value, Money) else "count"
            _written(self._sheet.write_number(row, column, plain, self._formats[kind, bold]))

    def _text(self, row: int, column: int, text: str, look: Format) -> None:
        """Write safe text; what would be read as markup or as an escape is written in pieces that mean nothing."""
        pieces = _BEFORE_ESCAPE.split(text)
        if text.startswith(_RUN):
            pieces[:1] = [pieces[0][:1], pieces[0][1:]]
        if len(pieces) > 1:
            runs = [part for piece in pieces for part in (look, piece)]
            _written(self._sheet.write_rich_string(row, column, *runs, look))
        elif text:
            _written(self._sheet.write_string(row, column, text, look))


def _written(answer: int) -> None:
    """Raise ``ValueError`` when XlsxWriter left out or cut a cell, which it only says in its answer."""
    if answer:
        raise ValueError(f"a cell does not fit into the sheet (XlsxWriter: {answer})")
