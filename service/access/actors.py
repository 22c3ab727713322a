"""Who can knock (pure): the actors, where a role holds, and the person behind a session."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Actor(StrEnum):
    """Everybody who can knock: seven roles of staff, the holder of a payment link, and anybody."""

    ACCOUNTANT = "accountant"
    APPROVER = "approver"
    CASHIER = "cashier"
    AUDITOR = "auditor"
    CLASS_TEACHER = "class_teacher"
    PROVINCE = "province"
    ADMIN = "admin"
    PARENT_LINK = "parent_link"
    ANONYMOUS = "anonymous"


ROLES = frozenset(Actor) - {Actor.PARENT_LINK, Actor.ANONYMOUS}

ROLE_NAMES: Mapping[Actor, tuple[str, str]] = MappingProxyType(
    {
        Actor.ACCOUNTANT: ("Kế toán", "Accountant"),
        Actor.APPROVER: ("Người duyệt", "Approver"),
        Actor.CASHIER: ("Thủ quỹ", "Cashier"),
        Actor.AUDITOR: ("Kiểm toán", "Auditor"),
        Actor.CLASS_TEACHER: ("Giáo viên chủ nhiệm", "Class teacher"),
        Actor.PROVINCE: ("Cấp tỉnh", "Province"),
        Actor.ADMIN: ("Quản trị hệ thống", "System administrator"),
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """A school or an authority in which a role holds; ``code`` is what stands in addresses."""

    id: uuid.UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in one place, valid today."""

    role: Actor
    place: Place


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a session, with the grants that hold today."""

    user_id: uuid.UUID
    name: str
    login: str
    session_digest: bytes
    grants: tuple[Grant, ...]
    must_change_password: bool = False

    @property
    def roles(self) -> frozenset[Actor]:
        """All roles, in whatever place."""
        return frozenset(grant.role for grant in self.grants)

    def places(self, roles: frozenset[Actor]) -> tuple[Place, ...]:
        """Return the places in which one of the roles holds, without repeats, in the order granted."""
        return tuple(dict.fromkeys(grant.place for grant in self.grants if grant.role in roles))

    def roles_in(self, place: Place) -> frozenset[Actor]:
        """Return the roles that hold in one place."""
        return frozenset(grant.role for grant in self.grants if grant.place == place)
