"""pretix's published way of matching bank transfers to ticket orders, written anew from its description.

A prefix, then a code of letters and digits, looked for in the memo twice: with line breaks as blanks, and without any
white space; the reading with more hits wins. A code is looked up as it stands, then with look-alikes folded
(2→Z, 4→A, 5→S, 6→G, 8→B), then by its first characters, then those folded; else as an invoice number, separators and
leading zeros left out. The whole amount is booked on the one order that was found. Amount, payer name and payer account
are not looked at. What it does with fees, currencies and refunds is no matching and stands elsewhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FOLDED = str.maketrans("24568", "ZASGB")
_BLANK = re.compile(r"\s+")
_NO_NUMBER = re.compile(r"[^0-9.+-]")


@dataclass(frozen=True, slots=True)
class Order:
    """An order: ``status`` is *pending*, *paid* or *cancelled*; ``due`` in the smallest unit of money."""

    prefix: str
    code: str
    due: int
    status: str = "pending"


@dataclass(frozen=True, slots=True)
class Result:
    """What becomes of a line: ``outcome`` is *booked*, *unmatched*, *duplicate* or *error*; sums by order code."""

    outcome: str
    booked: Mapping[str, int]
    remembered: str = ""


def amount_of(text: str) -> int:
    """Read a statement's amount into hundredths: the earlier of comma and dot marks thousands; unreadable is 0."""
    comma, dot = text.find(","), text.find(".")
    if comma >= 0 and dot >= 0:
        text = text.replace("," if comma < dot else ".", "")
    try:
        return round(float(_NO_NUMBER.sub("", text.replace(",", "."))) * 100)
    except ValueError:
        return 0


class Importer:
    """Matches lines against orders. ``code_length``: how many characters its own codes have.

    ``at_event``: codes may be of any length from one character on; else from the shortest in use.
    """

    def __init__(
        self,
        orders: Iterable[Order],
        invoices: Mapping[str, str] | None = None,
        *,
        code_length: int = 5,
        at_event: bool = True,
    ) -> None:
        self._length = code_length
        self._orders = {(_bare(order.prefix), order.code): order for order in orders}
        by_code = {order.code: order for order in self._orders.values()}
        self._invoices: dict[tuple[str, str], list[Order]] = defaultdict(list)
        numbers = []
        for full, code in (invoices or {}).items():
            prefix, _, number = full.rpartition("-")
            self._invoices[_bare(prefix), number.lstrip("0")].append(by_code[code])
            numbers.append((prefix, number))
        lengths = [len(order.code) for order in by_code.values()] + [len(number) for _, number in numbers]
        prefixes = {order.prefix for order in self._orders.values()} | {prefix for prefix, _ in numbers}
        self._pattern = _pattern(prefixes, 1 if at_event else min(lengths), max(lengths))

    def book(self, memo: str, amount: int) -> Result:
        """Match one line."""
        found: dict[str, Order] = {}
        for prefix, code in self._hits(memo.upper()):
            order = self._order(_bare(prefix), code)
            if order is not None:
                found[order.code] = order
        orders = list(found.values())
        if not orders:
            return Result("unmatched", {})
        if any(order.status == "paid" for order in orders):
            return Result("duplicate", {}, orders[0].code)
        if any(order.status == "cancelled" for order in orders):
            return Result("error", {}, orders[0].code)
        if len(orders) == 1:
            return Result("booked", {orders[0].code: amount})
        if sum(order.due for order in orders) != amount:
            return Result("unmatched", {}, orders[0].code)
        return Result("booked", {order.code: order.due for order in orders})

    def _hits(self, memo: str) -> list[tuple[str, str]]:
        spaced = self._pattern.findall(memo.replace("\n", " "))
        glued = self._pattern.findall(_BLANK.sub("", memo))
        return glued if len(glued) > len(spaced) else spaced

    def _order(self, prefix: str, code: str) -> Order | None:
        first = code[: self._length]
        for spelling in (code, code.translate(_FOLDED), first, first.translate(_FOLDED)):
            if (prefix, spelling) in self._orders:
                return self._orders[prefix, spelling]
        numbered = self._invoices.get((prefix, code.lstrip("0")), [])
        return numbered[0] if len(numbered) == 1 else None


def _bare(prefix: str) -> str:
    return re.sub(r"[- ]", "", prefix.upper())


def _pattern(prefixes: Iterable[str], shortest: int, longest: int) -> re.Pattern[str]:
    """Return the one pattern: longest prefix first; a hyphen in it is also a blank or nothing."""
    words = sorted((prefix.upper() for prefix in prefixes), key=lambda word: (-len(word), word))
    either = "|".join(re.escape(word).replace(r"\-", "[- ]?") for word in words)
    return re.compile(f"({either})[ _-]*([A-Z0-9]{{{shortest},{longest}}})")
