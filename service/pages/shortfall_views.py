"""What the page of money from abroad that arrives short shows, and what is typed into it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class ShortRow:
    """A transfer that paid a bill in part, with what is missing.

    ``foreign``: name or memo speak of a bank abroad, a hint.
    """

    transfer_id: str
    bill_id: str
    day: date
    memo: str
    pupil: str
    bill: str
    paid: Money
    rest: Money
    foreign: bool


@dataclass(frozen=True, slots=True)
class AskedRow:
    """What waits for another person: by which paper of the bank, who asked; ``own``: whoever looks asked for it."""

    relief_id: str
    pupil: str
    bill: str
    amount: Money
    came: Money
    memo: str
    paper: str
    reason: str
    by: str
    at: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """What was decided: by whom, when, by which paper of the bank; ``stands`` until it was taken back.

    ``agreed_by`` is the second person, empty where one decided; ``refused``: nobody ever agreed.
    """

    relief_id: str
    pupil: str
    bill: str
    amount: Money
    paper: str
    reason: str
    by: str
    at: datetime
    stands: bool
    agreed_by: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit that waits for another person; ``own``: whoever looks asked for it."""

    limit_id: str
    most: Money
    reason: str
    by: str
    own: bool


@dataclass(frozen=True, slots=True)
class ShortfallPage:
    """The school's limit now, what waits, what may be accepted (foreign money first), and what was decided."""

    most: Money
    waiting: LimitRow | None
    rows: tuple[ShortRow, ...]
    accepted: tuple[AcceptedRow, ...]
    asked: tuple[AskedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TypedShortfall:
    """Which money is accepted short on which bill, by which paper of the bank, and why."""

    transfer: str
    bill: str
    paper: str
    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """A form of the page that comes back with what was typed, since something stood against it.

    ``form``: which (*ask*, *end*, *limit*, *no*); ``about``: the bill, relief or limit that it is about.
    """

    form: str = ""
    about: str = ""
    reason: str = ""
    paper: str = ""
    most: str = ""


class ShortfallDesk(Protocol):
    """Money from abroad that arrives short."""

    def shortfalls(self, who: SignedIn, place: Place, now: datetime) -> ShortfallPage:
        """Return the page."""

    def ask_shortfall(self, who: SignedIn, place: Place, typed: TypedShortfall, now: datetime) -> None:
        """Ask another person to accept what is missing. Raises ``Refused``, ``Conflict``."""

    def agree_shortfall(self, who: SignedIn, place: Place, relief_id: UUID, now: datetime) -> None:
        """Agree to what another person asked for; raises ``SamePerson``, ``Refused``, ``Conflict``, ``NotFound``."""

    def take_back_shortfall(self, who: SignedIn, place: Place, relief_id: UUID, reason: str, now: datetime) -> None:
        """Take an acceptance back; raises ``Refused`` or ``NotFound``."""

    def ask_limit(self, who: SignedIn, place: Place, most: str, reason: str, now: datetime) -> None:
        """Ask for another limit; raises ``Refused`` or ``Conflict``."""

    def decide_limit(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, limit_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree to a limit or say no; raises ``SamePerson``, ``Refused`` or ``Conflict``."""
