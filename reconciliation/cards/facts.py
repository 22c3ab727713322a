"""What Stripe tells of money, as facts with one key each, in whatever order and number they come (pure).

The same fact stands in several messages: a payment is told by its charge, and by its session or intent when they are
asked for with the charge in them. Its key (kind and Stripe's id) and its moment, that of the charge, are the same in
all of them. What a payment is worth is a sum over its facts, so that nothing depends on which came first (0028).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billing.money import Money
from reconciliation.cards.objects import (
    CURRENCY,
    Charge,
    Dispute,
    Transaction,
    demand_dong,
    kind_of,
    modes_of,
    read_body,
    read_charge,
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
    """What happened to money; see decisions 0028 and 0030.

    *sent* and *unsent*: what left Stripe's balance for the bank, and came back from there. *held* and *released*: what
    Stripe keeps back and lets go. *moved_out* and *moved_in*: any other movement of the balance, to be looked at.
    """

    PAID = "paid"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    REINSTATED = "reinstated"
    FEE = "fee"
    FEE_BACK = "fee_back"
    PAYOUT = "payout"
    PAYOUT_FAILED = "payout_failed"
    SENT = "sent"
    UNSENT = "unsent"
    HELD = "held"
    RELEASED = "released"
    MOVED_OUT = "moved_out"
    MOVED_IN = "moved_in"


SIGNS = {Kind.PAID: 1, Kind.REFUNDED: -1, Kind.REFUND_FAILED: 1, Kind.DISPUTED: -1, Kind.REINSTATED: 1}
"""How a fact counts towards what a payment is worth to the school; the others move no family's money."""
BALANCE_SIGNS = SIGNS | {
    Kind.FEE: -1,
    Kind.FEE_BACK: 1,
    Kind.SENT: -1,
    Kind.UNSENT: 1,
    Kind.HELD: -1,
    Kind.RELEASED: 1,
    Kind.MOVED_OUT: -1,
    Kind.MOVED_IN: 1,
}
"""How a fact counts towards what Stripe holds; payouts count when they leave the balance (*sent*), not when paid."""

# Source: Stripe, "Balance transaction types". What payments move is told by charges, refunds and disputes.
_OF_PAYMENTS = frozenset({"charge", "payment", "refund", "payment_refund", "refund_failure"})
_OF_PAYOUTS = frozenset({"payout", "payout_failure", "payout_cancel"})
_OF_FEES = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"})
_OF_RESERVES = frozenset(
    {
        "reserve_transaction",
        "reserved_funds",
        "reserve_hold",
        "reserve_release",
        "payment_network_reserve_hold",
        "payment_network_reserve_release",
        "payout_minimum_balance_hold",
        "payout_minimum_balance_release",
    }
)
_OF_DISPUTES = ("dp_", "du_")
_MOST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to money. ``intent`` is the payment it is about, ``checkout`` our row that it pays."""

    kind: Kind
    stripe_id: str
    amount: Money
    at: datetime
    intent: str = ""
    checkout: UUID | None = None
    on: date | None = None
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same fact."""
        return self.kind.value, self.stripe_id

    @property
    def day(self) -> date:
        """Its day in Viet Nam, or the one that Stripe names (``on``): when a payout should be at the bank."""
        return self.on or (self.at + VIETNAM).date()


@dataclass(frozen=True, slots=True)
class DisputeTold:
    """How a dispute stood at a moment."""

    dispute: Dispute
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """All that one message tells; ``ended`` are checkouts whose page closed without a payment.

    ``modes`` are the modes that it names: True is real money, False Stripe's test mode.
    """

    facts: tuple[Fact, ...] = ()
    disputes: tuple[DisputeTold, ...] = ()
    ended: tuple[UUID, ...] = ()
    modes: frozenset[bool] = frozenset()


NOTHING = Told()


def worth(facts: Iterable[tuple[str, Money]]) -> Money:
    """Return what a payment is worth to the school now, from kind and amount of its facts; never below 0 đ."""
    return Money(max(_sum(facts), 0))


def loss(facts: Iterable[tuple[str, Money]]) -> Money:
    """Return what was taken for a payment beyond all that it brought: given back, then charged back in full too."""
    return Money(max(-_sum(facts), 0))


def _sum(facts: Iterable[tuple[str, Money]]) -> int:
    return sum((amount.dong * SIGNS.get(Kind(kind), 0) for kind, amount in facts), 0)


def read_told(body: bytes) -> Told:
    """Read a message: an event, an object that was asked for, or a page of a list; raises ``CallbackUnreadable``."""
    fields = read_body(body)
    rows = read_page(fields).rows if kind_of(fields) == "list" else (fields,)
    return replace(joined([_of_object(row, None) for row in rows]), modes=modes_of(fields))


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
    """Read a page; a payment is told where its charge stands in it, for only the charge knows the moment."""
    del at
    session = read_session(fields)
    if session.payment_status == "paid" and session.intent:
        demand_dong(session.currency)
        return _paid(session.charge, session.reference)
    if session.status == "expired":
        return Told(ended=(our_id(session.reference),))
    return NOTHING


