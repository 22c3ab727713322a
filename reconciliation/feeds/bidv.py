"""BIDV bill collection: ``paybill``, one payment per call, checked by MD5 (pure).

Source: one public integration (duchieupham/vietqr_server), not BIDV's own document; no signed sample is published. The
check is ``MD5(secret + trans_id + bill_id + amount)``, the parts one behind the other, so a digit may wander from one
to the next: the amount counts as unproven, and so do transaction and bill. Calls with the same signed text are one
movement, wherever it is cut and whatever else they say. BIDV names the bill and the customer's virtual account, not the
school's account: the call speaks of the account of its own feed. ``getbill`` asks, and is no notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from reconciliation.feeds.base import MAX_BODY_BYTES, Answer, NormalisedTransfer
from reconciliation.feeds.json_body import JsonObject, amount_in_digits, code, needed_code, read_object, text
from reconciliation.feeds.moments import PACKED, moment
from reconciliation.feeds.signing import (
    SignedFeed,
    as_bytes,
    id_of_signed,
    md5_hex,
    needed_signature,
    raw_text,
    same,
)
from reconciliation.matching import Direction

PROVIDER = "bidv"
CHECKSUM = "checksum"
SIGNED_FIELDS = ("trans_id", "bill_id", "amount")

_MD5 = re.compile(r"[0-9a-fA-F]{32}")


class BidvFeed(SignedFeed):
    """One BIDV collection agreement."""

    provider = PROVIDER
    name = "BIDV"
    schemes = (CHECKSUM,)
    unproven = frozenset(schemes)
    refused = Answer(400, b'{"result_code": "004", "result_desc": "Invalid checksum"}')

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:  # noqa: ARG002  it is in the body
        """Check the signature, which carries no moment of its own."""
        fields = read_object(body, MAX_BODY_BYTES)
        given = needed_signature(fields, "checksum", _MD5).lower()
        signed = _signed_text(fields)
        self.demand(lambda secret: same(given, md5_hex(secret + signed)))
        return None

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read one payment; raises ``CallbackUnreadable``."""
        fields = read_object(body, MAX_BODY_BYTES)
        return (
            NormalisedTransfer(
                provider=PROVIDER,
                provider_id=id_of_signed(_signed_text(fields)),
                account=None,
                virtual_account=code(fields, "customer_id", 30) or None,
                direction=Direction.IN,
                amount=amount_in_digits(fields, "amount"),
                memo=text(fields, "bill_id", 100),
                bank_reference=needed_code(fields, "trans_id"),
                time=moment(fields, "trans_date", PACKED),
            ),
        )

    def accepted(self, body: bytes) -> Answer:  # noqa: ARG002  always the same bytes
        """Return BIDV's answer for a payment that was taken, also before."""
        return Answer(200, b'{"result_code": "000", "result_desc": "Success"}')


def _signed_text(fields: JsonObject) -> bytes:
    return as_bytes("".join(raw_text(fields, name) for name in SIGNED_FIELDS))
