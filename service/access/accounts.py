"""Accounts of staff: made with roles, found by login; first passwords that are read out and typed once."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from uuid import UUID

from sqlmodel import Session, select

from billing.errors import Conflict, Refused
from billing.people.tables import Authority
from billing.visible import is_blank
from service.access.passwords import hash_password, refuse_weak
from service.access.tables import RoleGrant, User

_LOCAL = timezone(timedelta(hours=7))
# Without 0 and O, 1, I and l: read out over the telephone, typed once.
_READABLE = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS = 5
_GROUP = 4


def add_user(  # noqa: PLR0913, PLR0917  the facts of one account
    session: Session,
    login: str,
    full_name: str,
    password: str,
    grants: Sequence[tuple[str, UUID]],
    now: datetime,
    must_change: bool = False,  # noqa: FBT001, FBT002  told by name wherever it is true
) -> User:
    """Make a member of staff with roles from today on; each grant is a role and the id of a school or an authority.

    Raises ``Conflict`` when the login is taken and ``WeakPassword``.
    """
    name = fold_login(login)
    if not name or is_blank(full_name):
        raise Refused("Người dùng cần có tên đăng nhập và họ tên.")
    if find_user(session, name) is not None:
        raise Conflict(f"Tên đăng nhập “{name}” đã có người dùng.", login=name)
    refuse_weak(password, name)
    user = User(
        login=name,
        full_name=unicodedata.normalize("NFC", full_name.strip()),
        password_hash=hash_password(password),
        must_change_password=must_change,
        created_at=now,
    )
    session.add(user)
    session.flush()
    today = now.astimezone(_LOCAL).date()
    for role, place in grants:
        above = session.get(Authority, place) is not None
        authority_id, school_id = (place, None) if above else (None, place)
        session.add(
            RoleGrant(user_id=user.id, role=role, authority_id=authority_id, school_id=school_id, valid_from=today)
        )
    session.flush()
    return user


def find_user(session: Session, login: str) -> User | None:
    """Return the user with a login, if there is one."""
    return session.exec(select(User).where(User.login == fold_login(login))).one_or_none()


def fold_login(login: str) -> str:
    """Return a login as it is stored: NFC, lower case, no spaces around."""
    return unicodedata.normalize("NFC", login).strip().casefold()


def one_time_password() -> str:
    """Return a password that is easy to read out, with 99 random bits: ``k7mp-3xqa-…``, five groups of four."""
    return _groups(_GROUPS)


def half_a_password() -> str:
    """Return a half of a first password, with 59 random bits; the other half is shown to somebody else."""
    return _groups(3)


def unusable_password() -> str:
    """Return the hash of a password that nobody knows, for an account that waits for its first one."""
    return hash_password(secrets.token_urlsafe(48))


def _groups(count: int) -> str:
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(_GROUP)) for _ in range(count))
