"""A book of one bill and one movement that enquiries look into, and that remembers who was looked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from billing.money import Money
from reconciliation.feeds.enquiry import BillFacts, MovementFacts

AT = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
BILL = BillFacts("FW2345678AB", "N. T. M. Ánh", Money(650_000), Money(650_000), AT)
PAID = BillFacts("FW2345678AB", "N. T. M. Ánh", Money(0), Money(650_000), AT, AT)
MOVEMENT = MovementFacts("FT25279001", Money(300_000), incoming=True, at=AT)


@dataclass
class SampleBook:
    """Knows one customer, one reference, one movement."""

    bill: BillFacts | None = BILL
    account: str = "1012000001"
    asked: list[str] = field(default_factory=list)

    def of_customer(self, customer: str) -> BillFacts | None:
        self.asked.append(customer)
        return self.bill if customer == "V3HD26A7K9P2M" else None

    def of_reference(self, reference: str) -> BillFacts | None:
        self.asked.append(reference)
        return self.bill if self.bill and reference == self.bill.reference else None

    def movement(self, bank_reference: str) -> MovementFacts | None:
        self.asked.append(bank_reference)
        return MOVEMENT if bank_reference == MOVEMENT.bank_reference else None


def md5(*parts: str) -> str:
    """Return the checksum of parts as a provider computes it."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()
