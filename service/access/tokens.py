"""A person's tokens for programs: 256 random bits shown once, of which only the SHA-256 is stored.

A token acts as its person, with that person's roles of today at one school, so what needs two people still needs two.
Nobody makes one for somebody else: two tokens in one hand would undo that.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import NotFound, Refused
from service.access import staff
from service.access.roles import Place, SignedIn
from service.access.sessions import needs_touch
from service.access.tables import User
from service.access.token_plan import LONGEST_DAYS, LONGEST_NAME, TokenPlan
from service.access.token_tables import ApiToken

MOST_TOKENS = 20
_PREFIX = "hp1_"
_SHAPE = re.compile(r"hp1_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bearer:
    """The person behind a token, with the roles that hold today at the token's one school."""

    token_id: UUID
    name: str
    read_only: bool
    expires_at: datetime
    who: SignedIn
    place: Place


def digest_of_token(text: str | None) -> bytes | None:
    """Return the SHA-256 of a token, or nothing if it cannot be one of ours."""
    if text is None or _SHAPE.fullmatch(text) is None:
        return None
    return hashlib.sha256(text.encode()).digest()


def make_token(session: Session, actor: Actor, place: Place, plan: TokenPlan, now: datetime) -> str:
    """Make a token for the person who asks and return it, the only time it is seen.

    Raises ``Refused`` without a name, for an end that makes no sense, and beyond 20 living tokens.
    """
    name = " ".join(plan.name.split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused(f"Hãy đặt tên cho khóa, dài nhất {LONGEST_NAME} ký tự, ví dụ “Phần mềm kế toán”.")
    if not 1 <= plan.days <= LONGEST_DAYS:
        raise Refused(f"Khóa phải có hạn từ 1 đến {LONGEST_DAYS} ngày.")
    user_id = _person(actor)
    if len([row for row in tokens_of(session, user_id) if is_alive(row, now)]) >= MOST_TOKENS:
        raise Refused(f"Đã có {MOST_TOKENS} khóa còn hạn. Hãy thu hồi khóa không dùng nữa trước.")
    token = _PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        token_hash=hashlib.sha256(token.encode()).digest(),
        user_id=user_id,
        school_id=place.id,
        name=name,
        read_only=plan.read_only,
        made_at=now,
        expires_at=now + timedelta(days=plan.days),
    )
    session.add(row)
    session.flush()
    deed = Deed(place.id, "token.make", "api_token", str(row.id))
    record_deed(session, actor, deed, now, name=name, read_only=plan.read_only, days=plan.days)
    return token


def revoke_token(session: Session, actor: Actor, token_id: UUID, now: datetime) -> None:
    """Revoke a token of one's own, at once and for good; raises ``NotFound`` for anybody else's. Twice is harmless."""
    row = session.exec(
        select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == _person(actor))
    ).one_or_none()
    if row is None:
        raise NotFound("Không có khóa này trong tài khoản.")
    if row.revoked_at is not None:
        return
    row.revoked_at, row.revoked_by = now, actor.user_id
    session.add(row)
    session.flush()
    record_deed(session, actor, Deed(row.school_id, "token.revoke", "api_token", str(row.id)), now, name=row.name)


def tokens_of(session: Session, user_id: UUID) -> list[ApiToken]:
    """Return all tokens of a person, newest first."""
    rows = session.exec(select(ApiToken).where(ApiToken.user_id == user_id).order_by(col(ApiToken.id).desc())).all()
    return list(rows)


def is_alive(row: ApiToken, now: datetime) -> bool:
    """Say whether a token still opens anything."""
    return row.revoked_at is None and now < row.expires_at


def read_token(session: Session, digest: bytes, now: datetime) -> Bearer | None:
    """Return who is behind a living token of an account that is not disabled; the transaction has no scope after it.

    Nothing, too, when the person has lost every role at the token's school.
    """
    found = session.exec(
        select(ApiToken, User)
        .join(User, col(User.id) == col(ApiToken.user_id))
        .where(ApiToken.token_hash == digest, col(User.disabled_at).is_(None))
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if not is_alive(row, now):
        return None
    grants = tuple(grant for grant in staff.grants_of(session, user.id, now) if grant.place.id == row.school_id)
    if not grants:
        return None
    if row.seen_at is None or needs_touch(row.seen_at, now):
        _touch(session, row, now)
    who = SignedIn(user.id, user.full_name, user.login, b"", grants, user.must_change_password)
    return Bearer(row.id, row.name, row.read_only, row.expires_at, who, grants[0].place)


def _touch(session: Session, row: ApiToken, now: datetime) -> None:
    """Note the use, unless a longer request of the same token is just doing it: nobody waits for that."""
    free = select(ApiToken.id).where(ApiToken.id == row.id).with_for_update(skip_locked=True)
    if session.exec(free).first() is not None:
        row.seen_at = now
        session.add(row)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ValueError("a token belongs to a person")
    return actor.user_id
