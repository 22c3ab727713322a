"""What money out can be for, in words, and what a rule suggests for one of it; a person confirms (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from billing.credits.refund_code import codes_in
from billing.money import Money, total

UNKNOWN = "unknown"
KIND_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "treasury": "Nộp Kho bạc, chuyển giữa tài khoản của trường",
        "insurance": "Chuyển cơ quan BHYT",
        "purchase": "Chi mua cho khoản thu hộ, chi hộ",
        "refund": "Trả lại, chi trả cho gia đình",
        "fee": "Phí ngân hàng",
        "returned": "Ngân hàng trả lại",
        "reversed": "Ngân hàng thu hồi tiền đã báo có",
        "card": "Nạp vào tài khoản Stripe của trường",
        "cash": "Rút tiền mặt về quỹ",
        UNKNOWN: "Chưa rõ",
    }
)
MOST_SUGGESTED = 5
HIGHEST_FEE = Money(1_000_000)  # a fee of a school's account is far below; above it the words alone suggest nothing
# Words of a bank's own fee. "Hoc phi" and "phi noi tru" are money of families, so bare "phi" says nothing.
_FEE = re.compile(
    r"^phi\b(?! (hoc|noi|ban|an|do))|\b(thu|tru) phi\b"
    r"|\bphi (sms|ibank|ebank|internet|quan ly|duy tri|thuong nien|dich vu (ngan hang|tai khoan)|chuyen (tien|khoan))\b"
)


class Tie(StrEnum):
    """What money out can be tied to; the value stands in forms."""

    INSURANCE = "bhyt"
    REFUND = "hoan"
    SUPPORT = "ho-tro"
    LEG = "tai-khoan"
    RETURNED = "tra-ve"
    REVERSED = "thu-hoi"
    CARD = "stripe"
    CASH = "rut-quy"


TIE_KINDS: Mapping[Tie, str] = MappingProxyType(
    {
        Tie.INSURANCE: "insurance",
        Tie.REFUND: "refund",
        Tie.SUPPORT: "refund",
        Tie.LEG: "treasury",
        Tie.RETURNED: "returned",
        Tie.REVERSED: "reversed",
        Tie.CARD: "card",
        Tie.CASH: "cash",
    }
)


@dataclass(frozen=True, slots=True)
class Sent:
    """Money out whose purpose is not known: what is left of it, the bank's day, the bank's words, and its account."""

    rest: Money
    day: date
    memo: str
    bank_reference: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is approved and waits for the bank's own transfer, or the money in that may be its other leg.

    ``reference`` is the bank's number where somebody wrote it down; ``group`` names what belongs to one order; ``code``
    is ours and stands in the memo of the transfer out; ``account``: the only one that it can leave, if there is one.
    """

    tie: Tie
    id: str
    amount: Money
    day: date
    words: str
    reference: str = ""
    group: str = ""
    code: str = ""
    account: str = ""

    def can_leave(self, account: str) -> bool:
        """Say whether money out of an account may be it."""
        return self.account in {"", account}

    @property
    def key(self) -> str:
        """What stands in a form for it."""
        return f"{self.tie.value}:{self.id}"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a rule suggests: a kind, and what the money is tied to (nothing for a fee)."""

    rule: str
    kind: str
    ties: tuple[Waiting, ...] = ()


def suggest(sent: Sent, waiting: Iterable[Waiting]) -> list[Suggestion]:
    """Return what rules suggest for money out, the strongest first; ties always come to the whole rest.

    Rules: *refund_code* (our own codes stand in the memo and come to the sum), *same_number* (the bank's number was
    written down), *same_amount*, *whole_order* (all lines of one order together), *fee_words*.
    """
    fitting = [each for each in waiting if each.can_leave(sent.account)]
    rows = sorted(fitting, key=lambda each: (abs((each.day - sent.day).days), each.key))
    coded = by_code(sent, rows)
    if coded:
        return [Suggestion("refund_code", TIE_KINDS[coded[0].tie], coded)]
    alone = [each for each in rows if each.amount == sent.rest]
    named = [each for each in alone if each.reference and _bare(each.reference) == _bare(sent.bank_reference)]
    found = [Suggestion("same_number", TIE_KINDS[each.tie], (each,)) for each in named]
    found += [Suggestion("same_amount", TIE_KINDS[each.tie], (each,)) for each in alone if each not in named]
    found += [Suggestion("whole_order", TIE_KINDS[order[0].tie], order) for order in _orders(rows, sent.rest)]
    if is_fee(sent):
        found.append(Suggestion("fee_words", "fee"))
    return found[:MOST_SUGGESTED]


def by_code(sent: Sent, waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """Return what our own codes in the memo name, if each is known and together they come to the whole rest."""
    codes = codes_in(sent.memo)
    named = {each.code: each for each in waiting if each.code in codes}
    if not codes or set(codes) != named.keys() or total(each.amount for each in named.values()) != sent.rest:
        return ()
    return tuple(named[code] for code in codes)


def is_fee(sent: Sent) -> bool:
    """Tell whether the bank's words name a fee of its own, and the sum can be one."""
    return sent.rest <= HIGHEST_FEE and _FEE.search(_plain(sent.memo)) is not None


def _orders(rows: Sequence[Waiting], rest: Money) -> list[tuple[Waiting, ...]]:
    """Return the orders of several lines that come to a sum together."""
    orders: dict[str, list[Waiting]] = defaultdict(list)
    for each in rows:
        if each.group:
            orders[each.group].append(each)
    return [tuple(of) for of in orders.values() if len(of) > 1 and total(each.amount for each in of) == rest]


def _plain(words: str) -> str:
    """Return words in small letters without marks, separated by single blanks."""
    bare = unicodedata.normalize("NFD", words.lower().replace("đ", "d"))
    return " ".join(re.findall(r"[a-z0-9]+", "".join(sign for sign in bare if not unicodedata.combining(sign))))


def _bare(reference: str) -> str:
    return "".join(reference.split()).upper()
