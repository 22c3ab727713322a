"""What an enquiry of a bank door is answered with (pure): the little of a bill that a provider needs, no child's name.

An enquiry is no door of money: it reads, stores nothing, and is believed by the secret of the same feed that tells of
payments. A name, where a protocol shows one to the payer, is only ever the masked one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.money import Money


@dataclass(frozen=True, slots=True)
class BillFacts:
    """A payment request as a provider may know it: ``asked`` is what is to be paid today, 0 đ when nothing is.

    ``masked_name``: initials and given name. ``paid_at``: when the newest money for it was recorded.
    """

    reference: str
    masked_name: str
    asked: Money
    due: Money
    asked_at: datetime
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """A movement as a provider that told of it may hear it again."""

    bank_reference: str
    amount: Money
    incoming: bool
    at: datetime


class Book(Protocol):
    """Where an enquiry looks: the requests and movements of the one account its feed is about."""

    @property
    def account(self) -> str:
        """The account's number."""

    def of_customer(self, customer: str) -> BillFacts | None:
        """Return the newest request of a child with this number of its own, or with this reference."""

    def of_reference(self, reference: str) -> BillFacts | None:
        """Return a request by its reference."""

    def movement(self, bank_reference: str) -> MovementFacts | None:
        """Return a movement by the number under which the provider told of it."""
