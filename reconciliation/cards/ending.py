"""A page that is over without a payment in the book, and what its family is told of it.

Nobody is told of a page that closed by itself, or where Stripe's page itself said no: the family saw that. It is told
where it had finished the page and went away believing that it had paid: its bank said no afterwards, or the payment
could not be booked and was given back to the card whole (docs/decisions/0043).
"""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.events.going_back import BY_CARD_FAILED, BY_CARD_UNBOOKED
from billing.events.recording import CARD_UNPAID, record_event
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.payments.balances import request_balances
from billing.payments.tables import PaymentRequest
from reconciliation.cards.booking import is_ours
from reconciliation.cards.checking_out import end_checkout
from reconciliation.cards.objects import CURRENCY, read_session
from reconciliation.cards.outcomes import Outcome, outcome_of
from reconciliation.cards.tables import CardCheckout
from reconciliation.feeds.json_body import JsonObject


def end_page(session: Session, school_id: UUID, checkout_id: UUID, told: JsonObject, now: datetime) -> None:
    """Write down that a page is over, and once what its family has to know; ``told`` is empty where Stripe knows none.

    Raises ``CallbackUnreadable`` for a page that cannot be read.
    """
    outcome = outcome_of(told) if told else None
    if not end_checkout(session, school_id, checkout_id, now):
        return
    if outcome is Outcome.FAILED:
        _tell(session, checkout_id, BY_CARD_FAILED, told, now)
    elif outcome is Outcome.GIVEN_BACK and not _is_booked(session, checkout_id, told):
        _tell(session, checkout_id, BY_CARD_UNBOOKED, told, now)


def _is_booked(session: Session, checkout_id: UUID, told: JsonObject) -> bool:
    """Tell whether a payment is in the book or comes there yet: its going back is told from there (``telling``)."""
    account_id = session.get_one(CardCheckout, checkout_id).bank_account_id
    return is_ours(session, session.get_one(BankAccount, account_id), json.dumps(told).encode())


def _tell(session: Session, checkout_id: UUID, by: str, told: JsonObject, now: datetime) -> None:
    """Write the event, about the newest bill of the request that is open, else about its newest one."""
    checkout = session.get_one(CardCheckout, checkout_id)
    request = session.get_one(PaymentRequest, checkout.request_id)
    bills = request_balances(session, checkout.school_id, [request.id])[request.id]
    bill = max(bills, key=lambda each: (bool(each.rest), not each.void, each.due_on, each.number))
    facts = {"pupil_id": str(request.pupil_id), "used": _paid(checkout, told).dong, "by": by}
    record_event(session, checkout.school_id, CARD_UNPAID, bill.bill_id, now, checkout=str(checkout_id), **facts)


def _paid(checkout: CardCheckout, told: JsonObject) -> Money:
    """Return what the family paid there: as Stripe charged it in đồng, else what it was asked for."""
    charge = read_session(told).charge
    return Money(charge.taken) if charge and charge.currency == CURRENCY and charge.taken > 0 else checkout.amount
