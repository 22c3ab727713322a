"""What the statements of each bank look like: words to know them by, and the headings of their columns (pure).

Headings are compared folded (small letters, no marks) and by their beginning, or as a whole where they are written
with "=" in front; of several that fit a role the one listed first wins. The order of columns is never trusted:
Vietcombank prints debit and credit either way round. A bank's name in the file is a word of the top, not of a memo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Column(StrEnum):
    """What a column tells. ``AMOUNT`` is signed: money out below 0 đ."""

    DAY = "day"
    MOMENT = "moment"
    DEBIT = "debit"
    CREDIT = "credit"
    AMOUNT = "amount"
    FEE = "fee"
    TAX = "tax"
    BALANCE = "balance"
    MEMO = "memo"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One bank's statement. ``marks`` are words above the table, one of which must occur.

    ``debit_signed``: debits, fees and taxes are written below 0. ``fill_down``: a blank day is the day of the row
    above. ``day_holds_reference``: day and document number share a cell. ``no_year``: days are dd-mm, of the period
    above the table. ``within``: the heading stands in the first so many rows.
    """

    bank: str
    marks: tuple[str, ...]
    headings: Mapping[Column, tuple[str, ...]]
    needed: frozenset[Column]
    debit_signed: bool = False
    fill_down: bool = False
    day_holds_reference: bool = False
    no_year: bool = False
    within: int = 40


_NEEDED = frozenset({Column.DAY, Column.DEBIT, Column.CREDIT, Column.MEMO})
_DEBIT = ("so tien ghi no", "phat sinh no", "ghi no", "ps no", "=no", "debit", "=dr", "so tien rut")
_CREDIT = ("so tien ghi co", "phat sinh co", "ghi co", "ps co", "=co", "credit", "=cr", "so tien gui")
_BALANCE = ("so du", "running balance", "account balance", "balance")
_MEMO = ("noi dung chi tiet", "noi dung", "dien giai", "mo ta", "transactions in detail", "description", "details")
_REFERENCE = ("so tham chieu", "so but toan", "so giao dich", "ma giao dich", "so chung tu", "so ct", "reference")
_DAY = ("ngay hach toan", "posting date", "ngay giao dich", "transaction date", "ngay gd", "tnx date", "=ngay")
_MOMENT = ("ngay giao dich", "transaction date", "ngay gd", "tnx date")


def _headings(**other: tuple[str, ...]) -> dict[Column, tuple[str, ...]]:
    """Return what most banks write, with what one writes differently."""
    usual = {
        Column.DAY: _DAY,
        Column.MOMENT: _MOMENT,
        Column.DEBIT: _DEBIT,
        Column.CREDIT: _CREDIT,
        Column.BALANCE: _BALANCE,
        Column.MEMO: _MEMO,
        Column.REFERENCE: _REFERENCE,
    }
    return usual | {Column(name): headings for name, headings in other.items()}


