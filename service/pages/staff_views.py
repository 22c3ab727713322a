"""What the page of users shows and what is typed into it (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn


@dataclass(frozen=True, slots=True)
class TypedRole:
    """Who shall have which role at which school from when until when, as typed."""

    school: str
    login: str
    full_name: str
    role: str
    first_day: str
    last_day: str
    reason: str


@dataclass(frozen=True, slots=True)
class TypedReset:
    """Who of which school needs a new first password, and why, as typed."""

    user_id: UUID
    school: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A dated role; ``state``: *held*, *later* or *over*. ``givers``: who asked and who agreed."""

    grant_id: int
    role: str
    school: str
    first_day: date
    last_day: date | None
    state: str
    givers: str


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person who works at the school; ``school_id``: through which school acts on the account go."""

    user_id: str
    name: str
    login: str
    school_id: str
    roles: tuple[RoleRow, ...]
    seen_at: datetime | None
    tokens: int
    first_password: bool
    myself: bool


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request that waits; ``mine``: the visitor asked for it, or it is for her."""

    request_id: str
    kind: str
    role: str | None
    school: str
    name: str
    login: str
    first_day: date | None
    last_day: date | None
    reason: str
    asked_by: str
    asked_at: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class StaffPage:
    """Who works here, what waits, and the schools a role can be given at: (id, name)."""

    members: tuple[MemberRow, ...]
    requests: tuple[RequestRow, ...]
    schools: Sequence[tuple[str, str]]
    today: date


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """A first password, or a half of one: ``part`` is *whole*, *first* or *second*; empty where none is needed."""

    name: str
    login: str
    part: str
    password: str


class StaffDesk(Protocol):
    """Accounts of staff at a school, or at the schools below an authority."""

    def staff(self, who: SignedIn, place: Place, now: datetime) -> StaffPage:
        """Return who works here and what waits."""

    def ask_role(self, who: SignedIn, place: Place, typed: TypedRole, now: datetime) -> ShownOnce:
        """Ask for a role; a class teacher's is given at once. Raises ``Refused``, ``Conflict``, ``SamePerson``."""

    def ask_password(self, who: SignedIn, place: Place, typed: TypedReset, now: datetime) -> ShownOnce:
        """Ask for a new first password for somebody; a class teacher's is made at once."""

    def grant_staff(self, who: SignedIn, place: Place, request_id: UUID, now: datetime) -> ShownOnce:
        """Agree to a request; raises ``SamePerson`` or ``Conflict``."""

    def refuse_staff(self, who: SignedIn, place: Place, request_id: UUID, reason: str, now: datetime) -> None:
        """Say no to a request, or take one's own back."""

    def end_role(self, who: SignedIn, place: Place, grant_id: int, last_day: str, now: datetime) -> None:
        """Let a role end after a day."""

    def sign_out_staff(self, who: SignedIn, place: Place, user_id: UUID, school: str, now: datetime) -> None:
        """End somebody's sessions and revoke the tokens for programs."""
