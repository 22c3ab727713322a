"""What a message is about (pure): a notice, its end or a receipt of one pupil, sums checked before anybody reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.events.going_back import BY_BANK
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
    """Where the money goes; shown besides the link for those who type it themselves.

    Without a ``number`` the child has none of its own yet at an account where only these tell whose money it is.
    ``has_qr``: the page behind the link shows a code. ``told_at_once``: the bank tells of payments by itself.
    """

    bank: str
    number: str
    holder: str
    has_qr: bool = True
    told_at_once: bool = True

    @property
    def shown(self) -> str:
        """The number; in groups of four where it is typed, since there is no code to scan."""
        return (
            self.number if self.has_qr else " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))
        )


@dataclass(frozen=True, slots=True)
class Coming:
    """An instalment that is not asked for yet."""

    amount: Money
    day: date


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A payment request just issued. ``pupil`` is the full name: only its masked form is ever written.

    ``due`` is all that is open, ``deadline`` the day for what is asked now: ``now``, the amount of the QR, which is
    ``due`` less the ``coming`` instalments. ``part``: such as ``1/3``. ``months`` says what is open by month where
    there are several. ``replaced``: numbers of the notice that this one takes the place of, and of this one.
    ``grace``: the day until which the family has more time.
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
    coming: tuple[Coming, ...] = ()
    part: str = ""
    months: tuple[Line, ...] = ()
    replaced: tuple[str, str] | None = None
    grace: date | None = None

    @property
    def now(self) -> Money:
        """What is asked for now."""
        return self.due - self.later

    @property
    def later(self) -> Money:
        """What comes in later instalments."""
        return total(each.amount for each in self.coming)

    def __post_init__(self) -> None:
        _must_be_link(self.link)
        if self.months and total(line.amount for line in self.months) != self.due:
            raise ValueError(f"the months are not what is due ({self.due})")
        billed = total(line.amount for line in self.lines)
        if billed - self.leftover - self.paid != self.due:
            raise ValueError(f"the lines ({billed}) less leftover and paid are not what is due ({self.due})")


@dataclass(frozen=True, slots=True)
class StillAsked:
    """What a request asks for after a change: ``now`` by ``deadline``, ``whole`` with the later instalments.

    ``grace``: the day until which the family has more time.
    """

    now: Money
    deadline: date
    whole: Money
    grace: date | None = None


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A notice that was taken back (``now`` is 0 đ), lowered, or paid by leftover money (``used``); never why.

    Of a payment that went back, ``used`` is how much and ``by`` who took it: the bank, the school to a card, its bank.
    So it is of a finished card page that came to nothing: ``by`` says why.

    ``given_back`` of the difference had been paid and stays the pupil's. ``asked`` is what the page behind the link
    still asks for, ``instead`` the number of the notice of 0 đ that took this one's place.
    """

    school: SchoolInWords
    pupil: str
    school_class: str
    period: str
    number: str
    was: Money
    now: Money
    link: str
    given_back: Money = ZERO
    asked: StillAsked | None = None
    instead: str = ""
    used: Money = ZERO
    by: str = BY_BANK

    @property
    def off(self) -> Money:
        """What the notice fell by."""
        return self.was - self.now

    def __post_init__(self) -> None:
        _must_be_link(self.link)
        if self.given_back > self.off:
            raise ValueError(f"more is given back ({self.given_back}) than the notice fell by ({self.off})")


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


@dataclass(frozen=True, slots=True)
class InviteFacts:
    """What a family is asked to answer until the end of ``until``: a contract (``number``) or an item (``item``).

    Never a sum, and nothing of what the family would pay or of why: that stands behind a one-time code.
    """

    school: SchoolInWords
    pupil: str
    until: date
    link: str
    number: str = ""
    item: str = ""

    def __post_init__(self) -> None:
        _must_be_link(self.link)
        if bool(self.number) == bool(self.item):
            raise ValueError("an invitation is about a contract or about an item")


Facts = NoticeFacts | ChangeFacts | ReceiptFacts | InviteFacts


def _must_be_link(link: str) -> None:
    """Refuse anything that is no web address: a letter with a ``javascript:`` link must not exist."""
    if not link.startswith(("https://", "http://")) or any(sign.isspace() for sign in link):
        raise ValueError("a link in a message is an http(s) address without spaces")
