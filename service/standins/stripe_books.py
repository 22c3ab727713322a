"""What the stand-in for Stripe knows: sessions, intents, charges, refunds, disputes, the balance, payouts, events.

Amounts are whole numbers; the fee is 3.4 % and 8,000 đ, rounded half up. Nothing here knows HTTP.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciliation.cards.client import VERSION
from service.standins.stripe_wire import WireError, integer, invalid, missing, needed, refuse_unknown

DAY = 24 * 3600
DISPUTE_FEE = 300_000
_LEAST = 10_000  # Stripe's least sum comes to about that
_SESSION_FIELDS = {
    "mode",
    "client_reference_id",
    "line_items",
    "payment_intent_data",
    "metadata",
    "success_url",
    "cancel_url",
    "expires_at",
    "locale",
    "adaptive_pricing",
    "customer_email",
    "expand",
}
Row = dict[str, Any]


def fee_of(amount: int) -> int:
    """Return Stripe's fee on a charge."""
    return (amount * 34 + 500) // 1000 + 8_000


@dataclass(slots=True)
class StripeBooks:
    """One Stripe account. ``clock`` is handed in; every change writes an event, which webhooks are made of.

    ``settles`` is the currency of its balance, and how many đồng make its smallest unit: Stripe turns charges into it.
    """

    clock: Callable[[], datetime]
    live: bool = False
    settles: tuple[str, int] = ("vnd", 1)
    rows: dict[str, Row] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    _count: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def now(self) -> int:
        """Return the moment in Unix seconds."""
        return int(self.clock().timestamp())

    def get(self, kind: str, key: str, param: str = "id") -> Row:
        """Return an object; raises Stripe's ``resource_missing``."""
        row = self.rows.get(key)
        if row is None or row["object"] != kind:
            raise invalid(f"No such {kind}: '{key}'", param, "resource_missing", 404)
        return row

    def of_kind(self, kind: str) -> list[Row]:
        """Return all objects of a kind, the newest first."""
        return [row for row in reversed(self.rows.values()) if row["object"] == kind]

    def open_session(self, form: Mapping[str, Any]) -> Row:
        """Make a Checkout Session with its payment."""
        refuse_unknown(form, _SESSION_FIELDS)
        if needed(form, "mode") != "payment":
            raise invalid("Only the mode 'payment' is played here", "mode")
        needed(form, "success_url")
        amount = sum(_line(line, place) for place, line in enumerate(_lines(form)))
        if amount < _LEAST:
            raise invalid("Amount must convert to at least 50 cents.", "line_items", "amount_too_small")
        made, now = integer(form.get("expires_at", str(self.now() + DAY)), "expires_at"), self.now()
        if not now + 30 * 60 <= made + 60 or made > now + DAY + 60:
            raise invalid("expires_at must be between 30 minutes and 24 hours from now", "expires_at")
        return self._new(
            "cs_test",
            "checkout.session",
            adaptive_pricing={"enabled": _flag(form.get("adaptive_pricing", {}), "adaptive_pricing", default=True)},
            amount_total=amount,
            amount_subtotal=amount,
            cancel_url=form.get("cancel_url"),
            client_reference_id=form.get("client_reference_id"),
            currency="vnd",
            expires_at=made,
            line_items_played=[line["price_data"]["product_data"]["name"] for line in form["line_items"]],
            metadata=dict(form.get("metadata", {})),
            mode="payment",
            intent_metadata=dict(form.get("payment_intent_data", {}).get("metadata", {})),
            payment_intent=None,
            payment_status="unpaid",
            status="open",
            success_url=form["success_url"],
        )

    def expire_session(self, session_id: str) -> Row:
        """Close a page on which nobody has paid."""
        session = self.get("checkout.session", session_id)
        if session["status"] != "open":
            raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.', "session")
        session.update(status="expired", url=None)
        self.tell("checkout.session.expired", session)
        return session

    def pay(self, session_id: str, outcome: str) -> Row:
        """Play the cardholder: *paid*, *declined*; raises ``WireError`` on a page that is closed."""
        with self.lock:
            session = self.get("checkout.session", session_id)
            if session["status"] == "open" and session["expires_at"] <= self.now():
                self.expire_session(session_id)
            if session["status"] != "open":
                raise invalid("This Checkout Session is no longer open.", "session")
            intent = self._intent_of(session)
            if outcome == "declined":
                intent.update(status="requires_payment_method", last_payment_error={"code": "card_declined"})
                self.tell("payment_intent.payment_failed", intent)
                return session
            self._charge(intent)
            session.update(status="complete", payment_status="paid", url=None)
            self.tell("payment_intent.succeeded", intent)
            self.tell("checkout.session.completed", session)
            return session

    def refund(self, form: Mapping[str, Any]) -> Row:
        """Give back a payment, in full or in part."""
        refuse_unknown(form, {"payment_intent", "charge", "amount", "metadata", "reason"})
        intent = self.get("payment_intent", needed(form, "payment_intent"), "payment_intent")
        charge = self.rows.get(intent["latest_charge"] or "")
        if charge is None:
            raise invalid("This PaymentIntent does not have a successful charge to refund.", "payment_intent")
        disputes = [row for row in self.of_kind("dispute") if row["charge"] == charge["id"]]
        lost = sum(row["amount"] for row in disputes if row["status"] == "lost")
        left = charge["amount"] - charge["amount_refunded"] - lost
        if not left:
            raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        amount = integer(form.get("amount", str(left)), "amount")
        if not 0 < amount <= left:
            raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")
        if any(row["status"] not in {"won", "lost"} for row in disputes):
            raise invalid(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        refund = self._new(
            "re",
            "refund",
            amount=amount,
            charge=charge["id"],
            currency="vnd",
            failure_balance_transaction=None,
            metadata=dict(form.get("metadata", {})),
            payment_intent=intent["id"],
            status="succeeded",
        )
        refund["balance_transaction"] = self._move("refund", -amount, 0, refund["id"])["id"]
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        return refund

    def fail_refund(self, refund_id: str) -> Row:
        """Let the cardholder's bank send a refund back."""
        refund = self.get("refund", refund_id)
        refund["status"] = "failed"
        refund["failure_balance_transaction"] = self._move("refund_failure", refund["amount"], 0, refund_id)["id"]
        charge = self.rows[refund["charge"]]
        charge.update(amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
        self.tell("refund.failed", refund)
        return refund

    def dispute(self, intent_id: str, amount: int | None = None) -> Row:
        """Let the cardholder ask the bank for the money back; it is taken at once, with a fee."""
        intent = self.get("payment_intent", intent_id)
        charge = self.rows[intent["latest_charge"]]
        amount = amount or charge["amount"]
        charge["disputed"] = True
        dispute = self._new(
            "dp",
            "dispute",
            amount=amount,
            charge=charge["id"],
            currency="vnd",
            evidence_details={"due_by": self.now() + 9 * DAY, "has_evidence": False, "submission_count": 0},
            payment_intent=intent_id,
            reason="fraudulent",
            status="needs_response",
            balance_transactions=[],
        )
        self.tell("charge.dispute.created", dispute)
        dispute["balance_transactions"].append(self._move("adjustment", -amount, DISPUTE_FEE, dispute["id"]))
        self.tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, status: str) -> Row:
        """Decide a dispute: *won* brings money and fee back, *lost* leaves it."""
        dispute = self.get("dispute", dispute_id)
        dispute["status"] = status
        if status == "won":
            back = self._move("adjustment", dispute["amount"], -DISPUTE_FEE, dispute_id)
            dispute["balance_transactions"].append(back)
            self.rows[dispute["charge"]]["disputed"] = False
            self.tell("charge.dispute.funds_reinstated", dispute)
        self.tell("charge.dispute.closed", dispute)
        return dispute

    def balance(self) -> int:
        """Return what the account holds."""
        return sum(row["net"] for row in self.of_kind("balance_transaction"))

    def told_balance(self) -> Row:
        """Return the account's balance as an object: what was moved in the last two days is pending."""
        moved = self.of_kind("balance_transaction")
        pending = sum(row["net"] for row in moved if row["available_on"] > self.now())
        parts = {"available": self.balance() - pending, "pending": pending}
        told = {name: [{"amount": amount, "currency": self.settles[0]}] for name, amount in parts.items()}
        return {"object": "balance", "livemode": self.live, **told}

    def move(self, kind: str, amount: int, words: str = "") -> Row:
        """Let Stripe move the balance by itself: a fee, a tax, a reserve, a correction."""
        row = self._move(kind, amount, 0, "")
        row.update(source=None, description=words)
        return row

    def pay_out(self) -> Row:
        """Send all that the account holds to the bank."""
        amount = self.balance()
        if amount <= 0:
            raise invalid("There is nothing to pay out", code="balance_insufficient")
        payout = self._new(
            "po",
            "payout",
            amount=amount,
            arrival_date=self.now() // DAY * DAY + DAY,
            automatic=True,
            currency="vnd",
            status="paid",
        )
        payout["balance_transaction"] = self._move("payout", -amount, 0, payout["id"])["id"]
        self.tell("payout.created", payout)
        self.tell("payout.paid", payout)
        return payout

    def fail_payout(self, payout_id: str) -> Row:
        """Let the bank send a payout back; the money is Stripe's again."""
        payout = self.get("payout", payout_id)
        payout["status"] = "failed"
        self._move("payout_failure", payout["amount"], 0, payout_id)
        self.tell("payout.failed", payout)
        return payout

    def tell(self, kind: str, about: Row) -> None:
        """Write an event with the object as it is now."""
        self._count += 1
        self.events.append(
            {
                "id": f"evt_{self._count:020d}",
                "object": "event",
                "api_version": VERSION,
                "created": self.now(),
                "data": {"object": shown(about)},
                "livemode": self.live,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
            }
        )

    def _intent_of(self, session: Row) -> Row:
        if session["payment_intent"]:
            return self.rows[session["payment_intent"]]
        intent = self._new(
            "pi",
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency="vnd",
            latest_charge=None,
            metadata=session["intent_metadata"],
            status="requires_payment_method",
        )
        session["payment_intent"] = intent["id"]
        return intent

    def _charge(self, intent: Row) -> None:
        amount = intent["amount"]
        charge = self._new(
            "ch",
            "charge",
            amount=amount,
            amount_captured=amount,
            amount_refunded=0,
            captured=True,
            currency="vnd",
            disputed=False,
            metadata=intent["metadata"],
            paid=True,
            payment_intent=intent["id"],
            refunded=False,
            status="succeeded",
        )
        charge["balance_transaction"] = self._move("charge", amount, fee_of(amount), charge["id"])["id"]
        intent.update(status="succeeded", amount_received=amount, latest_charge=charge["id"])
        self.tell("charge.succeeded", charge)

    def _move(self, kind: str, amount: int, fee: int, source: str) -> Row:
        currency, dong = self.settles
        amount, fee = amount // dong, fee // dong
        return self._new(
            "txn",
            "balance_transaction",
            amount=amount,
            available_on=self.now() + 2 * DAY,
            currency=currency,
            fee=fee,
            net=amount - fee,
            source=source,
            status="pending",
            type=kind,
        )

    def _new(self, prefix: str, kind: str, **fields: object) -> Row:
        self._count += 1
        row: Row = {"id": f"{prefix}_{self._count:020d}", "object": kind, "created": self.now(), "livemode": self.live}
        self.rows[row["id"]] = row | fields
        return self.rows[row["id"]]


def shown(row: Row) -> Row:
    """Return an object as it goes out: a copy without what only the stand-in needs."""
    return {
        name: copy.deepcopy(value)
        for name, value in row.items()
        if name not in {"line_items_played", "intent_metadata"}
    }


def _flag(about: object, where: str, *, default: bool) -> bool:
    """Return ``enabled`` of a part of a form; the dashboard's setting is played as ``default``."""
    if not isinstance(about, dict):
        raise invalid("Invalid object", where)
    refuse_unknown(about, {"enabled"})
    value = about.get("enabled", "true" if default else "false")
    if value not in {"true", "false"}:
        raise invalid(f"Invalid boolean: {value}", f"{where}[enabled]")
    return bool(value == "true")


def _lines(form: Mapping[str, Any]) -> list[Any]:
    lines = needed(form, "line_items")
    if not isinstance(lines, list):
        raise invalid("Invalid array", "line_items")
    return lines


def _line(line: object, place: int) -> int:
    where = f"line_items[{place}]"
    price = line.get("price_data") if isinstance(line, dict) else None
    if not isinstance(line, dict) or not isinstance(price, dict):
        raise missing(f"{where}[price_data]")
    refuse_unknown(line, {"price_data", "quantity"})
    refuse_unknown(price, {"currency", "unit_amount", "product_data"})
    if str(needed(price, "currency")).lower() != "vnd":
        raise invalid("Only vnd is played here", f"{where}[price_data][currency]")
    if not isinstance(price.get("product_data"), dict) or not price["product_data"].get("name"):
        raise missing(f"{where}[price_data][product_data][name]")
    amount = integer(needed(price, "unit_amount"), f"{where}[price_data][unit_amount]")
    if amount < 0:
        raise WireError(
            400, "invalid_request_error", "Invalid non-negative integer", "parameter_invalid_integer", where
        )
    return amount * integer(line.get("quantity", "1"), f"{where}[quantity]")
