"""What the page of who came after a round shows and sends (pure), and what it asks of the house."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class LateItemRow:
    """An item to choose about; ``kind`` and ``reason`` as last chosen, empty before."""

    code: str
    name: str
    amount: Money
    kind: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LatePupilRow:
    """A pupil who came after the round."""

    enrolment_id: str
    name: str
    class_name: str
    came: date
    items: tuple[LateItemRow, ...]


@dataclass(frozen=True, slots=True)
class LatePage:
    """Who came after a round and has items to choose about."""

    round_id: str
    title: str
    pupils: tuple[LatePupilRow, ...]

    @property
    def taken(self) -> bool:
        """Whether something is taken that waits for a supplementary round."""
        return any(item.kind.startswith("take") for pupil in self.pupils for item in pupil.items)


@dataclass(frozen=True, slots=True)
class TypedLate:
    """Choices as they were typed: code of the item, kind and reason."""

    round_id: UUID
    enrolment_id: UUID
    choices: tuple[tuple[str, str, str], ...]


class LateDesk(Protocol):
    """Items of an earlier round for pupils who came later."""

    def late_page(self, who: SignedIn, place: Place, round_id: UUID) -> LatePage:
        """Return who came after a round and what there is to choose; raises ``NotFound``."""

    def choose_late(self, who: SignedIn, place: Place, typed: TypedLate, now: datetime) -> None:
        """Write down the choices for one pupil; raises ``Refused`` when one is missing or lacks its reason."""
