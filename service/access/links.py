"""A parent's payment link (pure): a token that can be made again from the request, and how long it lives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from datetime import date, timedelta

_TOKEN_BYTES = 16
_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)

DAYS_AFTER_PAYMENT = 30
DAYS_AFTER_DUE = 60


def make_token(secret: bytes, request_id: uuid.UUID, version: int) -> str:
    """Return the 128-bit token of a payment request as 22 base64url characters.

    It is an HMAC, so a message can be written again with the same link while only a digest is stored.
    A new ``version`` makes a new link and ends the old one. ``secret`` has at least 32 bytes.
    """
    if len(secret) < 32:  # noqa: PLR2004  bytes of a SHA-256 key
        raise ValueError("the secret of payment links needs at least 32 bytes")
    made = hmac.new(secret, b"hocphi link 1\0" + request_id.bytes + version.to_bytes(4), hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()[:_TOKEN_BYTES]).rstrip(b"=").decode()


def looks_like_token(text: str) -> bool:
    """Say whether a text has the shape of a token; anything else need not be looked up."""
    return _SHAPE.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token: all that is stored of it."""
    return hashlib.sha256(token.encode()).digest()


def valid_until(due_on: date, paid_on: date | None) -> date:
    """Return the last school day of a link: paid + 30 days, or due + 60 days while unpaid."""
    if paid_on is not None:
        return paid_on + timedelta(days=DAYS_AFTER_PAYMENT)
    return due_on + timedelta(days=DAYS_AFTER_DUE)
