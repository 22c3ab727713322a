"""What the pages of credit and refunds show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class CreditQuery:
    """What is looked for: words of a name or code, a class, an item (``-``: money without one)."""

    words: str = ""
    class_id: str = ""
    item: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class CreditRow:
    """What is kept for one pupil under one item; ``asked`` of it is asked back already."""

    pupil_id: str
    pupil: str
    code: str
    class_name: str
    item: str
    amount: Money
    asked: Money = ZERO


@dataclass(frozen=True, slots=True)
class Sum:
    """A name and its sum, over so many pupils."""

    name: str
    amount: Money
    pupils: int


@dataclass(frozen=True, slots=True)
class CreditList:
    """One page of what a school keeps, with sums by item and class; ``book`` is what the ledger's account says."""

    query: CreditQuery
    rows: tuple[CreditRow, ...]
    total: int
    pages: int
    found: Money
    by_item: tuple[Sum, ...]
    by_class: tuple[Sum, ...]
    kept: Money
    book: Money
    classes: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str], ...]

    @property
    def ties(self) -> bool:
        """Whether all that is listed is what the ledger's account says."""
        return self.kept == self.book


@dataclass(frozen=True, slots=True)
class CreditMove:
    """One movement: day, what happened, under which item, how much (below 0 đ: used or given back), which bill."""

    day: date
    what: str
    item: str
    amount: Money
    bill: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class KeptItem:
    """What is kept under one item: its code (``-``: none), name, rule in words, amount, and how much is free."""

    code: str
    name: str
    rule: str
    amount: Money
    free: Money


@dataclass(frozen=True, slots=True)
class PupilCredit:
    """Everything about one pupil's credit; ``due`` is what is open on bills. ``banks``: BIN and name.

    ``payees``: accounts that money may go back to, a key for the form and how a person reads it.
    """

    pupil_id: str
    pupil: str
    code: str
    class_name: str
    kept: tuple[KeptItem, ...]
    moves: tuple[CreditMove, ...]
    due: Money
    banks: tuple[tuple[str, str], ...]
    payees: tuple[tuple[str, str], ...] = ()

    @property
    def free(self) -> bool:
        """Whether anything can be used or asked back."""
        return any(each.free for each in self.kept)


@dataclass(frozen=True, slots=True)
class TypedUse:
    """Credit to be used: of one pupil or of a class, of some item or all of it."""

    pupil: str
    class_id: str
    item: str
    reason: str
    freely: bool


@dataclass(frozen=True, slots=True)
class TypedRefund:
    """A refund of one pupil, as typed; ``payee`` is the key of a known account, else name, account and ``proof``."""

    pupil: str
    item: str
    amount: str
    name: str
    bank: str
    account: str
    reason: str
    payee: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A request in the list; ``state`` is *asked*, *rejected* or *approved*, ``waiting`` is not paid out yet."""

    refund_id: str
    reason: str
    about: str
    made_on: date
    maker: str
    state: str
    lines: int
    amount: Money
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class RefundsPage:
    """All requests of a school, newest first, and what a new one can be about."""

    rows: tuple[RefundRow, ...]
    items: tuple[tuple[str, str], ...]
    classes: tuple[tuple[str, str], ...]
    rounds: tuple[tuple[str, str], ...]
    owed: Money


@dataclass(frozen=True, slots=True)
class RefundLineRow:
    """One line of a request: whom, what for, how much, which way, where it stands and what was written down last.

    ``source`` says where the account is known from, ``proof`` why it is right. ``tied`` is the day of the bank's
    transfer out that is tied to it; ``brought`` is money in that may be it, brought back.
    """

    line_id: str
    pupil: str
    class_name: str
    item: str
    amount: Money
    way: str
    payee: str
    account: str
    state: str
    day: date | None = None
    signed_by: str = ""
    reason: str = ""
    source: str = ""
    proof: str = ""
    code: str = ""
    tied: date | None = None
    brought: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RefundPage:
    """One request with its lines. ``own``: the viewer made it, so another person approves."""

    row: RefundRow
    lines: tuple[RefundLineRow, ...]
    own: bool
    decided_by: str
    decided_why: str
    today: date


@dataclass(frozen=True, slots=True)
class TypedStep:
    """What is written down of a line: *chi* (paid in cash), *da-chuyen* (sent), *huy-chi* (undone), *rut-lai*."""

    step: str
    day: date | None = None
    signed_by: str = ""
    reason: str = ""
