"""CAMT.053, the statement as ISO 20022 XML, in every version of its namespace (pure).

Elements are found by their local names, so a new version needs nothing. An entry with several transactions becomes
a line for each when each tells its sum and the sums make up the entry. ``CdtDbtInd`` tells which way the money went,
also of a reversal. Entities and document types are refused, so nothing is expanded or fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError  # the type only; defusedxml parses

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from billing.money import ZERO, Money, total
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.feeds.base import PLAUSIBLE_YEARS
from reconciliation.matching import Direction
from reconciliation.statements import grid
from reconciliation.statements.cells import plain_account
from reconciliation.statements.lines import BANK_TIME, Statement, StatementLine, at_of, clean, numbered

BANK = "camt053"
_ROOT = re.compile(rb"<(?:\w+:)?BkToCstmrStmt\b")
_ENTRY = re.compile(rb"<(?:\w+:)?Ntry[\s>]")
_MOST_TAGS = 3_000_000
_AMOUNT = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,5})?")
_BOOKED = frozenset({"", "BOOK"})


def is_camt053(content: bytes) -> bool:
    """Tell a CAMT.053 file from others, in any of the encodings of XML that banks use."""
    return bool(_ROOT.search(content[:4000].replace(b"\0", b"")))


def read_camt053(content: bytes) -> list[Statement]:
    """Return one statement for each ``Stmt``; raises ``StatementUnreadable`` or ``StatementTotalsDiffer``."""
    grid.demand_rows(len(_ENTRY.findall(content)))
    if content.count(b"<") > _MOST_TAGS:
        raise StatementUnreadable("Tệp CAMT.053 quá lớn: hãy tải sao kê theo từng tháng")
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise StatementUnreadable("Tệp CAMT.053 bị cắt hoặc bị hỏng: hãy tải lại từ ngân hàng") from error
    statements, counted = [], 0
    for found in _all(root, "BkToCstmrStmt", "Stmt") or _all(root, "Stmt"):
        statement = _statement(found, counted)
        counted += len(statement.lines)
        grid.demand_rows(counted)
        statements.append(statement)
    if not statements:
        raise StatementUnreadable("Tệp CAMT.053 không có sao kê (Stmt) nào")
    return statements


def _statement(stmt: Element, counted: int) -> Statement:
    account = plain_account(_text(stmt, "Acct", "Id", "Othr", "Id") or _text(stmt, "Acct", "Id", "IBAN"))
    try:
        lines = [line for entry in _all(stmt, "Ntry") for line in _lines(entry)]
        opening, closing = _balance(stmt, "OPBD", "PRCD"), _balance(stmt, "CLBD")
    except (ValueError, InvalidOperation) as error:
        raise StatementUnreadable(f"Sao kê CAMT.053 của tài khoản {account or '?'}: {error}") from error
    lines = [_placed(line, counted + place) for place, line in enumerate(lines, start=1)]
    if opening is None or closing is None:
        raise StatementUnreadable("Sao kê CAMT.053 không có số dư đầu (OPBD) hoặc cuối (CLBD)")
    return Statement(bank=BANK, account=account, opening=opening, closing=closing, lines=tuple(numbered(lines)))


def _placed(line: StatementLine, place: int) -> StatementLine:
    return StatementLine(
        line=place,
        day=line.day,
        time=line.time,
        direction=line.direction,
        amount=line.amount,
        memo=line.memo,
        bank_reference=line.bank_reference,
        balance=None,
    )


def _lines(entry: Element) -> Iterator[StatementLine]:
    if (_text(entry, "Sts", "Cd") or _text(entry, "Sts")) not in _BOOKED:
        return  # announced, not booked: it is in no balance
    amount = _amount(_one(entry, "Amt"))
    details = _all(entry, "NtryDtls", "TxDtls")
    parts = [_own_amount(each) for each in details]
    sums = [part for part in parts if part is not None]
    if len(details) < 2 or not sums:  # noqa: PLR2004  one movement, however it is told
        yield _line(entry, details, amount)
        return
    if len(sums) < len(details) or total(sums) != amount:
        raise StatementTotalsDiffer(f"Bút toán {amount}: các giao dịch bên trong cộng lại là {total(sums)}")
    for each, part in zip(details, sums, strict=True):
        yield _line(entry, [each], part)


def _line(entry: Element, details: list[Element], amount: Money) -> StatementLine:
    if amount <= ZERO:
        raise ValueError("bút toán có số tiền bằng 0")
    day, clock = _day(entry)
    references = [_text(each, "Refs", name) for each in details[:1] for name in ("AcctSvcrRef", "TxId", "EndToEndId")]
    reference = next((each for each in references if each and each != "NOTPROVIDED"), "")
    return StatementLine(
        line=0,
        day=day,
        time=at_of(day, clock),
        direction=_direction(details[0] if len(details) == 1 and _text(details[0], "CdtDbtInd") else entry),
        amount=amount,
        memo=_memo(entry, details),
        bank_reference=reference or _text(entry, "AcctSvcrRef") or None,
        balance=None,
    )


def _memo(entry: Element, details: list[Element]) -> str:
    said = [part for each in details for part in _texts(each, "RmtInf", "Ustrd")]
    said += [part for each in details for part in _texts(each, "RmtInf", "Strd", "CdtrRefInf", "Ref")]
    said += [part for each in details for part in _texts(each, "AddtlTxInf")] + _texts(entry, "AddtlNtryInf")
    return " ".join(dict.fromkeys(said))


def _direction(element: Element) -> Direction:
    told = _text(element, "CdtDbtInd")
    if told not in {"CRDT", "DBIT"}:
        raise ValueError(f"chiều tiền “{told}” không rõ (CdtDbtInd)")
    return Direction.IN if told == "CRDT" else Direction.OUT


def _day(entry: Element) -> tuple[date, datetime | None]:
    for name in ("BookgDt", "ValDt"):
        if moment := _text(entry, name, "DtTm"):
            clock = datetime.fromisoformat(moment)
            local = clock if clock.tzinfo is None else clock.astimezone(BANK_TIME).replace(tzinfo=None)
            return _plausible(local.date()), local.replace(microsecond=0)
        if day := _text(entry, name, "Dt"):
            return _plausible(date.fromisoformat(day[:10])), None
    raise ValueError("bút toán không có ngày (BookgDt)")


def _plausible(day: date) -> date:
    if day.year not in PLAUSIBLE_YEARS:
        raise ValueError("năm không hợp lý")
    return day


def _own_amount(details: Element) -> Money | None:
    found = _one(details, "Amt")
    if found is None:
        found = next(iter(_all(details, "AmtDtls", "TxAmt", "Amt")), None)
    return None if found is None else _amount(found)


def _balance(stmt: Element, *codes: str) -> Money | None:
    for code in codes:
        for balance in _all(stmt, "Bal"):
            if _text(balance, "Tp", "CdOrPrtry", "Cd") == code:
                amount = _amount(_one(balance, "Amt"))
                return amount if _direction(balance) is Direction.IN else -amount
    return None


def _amount(element: Element | None) -> Money:
    told = "" if element is None else (element.text or "").strip()
    if element is None or not _AMOUNT.fullmatch(told):
        raise ValueError(f"số tiền “{told[:40]}” không đọc được")
    if element.get("Ccy", "VND") != "VND":
        raise ValueError(f"ghi bằng {element.get('Ccy')}, không phải VND")
    amount = Decimal(told)
    if amount != amount.to_integral_value():
        raise ValueError(f"số tiền “{told}” có phần lẻ của đồng")
    return Money(int(amount))


def _named(element: Element, name: str) -> Iterable[Element]:
    return (child for child in element if child.tag.rpartition("}")[2] == name)


def _all(element: Element, *path: str) -> list[Element]:
    found = [element]
    for name in path:
        found = [child for each in found for child in _named(each, name)]
    return found


def _one(element: Element, name: str) -> Element | None:
    return next(iter(_named(element, name)), None)


def _texts(element: Element, *path: str) -> list[str]:
    return [text for each in _all(element, *path) if (text := clean(each.text))]


def _text(element: Element, *path: str) -> str:
    return next(iter(_texts(element, *path)), "")
