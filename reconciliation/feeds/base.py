"""The promise of every bank feed: believe raw bytes or refuse them, and read them into transfers (pure).

A configured feed pins one signature scheme; nothing in the message chooses it. ``verify`` works on the raw
bytes, before anything is parsed, and judges the age of a signature at a moment it is handed. ``read`` is called
later, by a worker, on bytes that were stored. The answer to a believed callback depends on its bytes alone (most
providers want always the same one): it is the same for a new one, a duplicate, an unknown one and money out, so that
the provider never retries what we already have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from billing.money import ZERO, Money
from reconciliation.errors import CallbackUnreadable, SignatureExpired, SignatureMissing
from reconciliation.matching import Direction

MAX_BODY_BYTES = 64 * 1024
PLAUSIBLE_YEARS = range(2000, 2101)
"""No movement is of another year; at the ends of the calendar, reckoning with days fails."""
STATEMENT = "statement"
"""The provider of transfers that a person brings as a bank's file."""


class Kind(StrEnum):
    """What a message is about."""

    TRANSFER = "transfer"
    TEST = "test"
    ENQUIRY = "enquiry"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedTransfer:
    """One movement on an account, the same shape for every provider. ``time`` is the bank's moment, in UTC.

    ``account`` is None where the provider names none: the message then speaks of the account of its own feed.
    ``bank_reference`` only links messages about one payment; it is never unique alone.
    """

    provider: str
    provider_id: str
    account: str | None
    direction: Direction
    amount: Money
    memo: str
    time: datetime
    virtual_account: str | None = None
    bank_reference: str | None = None
    kind: Kind = Kind.TRANSFER
    payer_account: str | None = None
    payer_name: str | None = None

    def __post_init__(self) -> None:
        if self.amount <= ZERO:
            raise ValueError("a transfer moves more than 0 đ")
        if self.time.utcoffset() != timedelta(0):
            raise ValueError("a transfer's time is in UTC")


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes that the provider wants to see."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Reading(Protocol):
    """What reads the stored messages of a feed, row by row."""

    @property
    def proves_amount(self) -> bool:
        """Tell whether what vouches for a message vouches for its amount too; else large ones are held."""

    def read_each(self, body: bytes) -> tuple[NormalisedTransfer | CallbackUnreadable, ...]:
        """Read believed bytes; raises ``HocphiError`` when nothing of them can be read."""


class Feed(Protocol):
    """One configured bank door of the kind "notify"."""

    provider: ClassVar[str]
    scheme: str
    refused: Answer
    paths: ClassVar[Collection[str]]
    """What may stand behind the secret part of the address: nothing, or what the provider itself adds."""
    log_in_path: ClassVar[str | None]
    """Where a provider that logs in to us asks for a token, likewise; None where none does."""

    @property
    def proves_amount(self) -> bool:
        """Tell whether the signature binds every digit of the amount; else large ones wait for a person."""

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Believe the bytes or raise ``CallbackRefused``; header names in any case."""

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:
        """Check the signature but not its age; return when it was made, if the scheme says so."""

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read believed bytes; raises ``CallbackUnreadable``, which no retry can heal."""

    def read_each(self, body: bytes) -> tuple[NormalisedTransfer | CallbackUnreadable, ...]:
        """Read them for the book; a callback that cannot be read in full is not read at all."""

    def log_in(self, headers: Mapping[str, str], now: datetime) -> Answer:
        """Answer a provider that asks for a token; nothing is stored."""

    def accepted(self, body: bytes) -> Answer:
        """Return the answer to a believed body, made from its bytes alone; it never fails, whatever they hold."""


class RawHeaders(dict[str, str]):
    """Headers as ASGI hands them over: names in lower case, each once. They are looked up, not searched."""


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header whatever its case; raises ``SignatureMissing`` when absent, empty or given twice."""
    wanted = name.lower()
    if isinstance(headers, RawHeaders):
        values = [headers.get(wanted, "")]
    else:
        values = [value for key, value in headers.items() if key.lower() == wanted]
    if len(values) != 1 or not (value := values[0].strip()):
        raise SignatureMissing(f"Thiếu (hoặc có nhiều hơn một) tiêu đề {name}", header=name)
    return value


def judge_age(signed_at: datetime, now: datetime, limit: timedelta) -> None:
    """Raise ``SignatureExpired`` unless the signature was made within the limit, before or after now."""
    age = now.astimezone(UTC) - signed_at
    if abs(age) > limit:
        seconds = int(age.total_seconds())
        raise SignatureExpired(f"Chữ ký đã quá hạn: lệch {seconds} giây so với bây giờ", age_seconds=seconds)
