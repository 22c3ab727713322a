"""What the cashier's pages show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.views import Download


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of a list: its number and how many there are, at least one."""

    number: int
    of: int

    @classmethod
    def cut(cls, wanted: int, rows: int, size: int) -> Sheet:
        """Return the page that was asked for, the last one where there are fewer."""
        of = max(1, -(-rows // size))
        return cls(min(wanted, of), of)


@dataclass(frozen=True, slots=True)
class FoundPupil:
    """A pupil that the words found: enrolled here, or billed here before."""

    pupil_id: str
    name: str
    class_name: str
    open: Money


@dataclass(frozen=True, slots=True)
class TakingRow:
    """A taking in a list, with the number of its receipt or paper leaf.

    ``stands``: *live*, *asked* (its reversal waits for a decision) or *reversed*.
    """

    taking_id: str
    day: date
    pupil: str
    amount: Money
    number: str
    stands: str
    by: str


@dataclass(frozen=True, slots=True)
class CashHome:
    """The first page of the cash: what the book says is in the till, who was looked for, and what was taken.

    ``rows``: the newest first, ``sheet`` by sheet.
    """

    words: str
    hits: tuple[FoundPupil, ...]
    balance: Money
    today: Money
    rows: tuple[TakingRow, ...]
    asked: int
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class CashBill:
    """An open bill; ``part`` is what the sum that is looked at would pay of it, ``chosen`` whether it may."""

    bill_id: str
    number: str
    period: str
    due_on: date
    rest: Money
    chosen: bool
    part: Money


@dataclass(frozen=True, slots=True)
class CashTransfer:
    """A transfer that concerns the child: when, how much, the bank's words, how it is known, whether it waits."""

    day: date
    amount: Money
    memo: str
    sign: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """A sum that is looked at: what becomes credit, what stays open, and the mark and key that the form takes along."""

    amount: Money
    surplus: Money
    left: Money
    mark: str
    form: str


@dataclass(frozen=True, slots=True)
class CashPupil:
    """One child before the cashier: bills by month, transfers, and the sum that is looked at, if there is one.

    ``book`` is id and code of a paper book whose leaf is entered.
    """

    pupil_id: str
    name: str
    class_name: str
    bills: tuple[CashBill, ...]
    open: Money
    transfers: tuple[CashTransfer, ...]
    looked: Looked | None
    book: tuple[str, str] | None
    today: date


@dataclass(frozen=True, slots=True)
class TypedCash:
    """Cash as typed. ``bills``: ids of the chosen ones; ``book``, ``number`` and ``day`` for a leaf of a paper book."""

    pupil_id: UUID
    amount: str
    bills: tuple[str, ...] = ()
    mark: str = ""
    form: str = ""
    payer: str = ""
    seen: bool = False
    book: str = ""
    number: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class ReversalRow:
    """A reversal asked for, and what became of it: *waiting*, *approved* or *refused*."""

    reversal_id: str
    reason: str
    by: str
    at: datetime
    stands: str
    decided_by: str
    decision: str


@dataclass(frozen=True, slots=True)
class TakingPage:
    """One taking: its sum, parts and paper, and the reversals asked for. ``printed`` is false for a paper leaf.

    ``mine``: the visitor took the money or asks for the reversal, so another person decides.
    """

    row: TakingRow
    pupil_id: str
    payer: str
    collector: str
    at: datetime
    parts: tuple[tuple[str, Money], ...]
    surplus: Money
    printed: bool
    transfers: int
    reversals: tuple[ReversalRow, ...]
    mine: bool


@dataclass(frozen=True, slots=True)
class PaperBookRow:
    """A paper book: its leaves, how many are entered or spoilt, and the numbers that are missing so far."""

    book_id: str
    code: str
    first: int
    last: int
    used: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeafRow:
    """An entered leaf: whose and how much, or why it was spoilt."""

    number: int
    taking_id: str
    pupil: str
    amount: Money | None
    day: date | None
    spoilt: str


@dataclass(frozen=True, slots=True)
class PaperBookPage:
    """One paper book with its leaves, and the pupils that the words found."""

    book: PaperBookRow
    leaves: tuple[LeafRow, ...]
    words: str
    hits: tuple[FoundPupil, ...]


class CashDesk(Protocol):
    """Takings, their reversals, and paper books."""

    def cash_home(self, who: SignedIn, place: Place, words: str, number: int, now: datetime) -> CashHome:
        """Return what is in the till, the pupils that the words find, and the newest takings."""

    def cash_pupil(self, who: SignedIn, place: Place, typed: TypedCash, now: datetime) -> CashPupil:
        """Return a child with bills and transfers, and what the typed sum would do; raises ``NotFound``."""

    def take_cash(self, who: SignedIn, place: Place, typed: TypedCash, now: datetime) -> UUID:
        """Store cash once; raises ``ScreenMoved``, ``Refused``, ``Conflict`` or ``OwnFamily``."""

    def cash_taking(self, who: SignedIn, place: Place, taking_id: UUID, now: datetime) -> TakingPage:
        """Return one taking; raises ``NotFound``."""

    def cash_receipt(self, who: SignedIn, place: Place, taking_id: UUID, now: datetime) -> Download:
        """Return both copies of a taking's receipt; raises ``Refused`` for a leaf of a paper book."""

    def ask_cash_reversal(self, who: SignedIn, place: Place, taking_id: UUID, reason: str, now: datetime) -> None:
        """Ask for a taking to be reversed."""

    def decide_cash_reversal(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, reversal_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> UUID:
        """Approve or refuse; return the taking. Raises ``SamePerson`` or ``Conflict``."""

    def paper_books(self, who: SignedIn, place: Place) -> tuple[PaperBookRow, ...]:
        """Return the paper books of the school."""

    def open_paper_book(self, who: SignedIn, place: Place, typed: tuple[str, str, str], now: datetime) -> UUID:
        """Write down a paper book as typed: code, first and last number; return its id."""

    def paper_book(self, who: SignedIn, place: Place, book_id: UUID, words: str) -> PaperBookPage:
        """Return one paper book; raises ``NotFound``."""

    def spoil_leaf(  # noqa: PLR0913, PLR0917  which leaf, and why
        self, who: SignedIn, place: Place, book_id: UUID, number: str, reason: str, now: datetime
    ) -> None:
        """Write down that a leaf was spoilt."""
