"""Rights end: a role after a day, every session now, a person's tokens for programs now. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused, SamePerson
from service.access.staff import end_sessions
from service.access.staff_asking import local_day, person_of
from service.access.tables import RoleGrant
from service.access.token_tables import ApiToken

_ONE_DAY = timedelta(days=1)


def end_role(  # noqa: PLR0913, PLR0917  who ends what, where, when
    session: Session, actor: Actor, schools: Collection[UUID], grant_id: int, last_day: date, now: datetime
) -> None:
    """Let a role at a school end after a day; yesterday ends it at once. One person may, for it only takes away.

    Raises ``NotFound`` for a role that is not of these schools, ``SamePerson`` for one's own, ``Refused`` for a day
    further back, ``Conflict`` when it ends by then already.
    """
    grant = session.exec(
        select(RoleGrant).where(RoleGrant.id == grant_id, col(RoleGrant.school_id).in_(list(schools)))
    ).one_or_none()
    if grant is None or grant.school_id is None:
        raise NotFound("Trường không có vai trò này.")
    if grant.user_id == actor.user_id:
        raise SamePerson("Không ai tự thôi vai trò của mình. Hãy nhờ người khác.")
    if last_day < local_day(now) - _ONE_DAY:
        raise Refused("Ngày cuối sớm nhất là hôm qua (thôi ngay). Quá khứ giữ nguyên.")
    if grant.valid_to is not None and grant.valid_to <= last_day:
        raise Conflict(f"Vai trò này đã kết thúc vào {grant.valid_to:%d/%m/%Y}. Muốn dài hơn thì đề nghị vai trò mới.")
    grant.valid_to = last_day
    session.add(grant)
    session.flush()
    deed = Deed(grant.school_id, "staff.end_role", "user", str(grant.user_id))
    record_deed(session, actor, deed, now, role=grant.role, last_day=last_day.isoformat())


def sign_out(  # noqa: PLR0913, PLR0917  who signs out whom, where
    session: Session, actor: Actor, school_id: UUID, schools: Collection[UUID], user_id: UUID, now: datetime
) -> tuple[int, int]:
    """End every session of somebody of the school and revoke her tokens at ``schools``; return how many of each."""
    user = person_of(session, school_id, user_id)
    sessions = end_sessions(session, user_id, now)
    tokens = revoke_tokens(session, actor, user_id, schools, now)
    deed = Deed(school_id, "staff.sign_out", "user", str(user_id))
    record_deed(session, actor, deed, now, login=user.login, sessions=sessions, tokens=tokens)
    return sessions, tokens


def sign_out_everywhere(session: Session, actor: Actor, user_id: UUID, now: datetime) -> tuple[int, int]:
    """End every session of a person and revoke her tokens at all schools; return how many of each."""
    return end_sessions(session, user_id, now), revoke_tokens(session, actor, user_id, None, now)


def revoke_tokens(
    session: Session, actor: Actor, user_id: UUID, schools: Collection[UUID] | None, now: datetime
) -> int:
    """Revoke a person's living tokens at these schools (all if none are named), for good; return how many."""
    query = select(ApiToken).where(
        ApiToken.user_id == user_id, col(ApiToken.revoked_at).is_(None), col(ApiToken.expires_at) > now
    )
    if schools is not None:
        query = query.where(col(ApiToken.school_id).in_(list(schools)))
    living = session.exec(query).all()
    for row in living:
        row.revoked_at, row.revoked_by = now, actor.user_id
        session.add(row)
    session.flush()
    return len(living)
