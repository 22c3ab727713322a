"""The rows of a delimited text file (pure), and the letters of any text: UTF-8, UTF-16 or Windows-1258."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

from reconciliation.errors import StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.grid import Sheet, SheetRow

_DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 200
_OF_A_ROW = 3  # delimiters in one line: no memo, a row
_BEGINS_WITH_A_DAY = re.compile(r'\s*"?[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{2,4}')
_AGAIN = "Hãy tải lại từ ngân hàng, đừng sửa tệp"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(content: bytes) -> str:
    """Return the letters of a text file, NFC; raises ``StatementUnreadable`` for what is no text."""
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return unicodedata.normalize("NFC", text)
    raise StatementUnreadable(
        "Không nhận ra loại tệp: hãy tải sao kê dạng Excel (.xlsx, .xls), CSV, MT940 hoặc CAMT.053"
    )


def read_csv(text: str) -> list[Sheet]:
    """Return the one sheet of a delimited text; raises ``StatementUnreadable``."""
    delimiter = max(_DELIMITERS, key=lambda each: _likeness(text, each))
    return [Sheet("", _rows(text, delimiter), delimited=True)]


def _encodings(content: bytes) -> Sequence[str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return (encoding,)
    half = content[:400]
    if half[1::2].count(0) > len(half) // 4:
        return ("utf-16-le",)
    if half[0::2].count(0) > len(half) // 4:
        return ("utf-16-be",)
    return ("utf-8", "windows-1258")


def _rows(text: str, delimiter: str) -> list[SheetRow]:
    rows: list[SheetRow] = []
    cells = 0
    try:
        # Strict: a quote that nobody closed would take the rest of the file into one memo.
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            grid.demand_rows(len(rows) + 1)
            cells += min(len(row), grid.MAX_COLUMNS)
            grid.demand_cells(cells)
            if any("\n" in cell and _holds_a_row(cell, delimiter) for cell in row):
                raise StatementUnreadable(
                    f"Dòng {len(rows) + 1} của tệp CSV: một ô nuốt cả dòng sau (thừa dấu ngoặc kép). {_AGAIN}"
                )
            rows.append([grid.plain(cell) for cell in row[: grid.MAX_COLUMNS]])
    except csv.Error as error:
        raise StatementUnreadable(
            f"Tệp CSV bị cắt hoặc hỏng sau dòng {len(rows)}: dấu ngoặc kép không khớp. {_AGAIN}"
        ) from error
    return rows


def _holds_a_row(cell: str, delimiter: str) -> bool:
    """Tell whether a cell of several lines swallowed a movement: a line after the first looks like one."""
    after = cell.split("\n")[1:]
    return any(
        line.count(delimiter) >= _OF_A_ROW or (delimiter in line and _BEGINS_WITH_A_DAY.match(line)) for line in after
    )


def _likeness(text: str, delimiter: str) -> int:
    """Return how many headings the best row has: filled cells without a digit. Sums hold commas, headings do not."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return max((sum(map(_is_heading, row)) for row in islice(rows, _LOOKED_AT)), default=0)
    except csv.Error:
        return 0


def _is_heading(cell: object) -> bool:
    text = str(cell)
    return any(letter.isalpha() for letter in text) and not any(letter.isdigit() for letter in text)
