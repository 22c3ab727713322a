"""What Stripe tells of money, as facts with one key each, in whatever order and number they come (pure).

The same fact stands in several messages: a payment is told by its session, its intent, and both again when they are
asked for. Its key (kind and Stripe's id) is the same in all of them. What a payment is worth is a sum over its facts,
so that nothing depends on which came first (decision 0028).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billing.money import Money
from reconciliation.cards.objects import (
    Dispute,
    Transaction,
    demand_dong,
    kind_of,
    read_body,
    read_dispute,
    read_event,
    read_intent,
    read_page,
    read_payout,
    read_refund,
    read_session,
    read_transaction,
)
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.json_body import JsonObject

VIETNAM = timedelta(hours=7)


class Kind(StrEnum):
    """What happened to money; see decision 0028."""

    PAID = "paid"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    REINSTATED = "reinstated"
    FEE = "fee"
    FEE_BACK = "fee_back"
    PAYOUT = "payout"
    PAYOUT_FAILED = "payout_failed"


SIGNS = {Kind.PAID: 1, Kind.REFUNDED: -1, Kind.REFUND_FAILED: 1, Kind.DISPUTED: -1, Kind.REINSTATED: 1}
"""How a fact counts towards what a payment is worth to the school; the others move no family's money."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to money. ``intent`` is the payment it is about, ``checkout`` our row that it pays."""

    kind: Kind
    stripe_id: str
    amount: Money
    at: datetime
    intent: str = ""
    checkout: UUID | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same fact."""
        return self.kind.value, self.stripe_id

    @property
    def day(self) -> date:
        """Its day in Viet Nam."""
        return (self.at + VIETNAM).date()


@dataclass(frozen=True, slots=True)
class DisputeTold:
    """How a dispute stood at a moment."""

    dispute: Dispute
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """All that one message tells; ``ended`` are checkouts whose page closed without a payment."""

    facts: tuple[Fact, ...] = ()
    disputes: tuple[DisputeTold, ...] = ()
    ended: tuple[UUID, ...] = ()


NOTHING = Told()


def worth(facts: Iterable[tuple[str, Money]]) -> Money:
    """Return what a payment is worth to the school now, from kind and amount of its facts; never below 0 đ."""
    total = sum((amount.dong * SIGNS.get(Kind(kind), 0) for kind, amount in facts), 0)
    return Money(max(total, 0))


def read_told(body: bytes) -> Told:
    """Read a message: an event, an object that was asked for, or a page of a list; raises ``CallbackUnreadable``."""
    fields = read_body(body)
    if kind_of(fields) == "list":
        return joined([_of_object(row, None) for row in read_page(fields).rows])
    return _of_object(fields, None)


def joined(parts: Sequence[Told]) -> Told:
    """Put several messages together."""
    return Told(
        facts=tuple(fact for part in parts for fact in part.facts),
        disputes=tuple(each for part in parts for each in part.disputes),
        ended=tuple(each for part in parts for each in part.ended),
    )


def _of_object(fields: JsonObject, at: datetime | None) -> Told:
    """Return what an object tells; ``at`` is the moment of the event that brought it."""
    if kind_of(fields) == "event":
        event = read_event(fields)
        return _of_object(event.about, event.created)
    reader = _READERS.get(kind_of(fields))
    return NOTHING if reader is None else reader(fields, at)


def _of_session(fields: JsonObject, at: datetime | None) -> Told:
    session = read_session(fields)
    if session.payment_status == "paid" and session.intent:
        demand_dong(session.currency)
        return _paid(session.intent, session.amount, at or session.created, session.reference)
    if session.status == "expired":
        return Told(ended=(our_id(session.reference),))
    return NOTHING


def _of_intent(fields: JsonObject, at: datetime | None) -> Told:
    intent = read_intent(fields)
    if intent.status != "succeeded":
        return NOTHING
    demand_dong(intent.currency)
    return _paid(intent.id, intent.received, at or intent.created, intent.checkout)


def _paid(intent: str, amount: int, at: datetime, reference: str) -> Told:
    if amount <= 0:
        raise CallbackUnreadable("Stripe báo một khoản thẻ 0 đ", intent=intent)
    return Told((Fact(Kind.PAID, intent, Money(amount), at, intent, our_id(reference)),))


def _of_refund(fields: JsonObject, at: datetime | None) -> Told:
    """Count a refund when it succeeded; one that failed counts there and back, so that older words change nothing."""
    refund = read_refund(fields)
    if refund.status not in {"succeeded", "failed", "canceled"} or not refund.amount:
        return NOTHING
    demand_dong(refund.currency)
    moment = at or refund.created
    back = Fact(Kind.REFUNDED, refund.id, Money(refund.amount), moment, refund.intent)
    if refund.status == "succeeded":
        return Told((back,))
    return Told((back, Fact(Kind.REFUND_FAILED, refund.id, back.amount, moment, refund.intent)))


def _of_dispute(fields: JsonObject, at: datetime | None) -> Told:
    dispute = read_dispute(fields)
    demand_dong(dispute.currency)
    moved = tuple(
        Fact(
            Kind.DISPUTED if each.amount < 0 else Kind.REINSTATED,
            each.id,
            Money(abs(each.amount)),
            each.created,
            dispute.intent,
        )
        for each in dispute.transactions
        if each.amount
    )
    return Told((*moved, *_fees(dispute.transactions)), (DisputeTold(dispute, at or dispute.created),))


def _of_payout(fields: JsonObject, at: datetime | None) -> Told:
    del at
    payout = read_payout(fields)
    if payout.status not in {"paid", "failed"} or payout.amount <= 0:
        return NOTHING
    demand_dong(payout.currency)
    sent = Fact(Kind.PAYOUT, payout.id, Money(payout.amount), payout.arrives)
    if payout.status == "paid":
        return Told((sent,))
    return Told((sent, Fact(Kind.PAYOUT_FAILED, payout.id, sent.amount, payout.arrives)))


def _of_transaction(fields: JsonObject, at: datetime | None) -> Told:
    del at
    return Told(_fees([read_transaction(fields)]))


def _fees(transactions: Sequence[Transaction]) -> tuple[Fact, ...]:
    """Return the fees of movements of the balance; a negative one was given back."""
    for each in transactions:
        demand_dong(each.currency)
    return tuple(
        Fact(Kind.FEE if each.fee > 0 else Kind.FEE_BACK, each.id, Money(abs(each.fee)), each.created)
        for each in transactions
        if each.fee
    )


def our_id(reference: str) -> UUID:
    """Return our checkout behind what stands on a session; raises for money that we did not ask for."""
    try:
        return UUID(reference)
    except ValueError as error:
        raise CallbackUnreadable("Khoản thẻ này không do hệ thống mở, hãy xem trong trang của Stripe") from error


_READERS: Mapping[str, Callable[[JsonObject, datetime | None], Told]] = {
    "checkout.session": _of_session,
    "payment_intent": _of_intent,
    "refund": _of_refund,
    "dispute": _of_dispute,
    "payout": _of_payout,
    "balance_transaction": _of_transaction,
}
