"""What a person wants of a token for programs (pure)."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_DAYS = 366
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """What a token is called, for how many days it lives, and whether it may only read."""

    name: str
    days: int
    read_only: bool
