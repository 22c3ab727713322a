"""What stands in one cell of a sheet of fees (pure): đồng, counts, days, listed words, or why it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TypeVar

from billing.errors import HocphiError
from billing.fees.grades import grade_of
from billing.fees.items import MAX_COUNT, MAX_PRICE
from billing.fees.naming import ITEM_CODE
from billing.money import Money
from billing.people.cells import CellError, shown, text_of
from billing.people.names import search_key
from billing.people.workbook import Cell

T = TypeVar("T")

_WRITE_DAY = "Viết ngày theo dạng ngày/tháng/năm, ví dụ 01/09/2025."
_DAY = re.compile(r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4})")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DONG = re.compile(r"[0-9]{1,3}(?:[.,  ][0-9]{3})+|[0-9]+")
_FIRST_YEAR, _LAST_YEAR = 2015, 2100
YES, NO = "Có", "Không"
_YES = frozenset({"co", "x", "yes", "1"})
_NO = frozenset({"khong", "no", "0"})
_LONG = 500


def long_text_of(cell: Cell) -> str:
    """Return text of up to 500 characters: a legal basis, an evidence."""
    return text_of(cell, _LONG)


def day_of(cell: Cell) -> date:
    """Return a day from a date cell or ``dd/mm/yyyy``; nothing ambiguous is guessed."""
    if isinstance(cell.value, datetime) and cell.kind == "d":
        found = cell.value.date()
    else:
        text = text_of(cell)
        if match := _ISO_DAY.fullmatch(text):
            found = _date(text, *map(int, match.groups()))
        elif match := _DAY.fullmatch(text):
            found = _date(text, int(match[3]), int(match[2]), int(match[1]))
        else:
            raise CellError(f"Không hiểu ngày {shown(text)}.", _WRITE_DAY)
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise CellError(f"Ngày {found:%d/%m/%Y} quá xa.", "Kiểm tra lại năm.")
    return found


def money_of(cell: Cell) -> Money:
    """Return whole đồng above zero, from a number or ``1.250.000`` (also with ``đ`` behind)."""
    if isinstance(cell.value, float) and cell.value != int(cell.value):
        raise CellError(f"Số tiền {shown(cell.value)} không phải số nguyên.", "Ghi số tiền bằng đồng, không có số lẻ.")
    text = text_of(cell).casefold().removesuffix("đồng").removesuffix("đ").strip()
    if not _DONG.fullmatch(text):
        raise CellError(f"Không hiểu số tiền {shown(text)}.", "Ghi số tiền bằng đồng, ví dụ 300000 hoặc 300.000.")
    amount = Money(int(re.sub(r"[^0-9]", "", text)))
    if not Money(0) < amount <= MAX_PRICE:
        raise CellError(f"Số tiền {amount} phải lớn hơn 0 đ và không quá {MAX_PRICE}.", "Kiểm tra lại số tiền.")
    return amount


def count_of(cell: Cell) -> int:
    """Return a whole number from 1 to 1,000."""
    return _whole(cell, MAX_COUNT)


def percent_of(cell: Cell) -> int:
    """Return a percentage from 1 to 100; a cell in percent format (0.5) is taken as 50."""
    if isinstance(cell.value, float) and 0 < cell.value < 1:
        share = round(cell.value * 100, 6)
        return _whole(Cell(int(share) if share == int(share) else share, "n"), 100)
    if isinstance(cell.value, str):
        return _whole(Cell(cell.value.strip().removesuffix("%").strip(), "s"), 100)
    return _whole(cell, 100)


def yes_of(cell: Cell) -> bool:
    """Return whether the cell says yes."""
    word = search_key(text_of(cell))
    if word not in _YES | _NO:
        raise CellError(f"Không hiểu {shown(cell.value)}.", f"Ghi “{YES}” hoặc “{NO}”.")
    return word in _YES


def one_of(words: Mapping[T, str]) -> Callable[[Cell], T]:
    """Return a reader of one word of a closed list; case and marks do not count."""
    known = {search_key(word): value for value, word in words.items()}

    def take(cell: Cell) -> T:
        text = text_of(cell)
        if search_key(text) not in known:
            raise CellError(f"Không hiểu {shown(text)}.", "Ghi một trong: " + "; ".join(words.values()) + ".")
        return known[search_key(text)]

    return take


def several_of(words: Mapping[T, str]) -> Callable[[Cell], frozenset[T]]:
    """Return a reader of several words of a closed list, with semicolons between them (words may hold commas)."""
    take = one_of(words)

    def take_all(cell: Cell) -> frozenset[T]:
        return frozenset(take(Cell(part, "s")) for part in _parts(cell, ";"))

    return take_all


def codes_of(cell: Cell) -> frozenset[str]:
    """Return codes with semicolons or commas between them."""
    return frozenset(_parts(cell))


def code_of(cell: Cell) -> str:
    """Return an item's code: letters, digits, hyphens, dots, underscores; upper-case."""
    text = text_of(cell).upper()
    if not ITEM_CODE.fullmatch(text):
        raise CellError(
            f"Mã khoản thu {shown(text)} không hợp lệ.", "Ghi mã bằng chữ in không dấu và số, không dấu cách."
        )
    return text


def grades_of(cell: Cell) -> frozenset[int]:
    """Return grades with semicolons or commas between them: −3 to 0 of a preschool, 1 to 12."""
    return frozenset(_grade(part) for part in _parts(cell))


def in_words(error: HocphiError) -> tuple[str, str]:
    """Return what a rule refuses as reason and remedy."""
    reason, found, remedy = error.message.partition(" Hãy ")
    return reason, f"Hãy {remedy}" if found else "Sửa dòng này rồi gửi lại."


def _parts(cell: Cell, marks: str = ";,") -> list[str]:
    return [part for each in re.split(f"[{marks}]", text_of(cell)) if (part := each.strip())]


def _whole(cell: Cell, most: int) -> int:
    text = text_of(cell)
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise CellError(f"Số {shown(text)} không phải số nguyên từ 1 đến {most}.", "Ghi lại số nguyên.")
    return int(text)


def _grade(text: str) -> int:
    grade = grade_of(text)
    if grade is None:
        raise CellError(f"{shown(text)} không phải khối.", "Ghi 1 đến 12; mầm non ghi -3, -2, -1 hoặc 0.")
    return grade


def _date(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise CellError(f"Không có ngày {shown(text)} trong lịch.", _WRITE_DAY) from None
