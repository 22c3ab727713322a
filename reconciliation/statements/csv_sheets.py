"""The rows of a delimited text file (pure), and the letters of any text: UTF-8, UTF-16 or Windows-1258."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Sequence

from reconciliation.errors import StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.grid import Sheet, SheetRow

_DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 200
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
    return [Sheet("", max(_each_way(text), key=_likeness))]


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


def _each_way(text: str) -> list[list[SheetRow]]:
    return [_rows(text, delimiter) for delimiter in _DELIMITERS]


def _rows(text: str, delimiter: str) -> list[SheetRow]:
    rows: list[SheetRow] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            grid.demand_rows(len(rows) + 1)
            rows.append(row[: grid.MAX_COLUMNS])
    except csv.Error as error:
        raise StatementUnreadable("Tệp CSV bị hỏng: hãy tải lại từ ngân hàng") from error
    return rows


def _likeness(rows: Sequence[SheetRow]) -> int:
    """Return how many headings the best row has: filled cells without a digit. Sums hold commas, headings do not."""
    return max((sum(map(_is_heading, row)) for row in rows[:_LOOKED_AT]), default=0)


def _is_heading(cell: object) -> bool:
    text = str(cell)
    return any(letter.isalpha() for letter in text) and not any(letter.isdigit() for letter in text)
