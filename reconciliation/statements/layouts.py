"""What the statements of each bank look like: words to know them by, and the headings of their columns (pure).

Headings are compared folded (small letters, no marks) and by their beginning; of several that fit a role the one
listed first wins. The order of columns is never trusted: Vietcombank prints debit and credit either way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Column(StrEnum):
    """What a column tells."""

    DAY = "day"
    MOMENT = "moment"
    DEBIT = "debit"
    CREDIT = "credit"
    BALANCE = "balance"
    MEMO = "memo"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Layout:
    """One bank's statement. ``marks`` are words above the table, one of which must occur."""

    bank: str
    marks: tuple[str, ...]
    headings: Mapping[Column, tuple[str, ...]]
    needed: frozenset[Column]


_NEEDED = frozenset({Column.DAY, Column.DEBIT, Column.CREDIT, Column.MEMO})

MB = Layout(
    bank="mb",
    marks=("sao ke chi tiet tai khoan",),
    headings={
        Column.DAY: ("ngay hach toan", "posting date", "ngay giao dich", "transaction date"),
        Column.MOMENT: ("ngay giao dich", "transaction date"),
        Column.DEBIT: ("phat sinh no", "debit"),
        Column.CREDIT: ("phat sinh co", "credit"),
        Column.BALANCE: ("so du", "balance"),
        Column.MEMO: ("noi dung", "dien giai", "details"),
        Column.REFERENCE: ("so but toan", "so tham chieu", "reference"),
    },
    needed=_NEEDED,
)
VIETCOMBANK = Layout(
    bank="vietcombank",
    marks=("vietcombank", "ngoai thuong", "sao ke tai khoan"),
    headings={
        Column.DAY: ("ngay giao dich", "ngay gd", "tnx date"),
        Column.MOMENT: ("ngay giao dich", "ngay gd", "tnx date"),
        Column.DEBIT: ("so tien ghi no", "ghi no", "debit"),
        Column.CREDIT: ("so tien ghi co", "ghi co", "credit"),
        Column.BALANCE: ("so du", "balance"),
        Column.MEMO: ("noi dung chi tiet", "mo ta", "noi dung", "transactions in detail"),
        Column.REFERENCE: ("so tham chieu", "so ct", "doc no"),
    },
    needed=_NEEDED | {Column.REFERENCE},
)
LAYOUTS = (MB, VIETCOMBANK)
HEADER_WITHIN_ROWS = 40

ACCOUNT_LABELS = ("so tai khoan", "account no", "account number", "tai khoan so")
OPENING_LABELS = ("so du dau", "opening balance")
CLOSING_LABELS = ("so du cuoi", "closing balance")
TOTAL_LABELS = ("tong", "total", "cong phat sinh", "cong so phat sinh")
