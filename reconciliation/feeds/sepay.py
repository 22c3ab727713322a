"""SePay: bank balance changes, one per callback, by API key or HMAC (pure).

Source: SePay developer pages "Webhooks", "Authentication", "Secure your webhook endpoint", "Error handling".
SePay stops retrying on 200 or 201 with ``{"success": true}``; it retries 7 times over 33 minutes otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

from reconciliation.errors import CallbackUnreadable, SignatureMissing, SignatureWrong
from reconciliation.feeds.base import (
    MAX_BODY_BYTES,
    PLAUSIBLE_YEARS,
    Answer,
    NormalisedTransfer,
    header,
    judge_age,
)
from reconciliation.feeds.json_body import JsonObject, amount, code, needed_code, read_object, text, whole
from reconciliation.matching import Direction

PROVIDER = "sepay"
API_KEY = "apikey"
HMAC = "hmac"
SCHEMES = (API_KEY, HMAC)
MAX_AGE = timedelta(seconds=300)
MAX_SECRETS = 2  # the new one and the old one, while a secret is being changed
SIGNATURE_HEADER = "X-SePay-Signature"
TIMESTAMP_HEADER = "X-SePay-Timestamp"
NOTIFY_PREFIX = "BankAPINotify "

_BANK_TIME = timezone(timedelta(hours=7))
_API_KEY = re.compile(r"(?:Bearer )?Apikey (\S+)", re.IGNORECASE)
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,11}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


class SepayFeed:
    """One SePay webhook, pinned to one scheme."""

    provider = PROVIDER
    accepted = Answer(200, b'{"success": true}')
    refused = Answer(401, b'{"success": false}')

    def __init__(self, scheme: str, secrets: Sequence[str]) -> None:
        if scheme not in SCHEMES:
            raise ValueError(f"SePay signs by {SCHEMES}, not {scheme!r}")
        if not 1 <= len(secrets) <= MAX_SECRETS or not all(secrets):
            raise ValueError("one secret, or two while it is being changed")
        self.scheme = scheme
        self._secrets = tuple(secret.encode() for secret in secrets)

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Believe the bytes or raise ``CallbackRefused``."""
        moment = self.signed_at(body, headers)
        if moment is not None:
            judge_age(moment, now, MAX_AGE)

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:
        """Check the signature but not its age; an API key carries no moment."""
        if self.scheme == API_KEY:
            self._check_key(header(headers, "Authorization"))
            return None
        return self._check_signature(body, headers)

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read one balance change; raises ``CallbackUnreadable``."""
        fields = read_object(body, MAX_BODY_BYTES)
        return (
            NormalisedTransfer(
                provider=PROVIDER,
                provider_id=str(whole(fields, "id")),
                account=needed_code(fields, "accountNumber", 30),
                virtual_account=code(fields, "subAccount", 30) or None,
                direction=_direction(fields),
                amount=amount(fields, "transferAmount"),
                memo=_memo(fields),
                bank_reference=text(fields, "referenceCode", 64) or None,
                time=_time(text(fields, "transactionDate")),
            ),
        )

    def _check_key(self, value: str) -> None:
        match = _API_KEY.fullmatch(value)
        if match is None:
            raise SignatureMissing("Tiêu đề Authorization phải có dạng: Apikey KHÓA")
        self._demand([hmac.compare_digest(match[1].encode(), secret) for secret in self._secrets])

    def _check_signature(self, body: bytes, headers: Mapping[str, str]) -> datetime:
        signature = _SIGNATURE.fullmatch(header(headers, SIGNATURE_HEADER))
        timestamp = header(headers, TIMESTAMP_HEADER)
        if signature is None or _SECONDS.fullmatch(timestamp) is None:
            raise SignatureMissing("Chữ ký SePay phải có dạng sha256=<64 chữ số hex> và thời điểm tính bằng giây")
        given = signature[1].lower()
        self._demand([hmac.compare_digest(given, sign(body, timestamp, secret)) for secret in self._secrets])
        return _moment(timestamp)

    @staticmethod
    def _demand(right: list[bool]) -> None:
        """Judge after all secrets were tried, so that time tells nothing."""
        if not any(right):
            raise SignatureWrong("Chữ ký không đúng")


def scheme_of(headers: Mapping[str, str]) -> str:
    """Return the scheme a message carries, for checks by hand; a configured feed never asks this.

    Raises ``SignatureMissing`` when it carries none.
    """
    names = {name.lower() for name in headers}
    if SIGNATURE_HEADER.lower() in names:
        return HMAC
    if "authorization" in names:
        return API_KEY
    raise SignatureMissing(f"Không có tiêu đề {SIGNATURE_HEADER} hay Authorization")


def sign(body: bytes, timestamp: str, secret: bytes) -> str:
    """Return the hex HMAC-SHA256 over ``timestamp.body`` (without the ``sha256=`` in front)."""
    return hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _moment(timestamp: str) -> datetime:
    return datetime.fromtimestamp(int(timestamp), tz=UTC)


def _direction(fields: JsonObject) -> Direction:
    value = fields.get("transferType")
    if value not in (Direction.IN.value, Direction.OUT.value):
        raise CallbackUnreadable("Trường transferType phải là in hoặc out", field="transferType")
    return Direction(str(value))


def _memo(fields: JsonObject) -> str:
    """Return the memo; where ``content`` is empty, ``description`` may hold it behind SePay's own prefix."""
    return text(fields, "content") or text(fields, "description").removeprefix(NOTIFY_PREFIX).strip()


def _time(value: str) -> datetime:
    if _MOMENT.fullmatch(value) is None:
        raise CallbackUnreadable("Trường transactionDate phải có dạng YYYY-MM-DD HH:MM:SS", field="transactionDate")
    try:
        moment = datetime.fromisoformat(value).replace(tzinfo=_BANK_TIME)
    except ValueError as error:
        raise CallbackUnreadable(
            f"Trường transactionDate: không có thời điểm {value}", field="transactionDate"
        ) from error
    if moment.year not in PLAUSIBLE_YEARS:
        raise CallbackUnreadable(f"Trường transactionDate: năm {moment.year} không hợp lý", field="transactionDate")
    return moment.astimezone(UTC)
