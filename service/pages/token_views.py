"""What a person's own page shows of tokens for programs, and what is asked of the house for it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.access.token_plan import TokenPlan


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret; ``state``: live, ended or revoked."""

    token_id: str
    name: str
    school: str
    read_only: bool
    made_at: datetime
    expires_at: datetime
    seen_at: datetime | None
    state: str


class TokenDesk(Protocol):
    """A person's own tokens."""

    def tokens(self, who: SignedIn, now: datetime) -> tuple[TokenRow, ...]:
        """Return them, newest first."""

    def make_token(self, who: SignedIn, place: Place, plan: TokenPlan, now: datetime) -> str:
        """Make one for a school and return it, the only time it is seen."""

    def revoke_token(self, who: SignedIn, token_id: UUID, now: datetime) -> None:
        """Revoke one; raises ``NotFound`` for somebody else's."""
