"""What the page of where a school lies shows, and what is typed into it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class TypedPlace:
    """A change of place as typed."""

    zone: str
    area: str
    decision: str
    since: date | None


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A place with the days on which it holds: no first day means since ever, no last one until further notice."""

    zone: str
    area: str
    first: date | None
    last: date | None
    decision: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class AskedPlace:
    """A change that waits. ``refused``: item and reason of each price that no round may charge there."""

    place_id: str
    zone: str
    area: str
    since: date
    decision: str
    asked_by: str
    asked_at: datetime
    mine: bool
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PlacesPage:
    """Places by day, what waits, and what may be chosen from which day on. ``area``: today's, as stored."""

    held: tuple[HeldRow, ...]
    waiting: AskedPlace | None
    zones: tuple[tuple[str, str], ...]
    areas: tuple[tuple[str, str], ...]
    earliest: date
    area: str = ""


class PlaceDesk(Protocol):
    """What the page asks of whoever answers it."""

    def places(self, who: SignedIn, place: Place, now: datetime) -> PlacesPage:
        """Return where the school lies by day, and what was asked for."""

    def ask_place(self, who: SignedIn, place: Place, typed: TypedPlace, now: datetime) -> None:
        """Ask for a change."""

    def approve_place(self, who: SignedIn, place: Place, place_id: UUID, now: datetime) -> None:
        """Approve a change."""

    def withdraw_place(self, who: SignedIn, place: Place, place_id: UUID, now: datetime) -> None:
        """Drop a change that waits."""
