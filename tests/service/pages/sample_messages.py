"""The part of the sample desk that answers the page of messages."""

from __future__ import annotations

from datetime import UTC, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.message_views import MessagesPage, SentMessage, SmsMonth

MESSAGES = MessagesPage(
    SmsMonth(ready=True, monthly=500, used=62, codes=4, delivered=58, undelivered=1, told=59, cost=Money(50_150)),
    (
        SentMessage(
            datetime(2025, 10, 6, 2, 5, tzinfo=UTC), "Nguyễn Thị Minh Ánh", "Trần Thị Hồng", "09•• ••• 678", "SMS",
            "Thông báo thu", "đã đến máy", "100", "",
        ),
        SentMessage(
            datetime(2025, 10, 6, 2, 5, tzinfo=UTC), "Nguyễn Thị Minh Ánh", "Trần Thị Hồng", "09•• ••• 678", "Zalo",
            "Thông báo thu", "không gửi được", "-118", "Zalo không gửi được tới người nhận này.",
        ),
    ),
)  # fmt: skip


class SampleMessages:
    """Answers from the record above, and remembers what was set."""

    done: list[tuple[str, str]]

    def messages(self, who: SignedIn, place: Place, channel: str, now: datetime) -> MessagesPage:
        del who, place, channel, now
        return MESSAGES

    def set_sms(self, who: SignedIn, place: Place, monthly: int, now: datetime) -> None:
        del who, place, now
        self.done.append(("set sms", str(monthly)))

    def sms_news(self, key: str, request_id: str, now: datetime) -> None:
        del key, request_id, now
