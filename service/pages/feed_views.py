"""What the page of bank feeds shows: who tells of the school's accounts, how fresh that is, what is held (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn

PROVIDER_NAMES = {
    "sepay": "SePay",
    "casso": "Casso",
    "payos": "payOS",
    "vietqrvn": "VietQR.vn",
    "bidv": "BIDV",
    "vietinbank": "VietinBank",
    "mb": "MB",
    "pay2s": "Pay2S",
    "stripe": "Stripe",
}
# How a message is believed, in few words: what it proves stands in docs/callbacks.md.
SCHEME_NAMES = {
    "hmac": ("chữ ký trên cả tin", "signature over the message"),
    "v2": ("chữ ký trên cả tin", "signature over the message"),
    "checksum": ("mã kiểm tra", "checksum"),
    "agency": ("mã kiểm tra", "checksum"),
    "apikey": ("khóa trần", "bare key"),
    "v1": ("khóa trần", "bare key"),
    "token": ("khóa trần", "bare key"),
    "bearer": ("khóa trần", "bare key"),
    "rsa": ("chữ ký RSA", "RSA signature"),
    "rsa_one_way": ("chữ ký RSA", "RSA signature"),
    "list": ("ta hỏi danh sách", "we ask for the list"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """A whole day, as the provider's list tells it against what we had; ``days`` of them if some were missed."""

    first: date
    last: date
    listed: int
    fresh: int
    odd: int
    unlisted: int


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One open feed. ``kind``: *callback*, *list* or *file*; ``heard_at`` the last message of money.

    Of a list: ``covered_to`` is the moment up to which it was read with success, ``late`` if that is too long ago,
    ``trouble`` why the last asking failed, ``again`` the days that somebody asked to compare and that wait. ``refused``
    counts messages of the last 7 days that were not let in, from
    addresses that are not listed and with wrong signatures.
    """

    kind: str
    provider: str
    scheme: str
    account: str
    hold_above: Money | None
    networks: tuple[str, ...]
    heard_at: datetime | None
    covered_to: datetime | None
    late: bool
    trouble: str
    compared: Compared | None
    refused: tuple[int, int]
    feed_id: str = ""
    again: tuple[date, date] | None = None

    @property
    def provider_name(self) -> str:
        """The provider as it writes itself."""
        return PROVIDER_NAMES.get(self.provider, self.provider)

    @property
    def scheme_name(self) -> tuple[str, str]:
        """How its messages are believed, in Vietnamese and English."""
        scheme = "hmac" if self.provider == "stripe" else self.scheme  # its v1 signs every byte, Casso's is a key
        return SCHEME_NAMES.get(scheme, (scheme, scheme))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to let money go, or to put it ``aside``, that nobody decided yet; ``mine`` if this person made it."""

    release_id: str
    aside: bool
    maker: str
    at: datetime
    reason: str
    mine: bool


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A transfer that waits for another source or two people, the oldest first.

    ``booked``: money out that is not held; somebody asked to take it out of the book, as no statement shows it.
    """

    transfer_id: str
    incoming: bool
    booked: bool
    amount: Money
    value_date: date
    memo: str
    account: str
    provider: str
    bank_reference: str
    since: datetime
    asked: Asked | None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Open feeds and held money of one school, as much as is shown; how many are held, and the sums in and out."""

    feeds: tuple[FeedRow, ...]
    held: tuple[HeldRow, ...]
    held_count: int
    held_in: Money
    held_out: Money


class FeedDesk(Protocol):
    """The bank feeds of one school, and held money."""

    def bank_feeds(self, who: SignedIn, place: Place, now: datetime) -> FeedPage:
        """Return the page."""

    def compare_again(self, who: SignedIn, place: Place, feed_id: UUID, days: tuple[str, str], now: datetime) -> None:
        """Ask to compare days of a list (as typed); raises ``NotFound``, ``Refused`` or ``Conflict``."""

    def ask_release(self, who: SignedIn, place: Place, transfer_id: UUID, reason: str, now: datetime) -> None:
        """Ask to let held money go; raises ``NotFound``, ``Refused`` or ``Conflict``."""

    def ask_distrust(self, who: SignedIn, place: Place, transfer_id: UUID, reason: str, now: datetime) -> None:
        """Ask to put aside held money, or money out that a statement lacks; raises likewise."""

    def approve_release(self, who: SignedIn, place: Place, release_id: UUID, now: datetime) -> None:
        """Let it go at another's word; raises ``SamePerson``, ``NotFound`` or ``Conflict``."""

    def refuse_release(self, who: SignedIn, place: Place, release_id: UUID, reason: str, now: datetime) -> None:
        """Say no, or take one's own back; raises ``Refused``, ``NotFound`` or ``Conflict``."""
