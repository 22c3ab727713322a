"""A one-time code of six digits (pure): its keyed digest, and how what somebody typed is read and compared."""

from __future__ import annotations

import hashlib
import hmac
import re
from uuid import UUID

DIGITS = 6


def read_code(typed: str) -> str | None:
    """Return the six digits of what was typed (``123 456`` too), or nothing when it is no code at all."""
    bare = re.sub(r"[\s.\-]", "", typed)
    return bare if re.fullmatch(rf"[0-9]{{{DIGITS}}}", bare, re.ASCII) else None


def code_digest(key: bytes, code_id: UUID, code: str) -> bytes:
    """Return the 32-byte keyed digest of a code: bound to its row, worth nothing without the key.

    ``key`` has at least 32 bytes: a million codes are tried in no time by whoever has it.
    """
    if len(key) < 32:  # noqa: PLR2004  bytes of a SHA-256 key
        raise ValueError("the key of one-time codes needs at least 32 bytes")
    return hmac.new(key, b"hocphi code 1\0" + code_id.bytes + code.encode(), hashlib.sha256).digest()


def is_right(key: bytes, code_id: UUID, code: str, digest: bytes) -> bool:
    """Say whether a code is the one that was sent; takes as long for a near miss as for a far one."""
    return hmac.compare_digest(code_digest(key, code_id, code), digest)
