"""SePay: bank balance changes, one per callback, by API key or HMAC (pure).

Source: SePay developer pages "Webhooks", "Authentication", "Secure your webhook endpoint", "Error handling".
SePay stops retrying on 200 or 201 with ``{"success": true}``; it retries 7 times over 33 minutes otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from reconciliation.errors import CallbackUnreadable, SignatureMissing
from reconciliation.feeds.base import MAX_BODY_BYTES, NormalisedTransfer, header
from reconciliation.feeds.json_body import JsonObject, amount, code, needed_code, read_object, text, whole
from reconciliation.feeds.moments import SPACED, moment
from reconciliation.feeds.signing import SignedFeed, hmac_hex, moment_of, same
from reconciliation.matching import Direction

PROVIDER = "sepay"
API_KEY = "apikey"
HMAC = "hmac"
SCHEMES = (API_KEY, HMAC)
SIGNATURE_HEADER = "X-SePay-Signature"
TIMESTAMP_HEADER = "X-SePay-Timestamp"
NOTIFY_PREFIX = "BankAPINotify "

_API_KEY = re.compile(r"(?:Bearer )?Apikey (\S+)", re.IGNORECASE)
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,11}")


class SepayFeed(SignedFeed):
    """One SePay webhook, pinned to one scheme."""

    provider = PROVIDER
    name = "SePay"
    schemes = SCHEMES
    unproven = bare_keys = frozenset({API_KEY})

    @classmethod
    def scheme_of(cls, headers: Mapping[str, str], body: bytes) -> str:  # noqa: ARG003  the headers tell
        """Return the scheme a message carries; raises ``SignatureMissing`` when it carries none."""
        names = {name.lower() for name in headers}
        if SIGNATURE_HEADER.lower() in names:
            return HMAC
        if "authorization" in names:
            return API_KEY
        raise SignatureMissing(f"Không có tiêu đề {SIGNATURE_HEADER} hay Authorization")

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
                time=moment(fields, "transactionDate", SPACED),
            ),
        )

    def _check_key(self, value: str) -> None:
        match = _API_KEY.fullmatch(value)
        if match is None:
            raise SignatureMissing("Tiêu đề Authorization phải có dạng: Apikey KHÓA")
        key = match[1]
        self.demand(lambda secret: same(key, secret))

    def _check_signature(self, body: bytes, headers: Mapping[str, str]) -> datetime:
        signature = _SIGNATURE.fullmatch(header(headers, SIGNATURE_HEADER))
        timestamp = header(headers, TIMESTAMP_HEADER)
        if signature is None or _SECONDS.fullmatch(timestamp) is None:
            raise SignatureMissing("Chữ ký SePay phải có dạng sha256=<64 chữ số hex> và thời điểm tính bằng giây")
        given = signature[1].lower()
        self.demand(lambda secret: same(given, sign(body, timestamp, secret)))
        return moment_of(int(timestamp))


def sign(body: bytes, timestamp: str, secret: bytes) -> str:
    """Return the hex HMAC-SHA256 over ``timestamp.body`` (without the ``sha256=`` in front)."""
    return hmac_hex(secret, timestamp.encode() + b"." + body, "sha256")


def _direction(fields: JsonObject) -> Direction:
    value = fields.get("transferType")
    if value not in (Direction.IN.value, Direction.OUT.value):
        raise CallbackUnreadable("Trường transferType phải là in hoặc out", field="transferType")
    return Direction(str(value))


def _memo(fields: JsonObject) -> str:
    """Return the memo; where ``content`` is empty, ``description`` may hold it behind SePay's own prefix."""
    return text(fields, "content") or text(fields, "description").removeprefix(NOTIFY_PREFIX).strip()
