"""Links of a hash chain: each digest covers the one before, so nothing before it can be changed unseen (pure)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

GENESIS = bytes(32)
"""What the first link of a chain follows."""

Value = str | int | None | list["Value"]


def link(previous: bytes, facts: Mapping[str, Value]) -> bytes:
    """Return SHA-256 over the previous digest and the facts as JSON: keys sorted, no spaces, UTF-8 as it is."""
    canonical = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + canonical.encode()).digest()
