"""Staff on rows: accounts, sessions, dated roles, and the log of sign-ins, refusals and exports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from billing.people.tables import Authority, School
from service.access import sessions
from service.access.roles import Actor, Grant, Place, SignedIn
from service.access.tables import AccessEvent, RoleGrant, StaffSession, User
from service.database import EVERYTHING, NOTHING, use_scope

_LOCAL = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Account:
    """A staff account as the sign-in needs it; a disabled one has no hash."""

    user_id: UUID
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something about access that is written down: what, how it ended, who, where from."""

    action: str
    outcome: str
    user_id: UUID | None = None
    school_id: UUID | None = None
    address: str = ""
    request_id: str | None = None


def find_account(session: Session, login: str) -> Account | None:
    """Return the account with a login, already folded as ``fold_login`` does."""
    user = session.exec(select(User).where(User.login == login)).one_or_none()
    if user is None:
        return None
    return Account(user.id, None if user.disabled_at else user.password_hash)


def start_session(session: Session, user_id: UUID, digest: bytes, now: datetime) -> None:
    """Store a new session by the digest of its token."""
    session.add(StaffSession(token_hash=digest, user_id=user_id, created_at=now, seen_at=now))
    session.flush()


def end_session(session: Session, digest: bytes, now: datetime) -> None:
    """End a session; nothing happens if there is none."""
    session.execute(
        update(StaffSession)
        .where(col(StaffSession.token_hash) == digest, col(StaffSession.ended_at).is_(None))
        .values(ended_at=now)
    )


def read_session(session: Session, digest: bytes, now: datetime) -> SignedIn | None:
    """Return who is behind a living session, with the roles of today; leaves the transaction without scope."""
    found = session.exec(
        select(StaffSession, User)
        .join(User, col(User.id) == col(StaffSession.user_id))
        .where(StaffSession.token_hash == digest, col(StaffSession.ended_at).is_(None), col(User.disabled_at).is_(None))
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if not sessions.is_alive(row.created_at, row.seen_at, now):
        return None
    if sessions.needs_touch(row.seen_at, now):
        row.seen_at = now
        session.add(row)
    grants = grants_of(session, user.id, now)
    return SignedIn(user.id, user.full_name, user.login, digest, grants, user.must_change_password)


def store_hash(session: Session, user_id: UUID, password_hash: str) -> None:
    """Store a stronger hash of the same password."""
    session.execute(update(User).where(col(User.id) == user_id).values(password_hash=password_hash))


def change_password(session: Session, user_id: UUID, password_hash: str, keep: bytes, now: datetime) -> None:
    """Store a new password; every session but ``keep`` ends."""
    session.execute(
        update(User).where(col(User.id) == user_id).values(password_hash=password_hash, must_change_password=False)
    )
    session.execute(
        update(StaffSession)
        .where(
            col(StaffSession.user_id) == user_id,
            col(StaffSession.token_hash) != keep,
            col(StaffSession.ended_at).is_(None),
        )
        .values(ended_at=now)
    )


def end_sessions(session: Session, user_id: UUID, now: datetime) -> int:
    """End every session of a person; return how many there were."""
    ended = session.exec(
        update(StaffSession)
        .where(col(StaffSession.user_id) == user_id, col(StaffSession.ended_at).is_(None))
        .values(ended_at=now)
        .returning(col(StaffSession.user_id))
    )
    return len(ended.all())


def note(session: Session, noted: Noted, now: datetime) -> None:
    """Append a line to the log of access."""
    session.add(
        AccessEvent(
            at=now,
            user_id=noted.user_id,
            school_id=noted.school_id,
            action=noted.action,
            outcome=noted.outcome,
            address=noted.address[:45],
            request_id=noted.request_id,
        )
    )
    session.flush()


def people_with(session: Session, school_id: UUID, role: str, today: date) -> list[User]:
    """Return who holds a role at one school on a day and may sign in, by login."""
    held = select(RoleGrant.user_id).where(
        RoleGrant.school_id == school_id,
        RoleGrant.role == role,
        RoleGrant.valid_from <= today,
        or_(col(RoleGrant.valid_to).is_(None), col(RoleGrant.valid_to) >= today),
    )
    found = select(User).where(col(User.id).in_(held), col(User.disabled_at).is_(None)).order_by(col(User.login))
    return list(session.exec(found).all())


def schools_with(session: Session, user_id: UUID, role: Actor, now: datetime) -> list[UUID]:
    """Return the schools at which a user holds a role today; the transaction has no scope afterwards."""
    grants = grants_of(session, user_id, now)
    return list(dict.fromkeys(grant.place.id for grant in grants if grant.role is role))


def grants_of(session: Session, user_id: UUID, now: datetime) -> tuple[Grant, ...]:
    """Return the roles that a user holds today, and where; the transaction has no scope afterwards."""
    return tuple(_grants(session, user_id, now.astimezone(_LOCAL).date()))


def _grants(session: Session, user_id: UUID, today: date) -> Iterable[Grant]:
    """Yield today's grants: one for each school; a province role keeps its authority as the place."""
    rows = session.exec(
        select(RoleGrant)
        .where(
            RoleGrant.user_id == user_id,
            RoleGrant.valid_from <= today,
            or_(col(RoleGrant.valid_to).is_(None), col(RoleGrant.valid_to) >= today),
        )
        .order_by(col(RoleGrant.id))
    ).all()
    # Which schools exist decides the scope, so it is read before there is one.
    use_scope(session, EVERYTHING)
    for row in rows:
        role = Actor(row.role)
        if row.authority_id is not None and role in (Actor.PROVINCE, Actor.ADMIN):
            authority = session.get_one(Authority, row.authority_id)
            yield Grant(role, Place(authority.id, authority.code, authority.name))
        else:
            yield from (Grant(role, Place(school.id, school.code, school.name)) for school in _schools(session, row))
    use_scope(session, NOTHING)


def _schools(session: Session, row: RoleGrant) -> list[School]:
    if row.school_id is not None:
        return list(session.exec(select(School).where(School.id == row.school_id)).all())
    if row.authority_id is None:
        return []
    return schools_below(session, row.authority_id)


def schools_below(session: Session, authority_id: UUID) -> list[School]:
    """Return the schools that an authority or one below it supervises, by code; the caller sets the scope."""
    below = select(Authority.id).where(Authority.id == authority_id).cte("below", recursive=True)
    below = below.union_all(select(col(Authority.id)).where(col(Authority.parent_id) == below.c.id))
    query = select(School).where(col(School.authority_id).in_(select(below.c.id))).order_by(School.code)
    return list(session.exec(query).all())