MB = Layout(
    bank="mb",
    marks=("sao ke chi tiet tai khoan",),
    headings=_headings(reference=("so but toan", "so tham chieu", "reference")),
    needed=_NEEDED,
)
# The simple export and the print (also as HTML named .xls) differ in headings only.
VIETCOMBANK = Layout(
    bank="vietcombank",
    marks=("vietcombank", "tmcp ngoai thuong", "sao ke tai khoan"),
    headings=_headings(
        day=("ngay giao dich", "ngay gd", "tnx date"),
        memo=("noi dung chi tiet", "mo ta", "noi dung", "transactions in detail"),
        reference=("so tham chieu", "so ct", "doc no"),
    ),
    needed=_NEEDED | {Column.REFERENCE},
)
VIETCOMBANK_CASHUP = Layout(
    bank="vietcombank",
    marks=("vcbaccountdetail",),
    headings=_headings(
        day=("ngay giao dich", "ngay gd", "tnx date", "ngay", "date"),
        moment=(),
        memo=("noi dung", "transactions in detail", "details"),
        reference=(),
    ),
    needed=_NEEDED,
    day_holds_reference=True,
)
TECHCOMBANK = Layout(
    bank="techcombank",
    marks=("ky thuong", "techcombank"),
    headings=_headings(
        day=("ngay giao dich", "transaction date"),
        moment=("ngay kh thuc hien", "requesting date"),
        fee=("phi", "fee"),
        tax=("thue", "transaction vat"),
        memo=("dien giai", "description"),
        reference=("so but toan", "reference number"),
    ),
    needed=_NEEDED | {Column.BALANCE},
    debit_signed=True,
)
BIDV = Layout(
    bank="bidv",
    marks=("bidv", "dau tu va phat trien", "ngay hieu luc"),
    headings=_headings(
        day=("ngay hieu luc",),
        moment=(),
        debit=("ghi no",),
        credit=("ghi co",),
        memo=("mo ta",),
        reference=("so tham chieu", "ma giao dich"),
    ),
    needed=_NEEDED,
)
BIDV_COUNTER = Layout(
    bank="bidv",
    marks=("ct001/kh",),
    headings=_headings(
        day=("ngay giao dich",),
        debit=("phat sinh no",),
        credit=("phat sinh co",),
        memo=("dien giai",),
        reference=("so chung tu", "seq no"),
    ),
    needed=_NEEDED | {Column.BALANCE},
)
VIETINBANK = Layout(
    bank="vietinbank",
    marks=("lich su giao dich", "vietinbank", "tmcp cong thuong"),
    headings=_headings(
        day=("ngay hach toan", "accounting date"),
        moment=("ngay phat sinh", "transaction date"),
        memo=("mo ta giao dich", "transaction description"),
        reference=("so giao dich", "transaction number"),
    ),
    needed=_NEEDED,
    fill_down=True,
    within=120,
)
AGRIBANK = Layout(
    bank="agribank",
    marks=("so phu", "agribank", "nong nghiep"),
    headings=_headings(
        day=("ngay giao dich", "ngay gd", "=ngay", "=date"),
        moment=("ngay giao dich", "ngay gd"),
        memo=("ghi chu", "remark", "dien giai", "noi dung"),
        reference=("so tham chieu", "ref. no", "so ct", "so but toan"),
    ),
    needed=_NEEDED | {Column.BALANCE},
)
ACB = Layout(
    bank="acb",
    marks=("acb", "tmcp a chau", "asia commercial"),
    headings=_headings(day=("=ngay", "ngay giao dich", "ngay gd"), moment=(), reference=("so gd", "so but toan")),
    needed=_NEEDED | {Column.BALANCE},
    no_year=True,
)
VIB = Layout(bank="vib", marks=("vib", "tmcp quoc te"), headings=_headings(), needed=_NEEDED)
SACOMBANK = Layout(bank="sacombank", marks=("sacombank", "sai gon thuong tin"), headings=_headings(), needed=_NEEDED)
VPBANK = Layout(bank="vpbank", marks=("vpbank", "thinh vuong"), headings=_headings(), needed=_NEEDED)
# To guess what an unknown heading means; a person decides.
ANY_BANK = Layout(
    bank="khac", marks=(), headings=_headings(moment=(), amount=("so tien", "amount", "gia tri")), needed=_NEEDED
)
LAYOUTS = (
    MB,
    VIETCOMBANK_CASHUP,
    TECHCOMBANK,
    BIDV_COUNTER,
    BIDV,
    VIETINBANK,
    AGRIBANK,
    ACB,
    VIB,
    SACOMBANK,
    VPBANK,
    VIETCOMBANK,  # the last: one of its words is a title that other banks print too
)
# Which bank an account of this BIN is kept by: its layouts are tried even where the file does not name the bank.
BANK_OF_BIN = {
    "970403": "sacombank",
    "970405": "agribank",
    "970407": "techcombank",
    "970415": "vietinbank",
    "970416": "acb",
    "970418": "bidv",
    "970422": "mb",
    "970432": "vpbank",
    "970436": "vietcombank",
    "970441": "vib",
}

ACCOUNT_LABELS = (
    *("so tai khoan", "account no", "account number", "tai khoan so", "so tk", "stk", "account:"),
    *("so hieu tai khoan", "so hieu tk", "ma tai khoan", "tk so", "account num", "account id", "a/c no", "acct no"),
)
# Looked for only where none of the others tells the account; "=" as with headings.
LOOSE_ACCOUNT_LABELS = (
    *("=tai khoan", "=account", "=tk", "=a/c", "tai khoan thanh toan", "tai khoan giao dich", "tai khoan nguon"),
    *("tai khoan truy van", "tai khoan sao ke"),
)
NO_ACCOUNT_LABELS = ("so tai khoan cu", "old account")
OPENING_LABELS = ("so du dau", "opening balance", "so du ky truoc", "so du truoc", "beginning balance")
CLOSING_LABELS = ("so du cuoi", "closing balance", "ending balance")
CURRENCY_LABELS = ("loai tien", "currency", "don vi tien te", "don vi tinh", "ma tien te", "=tien te", "=ccy")
COUNT_LABELS = ("so luong", "so mon", "so giao dich", "so but toan", "so lenh", "doanh so", "so phat sinh", "number of")
TITLES = ("sao ke", "so phu", "statement", "lich su giao dich")
