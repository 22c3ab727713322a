"""Writing down who did what, and why, in the transaction of the deed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session, col

from billing.audit.tables import AuditDetail, AuditEntry
from billing.errors import Refused
from billing.visible import is_blank

_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a user in a role, or the system (``user_id`` empty).

    ``via``: through what, where it was not a page (``api:`` and the token's id); it stands among a deed's details.
    """

    user_id: UUID | None
    role: str
    request_id: str | None = None
    via: str = ""


SYSTEM = Actor(user_id=None, role="system")


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to what, and why. ``details`` (before, after) are plain JSON values and may be erased by law."""

    school_id: UUID
    action: str
    object_kind: str
    object_id: str
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a reason that nobody can read: of all that is given, this is the place where it is written down."""
        if self.reason.strip() and is_blank(self.reason):
            raise Refused("Lý do chỉ có ký tự không nhìn thấy. Hãy ghi lý do bằng chữ.")


def record_deed(session: Session, actor: Actor, deed: Deed, now: datetime, **details: Any) -> None:  # noqa: ANN401  JSON
    """Append an audit entry with the salted SHA-256 of its details; the details stand in their own table."""
    record_deeds(session, actor, [(deed, details)], now)


def record_deeds(
    session: Session, actor: Actor, deeds: Sequence[tuple[Deed, Mapping[str, Any]]], now: datetime
) -> None:
    """Append an audit entry for each of several deeds with its details, set-wise, as ``record_deed`` does."""
    if not deeds:
        return
    written = [_entry(actor, deed, dict(details), now) for deed, details in deeds]
    session.add_all(entry for entry, _, _ in written)
    session.flush()
    # What is returned makes one statement of them.
    session.execute(
        insert(AuditDetail).returning(col(AuditDetail.audit_id)),
        [
            {"audit_id": entry.id, "school_id": entry.school_id, "salt": salt, "details": details}
            for entry, salt, details in written
        ],
    )


def _entry(
    actor: Actor, deed: Deed, details: dict[str, Any], now: datetime
) -> tuple[AuditEntry, bytes, dict[str, Any]]:
    """Return the entry of a deed with the salt of its digest and its details."""
    if actor.via:
        details["via"] = actor.via
    salt = os.urandom(_SALT_BYTES)
    entry = AuditEntry(
        school_id=deed.school_id,
        at=now,
        actor_id=actor.user_id,
        actor_role=actor.role,
        action=deed.action,
        object_kind=deed.object_kind,
        object_id=deed.object_id,
        reason=deed.reason,
        request_id=actor.request_id,
        digest=details_digest(salt, details),
    )
    return entry, salt, details


def details_digest(salt: bytes, details: dict[str, Any]) -> bytes:
    """Return SHA-256 over the salt and the details as JSON with sorted keys."""
    canonical = json.dumps(details, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(salt + canonical.encode()).digest()
