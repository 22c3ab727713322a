"""Stripe's webhooks: believed by ``Stripe-Signature``, stored like every message; what they tell is no transfer (pure).

Source: Stripe documentation, "Resolve webhook signature verification errors": the header holds ``t=…`` and one or more
``v1=…`` (several while a secret is changed), HMAC-SHA256 over ``t.body`` with the endpoint's secret; at most 300 s old.
Stripe stops sending on any 2xx and otherwise comes again for three days. What an event tells is read by
``reconciliation.cards`` (decision 0028): a card payment is no movement on the bank account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from reconciliation.errors import SignatureMissing
from reconciliation.feeds.base import Answer, NormalisedTransfer, header
from reconciliation.feeds.signing import SignedFeed, hmac_hex, moment_of, same

PROVIDER = "stripe"
SCHEME = "v1"
SIGNATURE_HEADER = "Stripe-Signature"
_SECONDS = re.compile(r"[0-9]{1,11}")
_MARK = re.compile(r"[0-9a-f]{64}")
_MOST_MARKS = 10


class StripeFeed(SignedFeed):
    """The webhook of one school's Stripe account."""

    provider = PROVIDER
    name = "Stripe"
    schemes = (SCHEME,)
    refused = Answer(400, b'{"received": false}')

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:
        """Check the signature but not its age; one right mark among several is enough."""
        timestamp, marks = _read(header(headers, SIGNATURE_HEADER))
        signed = timestamp.encode() + b"." + body

        def right(secret: bytes) -> bool:
            expected = hmac_hex(secret, signed, "sha256")
            judged = [same(mark, expected) for mark in marks]  # all of them, whichever is right
            return any(judged)

        self.demand(right)
        return moment_of(int(timestamp))

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:  # noqa: ARG002  see the first line
        """Return no transfer."""
        return ()


def is_test_key(key: str) -> bool:
    """Tell whether an API key is of Stripe's test mode, in which no money is real."""
    return key.startswith(("sk_test_", "rk_test_"))


def _read(value: str) -> tuple[str, list[str]]:
    """Return the moment and the marks of the scheme we were set up with; others, such as ``v0``, prove nothing."""
    pairs = [pair.strip().partition("=") for pair in value.split(",")]
    times = [text for name, _, text in pairs if name == "t"]
    marks = [text for name, _, text in pairs if name == SCHEME]
    if len(times) != 1 or _SECONDS.fullmatch(times[0]) is None or not 1 <= len(marks) <= _MOST_MARKS:
        raise SignatureMissing("Tiêu đề Stripe-Signature phải có t và v1")
    if not all(_MARK.fullmatch(mark) for mark in marks):
        raise SignatureMissing("Chữ ký Stripe phải là 64 chữ số hex")
    return times[0], marks
