"""One code of a book or number of a bank's paper in all its spellings (pure)."""

from __future__ import annotations

import unicodedata


def folded(code: str) -> str:
    """Return a code without blanks and without a difference between small and capital, wide and plain letters."""
    return "".join(unicodedata.normalize("NFKC", code).casefold().split())
