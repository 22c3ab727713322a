"""What the rules of billing do not allow, in words (pure).

HocphiError                      anything our rules refuse; carries its facts as attributes
├── NotAllowed                   the actor may not do this
│   ├── SamePerson               maker and checker are one person
│   └── OwnFamily                a child of one's own family is concerned; the refusal is recorded
├── NotFound                     no such thing within what the caller may see
├── Conflict                     somebody else was faster, or the thing is already done
└── Refused                      the input or the state does not allow it
    ├── BadRows                  a file with bad rows: all of them, nothing stored
    └── OverCap                  a price above what the council allows

The message is for people, in Vietnamese. HTTP status and the stable ``code`` live in ``service/errors.py``.
"""

from __future__ import annotations

from dataclasses import dataclass


class HocphiError(Exception):
    """Base of all errors our rules raise."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotAllowed(HocphiError):  # noqa: N818  named sentences read better than a row of "…Error"
    """The actor may not do this."""


class SamePerson(NotAllowed):
    """Maker and checker are one person."""


class OwnFamily(NotAllowed):
    """A child of the actor's own family is concerned. Facts: ``school``, ``user``, ``pupils``, for the record."""


class NotFound(HocphiError):  # noqa: N818  as above
    """No such thing within what the caller may see."""


class Conflict(HocphiError):  # noqa: N818  as above
    """Somebody else was faster, or the thing is already done."""


class Refused(HocphiError):  # noqa: N818  as above
    """The input or the state does not allow it."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong in an uploaded file: where, what, and what to do (Vietnamese, for the accountant)."""

    line: int
    column: str
    reason: str
    remedy: str


class BadRows(Refused):
    """A file has bad rows; all are listed and nothing was stored."""

    def __init__(self, message: str, problems: list[RowProblem]) -> None:
        super().__init__(message, problems=problems)
        self.problems = problems


class OverCap(Refused):
    """A price is above what the council's resolution allows."""
