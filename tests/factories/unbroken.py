"""What of the invariants does not hold, asked in one statement as the product asks it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from service.invariant_queries import INVARIANTS
from service.invariants import by_queries

ALL = tuple(INVARIANTS)


def violations(session: Session, now: datetime, names: tuple[str, ...] = ALL) -> list[str]:
    """Return the violations that the session may see, each as ``I2: entry 7 has no posting``."""
    return [f"{each.id}: {problem}" for each in by_queries(session, now, names) for problem in each.problems]
