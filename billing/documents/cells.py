"""Safe spreadsheet values: text stays text, đồng stay whole numbers, data rows are counted and digested (pure).

The digest is SHA-256 over the data rows as written, one JSON array a line (sheet,
then cells; dates as ``2025-09-05T00:00:00``; empty cells at the end left out), so that anybody can make it again from
the file: a data row is a row whose first cell is a whole number.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from openpyxl import load_workbook

from billing.money import Money

SCHOOL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
LONGEST = 32_000  # UTF-16 units, as the format counts; it allows 32,767
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\t\r\n\x85\u2028\u2029]")

Value = str | int | date | datetime | Money | None
Plain = str | int | date | None


def safe_text(text: str) -> str:
    """Return ``text`` as a cell may hold it: NFC, one line, signs the format forbids as U+FFFD, not too long."""
    one_line = _BREAKS.sub(" ", unicodedata.normalize("NFC", text))
    clean = _ILLEGAL.sub("\ufffd", one_line)
    return clean if len(clean) <= LONGEST // 2 else _shortened(clean)


def _shortened(text: str) -> str:
    """Return ``text``, cut visibly when it is too long; a sign outside the basic plane counts as two."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return text
    return units[: 2 * (LONGEST - 1)].decode("utf-16-le", errors="ignore") + "…"


def plain_value(value: Value) -> Plain:
    """Return what the file holds for ``value``: safe text, whole number, the school's wall clock to the second."""
    if isinstance(value, Money):
        return value.dong
    if isinstance(value, str):
        return safe_text(value) or None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a moment must say its zone")
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
