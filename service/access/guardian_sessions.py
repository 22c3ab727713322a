"""A guardian's session: a contact proved by a code, and whose guardian rows schools had bound to that very contact.

This is where two rows of one person, entered by two schools, come together (docs/decisions/0003): by a proven phone
number or address of the same kind, never by a name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import Session, col, select

from billing.people.tables import Contact, Guardianship
from service.access.guardian_codes import Reached
from service.access.guardian_tables import GuardianSession
from service.database import EVERYTHING, NOTHING, use_scope

LIFETIME = timedelta(minutes=30)
_LOCAL = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Proved:
    """Who is behind a session: the guardian rows of one proven contact, as they hold today; and that contact."""

    guardians: tuple[UUID, ...]
    until: datetime
    contact_kind: str
    contact_blind: bytes
    digest: bytes


def start_session(session: Session, digest: bytes, kind: str, blind: bytes, now: datetime) -> None:
    """Store a session by the digest of its token; leaves the transaction without scope."""
    bound = bound_guardians(session, kind, blind, _day(now))
    session.add(
        GuardianSession(
            token_hash=digest,
            contact_kind=kind,
            contact_blind=blind,
            guardian_ids=sorted(bound),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    session.flush()


def read_session(session: Session, digest: bytes, now: datetime) -> Proved | None:
    """Return who is behind a living session; leaves the transaction without scope.

    A guardian whom a school has taken from this contact since is no longer among them; a new one needs a new code.
    """
    row = session.get(GuardianSession, digest)
    if row is None or row.ended_at is not None or not row.created_at <= now < row.expires_at:
        return None
    bound = bound_guardians(session, row.contact_kind, row.contact_blind, _day(now))
    guardians = tuple(each for each in row.guardian_ids if each in bound)
    return Proved(guardians, row.expires_at, row.contact_kind, row.contact_blind, digest)


def end_session(session: Session, digest: bytes, now: datetime) -> None:
    """End a session; nothing happens if there is none."""
    session.execute(
        update(GuardianSession)
        .where(col(GuardianSession.token_hash) == digest, col(GuardianSession.ended_at).is_(None))
        .values(ended_at=now)
    )


def bound_guardians(session: Session, kind: str, blind: bytes, today: date) -> frozenset[UUID]:
    """Return the guardians to whom any school has bound this contact; leaves the transaction without scope.

    A contact that a family entered by itself is in no guardian's row before the school has accepted it.
    """
    use_scope(session, EVERYTHING)
    found = session.exec(
        select(Contact.guardian_id).where(
            Contact.kind == kind, Contact.blind == blind, *_on(today, Contact.valid_from, Contact.valid_to)
        )
    ).all()
    use_scope(session, NOTHING)
    return frozenset(found)


def may_see(session: Session, guardians: Collection[UUID], pupil_id: UUID, now: datetime) -> bool:
    """Say whether one of these guardians answers for a child today and may see its bills."""
    found = session.exec(
        select(Guardianship.id).where(
            col(Guardianship.guardian_id).in_(guardians),
            Guardianship.pupil_id == pupil_id,
            col(Guardianship.may_see_bills),
            *_on(_day(now), Guardianship.valid_from, Guardianship.valid_to),
        )
    ).first()
    return found is not None


def contact_choices(session: Session, pupil_id: UUID, now: datetime) -> list[tuple[int, Reached]]:
    """Return the contacts of those who may see a child's bills, each number and address once, first entered first."""
    today = _day(now)
    rows = session.exec(
        select(Contact)
        .join(Guardianship, col(Guardianship.guardian_id) == col(Contact.guardian_id))
        .where(
            Guardianship.pupil_id == pupil_id,
            col(Guardianship.may_see_bills),
            *_on(today, Guardianship.valid_from, Guardianship.valid_to),
            *_on(today, Contact.valid_from, Contact.valid_to),
        )
        .order_by(col(Contact.id))
    ).all()
    once: dict[tuple[str, bytes], Contact] = {}
    for row in rows:
        once.setdefault((row.kind, row.blind), row)
    return [(row.id or 0, Reached(row.kind, row.blind, row.masked)) for row in once.values()]


def _on(day: date, valid_from: date, valid_to: date | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(valid_from) <= day, or_(col(valid_to).is_(None), col(valid_to) >= day)


def _day(now: datetime) -> date:
    return now.astimezone(_LOCAL).date()
