"""What became of a page, from what Stripe answers about it with the payment and its charge in full (pure).

Source: Stripe API reference, "Checkout Session" (``status``, ``payment_status``) and "PaymentIntent" (``status``):
a page is *complete* once somebody has finished it, also where the money comes days later or not at all. A page that is
complete takes no second payment; a payment that failed afterwards waits for another way of paying, which it is never
given, or is canceled.
"""

from __future__ import annotations

from enum import StrEnum

from reconciliation.cards.objects import Session, read_intent, read_session
from reconciliation.feeds.json_body import JsonObject


class Outcome(StrEnum):
    """How a page stands: *given_back* is a payment of which nothing is left, *failed* one that never took money."""

    OPEN = "open"
    EXPIRED = "expired"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    GIVEN_BACK = "given_back"


class Returned(StrEnum):
    """What a family that comes back from Stripe's page is told.

    *waiting*: the outcome is being told. *late*: it should have been told by now. *nothing*: none of its pages is open.
    """

    WAITING = "waiting"
    LATE = "late"
    NOTHING = "nothing"


OVER = frozenset({Outcome.EXPIRED, Outcome.FAILED, Outcome.GIVEN_BACK})
"""Nobody pays there any more, and no money of the family's is held for it."""
_NEVER_PAYS = frozenset({"requires_payment_method", "canceled"})


def outcome_of(fields: JsonObject) -> Outcome:
    """Return how a page stands; raises ``CallbackUnreadable``. What is not known for sure is *pending*."""
    page = read_session(fields)
    if page.status in {Outcome.OPEN, Outcome.EXPIRED}:
        return Outcome(page.status)
    if page.payment_status == "unpaid":
        return Outcome.FAILED if _failed(fields) else Outcome.PENDING
    return Outcome.GIVEN_BACK if _all_given_back(page) else Outcome.PAID


def _failed(fields: JsonObject) -> bool:
    intent = fields.get("payment_intent")
    return isinstance(intent, dict) and read_intent(intent).status in _NEVER_PAYS


def _all_given_back(page: Session) -> bool:
    return page.charge is not None and 0 < page.charge.amount <= page.charge.refunded
