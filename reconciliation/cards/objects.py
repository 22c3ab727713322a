"""Stripe's objects as far as we read them, typed (pure).

Source: Stripe API reference, pages of Checkout Sessions, PaymentIntents, Charges, Refunds, Disputes, Payouts, Balance
Transactions, Events. A field that may be expanded (an id or the object itself) is read as its id. Amounts are whole
numbers of the currency's smallest unit; for VND that is đồng. Every reader raises ``CallbackUnreadable``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.json_body import JsonObject, child, read_object, rows, text, whole

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 24
CURRENCY = "vnd"
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
_MOST_WORDS = 200
_MOST_CURRENCY = 10
_LATEST = 32_503_680_000  # the year 3000
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Session:
    """A page of Stripe's on which a family pays; ``reference`` is what we called it."""

    id: str
    status: str
    payment_status: str
    url: str
    amount: int
    currency: str
    reference: str
    intent: str
    charge: Charge | None
    created: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """One payment with all its tries; ``checkout`` is our own mark in its metadata.

    ``taken`` is the charge that took the money, where it was asked for with it.
    """

    id: str
    status: str
    amount: int
    received: int
    currency: str
    charge: str
    checkout: str
    taken: Charge | None
    created: datetime


@dataclass(frozen=True, slots=True)
class Charge:
    """One try that took money, at ``created``; ``transaction`` is its balance transaction, ``checkout`` our mark.

    ``taken`` of its ``amount`` was captured; less where somebody captured a part by hand.
    """

    id: str
    amount: int
    taken: int
    refunded: int
    paid: bool
    captured: bool
    currency: str
    intent: str
    transaction: str
    checkout: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back; ``failed`` names the balance transaction that took a failed one back; ``mark`` is ours."""

    id: str
    status: str
    amount: int
    currency: str
    intent: str
    failed: str
    mark: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement of the Stripe balance: ``amount`` before and ``fee`` of Stripe's fee, both signed; Stripe's words."""

    id: str
    type: str
    amount: int
    fee: int
    currency: str
    source: str
    words: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Dispute:
    """A cardholder who asks the bank for the money back, with the movements that made."""

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    intent: str
    due_by: datetime | None
    transactions: tuple[Transaction, ...]
    created: datetime


@dataclass(frozen=True, slots=True)
class Payout:
    """What Stripe sends to the bank; ``arrives`` is when it should be there."""

    id: str
    status: str
    amount: int
    currency: str
    arrives: datetime
    created: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with the object as it was then."""

    id: str
    type: str
    created: datetime
    about: JsonObject


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; ``more`` tells whether another one follows, from behind the last row on."""

    rows: tuple[JsonObject, ...]
    more: bool


def read_body(body: bytes) -> JsonObject:
    """Read one object of Stripe's from its bytes."""
    return read_object(body, MAX_BYTES, MAX_DEPTH)


def kind_of(fields: JsonObject) -> str:
    """Return which object it is, such as ``checkout.session`` or ``list``."""
    return text(fields, "object")


def read_session(fields: JsonObject) -> Session:
    """Read a Checkout Session."""
    _demand(fields, "checkout.session")
    return Session(
        id=identifier(fields, "id"),
        status=text(fields, "status"),
        payment_status=text(fields, "payment_status"),
        url=text(fields, "url", 5_000),
        amount=_amount(fields, "amount_total") if fields.get("amount_total") is not None else 0,
        currency=text(fields, "currency"),
        reference=text(fields, "client_reference_id"),
        intent=_expandable(fields, "payment_intent"),
        charge=read_intent(child(fields, "payment_intent")).taken if _is_whole(fields, "payment_intent") else None,
        created=_moment(fields, "created"),
    )


def read_intent(fields: JsonObject) -> Intent:
    """Read a PaymentIntent."""
    _demand(fields, "payment_intent")
    return Intent(
        id=identifier(fields, "id"),
        status=text(fields, "status"),
        amount=_amount(fields, "amount"),
        received=_amount(fields, "amount_received") if fields.get("amount_received") is not None else 0,
        currency=text(fields, "currency"),
        charge=_expandable(fields, "latest_charge"),
        checkout=text(_metadata(fields), "checkout"),
        taken=read_charge(child(fields, "latest_charge")) if _is_whole(fields, "latest_charge") else None,
        created=_moment(fields, "created"),
    )


def read_charge(fields: JsonObject) -> Charge:
    """Read a Charge."""
    _demand(fields, "charge")
    return Charge(
        id=identifier(fields, "id"),
        amount=_amount(fields, "amount"),
        taken=_amount(fields, "amount_captured" if fields.get("amount_captured") is not None else "amount"),
        refunded=_amount(fields, "amount_refunded"),
        paid=fields.get("paid") is True,
        captured=fields.get("captured") is True,
        currency=text(fields, "currency"),
        intent=_expandable(fields, "payment_intent"),
        transaction=_expandable(fields, "balance_transaction"),
        checkout=text(_metadata(fields), "checkout"),
        created=_moment(fields, "created"),
    )


def read_refund(fields: JsonObject) -> Refund:
    """Read a Refund."""
    _demand(fields, "refund")
    return Refund(
        id=identifier(fields, "id"),
        status=text(fields, "status"),
        amount=_amount(fields, "amount"),
        currency=text(fields, "currency"),
        intent=_expandable(fields, "payment_intent"),
        failed=_expandable(fields, "failure_balance_transaction"),
        mark=text(_metadata(fields), "refund"),
        created=_moment(fields, "created"),
    )


