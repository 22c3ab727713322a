"""How a receipt's number is written, on paper, page, report and message alike (pure)."""

from __future__ import annotations

_DIGITS = 7


def padded(number: int) -> str:
    """Return a number within its book, in seven digits as the paper form has it: ``0000001``."""
    return f"{number:0{_DIGITS}d}"


def with_book(book: str, number: int) -> str:
    """Return a number with its book: ``2025-2026-0000001``. It stands in addresses and file names, so no slash."""
    return f"{book}-{padded(number)}".replace("/", "-")
