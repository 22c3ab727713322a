"""What a guardian's pages show (pure): the explanation of a bill, contacts for a code, registration by a family."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.money import ZERO, Money
from service.pages.views import BillPage, SchoolFace


@dataclass(frozen=True, slots=True)
class ContactChoice:
    """A contact that a code may go to: its key, ``phone`` or ``email``, and what may be shown of it."""

    key: int
    kind: str
    masked: str


@dataclass(frozen=True, slots=True)
class FullLine:
    """One item in the full view: what the family pays of it, and every sentence of why."""

    name: str
    amount: Money
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FullBill:
    """One bill in the full view; ``lowered``: what credit notes took off it, ``leftover``: what credit paid of it."""

    number: str
    period: str
    gross: Money
    due: Money
    lines: tuple[FullLine, ...]
    lowered: Money
    leftover: Money = ZERO
    rest: Money = ZERO


@dataclass(frozen=True, slots=True)
class FullView:
    """What only a proven guardian sees. ``child_name`` is whole; ``told`` says whether a consent can be taken back."""

    child_name: str
    bills: tuple[FullBill, ...]
    until: datetime
    told: bool


@dataclass(frozen=True, slots=True)
class ExplainedPage:
    """The page that explains a bill: plain, with the contacts to choose from, or full.

    ``signed_in``: a session stands, though perhaps of somebody who does not answer for this child.
    """

    bill: BillPage
    choices: tuple[ContactChoice, ...]
    unreachable: bool
    signed_in: bool
    full: FullView | None = None


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that was sent, while somebody types it; ``open`` is false when it is no use any more."""

    code_id: str
    masked: str
    kind: str
    minutes: int
    tries_left: int
    open: bool
    school: SchoolFace


@dataclass(frozen=True, slots=True)
class TypedRegistration:
    """What a family typed into the registration form; ``agreed_to``: the ticked version of the consent, or nothing."""

    full_name: str = ""
    relation: str = ""
    contact: str = ""
    agreed_to: str = ""


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """The form behind a slip's link: school, masked child, and the kinds of contact that can be reached."""

    school: SchoolFace
    child_name: str
    relations: tuple[tuple[str, str], ...]
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class WaitingContact:
    """A contact entered by a family that the office has to look at."""

    registration_id: str
    pupil: str
    class_name: str
    full_name: str
    relation: str
    kind: str
    masked: str
    since: datetime
