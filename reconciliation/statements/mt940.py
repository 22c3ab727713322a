"""MT940, the statement as a SWIFT message (pure). The library reads the fields; that none is lost is checked here.

Its parser lets a line without a transaction type be overwritten by the next one, and adds what stands under the
closing balance to the last movement: so lines are counted, the message ends at ``:62F:``, and balances must add up.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import mt940
from mt940.models import Amount, Balance, Transaction, Transactions

from billing.money import ZERO, Money
from reconciliation.errors import StatementUnreadable
from reconciliation.feeds.base import PLAUSIBLE_YEARS
from reconciliation.matching import Direction
from reconciliation.statements import grid
from reconciliation.statements.cells import plain_account
from reconciliation.statements.lines import Statement, StatementLine, at_of, clean, numbered

# The library logs whole fields that it cannot read; names and memos of families have no place in a log.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)
BANK = "mt940"
_STARTS = re.compile(r"(?m)^:20:")
_CLOSES = re.compile(r"(?m)^:62[FM]:[^\n]*\n?")
_LINE = re.compile(r"(?m)^:61:")
_FULL_LINE = 65  # a memo is folded at this width, also within a word
_OPTIONS = mt940.Options.all()
_BROKEN = (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError)


def is_mt940(text: str) -> bool:
    """Tell a text that is MT940 from others."""
    return bool(_STARTS.search(text[:2000])) and (":61:" in text or ":62F:" in text or ":60F:" in text)


def read_mt940(text: str) -> list[Statement]:
    """Return one statement for each message; raises ``StatementUnreadable``."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    starts = [match.start() for match in _STARTS.finditer(text)]
    ends = [*starts[1:], len(text)]
    grid.demand_rows(len(_LINE.findall(text)))
    counted = 0
    statements = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        statement = _statement(text[start:end], number, counted)
        counted += len(statement.lines)
        statements.append(statement)
    return statements


def _statement(message: str, number: int, counted: int) -> Statement:
    where = f"Điện MT940 thứ {number}"
    closes = _CLOSES.search(message)
    if closes is None:
        raise StatementUnreadable(f"{where} bị cắt: không có số dư cuối (:62F:). Hãy tải lại từ ngân hàng")
    body = message[: closes.end()]
    try:
        read = Transactions(options=_OPTIONS)
        read.parse(body)
        lines = [_line(each, counted + place) for place, each in enumerate(read.transactions, start=1)]
        opening = _balance(read, "final_opening_balance", "intermediate_opening_balance")
        closing = _balance(read, "final_closing_balance", "intermediate_closing_balance")
    except _BROKEN as error:
        raise StatementUnreadable(f"{where} không đọc được: {_reason(error)}") from error
    if len(lines) != len(_LINE.findall(body)):
        raise StatementUnreadable(f"{where}: có dòng :61: không đọc được. Hãy tải lại từ ngân hàng")
    if read.currency not in (None, "VND"):
        raise StatementUnreadable(f"{where} ghi bằng {read.currency}, không phải VND")
    account = plain_account(clean(read.data.get("account_identification")).split("/")[-1])
    return Statement(bank=BANK, account=account, opening=opening, closing=closing, lines=tuple(numbered(lines)))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _line(read: Transaction, place: int) -> StatementLine:
    data = read.data
    amount = data["amount"]
    if not isinstance(amount, Amount):
        raise TypeError(f"dòng {place} không có số tiền")
    signed = _dong(amount.amount)
    if signed == ZERO:
        raise ValueError(f"dòng {place} có số tiền bằng 0")
    day = data.get("guessed_entry_date") or data.get("entry_date") or data["date"]
    booked = date(day.year, day.month, day.day)
    if booked.year not in PLAUSIBLE_YEARS:
        raise ValueError(f"dòng {place} có năm không hợp lý")
    return StatementLine(
        line=place,
        day=booked,
        time=at_of(booked, None),
        direction=Direction.IN if signed > ZERO else Direction.OUT,
        amount=signed if signed > ZERO else -signed,
        memo=_memo(data),
        bank_reference=clean(data.get("bank_reference")) or _customer_reference(data),
        balance=None,
    )


def _customer_reference(data: dict[str, object]) -> str | None:
    told = clean(data.get("customer_reference"))
    return told if told and told.upper() != "NONREF" else None


def _memo(data: dict[str, object]) -> str:
    """Return all the words of a movement: the remittance field, and what stands under the line."""
    structured = [clean(data.get(name)) for name in ("purpose", "additional_purpose", "extra_details")]
    said = [_unfolded(str(data.get("transaction_details") or "").split("\n")), *structured]
    return " ".join(dict.fromkeys(each for each in said if each))


def _unfolded(lines: Iterable[str]) -> str:
    """Join the lines of a field: a full one was folded, also within a word; a shorter one ends one."""
    text = ""
    for line in lines:
        text += line if len(line) >= _FULL_LINE else f"{line} "
    return clean(text)


def _balance(read: Transactions, *names: str) -> Money:
    balance = next((read.data[name] for name in names if name in read.data), None)
    if not isinstance(balance, Balance) or not isinstance(balance.amount, Amount):
        raise ValueError("thiếu số dư (:60F: hoặc :62F:)")  # noqa: TRY004  what is wrong is the file
    return _dong(balance.amount.amount)


def _dong(amount: Decimal) -> Money:
    if amount != amount.to_integral_value():
        raise ValueError("số tiền có phần lẻ của đồng")
    return Money(int(amount))
