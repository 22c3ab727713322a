"""Pay2S: a list of bank movements per callback, with a fixed token (pure).

Source: Pay2S "Tài liệu kỹ thuật Webhook". Each row has a ``checksum`` whose rule is published nowhere: it is not
judged, so the token is all there is and amounts count as unproven. Pay2S sends again after 60 s, six times at most,
until it gets 200 with ``{"success": true}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.base import MAX_BODY_BYTES, NormalisedTransfer
from reconciliation.feeds.json_body import JsonObject, amount, needed_code, read_object, rows, text
from reconciliation.feeds.moments import SPACED, moment
from reconciliation.feeds.signing import SignedFeed
from reconciliation.matching import Direction

PROVIDER = "pay2s"
BEARER = "bearer"

_DIRECTIONS = {"IN": Direction.IN, "OUT": Direction.OUT}


class Pay2sFeed(SignedFeed):
    """One Pay2S webhook."""

    provider = PROVIDER
    name = "Pay2S"
    schemes = (BEARER,)
    unproven = bare_keys = frozenset(schemes)

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:  # noqa: ARG002  only a token
        """Check the token, which carries no moment."""
        self.demand_bearer(headers)
        return None

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read the movements; raises ``CallbackUnreadable``."""
        return tuple(map(_movement, rows(read_object(body, MAX_BODY_BYTES), "transactions")))


def _movement(row: JsonObject) -> NormalisedTransfer:
    direction = _DIRECTIONS.get(text(row, "transferType", 10))
    if direction is None:
        raise CallbackUnreadable("Trường transferType phải là IN hoặc OUT", field="transferType")
    return NormalisedTransfer(
        provider=PROVIDER,
        provider_id=needed_code(row, "id"),
        account=needed_code(row, "accountNumber", 30),
        direction=direction,
        amount=amount(row, "transferAmount"),
        memo=text(row, "content"),
        bank_reference=text(row, "transactionNumber", 64) or None,
        time=moment(row, "transactionDate", SPACED),
    )
