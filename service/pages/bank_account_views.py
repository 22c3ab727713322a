"""What the page of a school's bank accounts shows, and what is typed into it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.number_views import NumberDesk


@dataclass(frozen=True, slots=True)
class TypedAccount:
    """An account as typed; ``replaces``: the id of the one in whose place it shall stand, empty for a further one."""

    replaces: str
    bank_bin: str
    number: str
    holder: str
    told_by: str
    only_virtual: bool
    can_qr: bool
    memo_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an account can do."""

    told_by: str
    only_virtual: bool
    can_qr: bool
    memo_code: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account of the school. ``keeps_until``: the last day on which a replaced one is listened to.

    ``feeds``: who tells of its money; ``lacking``: how many pupils with something asked for have no number of their
    own where only these tell.
    """

    account_id: str
    bank: str
    number: str
    holder: str
    abilities: Abilities
    since: date
    closed_on: date | None
    keeps_until: date | None
    feeds: tuple[str, ...]
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """An account that was asked for; ``stands``: *waiting*, *agreed*, *stopped* or *opened*.

    ``told``: who was told, and what became of the letter (the state of its row); ``mine``: the visitor asked for it.
    """

    change_id: str
    bank: str
    number: str
    holder: str
    abilities: Abilities
    replaces: str
    reason: str
    asked_by: str
    asked_at: datetime
    stands: str
    mine: bool
    approved_by: str = ""
    in_force_at: datetime | None = None
    stopped_by: str = ""
    stopped_for: str = ""
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BankAccountsPage:
    """The accounts, those in use first; what was asked for, what waits first."""

    accounts: tuple[AccountRow, ...]
    changes: tuple[ChangeRow, ...]
    banks: tuple[tuple[str, str], ...]
    wait_hours: int


class BankAccountDesk(NumberDesk, Protocol):
    """The bank accounts of one school."""

    def bank_accounts(self, who: SignedIn, place: Place) -> BankAccountsPage:
        """Return the accounts and what was asked for."""

    def ask_account(self, who: SignedIn, place: Place, typed: TypedAccount, now: datetime) -> None:
        """Ask for an account; raises ``Refused`` or ``Conflict``."""

    def approve_account(self, who: SignedIn, place: Place, change_id: UUID, now: datetime) -> None:
        """Agree; raises ``SamePerson`` or ``Conflict``."""

    def withdraw_account(self, who: SignedIn, place: Place, change_id: UUID, reason: str, now: datetime) -> None:
        """Stop a change that is not in force; raises ``Refused`` or ``Conflict``."""
