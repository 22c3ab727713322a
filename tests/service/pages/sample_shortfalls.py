"""The part of the sample desk that answers the page of money from abroad that arrives short."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.shortfall_views import AcceptedRow, AskedRow, LimitRow, ShortfallPage, ShortRow, TypedShortfall

_SOME = str(uuid.UUID(int=1501))
AT = datetime(2025, 10, 8, 2, 0, tzinfo=UTC)
SHORTFALLS = ShortfallPage(
    most=Money(300_000),
    waiting=LimitRow(_SOME, Money(500_000), "QĐ 15/QĐ-HT ngày 01/10/2025", "Trần Thị Thu", own=False),
    rows=(
        ShortRow(
            _SOME, _SOME, date(2025, 10, 6), "INWARD TT MT103 SHA FW2345678AB NGUYEN THI MINH ANH",
            "Nguyễn Thị Minh Ánh", "TB2510-00012", Money(630_000), Money(20_000), foreign=True,
        ),
        ShortRow(
            _SOME, _SOME, date(2025, 10, 6), "FW2345678AC", "Lê Hoàng Gia Bảo", "TB2510-00013", Money(640_000),
            Money(10_000), foreign=True,
        ),
    ),
    asked=(
        AskedRow(
            _SOME, "Phạm Nguyễn Quỳnh Hương", "TB2510-00040", Money(35_000), Money(615_000), "INWARD TT MT103 SHA",
            "MT103 FT25280007", "Ngân hàng trung gian thu phí", "Trần Thị Thu", AT, own=False,
        ),
    ),
    accepted=(
        AcceptedRow(
            _SOME, "Trần Văn Nam", "TB2509-00031", Money(120_000), "MT103 FT25261001", "Ngân hàng trung gian thu phí",
            "Trần Thị Thu", AT, stands=True,
        ),
    ),
)  # fmt: skip


class SampleShortfalls:
    """Answers from the record above, and remembers what was done."""

    done: list[tuple[str, str]]

    def shortfalls(self, who: SignedIn, place: Place, now: datetime) -> ShortfallPage:
        del who, place, now
        return SHORTFALLS

    def ask_shortfall(self, who: SignedIn, place: Place, typed: TypedShortfall, now: datetime) -> None:
        del place, typed, now
        self.done.append(("ask shortfall", who.login))

    def agree_shortfall(self, who: SignedIn, place: Place, relief_id: uuid.UUID, now: datetime) -> None:
        del place, relief_id, now
        self.done.append(("agree shortfall", who.login))

    def take_back_shortfall(
        self, who: SignedIn, place: Place, relief_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del place, relief_id, reason, now
        self.done.append(("take back shortfall", who.login))

    def ask_limit(self, who: SignedIn, place: Place, most: str, reason: str, now: datetime) -> None:
        del place, most, reason, now
        self.done.append(("ask limit", who.login))

    def decide_limit(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, limit_id: uuid.UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        del place, limit_id, reason, now
        self.done.append((f"decide limit {approved}", who.login))
