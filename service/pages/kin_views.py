"""What is shown and typed about whose family a member of staff is (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from billing.errors import OwnFamily
from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class KinRow:
    """Something that stands declared: a child by ``shown`` (its name to oneself, its code to others) or a number."""

    row_id: str
    shown: str
    said_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KinPage:
    """What stands declared for one person at a school; ``myself``: the visitor is that person."""

    user_id: str
    name: str
    school_id: str
    children: tuple[KinRow, ...]
    contacts: tuple[KinRow, ...]
    myself: bool


@dataclass(frozen=True, slots=True)
class TypedKin:
    """Of whom, at which school, a child by code and name, or a number or address, as typed."""

    user_id: UUID
    school: str = ""
    code: str = ""
    full_name: str = ""
    contact: str = ""


class KinDesk(Protocol):
    """Whose family a member of staff is."""

    def kin(self, who: SignedIn, place: Place, user_id: UUID, school: str = "") -> KinPage:
        """Return what stands declared for a person; raises ``NotFound`` for who is not of the place."""

    def declare_kin(self, who: SignedIn, place: Place, typed: TypedKin, now: datetime) -> None:
        """Declare a child, or a number; raises ``NotFound``, ``Refused`` or ``Conflict``."""

    def end_kin(  # noqa: PLR0913, PLR0917  who takes what away of whom, why
        self, who: SignedIn, place: Place, typed: TypedKin, row_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back what was declared of another person; raises ``SamePerson``, ``NotFound`` or ``Conflict``."""

    def note_own_family(self, who: SignedIn, error: OwnFamily, where: str, now: datetime) -> None:
        """Write the refusal of an act on the own family to the school's audit."""
