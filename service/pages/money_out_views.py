"""What the pages of money out and of differences between feeds show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from reconciliation.differences.differing import Aged
from reconciliation.statements.following import Gap
from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class Sum:
    """A name, how many, and their sum."""

    name: str
    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class TieRow:
    """Something approved, or money in, that the money out may have been for; ``key`` stands in the form."""

    key: str
    kind: str
    words: str
    amount: Money
    day: date


@dataclass(frozen=True, slots=True)
class SuggestedRow:
    """What a rule suggests: its name, the kind in words, and what to tie (nothing for a fee)."""

    rule: str
    kind: str
    ties: tuple[TieRow, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for among the money in that one money out may take back: number, memo or pupil."""

    transfer_id: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Credited:
    """Money in of the same account and sum that the bank may have taken back: id and words of each, whom it paid.

    ``count`` is how many fit in all; where that is more than ``choices`` holds, one is looked for by ``words``.
    """

    choices: tuple[tuple[str, str], ...] = ()
    count: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class OutRow:
    """Money out that is not explained in full; ``days`` is its age, ``rest`` what is left of ``amount``.

    ``credited``: money in that the bank may have taken back by it, None where there is none.
    """

    transfer_id: str
    account: str
    day: date
    days: int
    amount: Money
    rest: Money
    memo: str
    number: str
    suggested: tuple[SuggestedRow, ...]
    ties: tuple[TieRow, ...]
    credited: Credited | None = None


@dataclass(frozen=True, slots=True)
class PurposeRow:
    """A purpose that stands: of which day's transfer, what for, on what paper, and who wrote it when."""

    purpose_id: str
    day: date
    amount: Money
    kind: str
    about: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReversalRow:
    """What waits for another person's yes: the bank took money back. ``own``: whoever looks has said it.

    ``paid``: the pupils whom the money in paid for.
    """

    reversal_id: str
    amount: Money
    came_on: date
    memo: str
    left_on: date
    reason: str
    by: str
    own: bool
    undoes: bool = False
    paid: str = ""


@dataclass(frozen=True, slots=True)
class MoneyOutPage:
    """Money out of a school: what is not explained, oldest first, by age; what is, the newest first; sums by kind.

    ``items``: code and name of what can be bought for. ``unshown``: how many more are not listed.
    """

    rows: tuple[OutRow, ...]
    unshown: int
    ages: tuple[Aged, ...]
    kinds: tuple[Sum, ...]
    purposes: tuple[PurposeRow, ...]
    items: tuple[tuple[str, str], ...]
    reversals: tuple[ReversalRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TypedPurpose:
    """What money out was for, as typed: keys of what it is tied to, and a purpose without a tie where one is chosen."""

    ties: tuple[str, ...]
    kind: str = ""
    amount: str = ""
    item: str = ""
    document: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One movement that a feed should have told of and did not; ``kinds`` are values of ``differing.Kind``.

    ``doubted``: the transfer's id where it is money out in the book that two people may take out again.
    """

    day: date
    days: int
    incoming: bool
    amount: Money
    memo: str
    number: str
    state: str
    kinds: tuple[str, ...]
    doubted: str = ""


@dataclass(frozen=True, slots=True)
class AccountDifferences:
    """The differences of one account: sums by kind and age, and the movements, oldest first, as many as are shown.

    ``gaps`` are where its statements do not follow each other. ``compared`` is false while a single kind of feed told
    of it: then nothing was compared.
    """

    account: str
    kinds: tuple[Sum, ...]
    ages: tuple[Aged, ...]
    rows: tuple[DifferenceRow, ...]
    count: int
    gaps: tuple[Gap, ...] = ()
    compared: bool = True


@dataclass(frozen=True, slots=True)
class DifferencesPage:
    """The accounts of a school with what their feeds tell differently since ``since``."""

    accounts: tuple[AccountDifferences, ...]
    since: date


@dataclass(frozen=True, slots=True)
class SchoolDifferences:
    """One school for the province: sums only."""

    school: str
    count: int
    amount: Money
    oldest: int
    unknown_count: int
    unknown_amount: Money


class MoneyOutDesk(Protocol):
    """Money out and its purposes; differences between feeds."""

    def money_out(self, who: SignedIn, place: Place, sought: Sought, now: datetime) -> MoneyOutPage:
        """Return money out of the school; of one, the money in that fits what is sought."""

    def classify_out(self, who: SignedIn, place: Place, transfer_id: UUID, typed: TypedPurpose, now: datetime) -> None:
        """Write down what money out was for; raises ``Refused``, ``Conflict`` or ``NotFound``."""

    def take_back_out(self, who: SignedIn, place: Place, purpose_id: UUID, reason: str, now: datetime) -> bool:
        """Take a purpose back; false when another person must agree. Raises ``Refused``, ``Conflict``, ``NotFound``."""

    def ask_reversal(  # noqa: PLR0913, PLR0917  which money takes which back, and why
        self, who: SignedIn, place: Place, transfer_id: UUID, came: str, reason: str, now: datetime
    ) -> bool:
        """Say that the bank took money back; true when its own data names it, and it is done."""

    def decide_reversal(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, reversal_id: UUID, reason: str, now: datetime, *, agreed: bool
    ) -> bool:
        """Agree or refuse; true when money is reversed by it. Raises ``SamePerson``, ``Conflict`` or ``NotFound``."""

    def feed_differences(self, who: SignedIn, place: Place, now: datetime) -> DifferencesPage:
        """Return what the feeds of the school's accounts tell differently."""

    def province_differences(self, who: SignedIn, place: Place, now: datetime) -> tuple[SchoolDifferences, ...]:
        """Return sums for each school under an authority."""
