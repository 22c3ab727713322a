"""What is said beside the movements: labels with what stands behind them, totals, counts, and the currency (pure).

A label is a word at the beginning of a row, never the beginning of a name: “Tống” is a surname, “Tổng” a total.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciliation.statements.cells import fold, is_empty
from reconciliation.statements.grid import SheetRow
from reconciliation.statements.heading import Table
from reconciliation.statements.layouts import (
    ACCOUNT_LABELS,
    COUNT_LABELS,
    CURRENCY_LABELS,
    LOOSE_ACCOUNT_LABELS,
    NO_ACCOUNT_LABELS,
    TITLES,
    Column,
)

_TOTAL_WORDS = (
    "amounts?|cac|co|cong|count|cr|credit|cuoi|dau|debit|dich|doanh|dr|gd|ghi|gia|giao|gui|ke|khoan|ky|luy|mon|"
    "movements?|nam|ngay|no|of|page|phat|phi|ps|ra|rut|sinh|so|sum|thang|the|tien|trang|transactions?|tri|trong|"
    "turnover|vao"
)
_TOTAL = re.compile(
    rf"(?:tong|totals?|grand total|sub-?total|cong (?:so )?phat sinh|cong ps|cong trang)"
    rf"(?: (?:{_TOTAL_WORDS}))*\s*(?:[:/(.0-9-].*)?"
)
_SURNAME = "tống"
_ENDS = re.compile(r"\s*(?:$|[:/(0-9])")
_LAST_NUMBER = re.compile(r" ([0-9]{6,19})$")
_FOREIGN = re.compile(
    r"(?<![a-z])(?:usd|eur|jpy|gbp|aud|sgd|cny|krw|thb|hkd|cad|chf|twd|nzd|sek|nok|dkk|myr|inr|rub|lak|khr)(?![a-z])"
)
_DONG = re.compile(r"(?<![a-z])(?:vnd|dong|viet nam dong)(?![a-z])")
_THOUSANDS = re.compile(r"(?<![a-z])(?:nghin|ngan|trieu|ty|thousand|million)(?![a-z])|000")
_SUMS = (Column.DEBIT, Column.CREDIT, Column.AMOUNT, Column.BALANCE)


@dataclass(frozen=True, slots=True)
class Other:
    """A row that is no movement, with its number from 1."""

    number: int
    row: SheetRow


def first_of(row: SheetRow) -> str:
    """Return the folded first filled cell of a row."""
    return next((fold(cell) for cell in row if not is_empty(cell)), "")


def begins_with(folded: str, labels: tuple[str, ...]) -> bool:
    """Tell whether a folded cell begins with a label, or is one that is written with "=" in front."""
    for label in labels:
        if label.startswith("="):
            if folded.startswith(label[1:]) and _ENDS.match(folded, len(label) - 1):
                return True
        elif folded.startswith(label):
            return True
    return False


def is_total(row: SheetRow) -> bool:
    """Tell whether a row says that it sums up: whole words of a total, and nothing of a name behind them."""
    first = next((cell for cell in row if not is_empty(cell)), None)
    if not isinstance(first, str) or unicodedata.normalize("NFC", first).strip().lower().startswith(_SURNAME):
        return False
    return _TOTAL.fullmatch(fold(first)) is not None


def is_said(row: SheetRow) -> bool:
    """Tell whether a row below the totals says something of the account or counts movements, by its first cell."""
    first = first_of(row)
    labels = (*ACCOUNT_LABELS, *LOOSE_ACCOUNT_LABELS, *CURRENCY_LABELS, *COUNT_LABELS, *TITLES)
    return first.endswith(":") or begins_with(first, labels)


def labelled(others: Iterable[Other], labels: tuple[str, ...], table: Table | None = None) -> Iterable[object]:
    """Give what stands behind a label: after its colon, in the column of balances, beside it, or below it."""
    rows = list(others)
    for at, other in enumerate(rows):
        for place, cell in enumerate(other.row):
            folded = fold(cell) if isinstance(cell, str) else ""
            if not begins_with(folded, labels) or folded.startswith(NO_ACCOUNT_LABELS):
                continue
            _, _, rest = cell.partition(":") if isinstance(cell, str) else ("", "", "")
            if not rest.strip() and (number := _LAST_NUMBER.search(folded)):
                rest = number[1]
            if rest.strip():
                yield rest
                continue
            below = rows[at + 1].row if at + 1 < len(rows) else ()
            yield from _beside(other.row, below, place, table)


def other_currency(others: Iterable[Other], table: Table) -> str | None:
    """Return what a file says of a currency that is not the đồng, or of sums in thousands; None when nothing."""
    headings = table.sheet.rows[table.header : table.body]
    for row in headings:
        for column in _SUMS:
            told = fold(table.cell(row, column))
            if _FOREIGN.search(told):
                return told
    for other in others:
        for place, cell in enumerate(other.row):
            folded = fold(cell) if isinstance(cell, str) else ""
            if begins_with(folded, CURRENCY_LABELS):
                told = folded.partition(":")[2].strip() or _next(other.row, place)
                if told and (not _DONG.search(told) or _THOUSANDS.search(told)):
                    return told
            elif begins_with(folded, (*ACCOUNT_LABELS, *LOOSE_ACCOUNT_LABELS)):
                told = f"{folded} {_next(other.row, place)}"
                if (code := _FOREIGN.search(told)) is not None:
                    return code[0]
    return None


def currency_place(table: Table) -> int | None:
    """Return the column in which each row tells its currency, None where there is none."""
    for row in table.sheet.rows[table.header : table.body]:
        for place, cell in enumerate(row):
            if isinstance(cell, str) and begins_with(fold(cell), CURRENCY_LABELS):
                return place
    return None


def is_dong(cell: object) -> bool:
    """Tell whether a row's currency is the đồng, or not told."""
    return is_empty(cell) or _DONG.search(fold(cell)) is not None


def _next(row: SheetRow, place: int) -> str:
    return next((fold(cell) for cell in row[place + 1 :] if not is_empty(cell)), "")


def _beside(row: SheetRow, below: Sequence[object], place: int, table: Table | None) -> Iterable[object]:
    balance = None if table is None or Column.BALANCE not in table.columns else table.cell(row, Column.BALANCE)
    if balance is not None and _has_digit(balance):
        yield balance
        return
    beside = next((cell for cell in row[place + 1 :] if not is_empty(cell)), None)
    if beside is not None and _has_digit(beside):
        yield beside
    elif place < len(below) and not is_empty(below[place]) and _has_digit(below[place]):
        yield below[place]


def _has_digit(cell: object) -> bool:
    return any(letter.isdigit() for letter in str(cell))
