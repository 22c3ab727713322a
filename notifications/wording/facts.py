"""What a message is about (pure): one notice or one receipt of one pupil, sums checked before anybody reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class SchoolInWords:
    """The school as families know it."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Line:
    """One item as a family pays it: its name, the family's amount, and how it is reckoned (``22 ngày × 28.000 đ``).

    The family's amount is all that a plain view may show: no share of others, no basis.
    """

    label: str
    amount: Money
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the money goes; shown besides the link for those who type it themselves."""

    bank: str
    number: str
    holder: str


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A payment request just issued. ``pupil`` is the full name: only its masked form is ever written.

    ``sum(lines) - leftover - paid == due`` holds, or ``ValueError``: a family adds up what it reads.
    """

    school: SchoolInWords
    pupil: str
    school_class: str
    period: str
    lines: tuple[Line, ...]
    due: Money
    deadline: date
    account: Account
    reference: str
    link: str
    leftover: Money = ZERO
    paid: Money = ZERO
    pay_from: date | None = None

    def __post_init__(self) -> None:
        _must_be_link(self.link)
        billed = total(line.amount for line in self.lines)
        if billed - self.leftover - self.paid != self.due:
            raise ValueError(f"the lines ({billed}) less leftover and paid are not what is due ({self.due})")


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """Money received for one pupil. ``remaining`` is not yet paid, ``credit`` was paid beyond what was due.

    ``sum(lines) + credit == amount`` holds, or ``ValueError``.
    """

    school: SchoolInWords
    pupil: str
    school_class: str
    number: str
    amount: Money
    paid_on: date
    lines: tuple[Line, ...]
    link: str
    remaining: Money = ZERO
    credit: Money = ZERO

    def __post_init__(self) -> None:
        _must_be_link(self.link)
        used = total(line.amount for line in self.lines)
        if used + self.credit != self.amount:
            raise ValueError(f"the lines ({used}) and the credit are not what was received ({self.amount})")


def _must_be_link(link: str) -> None:
    """Refuse anything that is no web address: a letter with a ``javascript:`` link must not exist."""
    if not link.startswith(("https://", "http://")) or any(sign.isspace() for sign in link):
        raise ValueError("a link in a message is an http(s) address without spaces")
