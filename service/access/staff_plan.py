"""What is asked for when a member of staff gets a role, and what comes of it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WantedRole:
    """Who shall have which role from when until when (the last day counts), and why."""

    login: str
    full_name: str
    role: str
    first_day: date
    last_day: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: done at once, or a request that another person decides.

    ``password``: a first password, or the asker's half of one (``in_halves``), shown this once; empty where none is
    needed.
    """

    user_id: UUID
    request_id: UUID | None
    password: str = ""

    @property
    def in_halves(self) -> bool:
        """Whether the password is only the asker's half."""
        return self.request_id is not None and bool(self.password)
