"""What the doors of enquiry ask of the house (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from reconciliation.feeds.base import Answer


class EnquiryDesk(Protocol):
    """Questions of providers; each answers None for an address that is no open feed of that provider."""

    def bidv_getbill(self, token: str, body: bytes, now: datetime) -> Answer | None:
        """Answer which bill a customer has to pay."""

    def vietqrvn_check_order(self, token: str, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer | None:
        """Answer what became of an order."""
