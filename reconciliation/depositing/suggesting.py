"""Which money in may be a deposit of cash: sum, account and days agree, better with the bank's words (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from billing.money import Money

EARLIEST, LATEST = (
    timedelta(days=1),
    timedelta(days=7),
)  # a counter books on the day; over a long holiday it takes longer
# How banks and cashiers call it; "nộp tiền học" is a family's.
_WORDS = re.compile(r"\bnop (tien mat|tm)\b|\bnop (tien )?vao (tai khoan|tk)\b|\bcash deposit\b|\bnop quy\b")


@dataclass(frozen=True, slots=True)
class Brought:
    """A deposit that waits for the bank's transfer; ``slip`` is the number of the bank's paper."""

    id: str
    account: str
    amount: Money
    day: date
    slip: str


@dataclass(frozen=True, slots=True)
class Came:
    """Money in that waits; ``named`` says that its memo holds a family's payment reference."""

    id: str
    account: str
    amount: Money
    day: date
    memo: str
    number: str
    named: bool = False


def fitting(brought: Brought, came: Iterable[Came]) -> list[tuple[Came, str]]:
    """Return money in that may be a deposit, the likeliest first, each with its sign.

    Signs: *slip* (the paper's number stands in memo or number), *words* (the memo says so), *amount*. Money that names
    a family's reference is never suggested.
    """
    found = [
        (_sign(brought, each), abs((each.day - brought.day).days), each.id, each)
        for each in came
        if not each.named
        and each.account == brought.account
        and each.amount == brought.amount
        and brought.day - EARLIEST <= each.day <= brought.day + LATEST
    ]
    order = ("slip", "words", "amount")
    found.sort(key=lambda row: (order.index(row[0]), row[1], row[2]))
    return [(each, sign) for sign, _, _, each in found]


def _sign(brought: Brought, came: Came) -> str:
    bare = re.sub(r"[^A-Z0-9]", "", brought.slip.upper())
    told = re.sub(r"[^A-Z0-9]", "", f"{came.memo} {came.number}".upper())
    if len(bare) >= 4 and bare in told:  # noqa: PLR2004  shorter numbers stand in any memo
        return "slip"
    return "words" if _WORDS.search(_plain(came.memo)) else "amount"


def _plain(words: str) -> str:
    """Return words in small letters without marks, separated by single blanks."""
    bare = unicodedata.normalize("NFD", words.lower().replace("đ", "d"))
    return " ".join(re.findall(r"[a-z0-9]+", "".join(sign for sign in bare if not unicodedata.combining(sign))))
