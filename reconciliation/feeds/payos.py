"""payOS: one payment by a payment link, signed in the body itself (pure).

Source: payOS "Kiểm tra dữ liệu với signature" and the cases of payOSHQ/payos-lib-python. The signature is the hex
HMAC-SHA256 over ``key=value&key=value`` of ``data`` with the keys it came with, sorted. When the address is registered
payOS sends the movement of its own documentation, which must be answered 2xx and is no money.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.base import MAX_BODY_BYTES, Kind, NormalisedTransfer
from reconciliation.feeds.json_body import (
    JsonObject,
    amount,
    child,
    code,
    demand_dong,
    needed_code,
    read_object,
    text,
    whole,
)
from reconciliation.feeds.moments import SPACED, ZONED, moment
from reconciliation.feeds.signing import SignedFeed, as_bytes, compact_sorted, hmac_hex, needed_signature, same
from reconciliation.matching import Direction

PROVIDER = "payos"
CHECKSUM = "checksum"
TRIAL_ORDER = 123
TRIAL_LINK = "124c33293c43417ab7879e14c8d9eb18"

_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")
_NOTHING = (None, "null", "undefined")
_DONE = "00"


class PayosFeed(SignedFeed):
    """One payOS channel."""

    provider = PROVIDER
    name = "payOS"
    schemes = (CHECKSUM,)

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:  # noqa: ARG002  it is in the body
        """Check the signature, which carries no moment."""
        fields = read_object(body, MAX_BODY_BYTES)
        given = needed_signature(fields, "signature", _SIGNATURE).lower()
        signed = signed_text(child(fields, "data"))
        self.demand(lambda secret: same(given, hmac_hex(secret, signed, "sha256")))
        return None

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read one payment; raises ``CallbackUnreadable``, also for a payment that did not succeed.

        Only what is signed is read: ``code`` of the movement, not ``success`` around it.
        """
        data = child(read_object(body, MAX_BODY_BYTES), "data")
        if data.get("code") != _DONE:
            raise CallbackUnreadable("Giao dịch payOS không thành công (data.code khác 00)", field="code")
        demand_dong(data, "currency")
        link = needed_code(data, "paymentLinkId", 50)
        return (
            NormalisedTransfer(
                provider=PROVIDER,
                provider_id=f"{needed_code(data, 'reference')}:{link}",
                account=needed_code(data, "accountNumber", 30),
                virtual_account=code(data, "virtualAccountNumber", 30) or None,
                direction=Direction.IN,
                amount=amount(data, "amount"),
                memo=text(data, "description"),
                bank_reference=needed_code(data, "reference"),
                time=moment(data, "transactionDateTime", SPACED, ZONED),
                kind=_kind(data, link),
                payer_account=text(data, "counterAccountNumber", 64) or None,
                payer_name=text(data, "counterAccountName", 200) or None,
            ),
        )


def signed_text(data: JsonObject) -> bytes:
    """Return what is signed: ``key=value`` joined by ``&``, by sorted keys; nothing is written as the empty text."""
    return as_bytes("&".join(f"{name}={_written(data[name])}" for name in sorted(data)))


def _written(value: object) -> str:
    if value in _NOTHING:
        return ""
    return value if isinstance(value, str) else compact_sorted(value)


def _kind(data: JsonObject, link: str) -> Kind:
    """Return whether it is payOS's own trial; a real order may well have the number 123, but not that link."""
    is_trial = whole(data, "orderCode", least=0) == TRIAL_ORDER and link == TRIAL_LINK
    return Kind.TEST if is_trial else Kind.TRANSFER
