"""Telling a family that money it paid by card went back: given back by the school, or taken by the card's bank.

One event for each time a payment is lowered, about the bill that was paid with it, else about the newest one that its
request asks for; the notice says what is still to be paid now.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.events.going_back import BY_CARD_DISPUTE, BY_CARD_REFUND
from billing.events.recording import PAYMENT_TAKEN_BACK, record_event
from billing.money import Money
from billing.payments.tables import Allocation, Payment, PaymentRequestBill
from reconciliation.cards.facts import SIGNS, Kind
from reconciliation.cards.tables import CardCheckout, CardFact

_BY = {Kind.REFUNDED: BY_CARD_REFUND, Kind.DISPUTED: BY_CARD_DISPUTE}
_TAKES = {
    BY_CARD_REFUND: {Kind.REFUNDED: 1, Kind.REFUND_FAILED: -1},
    BY_CARD_DISPUTE: {Kind.DISPUTED: 1, Kind.REINSTATED: -1},
}
"""What each takes, and brings back."""


def tell_lowered(session: Session, was: Payment, less: Money, facts: Sequence[CardFact], now: datetime) -> None:
    """Write that a payment was lowered by ``less``; ``was`` is the payment before, reversed by now.

    Two events where the school gave some of it back and the card's bank took some.
    """
    bill = _bill_of(session, was)
    for by, amount in takers([(Kind(fact.kind), fact.amount) for fact in facts], was.amount, less):
        if bill is not None:
            told = {"pupil_id": str(was.pupil_id), "used": amount.dong, "payment": str(was.id), "by": by}
            record_event(session, was.school_id, PAYMENT_TAKEN_BACK, bill, now, **told)


def takers(facts: Sequence[tuple[Kind, Money]], was: Money, less: Money) -> list[tuple[str, Money]]:
    """Return who took how much of a payment that stood with ``was`` and is lowered by ``less``.

    ``facts`` as they were recorded: those behind the last moment at which they came to ``was`` are new. Where what
    they took does not come to ``less`` (more was taken than there was), the newest taker is named for all of it.
    """
    taken = dict.fromkeys(_TAKES, 0)
    for kind, amount in _new(facts, was):
        for by, signs in _TAKES.items():
            taken[by] += signs.get(kind, 0) * amount.dong
    if all(dong >= 0 for dong in taken.values()) and sum(taken.values()) == less.dong:
        return [(by, Money(dong)) for by, dong in taken.items() if dong]
    return [(next((_BY[kind] for kind, _ in reversed(facts) if kind in _BY), BY_CARD_REFUND), less)]


def _new(facts: Sequence[tuple[Kind, Money]], was: Money) -> Sequence[tuple[Kind, Money]]:
    """Return the facts that a payment of ``was`` does not stand for yet; all but the payment where no moment fits."""
    for known in range(len(facts), 0, -1):
        if sum(SIGNS.get(kind, 0) * amount.dong for kind, amount in facts[:known]) == was.dong:
            return facts[known:]
    return [each for each in facts if each[0] is not Kind.PAID]


def _bill_of(session: Session, was: Payment) -> UUID | None:
    """Return the bill that a message is about."""
    paid = select(Allocation.bill_id).where(Allocation.school_id == was.school_id, Allocation.payment_id == was.id)
    asked = (
        select(PaymentRequestBill.bill_id)
        .join(CardCheckout, col(CardCheckout.request_id) == col(PaymentRequestBill.request_id))
        .where(PaymentRequestBill.school_id == was.school_id, CardCheckout.id == was.source_id)
        .order_by(col(PaymentRequestBill.position).desc())
    )
    paid = paid.order_by(col(Allocation.amount).desc(), col(Allocation.bill_id))
    return session.exec(paid.limit(1)).first() or session.exec(asked.limit(1)).first()