def read_transaction(fields: JsonObject) -> Transaction:
    """Read a Balance Transaction."""
    _demand(fields, "balance_transaction")
    return Transaction(
        id=identifier(fields, "id"),
        type=text(fields, "type"),
        amount=_signed(fields, "amount"),
        fee=_signed(fields, "fee"),
        currency=text(fields, "currency"),
        source=_expandable(fields, "source"),
        words=text(fields, "description", 5_000)[:_MOST_WORDS],
        created=_moment(fields, "created"),
    )


def read_dispute(fields: JsonObject) -> Dispute:
    """Read a Dispute."""
    _demand(fields, "dispute")
    moved = rows(fields, "balance_transactions") if fields.get("balance_transactions") is not None else []
    evidence = child(fields, "evidence_details") if fields.get("evidence_details") is not None else {}
    return Dispute(
        id=identifier(fields, "id"),
        status=text(fields, "status"),
        reason=text(fields, "reason"),
        amount=_amount(fields, "amount"),
        currency=text(fields, "currency"),
        intent=_expandable(fields, "payment_intent"),
        due_by=_moment(evidence, "due_by") if evidence.get("due_by") is not None else None,
        transactions=tuple(read_transaction(each) for each in moved),
        created=_moment(fields, "created"),
    )


def read_payout(fields: JsonObject) -> Payout:
    """Read a Payout."""
    _demand(fields, "payout")
    return Payout(
        id=identifier(fields, "id"),
        status=text(fields, "status"),
        amount=_signed(fields, "amount"),
        currency=text(fields, "currency"),
        arrives=_moment(fields, "arrival_date"),
        created=_moment(fields, "created"),
    )


def read_event(fields: JsonObject) -> Event:
    """Read an Event."""
    _demand(fields, "event")
    return Event(
        id=identifier(fields, "id"),
        type=text(fields, "type"),
        created=_moment(fields, "created"),
        about=child(child(fields, "data"), "object"),
    )


class OtherMoney(CallbackUnreadable):
    """An account holds other currencies (``currencies``) than đồng too, of which it holds ``dong``."""

    def __init__(self, currencies: tuple[str, ...], dong: int) -> None:
        super().__init__(f"Stripe giữ tiền {', '.join(currencies)} cho tài khoản này, không chỉ đồng")
        self.currencies = currencies
        self.dong = dong


def read_balance(fields: JsonObject) -> int:
    """Return what a Balance comes to in đồng: available and pending together; below 0 when Stripe is owed.

    Stripe names every currency in which the account settles, with 0 where it holds nothing yet. Raises ``OtherMoney``
    where one of them is not đồng.
    """
    _demand(fields, "balance")
    parts = [row for name in ("available", "pending") for row in rows(fields, name)]
    dong = sum(_signed(row, "amount") for row in parts if text(row, "currency") == CURRENCY)
    others = tuple(sorted({text(row, "currency")[:_MOST_CURRENCY] for row in parts} - {CURRENCY}))
    if others:
        raise OtherMoney(others, dong)
    return dong


def modes_of(fields: JsonObject) -> frozenset[bool]:
    """Return which modes an object names, its own and that of what an event is about; True is real money."""
    own, inner = fields.get("livemode"), fields.get("data")
    found = frozenset({own}) if isinstance(own, bool) else frozenset[bool]()
    if isinstance(inner, dict) and isinstance(inner.get("object"), dict):
        return found | modes_of(inner["object"])
    if isinstance(inner, list):
        return found.union(*(modes_of(row) for row in inner if isinstance(row, dict)))
    return found


def read_page(fields: JsonObject) -> Page:
    """Read a page of a list."""
    _demand(fields, "list")
    return Page(tuple(rows(fields, "data")), fields.get("has_more") is True)


def page_of(fields: JsonObject, read: Callable[[JsonObject], Read]) -> tuple[Read, ...]:
    """Read every row of a page."""
    return tuple(read(each) for each in read_page(fields).rows)


def identifier(fields: JsonObject, name: str) -> str:
    """Return an id of Stripe's."""
    value = fields.get(name)
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise CallbackUnreadable(f"Trường {name} không phải là mã của Stripe", field=name)
    return value


def demand_dong(currency: str) -> None:
    """Refuse another currency than đồng; Stripe writes it in small letters."""
    if currency != CURRENCY:
        raise CallbackUnreadable(f"Stripe báo tiền tệ {currency[:10]}, không phải đồng", field="currency")


def named(body: bytes) -> str:
    """Return the id at Stripe that a person looks a message up by: the payment's, else the object's; empty if none."""
    try:
        fields = read_body(body)
        about = read_event(fields).about if kind_of(fields) == "event" else fields
        payment = kind_of(about) in {"charge", "checkout.session", "refund", "dispute"}
        return (_expandable(about, "payment_intent") if payment else "") or identifier(about, "id")
    except CallbackUnreadable:
        return ""


def _demand(fields: JsonObject, kind: str) -> None:
    if fields.get("object") != kind:
        raise CallbackUnreadable(f"Cần một {kind} của Stripe", field="object")


def _metadata(fields: JsonObject) -> JsonObject:
    return child(fields, "metadata") if fields.get("metadata") is not None else {}


def _is_whole(fields: JsonObject, name: str) -> bool:
    """Tell whether a field holds the object itself, not only its id."""
    return isinstance(fields.get(name), dict)


def _expandable(fields: JsonObject, name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    return identifier(value, "id") if isinstance(value, dict) else identifier(fields, name)


def _amount(fields: JsonObject, name: str) -> int:
    return whole(fields, name, 0)


def _signed(fields: JsonObject, name: str) -> int:
    return whole(fields, name, -(2**53))


def _moment(fields: JsonObject, name: str) -> datetime:
    seconds = whole(fields, name, 0)
    if seconds > _LATEST:
        raise CallbackUnreadable(f"Trường {name} không phải là thời điểm", field=name)
    return datetime.fromtimestamp(seconds, tz=UTC)