def _of_intent(fields: JsonObject, at: datetime | None) -> Told:
    del at
    intent = read_intent(fields)
    if intent.status != "succeeded":
        return NOTHING
    demand_dong(intent.currency)
    return _paid(intent.taken, intent.checkout)


def _of_charge(fields: JsonObject, at: datetime | None) -> Told:
    del at
    charge = read_charge(fields)
    return _paid(charge, charge.checkout)


def _paid(charge: Charge | None, reference: str) -> Told:
    """Return the payment that a charge took; nothing while it is not told, or took nothing."""
    if charge is None or not (charge.paid and charge.captured and charge.intent):
        return NOTHING
    demand_dong(charge.currency)
    if charge.amount <= 0:
        raise CallbackUnreadable("Stripe báo một khoản thẻ 0 đ", intent=charge.intent)
    if charge.taken != charge.amount:
        raise CallbackUnreadable(
            f"Stripe chỉ thu {Money(charge.taken)} của khoản thẻ {Money(charge.amount)}: hãy xem trang của Stripe",
            intent=charge.intent,
        )
    paid = Fact(Kind.PAID, charge.intent, Money(charge.amount), charge.created, charge.intent, our_id(reference))
    return Told((paid,))


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
    """Read a dispute with what it moved; its fee is put aside with its movement where that is of another currency."""
    dispute = read_dispute(fields)
    demand_dong(dispute.currency)
    moved = tuple(
        Fact(
            Kind.DISPUTED if each.amount < 0 else Kind.REINSTATED,
            each.id,
            _disputed(dispute, each),
            each.created,
            dispute.intent,
        )
        for each in dispute.transactions
        if each.amount
    )
    in_dong = [each for each in dispute.transactions if each.currency == CURRENCY]
    return Told((*moved, *_fees(in_dong)), (DisputeTold(dispute, at or dispute.created),))


def _disputed(dispute: Dispute, moved: Transaction) -> Money:
    """Return what a movement took of a payment, or brought back: the dispute's own sum where it is of another currency.

    So a bill whose payment was charged back is open again whatever the account settles in.
    """
    return Money(abs(moved.amount) if moved.currency == CURRENCY else dispute.amount)


def _of_payout(fields: JsonObject, at: datetime | None) -> Told:
    del at
    payout = read_payout(fields)
    if payout.status not in {"paid", "failed"} or payout.amount <= 0:
        return NOTHING
    demand_dong(payout.currency)
    arrives = (payout.arrives + VIETNAM).date()
    sent = Fact(Kind.PAYOUT, payout.id, Money(payout.amount), payout.created, on=arrives)
    if payout.status == "paid":
        return Told((sent,))
    return Told((sent, Fact(Kind.PAYOUT_FAILED, payout.id, sent.amount, payout.created, on=arrives)))


def _of_transaction(fields: JsonObject, at: datetime | None) -> Told:
    """Read a movement of the balance: its fee, and what else it moves that no payment tells."""
    del at
    moved = read_transaction(fields)
    demand_dong(moved.currency)
    kind, dong = _movement(moved)
    whole_fee = kind in {Kind.FEE, Kind.FEE_BACK}
    fees = () if whole_fee else _fees([moved])
    if not dong or kind is None:
        return Told(fees)
    note = f"{moved.type} {moved.source} {moved.words}".strip()[:_MOST_NOTE]
    return Told((*fees, Fact(kind, moved.id, Money(abs(dong)), moved.created, note=note)))


def _movement(moved: Transaction) -> tuple[Kind | None, int]:
    """Return what kind of fact a movement itself is, and its sum; None where payments and disputes tell it."""
    dong = moved.amount
    if moved.type in _OF_PAYMENTS or (moved.type == "adjustment" and moved.source.startswith(_OF_DISPUTES)):
        return None, 0
    if moved.type in _OF_FEES:
        net = dong - moved.fee
        return (Kind.FEE if net < 0 else Kind.FEE_BACK), net
    if moved.type in _OF_RESERVES:
        return (Kind.HELD if dong < 0 else Kind.RELEASED), dong
    if moved.type in _OF_PAYOUTS and (moved.type == "payout") == (dong < 0):
        return (Kind.SENT if dong < 0 else Kind.UNSENT), dong
    return (Kind.MOVED_OUT if dong < 0 else Kind.MOVED_IN), dong


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
    "charge": _of_charge,
    "refund": _of_refund,
    "dispute": _of_dispute,
    "payout": _of_payout,
    "balance_transaction": _of_transaction,
}
