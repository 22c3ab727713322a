"""What an import says (pure): what it did to the rows of a sheet, or every row that stands against what is stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from billing.errors import BadRows, RowProblem
from billing.people.names import clean_text
from billing.people.workbook import in_sheet

PUPIL_CODE = "Mã định danh Bộ GD&ĐT"
_TONES = re.compile("[\u0300\u0309\u0303\u0301\u0323]")


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows of a sheet were new, changed something, or said what was known."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


class SheetRow(Protocol):
    """A row that knows where it stood."""

    @property
    def line(self) -> int:
        """The line in the sheet."""

    @property
    def sheet(self) -> str:
        """The sheet, empty when there is only one."""


def problem(row: SheetRow, column: str, reason: str, remedy: str) -> RowProblem:
    """Return one fault of one row."""
    return RowProblem(row.line, in_sheet(column, row.sheet), reason, remedy)


def where(row: SheetRow) -> str:
    """Return where a row stood, for the fault of another."""
    return in_sheet(f"dòng {row.line}", row.sheet)


def refuse(problems: Iterable[RowProblem]) -> None:
    """Raise ``BadRows`` with all of them, if there is any, in the order of the lines."""
    found = sorted(problems, key=lambda each: each.line)
    if found:
        lines = len({each.line for each in found})
        raise BadRows(f"Tệp có {len(found)} chỗ cần sửa ở {lines} dòng; chưa lưu gì cả.", found)


def name_key(name: str) -> str:
    """Return what two spellings of one name share: case and the place of the tone do not count (Hoà is Hòa)."""
    words = unicodedata.normalize("NFD", clean_text(name).casefold()).split(" ")
    return " ".join(_TONES.sub("", word) + "".join(_TONES.findall(word)) for word in words)
