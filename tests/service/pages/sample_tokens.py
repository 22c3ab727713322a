"""The part of the sample desk that answers a person's own page."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from billing.errors import NotFound
from service.access.roles import Place, SignedIn
from service.access.token_plan import TokenPlan
from service.pages.token_views import TokenRow

TOKEN_ID = uuid.UUID(int=91)
MADE = datetime(2025, 9, 1, 1, 0, tzinfo=UTC)
ENDS = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)
TOKEN_ROWS = (
    TokenRow(
        str(TOKEN_ID), "Phần mềm kế toán", "Trường Tiểu học Suối Ngàn", read_only=False, made_at=MADE,
        expires_at=ENDS, seen_at=MADE, state="live",
    ),
    TokenRow(
        str(uuid.UUID(int=92)), "Bảng tính của Sở", "Trường Tiểu học Suối Ngàn", read_only=True, made_at=MADE,
        expires_at=ENDS, seen_at=None, state="revoked",
    ),
)  # fmt: skip


class SampleTokens:
    """Tokens that are frozen; remembers what was made and revoked."""

    def __init__(self) -> None:
        super().__init__()
        self.made_tokens: list[TokenPlan] = []
        self.revoked_tokens: list[uuid.UUID] = []

    def tokens(self, who: SignedIn, now: datetime) -> tuple[TokenRow, ...]:
        del who, now
        return TOKEN_ROWS

    def make_token(self, who: SignedIn, place: Place, plan: TokenPlan, now: datetime) -> str:
        del who, place, now
        self.made_tokens.append(plan)
        return "hp1_" + "A" * 43

    def revoke_token(self, who: SignedIn, token_id: uuid.UUID, now: datetime) -> None:
        del who, now
        if token_id != TOKEN_ID:
            raise NotFound("Không có khóa này trong tài khoản.")
        self.revoked_tokens.append(token_id)
