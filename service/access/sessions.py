"""Staff sessions: an opaque 256-bit token in a cookie, of which only the SHA-256 is stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)
# The time of last use is written at most this often, so that reading a page is not always a write.
TOUCH_EVERY = timedelta(minutes=1)

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A fresh session: the token goes to the browser, the digest (32 bytes) into the database."""

    token: str
    digest: bytes


def new_session() -> NewSession:
    """Make a session; called at every sign-in, so that a planted token is worth nothing."""
    token = secrets.token_urlsafe(32)
    return NewSession(token, digest(token))


def digest(token: str) -> bytes:
    """Return the SHA-256 of a session token."""
    return hashlib.sha256(token.encode()).digest()


def digest_of_cookie(value: str | None) -> bytes | None:
    """Return the digest of a cookie's token, or nothing if it cannot be one of ours."""
    if value is None or _SHAPE.fullmatch(value) is None:
        return None
    return digest(value)


def is_alive(started_at: datetime, last_used_at: datetime, now: datetime) -> bool:
    """Say whether a session still counts: used within 15 minutes and begun within 8 hours."""
    return now - last_used_at < IDLE and now - started_at < ABSOLUTE and started_at <= now + TOUCH_EVERY


def needs_touch(last_used_at: datetime, now: datetime) -> bool:
    """Say whether the time of last use should be written again."""
    return now - last_used_at >= TOUCH_EVERY


@dataclass(frozen=True, slots=True)
class Cookie:
    """How a cookie is set: ``__Host-`` and Secure in production, a plain name on http://localhost."""

    name: str
    secure: bool

    def header(self, value: str, *, max_age: timedelta | None = None) -> str:
        """Return the ``Set-Cookie`` line; without an age the cookie ends with the browser."""
        age = "" if max_age is None else f"; Max-Age={int(max_age.total_seconds())}"
        secure = "; Secure" if self.secure else ""
        return f"{self.name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"

    def removal(self) -> str:
        """Return the ``Set-Cookie`` line that takes the cookie away."""
        return self.header("", max_age=timedelta(0))


def session_cookie(*, production: bool) -> Cookie:
    """Return the cookie that carries a staff session."""
    return Cookie("__Host-hocphi" if production else "hocphi", secure=production)


def visitor_cookie(*, production: bool) -> Cookie:
    """Return the cookie that binds the sign-in form to one browser."""
    return Cookie("__Host-hocphi-visitor" if production else "hocphi-visitor", secure=production)


def card_cookie(checkout_id: UUID, *, production: bool) -> Cookie:
    """Return the cookie that leads a family back from the card provider's page to its bill: one for each payment.

    So whoever pays for two children in two tabs is led back to each.
    """
    name = f"hocphi-card-{checkout_id.hex}"
    return Cookie(f"__Host-{name}" if production else name, secure=production)


def guardian_cookie(*, production: bool) -> Cookie:
    """Return the cookie that carries a guardian's session."""
    return Cookie("__Host-hocphi-guardian" if production else "hocphi-guardian", secure=production)
