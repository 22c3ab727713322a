"""How a door answers: 0 for yes, 1 for no, 2 for an argument or file that cannot be used; reasons on one line."""

from __future__ import annotations

import sys

YES = 0
NO = 1
UNUSABLE = 2

_LONGEST = 500


def no(reason: str) -> int:
    """Say on standard error why the answer is no; return the exit code for it."""
    return _complain(reason, NO)


def unusable(reason: str) -> int:
    """Say on standard error what about an argument or file cannot be used; return the exit code for it."""
    return _complain(reason, UNUSABLE)


def reason_of(error: Exception) -> str:
    """Return what is wrong in the words of whoever found it: SQLAlchemy wraps what the database's client said."""
    return str(getattr(error, "orig", None) or error)


def one_line(text: str) -> str:
    """Return a text without line breaks and control characters, so that it stays one line of a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _complain(reason: str, code: int) -> int:
    line = one_line(reason)
    print(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…", file=sys.stderr)
    return code
