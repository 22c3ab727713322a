"""How far a print of all classes of a round is, as a page shows it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Standing(StrEnum):
    """How far a print is."""

    MAKING = "making"
    FAILED = "failed"
    READY = "ready"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class PrintState:
    """A print as a page shows it; ``trouble``: in Vietnamese, why it waits or has failed."""

    print_id: UUID
    standing: Standing
    made: int
    pieces: int
    slips: int
    asked_at: datetime
    expires_at: datetime
    trouble: str = ""
