"""What the pages of relief show (more time, sums no longer asked for), and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.views import Download


@dataclass(frozen=True, slots=True)
class TypedGrace:
    """More time for a pupil's bill (empty: all of them) as typed; ``parts``: a line for each, day and sum."""

    pupil_id: UUID
    bill_id: str
    until: str
    parts: str
    reason: str


@dataclass(frozen=True, slots=True)
class TypedWriteOff:
    """A bill whose open rest shall not be asked for any more, as typed, with the file of the decision."""

    pupil_id: UUID
    bill_id: str
    number: str
    decided_on: str
    reason: str
    file_name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ReliefRow:
    """A relief; ``stands``: *waiting*, *approved*, *refused* or *ended*. ``number``: the bill's, empty for all."""

    relief_id: str
    kind: str
    pupil_id: str
    pupil: str
    number: str
    until: date | None
    parts: tuple[tuple[date, Money], ...]
    amount: Money | None
    decision: str
    decided_on: date | None
    reason: str
    maker: str
    made_at: datetime
    stands: str
    mine: bool
    papers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Debtor:
    """A pupil with something open, also one who left: how much, over how many bills."""

    pupil_id: str
    name: str
    open: Money
    bills: int


@dataclass(frozen=True, slots=True)
class OpenBillRow:
    """A bill on which something is open, and until when there is more time for it."""

    bill_id: str
    number: str
    period: str
    due_on: date
    rest: Money
    until: date | None


@dataclass(frozen=True, slots=True)
class ReliefList:
    """Pupils whom the words find, and the reliefs of the school, those that wait first."""

    words: str
    debtors: tuple[Debtor, ...]
    rows: tuple[ReliefRow, ...]


@dataclass(frozen=True, slots=True)
class ReliefPupil:
    """One pupil: what is open, and what was asked for."""

    pupil_id: str
    name: str
    bills: tuple[OpenBillRow, ...]
    rows: tuple[ReliefRow, ...]
    today: date


class ReliefDesk(Protocol):
    """More time, and sums no longer asked for, at one school."""

    def reliefs(self, who: SignedIn, place: Place, words: str, now: datetime) -> ReliefList:
        """Return the pupils that the words find, and what was asked for."""

    def relief_pupil(self, who: SignedIn, place: Place, pupil_id: UUID, now: datetime) -> ReliefPupil:
        """Return one pupil with what is open; raises ``NotFound``."""

    def ask_grace(self, who: SignedIn, place: Place, typed: TypedGrace, now: datetime) -> None:
        """Ask for more time; raises ``Refused``."""

    def ask_write_off(self, who: SignedIn, place: Place, typed: TypedWriteOff, now: datetime) -> None:
        """Ask for an open rest not to be asked for any more; raises ``Refused`` or ``Conflict``."""

    def approve_relief(self, who: SignedIn, place: Place, relief_id: UUID, now: datetime) -> None:
        """Approve; raises ``SamePerson`` or ``Conflict``."""

    def refuse_relief(self, who: SignedIn, place: Place, relief_id: UUID, reason: str, now: datetime) -> None:
        """Say no, or take one's own back."""

    def end_relief(self, who: SignedIn, place: Place, relief_id: UUID, reason: str, now: datetime) -> None:
        """Lift a grace, or reverse a write-off."""

    def relief_paper(self, who: SignedIn, place: Place, paper_id: UUID, now: datetime) -> Download:
        """Return the file of a decision, and record who opened it."""
