"""What the page of messages to families shows, and what is typed into it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.money import ZERO, Money
from service.access.roles import Place, SignedIn

CHANNEL_NAMES = {"zalo": "Zalo", "sms": "SMS", "email": "E-mail"}


@dataclass(frozen=True, slots=True)
class SmsMonth:
    """A school's SMS of the running month; ``ready``: the service has an account at a provider.

    ``cost`` is what the provider told of ``told`` texts. ``codes`` of the used ones were one-time codes.
    """

    ready: bool
    monthly: int = 0
    used: int = 0
    codes: int = 0
    delivered: int = 0
    undelivered: int = 0
    told: int = 0
    cost: Money = ZERO

    @property
    def left(self) -> int:
        """How many more may go out this month."""
        return max(self.monthly - self.used, 0)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message to one guardian by one channel; ``code`` is the provider's own, ``words`` what it means to us."""

    at: datetime
    pupil: str
    guardian: str
    contact: str
    channel: str
    what: str
    state: str
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """The newest messages, of one channel if one was chosen, and the month's SMS."""

    sms: SmsMonth
    rows: tuple[SentMessage, ...]
    channel: str = ""


class MessageDesk(Protocol):
    """What was sent to families, and for how many SMS a month the school pays."""

    def messages(self, who: SignedIn, place: Place, channel: str, now: datetime) -> MessagesPage:
        """Return the newest messages of a channel (empty: of all), and the month's SMS."""

    def set_sms(self, who: SignedIn, place: Place, monthly: int, now: datetime) -> None:
        """Set how many SMS a month the school pays for, 0 for none; raises ``Refused``."""

    def sms_news(self, key: str, request_id: str, now: datetime) -> None:
        """Hear that there is news of a text, and ask about it soon; nothing happens for a wrong key."""
