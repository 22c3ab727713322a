"""What the pages of transfers that go back to their payer show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class GoingBackRow:
    """One transfer that waits, was asked back, or goes back: ``state`` is *waiting*, *asked*, *refunding*, *refunded*.

    ``refund_id`` is its request, if there is one.
    """

    transfer_id: str
    day: date
    amount: Money
    memo: str
    account: str
    state: str
    days: int
    refund_id: str = ""


@dataclass(frozen=True, slots=True)
class GoingBackPage:
    """Transfers of a school that wait or go back, oldest first; ``amount`` is what waits without a request."""

    rows: tuple[GoingBackRow, ...]
    unshown: int
    amount: Money


@dataclass(frozen=True, slots=True)
class AskBackPage:
    """One waiting transfer and where it could go back to.

    ``payer``: the paying account masked, with its name, empty when the bank named none; ``against`` says why it is not
    paid back to. ``suggested``: whom the matcher suggests, so that nothing goes back that is a pupil's.
    """

    row: GoingBackRow
    payer: str
    against: str
    suggested: tuple[str, ...]
    banks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TypedReturn:
    """Where a transfer is to go back to, as typed; ``source`` is *payer* or *typed*."""

    source: str
    bank: str
    name: str
    account: str
    proof: str
    reason: str


class ReturningDesk(Protocol):
    """Transfers that nobody could place, on their way back."""

    def going_back(self, who: SignedIn, place: Place, now: datetime) -> GoingBackPage:
        """Return the transfers that wait or go back."""

    def ask_back_page(self, who: SignedIn, place: Place, transfer_id: UUID, now: datetime) -> AskBackPage:
        """Return one waiting transfer; raises ``NotFound`` or ``Conflict``."""

    def ask_back(self, who: SignedIn, place: Place, transfer_id: UUID, typed: TypedReturn, now: datetime) -> UUID:
        """Ask that a transfer goes back, and return the request; raises ``Refused`` or ``Conflict``."""

    def bring_back(self, who: SignedIn, place: Place, refund_id: UUID, line_id: UUID, came: str, now: datetime) -> None:  # noqa: PLR0913, PLR0917  which line, by which money
        """Write down that the bank brought a line's money back."""
