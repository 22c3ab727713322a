"""Who works at a school with which roles, and what waits for a decision about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from service.access.staff_tables import StaffDecision, StaffRequest
from service.access.tables import RoleGrant, StaffSession, User
from service.access.token_tables import ApiToken


@dataclass(frozen=True, slots=True)
class Member:
    """A person with all roles at the schools asked about, past ones too; when last seen, and living tokens."""

    user: User
    grants: tuple[RoleGrant, ...]
    seen_at: datetime | None
    tokens: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request nobody has decided yet."""

    row: StaffRequest
    user: User
    asked_by: str


def members(session: Session, schools: Collection[UUID], now: datetime) -> list[Member]:
    """Return who has or had a role at one of these schools itself, by login."""
    grants: dict[UUID, list[RoleGrant]] = defaultdict(list)
    query = select(RoleGrant).where(col(RoleGrant.school_id).in_(list(schools))).order_by(col(RoleGrant.id))
    for grant in session.exec(query).all():
        grants[grant.user_id].append(grant)
    users = session.exec(select(User).where(col(User.id).in_(list(grants))).order_by(col(User.login))).all()
    seen = dict(
        session.exec(
            select(StaffSession.user_id, func.max(StaffSession.seen_at))
            .where(col(StaffSession.user_id).in_(list(grants)))
            .group_by(col(StaffSession.user_id))
        ).all()
    )
    tokens = dict(
        session.exec(
            select(ApiToken.user_id, func.count())
            .where(
                col(ApiToken.school_id).in_(list(schools)),
                col(ApiToken.revoked_at).is_(None),
                col(ApiToken.expires_at) > now,
            )
            .group_by(col(ApiToken.user_id))
        ).all()
    )
    return [Member(user, tuple(grants[user.id]), seen.get(user.id), tokens.get(user.id, 0)) for user in users]


def waiting(session: Session, schools: Collection[UUID]) -> list[Waiting]:
    """Return the requests of these schools that nobody has decided, oldest first."""
    rows = session.exec(
        select(StaffRequest, User)
        .join(User, col(User.id) == col(StaffRequest.user_id))
        .outerjoin(StaffDecision, col(StaffDecision.request_id) == col(StaffRequest.id))
        .where(col(StaffRequest.school_id).in_(list(schools)), col(StaffDecision.request_id).is_(None))
        .order_by(col(StaffRequest.id))
    ).all()
    names = dict(
        session.exec(select(User.id, User.full_name).where(col(User.id).in_({row.asked_by for row, _ in rows}))).all()
    )
    return [Waiting(row, user, names.get(row.asked_by, "")) for row, user in rows]
