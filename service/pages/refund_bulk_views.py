"""What the pages of refunds in bulk show: the dry run, the decision behind one, and the bank's files (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.views import Download

_DIGEST = 40


@dataclass(frozen=True, slots=True)
class BulkQuery:
    """Whose credit is to be given back, as chosen: item, class, round, and the way (*cash* or *bank*)."""

    item: str
    class_id: str
    round_id: str
    way: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A pupil who is not among the lines, how much is kept, and why."""

    pupil: str
    class_name: str
    amount: Money
    why: str


@dataclass(frozen=True, slots=True)
class BulkPage:
    """A dry run: how many lines, together, who is left out. ``about`` names what was chosen.

    ``seen`` is how the form carries the very lines that were shown (``digest_of``).
    """

    query: BulkQuery
    about: str
    count: int
    total: Money
    left_out: tuple[LeftOut, ...]
    seen: str


@dataclass(frozen=True, slots=True)
class TypedGround:
    """The inspection's decision behind a refund, as typed, with its paper; all of it empty where there is none."""

    number: str
    day: str
    file_name: str
    content: bytes

    @property
    def given(self) -> bool:
        """Whether anything was typed."""
        return bool(self.number or self.day or self.content)


@dataclass(frozen=True, slots=True)
class GroundRow:
    """The decision behind a refund, as its page shows it."""

    number: str
    issued_on: date
    file_name: str


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A file for the bank: how many lines, together, made by whom and when.

    ``overtaken``: so many of its lines were undone, taken back or ordered anew since; it is handed out no more.
    """

    batch_id: str
    lines: int
    amount: Money
    by: str
    at: datetime
    overtaken: int


@dataclass(frozen=True, slots=True)
class Papers:
    """What stands behind and beside a refund: the decision, the bank's files, and whether there is cash to sign for."""

    ground: GroundRow | None
    batches: tuple[BatchRow, ...]
    to_order: int
    cash: bool


def digest_of(lines: Iterable[tuple[UUID, str | None, Money, UUID | None]]) -> str:
    """Return a short name of some lines, whatever their order: pupil, item, sum, and the account (None: in cash).

    What was shown is what is asked for: another child, another sum or another account has another name.
    """
    told = sorted(f"{pupil} {item or '-'} {amount.dong} {account or '-'}" for pupil, item, amount, account in lines)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:_DIGEST]


class RefundBulkDesk(Protocol):
    """Refunds in bulk: tried first, asked once, paid by one file."""

    def bulk_page(self, who: SignedIn, place: Place, query: BulkQuery, now: datetime) -> BulkPage:
        """Return what a request in bulk would hold."""

    def ask_in_bulk(  # noqa: PLR0913, PLR0917  what was chosen, seen and typed
        self, who: SignedIn, place: Place, query: BulkQuery, seen: str, reason: str, ground: TypedGround, now: datetime
    ) -> UUID:
        """Ask for what was seen; raises ``Conflict`` when it changed since, ``Refused`` when there is nothing."""

    def refund_papers(self, who: SignedIn, place: Place, refund_id: UUID) -> Papers:
        """Return what stands behind and beside a refund."""

    def refund_ground(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> Download:
        """Return the paper of the decision; the opening is recorded."""

    def make_batch(self, who: SignedIn, place: Place, refund_id: UUID, day: str, now: datetime) -> None:
        """Make the bank's file of what is to be paid by bank, ordered on a day as typed; raises ``Refused``."""

    def bank_batch(  # noqa: PLR0913, PLR0917  which file, in which layout
        self, who: SignedIn, place: Place, refund_id: UUID, batch_id: UUID, layout: str, now: datetime
    ) -> Download:
        """Return a file as it was made; the opening is recorded. Raises ``Conflict`` once a line of it moved on."""

    def cash_sheet(self, who: SignedIn, place: Place, refund_id: UUID, now: datetime) -> Download:
        """Return the sheet on which families sign; the opening is recorded."""
