"""MB merchant QR: one payment per notice, checked by MD5 (pure).

Source: field lists and comments of public integrations of MB's merchant interface; no signed sample is published. The
check is ``MD5(traceTransfer + billNumber + payDate + debitAmount + access key)``, the parts one behind the other, so a
digit may wander from one to the next: the amount counts as unproven. MB names no account: the notice speaks of the
account of its own feed. MB sends some notices twice: notices with the same signed text are one movement, whatever else
they say. ``ftCode`` is not signed and only links the payment to a statement; the labels of the memo are proven as
little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.base import MAX_BODY_BYTES, Answer, NormalisedTransfer
from reconciliation.feeds.json_body import JsonObject, amount_in_digits, needed_code, read_object, text
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

PROVIDER = "mb"
CHECKSUM = "checksum"
SIGNED_FIELDS = ("traceTransfer", "billNumber", "payDate", "debitAmount")

_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_DONE = ("", "00")  # a message without respCode tells of a payment as well
_MEMO_FIELDS = ("billNumber", "consumerLabelTerm", "referenceLabelCode")


class MbFeed(SignedFeed):
    """One MB merchant agreement."""

    provider = PROVIDER
    name = "MB"
    schemes = (CHECKSUM,)
    unproven = frozenset(schemes)
    refused = Answer(401, b'{"resCode": "01", "resDesc": "Invalid checksum"}')

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:  # noqa: ARG002  it is in the body
        """Check the signature, which carries no moment of its own."""
        fields = read_object(body, MAX_BODY_BYTES)
        given = needed_signature(fields, "checkSum", _MD5).lower()
        signed = _signed_text(fields)
        self.demand(lambda secret: same(given, md5_hex(signed + secret)))
        return None

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read one payment; raises ``CallbackUnreadable``, also for a payment that did not succeed."""
        fields = read_object(body, MAX_BODY_BYTES)
        if text(fields, "respCode", 10) not in _DONE:
            raise CallbackUnreadable("Giao dịch MB không thành công (respCode khác 00)", field="respCode")
        needed_code(fields, "traceTransfer")  # without it two payments of one moment would sign alike
        return (
            NormalisedTransfer(
                provider=PROVIDER,
                provider_id=id_of_signed(_signed_text(fields)),
                account=None,
                direction=Direction.IN,
                amount=amount_in_digits(fields, "debitAmount"),
                memo=" ".join(filter(None, (text(fields, name, 150) for name in _MEMO_FIELDS))),
                bank_reference=needed_code(fields, "ftCode"),
                time=moment(fields, "payDate", PACKED),
                payer_name=text(fields, "userName", 200) or None,
            ),
        )

    def accepted(self, body: bytes) -> Answer:  # noqa: ARG002  always the same bytes
        """Return MB's answer for a payment that was taken, also before."""
        return Answer(200, b'{"resCode": "00", "resDesc": "Success"}')


def _signed_text(fields: JsonObject) -> bytes:
    return as_bytes("".join(raw_text(fields, name) for name in SIGNED_FIELDS))
