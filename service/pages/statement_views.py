"""What the pages of bank statements show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.errors import RowProblem
from billing.money import Money
from reconciliation.statements.following import Gap
from service.access.roles import Place, SignedIn

# What a column may tell, in the order of the choices; the value stands in the form.
MEANINGS = {
    "day": ("Ngày giao dịch", "Day"),
    "debit": ("Tiền ra (ghi nợ)", "Money out (debit)"),
    "credit": ("Tiền vào (ghi có)", "Money in (credit)"),
    "amount": ("Số tiền có dấu + và -", "Amount, out below zero"),
    "balance": ("Số dư", "Balance"),
    "memo": ("Nội dung", "Memo"),
    "reference": ("Số tham chiếu", "Reference"),
}


@dataclass(frozen=True, slots=True)
class StatementAccount:
    """An account, and bank against book to the end of the last day that a statement shows; None before the first."""

    account_id: str
    name: str
    by_statement: bool
    last_day: date | None
    difference: Money | None


@dataclass(frozen=True, slots=True)
class StatementFileRow:
    """A statement that was read in."""

    account: str
    first_day: date
    last_day: date
    opening: Money
    money_in: Money
    money_out: Money
    closing: Money
    read_at: datetime
    reader: str


@dataclass(frozen=True, slots=True)
class StatementsPage:
    """The accounts of a school, and the newest statements."""

    accounts: tuple[StatementAccount, ...]
    files: tuple[StatementFileRow, ...]


@dataclass(frozen=True, slots=True)
class BroughtFile:
    """A file as somebody brought it."""

    account_id: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TypedHow:
    """What is said of a file, as typed: the number of its heading row, what each column tells, the balances.

    ``vouched`` is "1" where somebody answers for it that the file is of the account.
    """

    heading: str = ""
    columns: tuple[str, ...] = ()
    opening: str = ""
    closing: str = ""
    vouched: str = ""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A movement as the preview shows it; ``amount`` is below 0 đ for money out."""

    day: date
    amount: Money
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPreview:
    """What a file would bring. ``balanced`` is false while nobody knows the balances; ``shown`` are its first lines.

    ``gaps`` are where it would not meet the statements before and after it.
    ``no_account``, ``other_bank``: what the file does not show, so that somebody has to answer for it.
    """

    upload_id: str
    name: str
    account: str
    bank: str
    period: tuple[date, date] | None
    lines: int
    new: int
    known: int
    opening: Money | None
    closing: Money | None
    money_in: Money
    money_out: Money
    balanced: bool
    explained: bool
    digest: str
    no_account: bool = False
    other_bank: bool = False
    shown: tuple[ShownLine, ...]
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnToExplain:
    """A column: its letter, its heading, some of its cells, and what it seems to tell (empty: nothing)."""

    letter: str
    heading: str
    samples: tuple[str, ...]
    guess: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementToExplain:
    """A file whose layout nobody knows. ``headings``: rows that may be the heading, as (number, text)."""

    upload_id: str
    name: str
    account: str
    heading: int
    headings: tuple[tuple[int, str], ...]
    columns: tuple[ColumnToExplain, ...]
    problem: str = ""
    problems: tuple[RowProblem, ...] = ()


class StatementDesk(Protocol):
    """Bank statements: brought, shown, explained, confirmed."""

    def statements(self, who: SignedIn, place: Place, now: datetime) -> StatementsPage:
        """Return the accounts and the newest statements."""

    def bring_statement(self, who: SignedIn, place: Place, brought: BroughtFile, now: datetime) -> UUID:
        """Keep a file to be looked at; raises ``BadRows`` or ``StatementUnreadable`` when it cannot be read."""

    def brought_statement(
        self, who: SignedIn, place: Place, upload_id: UUID, typed: TypedHow, now: datetime
    ) -> StatementPreview | StatementToExplain:
        """Return what a kept file would bring, or what has to be said of it first."""

    def confirm_statement(  # noqa: PLR0913, PLR0917  what was shown and by whom
        self, who: SignedIn, place: Place, upload_id: UUID, typed: TypedHow, seen: str, now: datetime
    ) -> tuple[int, int]:
        """Import a kept file as it was shown; return how many movements were new and known."""
