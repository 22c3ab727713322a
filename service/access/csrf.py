"""Unsafe requests must come from our own page (pure): a token bound to the session, and where it came from."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from service.access.errors import ForgedRequest

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "csrf"
HEADER = "x-csrf-token"


def make_token(secret: bytes, binding: bytes) -> str:
    """Return the token of one session (its digest) or of one visitor before signing in (a random cookie)."""
    return hmac.new(secret, b"hocphi csrf 1\0" + binding, hashlib.sha256).hexdigest()


def refuse_forged(
    secret: bytes, binding: bytes | None, token: str | None, headers: Mapping[str, str], own_origin: str
) -> None:
    """Raise ``ForgedRequest`` unless the request comes from our own page and carries its token.

    The origin is looked at where the browser tells it. A page with ``Referrer-Policy: no-referrer`` sends
    ``Origin: null``; then ``Sec-Fetch-Site`` and, in browsers too old for it, the token alone decide.
    """
    _refuse_other_site(headers, own_origin)
    if binding is None or not token:
        raise ForgedRequest
    if not hmac.compare_digest(make_token(secret, binding).encode(), token.encode()):
        raise ForgedRequest


def _refuse_other_site(headers: Mapping[str, str], own_origin: str) -> None:
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise ForgedRequest
    origin = headers.get("origin")
    if origin in (None, "null"):
        return
    if origin != own_origin:
        raise ForgedRequest
