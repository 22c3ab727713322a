"""The part of the sample desk that answers the page of bank feeds."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.feed_views import Asked, Compared, FeedPage, FeedRow, HeldRow

AT = datetime(2025, 10, 20, 2, 0, tzinfo=UTC)
HELD_ID, RELEASE_ID = uuid.UUID(int=970), uuid.UUID(int=971)
DAY = date(2025, 10, 19)


def _held(number: int, asked: Asked | None, *, incoming: bool = True, booked: bool = False) -> HeldRow:
    return HeldRow(
        str(uuid.UUID(int=970 + 10 * number)), incoming, booked, Money(25_000_000 + number), DAY,
        "NGUYEN THI MAI hoc phi ca nam", "…9999", "sepay", "FT25292000123456", AT, asked,
    )  # fmt: skip


def _asked(*, mine: bool, aside: bool = False) -> Asked:
    return Asked(str(RELEASE_ID), aside, "Trần Thị Thu", AT, "Đã xem trên ứng dụng ngân hàng, tiền có thật", mine)


PAGE = FeedPage(
    feeds=(
        FeedRow("callback", "sepay", "apikey", "…9999", Money(20_000_000), ("203.0.113.7/32", "198.51.100.0/24"), AT,
                None, late=False, trouble="", compared=None, refused=(3, 1)),
        FeedRow("list", "sepay", "list", "…9999", None, (), AT, AT, late=True,
                trouble="SePay không trả lời hoặc báo bận, sẽ hỏi lại sau",
                compared=Compared(DAY, DAY, 120, 2, 0, 1), refused=(0, 0), feed_id=str(uuid.UUID(int=973))),
        FeedRow("list", "casso", "list", "…8888", None, (), None, None, late=False, trouble="", compared=None,
                refused=(0, 0), feed_id=str(uuid.UUID(int=972)), again=(DAY, DAY)),
        FeedRow("file", "statement", "file", "…9999", None, (), None, None, late=False, trouble="", compared=None,
                refused=(0, 0)),
    ),
    held=(
        _held(1, None), _held(2, _asked(mine=False)), _held(3, _asked(mine=True)), _held(4, None, incoming=False),
        _held(5, _asked(mine=False, aside=True), incoming=False, booked=True),
    ),
    held_count=4, held_in=Money(75_000_006), held_out=Money(25_000_004),
)  # fmt: skip


class SampleFeeds:
    """Frozen feeds and held money; remembers what was done."""

    done: list[tuple[str, str]]

    def bank_feeds(self, who: SignedIn, place: Place, now: datetime) -> FeedPage:
        del who, place, now
        return PAGE

    def compare_again(
        self, who: SignedIn, place: Place, feed_id: uuid.UUID, days: tuple[str, str], now: datetime
    ) -> None:
        del place, feed_id, now
        self.done.append(("compare again", f"{who.login}: {days}"))

    def ask_release(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, transfer_id, now
        self.done.append(("ask release", f"{who.login}: {reason}"))

    def ask_distrust(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, transfer_id, now
        self.done.append(("ask distrust", f"{who.login}: {reason}"))

    def approve_release(self, who: SignedIn, place: Place, release_id: uuid.UUID, now: datetime) -> None:
        del place, release_id, now
        self.done.append(("approve release", who.login))

    def refuse_release(self, who: SignedIn, place: Place, release_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, release_id, now
        self.done.append(("refuse release", f"{who.login}: {reason}"))
