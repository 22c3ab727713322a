"""The statement a stand-in bank hands out: MB's account statement as XLSX, with balances and totals (pure)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from openpyxl import Workbook

from billing.money import Money, total
from reconciliation.matching import Direction

_VIETNAM = timedelta(hours=7)
_HEADINGS = (
    "STT/No",
    "Ngày hạch toán/Posting date",
    "Ngày giao dịch/Transaction date",
    "Số bút toán/Reference No",
    "Phát sinh nợ/Debit",
    "Phát sinh có/Credit",
    "Số dư/Balance",
    "Nội dung/Details",
)
_WIDTHS = (8, 16, 20, 22, 16, 16, 18, 90)


class Booked(Protocol):
    """What a statement shows of a movement; ``at`` is UTC, ``signed`` the amount as the balance sees it."""

    @property
    def at(self) -> datetime:
        """When it was booked."""

    @property
    def direction(self) -> Direction:
        """Which way the money went."""

    @property
    def amount(self) -> Money:
        """How much, above 0 đ."""

    @property
    def signed(self) -> Money:
        """Money out is below 0 đ."""

    @property
    def bank_reference(self) -> str:
        """The bank's own number of the movement."""

    @property
    def memo(self) -> str:
        """The memo as it arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementHead:
    """Whose account, which days (both included), and the balance before the first of them."""

    account: str
    owner: str
    first_day: date
    last_day: date
    opening: Money


def statement(head: StatementHead, movements: Sequence[Booked]) -> bytes:
    """Return the XLSX of the movements within the days, oldest first; amounts are texts, as MB writes them."""
    shown = [one for one in movements if head.first_day <= (one.at + _VIETNAM).date() <= head.last_day]
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Sao ke"
    for letter, width in zip("ABCDEFGH", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    for row in _top(head):
        sheet.append(row)
    balance = head.opening
    for number, movement in enumerate(shown, start=1):
        balance += movement.signed
        sheet.append(_line(number, movement, balance))
    money_out = total(one.amount for one in shown if one.direction is Direction.OUT)
    money_in = total(one.amount for one in shown if one.direction is Direction.IN)
    sheet.append(["", "", "", "Tổng cộng/Total", _money(money_out), _money(money_in)])
    sheet.append([])
    sheet.append(["Số dư cuối kỳ/Closing balance:", "", _money(balance)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _top(head: StatementHead) -> list[list[str]]:
    days = f"Từ ngày {head.first_day:%d/%m/%Y} đến ngày {head.last_day:%d/%m/%Y}"
    return [
        ["NGÂN HÀNG TMCP QUÂN ĐỘI"],
        [],
        ["", "", "SAO KÊ CHI TIẾT TÀI KHOẢN"],
        ["", "", days],
        [],
        ["Số tài khoản/ACCOUNT NO:", "", head.account],
        ["Tên tài khoản/ACCOUNT NAME:", "", head.owner],
        ["Loại tiền/CURRENCY:", "", "VND"],
        ["Số dư đầu kỳ/Opening balance:", "", _money(head.opening)],
        [],
        list(_HEADINGS),
    ]


def _line(number: int, movement: Booked, balance: Money) -> list[str]:
    local = movement.at + _VIETNAM
    debit = _money(movement.amount) if movement.direction is Direction.OUT else ""
    credit = _money(movement.amount) if movement.direction is Direction.IN else ""
    moment = f"{local:%d/%m/%Y %H:%M:%S}"
    return [
        str(number),
        f"{local:%d/%m/%Y}",
        moment,
        movement.bank_reference,
        debit,
        credit,
        _money(balance),
        movement.memo,
    ]


def _money(amount: Money) -> str:
    return f"{amount.dong:,}"
