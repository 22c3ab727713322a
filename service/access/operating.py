"""What the operator of the server does about accounts, alone, by the command line; ``granted_by`` stays empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.audit.recording import SYSTEM, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from service.access.accounts import add_user, find_user, one_time_password
from service.access.cash_roles import refuse_both
from service.access.staff import Noted, note
from service.access.staff_asking import give_first_password, local_day, one_at_a_time, trusted
from service.access.staff_ending import sign_out_everywhere
from service.access.tables import RoleGrant, User

# Who has no place at a school: these two belong to an authority.
_ABOVE = ("province", "admin")


@dataclass(frozen=True, slots=True)
class Placed:
    """A role in a place: a school, or an authority and all schools below it."""

    role: str
    name: str
    school_id: UUID | None = None
    authority_id: UUID | None = None


def add_by_operator(  # noqa: PLR0913, PLR0917  who gets what where from when until when
    session: Session,
    login: str,
    full_name: str | None,
    placed: Placed,
    first_day: date | None,
    last_day: date | None,
    now: datetime,
) -> str | None:
    """Give somebody a role, and an account if there is none; return the one-time password where one came with it.

    It comes with a new account, and with the first role beyond class teacher: until then one person may know the old
    one (docs/decisions/0020).

    Raises ``Refused`` for a role in the wrong kind of place, a new login without a name, or days the wrong way round,
    and ``Conflict`` when the role is held already.
    """
    starts = local_day(now) if first_day is None else first_day
    if placed.role in _ABOVE and placed.school_id is not None:
        raise Refused(f"Vai trò {placed.role} thuộc cơ quan quản lý: dùng --authority.")
    if last_day is not None and last_day < starts:
        raise Refused("Ngày cuối trước ngày đầu.")
    user, password = find_user(session, login), None
    if user is None:
        if not full_name:
            raise Refused(f"Chưa có người dùng “{login}”: cần --name.")
        password = one_time_password()
        user = add_user(session, login, full_name, password, [], now, must_change=True)
    elif placed.role != "class_teacher":
        password = _first_with_money(session, user, now)
    if _grants(session, user, placed, starts):
        raise Conflict(f"{user.login} đã giữ vai trò {placed.role} tại {placed.name}.")
    refuse_both(session, user.id, placed.role, placed.school_id or placed.authority_id, starts, last_day)
    session.add(
        RoleGrant(
            user_id=user.id,
            role=placed.role,
            school_id=placed.school_id,
            authority_id=placed.authority_id,
            valid_from=starts,
            valid_to=last_day,
        )
    )
    _wrote(session, user, placed, "staff.role", now)
    return password


def end_by_operator(session: Session, user: User, placed: Placed, last_day: date, now: datetime) -> None:
    """Let a role end after a day; raises ``NotFound`` when it is not held after it."""
    found = [each for each in _grants(session, user, placed, last_day) if each.valid_to != last_day]
    if not found:
        raise NotFound(f"{user.login} không giữ vai trò {placed.role} tại {placed.name} sau ngày ấy.")
    for grant in found:
        grant.valid_to = last_day
        session.add(grant)
    _wrote(session, user, placed, "staff.end_role", now)


def reset_by_operator(session: Session, user: User, now: datetime) -> str:
    """Give a new one-time password; sessions end and tokens for programs are revoked."""
    password = give_first_password(session, user, one_time_password(), now)
    sign_out_everywhere(session, SYSTEM, user.id, now)
    note(session, Noted("password_reset", "done", user.id), now)
    return password


def _first_with_money(session: Session, user: User, now: datetime) -> str | None:
    """Give a new password to who holds no role of two people, ending sessions and tokens; nothing to who does."""
    one_at_a_time(session, user.id)
    return None if trusted(session, user.id, now) else reset_by_operator(session, user, now)


def _grants(session: Session, user: User, placed: Placed, day: date) -> list[RoleGrant]:
    """Return the grants of this role in this place that hold on a day or later."""
    query = select(RoleGrant).where(
        RoleGrant.user_id == user.id,
        RoleGrant.role == placed.role,
        RoleGrant.school_id == placed.school_id,
        RoleGrant.authority_id == placed.authority_id,
        or_(col(RoleGrant.valid_to).is_(None), col(RoleGrant.valid_to) >= day),
    )
    return list(session.exec(query).all())


def _wrote(session: Session, user: User, placed: Placed, action: str, now: datetime) -> None:
    """Write the deed down: in the school's audit, or for an authority in the log of access."""
    session.flush()
    note(session, Noted(action.replace(".", "_"), "done", user.id, placed.school_id), now)
    if placed.school_id is not None:
        deed = Deed(placed.school_id, action, "user", str(user.id), "Người vận hành máy chủ")
        record_deed(session, SYSTEM, deed, now, role=placed.role, login=user.login)
