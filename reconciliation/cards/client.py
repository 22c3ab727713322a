"""A client of Stripe's API over HTTP: forms out, typed objects back, tried again only where that is safe.

The HTTP client is handed in (it keeps no cookies and follows no redirect), and so are the pause and the chance, so that
tests wait for nothing. Every request that changes something carries an idempotency key that the caller derives from a
row of ours: however often it is sent, it happens once. Source: Stripe API reference, "Idempotent requests", "Errors",
"Pagination", and "Advanced error handling" (``Stripe-Should-Retry``, ``Idempotent-Replayed``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from billing.money import Money
from reconciliation.cards.encoding import Fields, form_pairs
from reconciliation.cards.errors import (
    CardDeclined,
    CardFaultKept,
    CardKeyRefused,
    CardKeyReused,
    CardProviderAway,
    CardRequestRefused,
)
from reconciliation.cards.objects import (
    MAX_BYTES,
    Charge,
    Intent,
    Payout,
    Refund,
    Session,
    page_of,
    read_balance,
    read_body,
    read_charge,
    read_intent,
    read_page,
    read_payout,
    read_refund,
    read_session,
)
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.json_body import JsonObject, child, text

VERSION = "2026-10-28.endive"
"""The version of the API that our reading was written for; Stripe answers what we ask in it.

Events are not: one is rendered once, when it happens, in the version of the webhook's endpoint or of the account.
"""
TRIES = 4
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
LONGEST_WISH = 30.0
PAGE = 100
MOST_PAGES = 200
_CONFLICT, _TOO_OFTEN, _SERVER = 409, 429, 500
_NOT_KNOWN = (401, 403)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a family is to pay on Stripe's page, and where the browser goes afterwards."""

    checkout: str
    amount: Money
    name: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    language: str = "vi"


@dataclass(frozen=True, slots=True)
class Answered:
    """An object of Stripe's: as we read it, and the bytes that say so."""

    fields: JsonObject
    body: bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """How long Stripe is waited for.

    ``silences``: how often a request is sent that is not answered, or answered with a fault of Stripe's own.
    ``longest_wish``: seconds that Stripe may make us wait in one go; a longer wish ends the asking.
    """

    silences: int = TRIES
    longest_wish: float = LONGEST_WISH


JOBS = Patience()
FAMILIES = Patience(silences=1, longest_wish=2.0)
"""Somebody looks at a page meanwhile: one try. That a key is in use Stripe answers at once, so that is asked anew."""


@dataclass(frozen=True, slots=True)
class StripeClient:
    """Asks Stripe with one school's key. ``pause`` waits so many seconds; ``chance`` is a number from 0 up to 1."""

    client: httpx.Client
    base_url: str
    key: str = field(repr=False)
    pause: Callable[[float], None]
    chance: Callable[[], float]
    patience: Patience = JOBS

    def open_session(self, wanted: Wanted, idempotency_key: str) -> Session:
        """Make a page on which a family pays; the same key brings the same page again."""
        return read_session(self._post("/v1/checkout/sessions", session_form(wanted), idempotency_key).fields)

    def session(self, session_id: str) -> Answered:
        """Ask what became of a page, with the charge in it: only that tells when the money was taken."""
        return self._get(f"/v1/checkout/sessions/{session_id}", {"expand": ["payment_intent.latest_charge"]})

    def expire_session(self, session_id: str, idempotency_key: str) -> Answered:
        """Close a page on which nobody has paid."""
        return self._post(f"/v1/checkout/sessions/{session_id}/expire", {}, idempotency_key)

    def intent(self, intent_id: str) -> Intent:
        """Ask for a payment."""
        return read_intent(self._get(f"/v1/payment_intents/{intent_id}").fields)

    def charge(self, charge_id: str) -> Charge:
        """Ask for a charge."""
        return read_charge(self._get(f"/v1/charges/{charge_id}").fields)

    def payout(self, payout_id: str) -> Payout:
        """Ask for a payout."""
        return read_payout(self._get(f"/v1/payouts/{payout_id}").fields)

    def balance(self) -> int:
        """Ask what Stripe holds for the account, in đồng."""
        return read_balance(self._get("/v1/balance").fields)

    def refund(self, intent_id: str, amount: Money, mark: str, idempotency_key: str) -> Answered:
        """Give money back to the card; ``mark`` stands in the refund's metadata."""
        form: Fields = {"payment_intent": intent_id, "amount": amount, "metadata": {"refund": mark}}
        return self._post("/v1/refunds", form, idempotency_key)

    def refunds_of(self, intent_id: str) -> list[Refund]:
        """Return the refunds of a payment."""
        pages = self.pages("/v1/refunds", {"payment_intent": intent_id})
        return [refund for page in pages for refund in page_of(page.fields, read_refund)]

    def pages(self, path: str, fields: Fields) -> Iterator[Answered]:
        """Fetch a list page by page, the newest first as Stripe lists it."""
        behind: Fields = {}
        for _ in range(MOST_PAGES):
            answered = self._get(path, {**fields, "limit": PAGE, **behind})
            page = read_page(answered.fields)
            yield answered
            if not page.more or not page.rows:
                return
            behind = {"starting_after": text(page.rows[-1], "id")}
        raise CallbackUnreadable(f"Danh sách {path} của Stripe dài hơn {MOST_PAGES} trang")

    def _get(self, path: str, fields: Fields | None = None) -> Answered:
        return self._ask("GET", path, fields or {}, None)

    def _post(self, path: str, fields: Fields, idempotency_key: str) -> Answered:
        return self._ask("POST", path, fields, idempotency_key)

    def _ask(self, method: str, path: str, fields: Fields, idempotency_key: str | None) -> Answered:
        silences = 0
        for tried in range(TRIES):
            answer = self._send(method, path, fields, idempotency_key)
            if answer is not None and _is_kept(answer):
                raise CardFaultKept("Nhà cung cấp thẻ lặp lại lỗi cũ của yêu cầu này. Chưa biết đã được làm hay chưa.")
            if answer is not None and not _again(answer):
                return _read(answer)
            silences += answer is None or answer.is_server_error
            wished = 0.0 if answer is None else _wished(answer)
            enough = silences >= self.patience.silences or wished > self.patience.longest_wish
            if tried == TRIES - 1 or enough:
                break
            self.pause(max(self._back_off(tried), wished))
        raise CardProviderAway("Nhà cung cấp thẻ không trả lời hoặc báo bận. Chưa biết yêu cầu đã được làm hay chưa.")

    def _send(self, method: str, path: str, fields: Fields, idempotency_key: str | None) -> httpx.Response | None:
        """Send once; None when nobody knows what became of it."""
        headers = {"Authorization": f"Bearer {self.key}", "Stripe-Version": VERSION, "Accept": "application/json"}
        form = httpx.QueryParams(tuple(form_pairs(fields)))
        try:
            if method == "GET":
                return self.client.get(self.base_url + path, params=form, headers=headers)
            # Written here: of no pairs the client would make no form at all, which Stripe refuses.
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Idempotency-Key"] = idempotency_key or ""
            return self.client.post(self.base_url + path, content=str(form), headers=headers)
        except (httpx.TransportError, httpx.DecodingError):
            return None

    def _back_off(self, tried: int) -> float:
        """Return between half and the whole of a pause that doubles, so that many callers do not come at once."""
        longest = min(FIRST_PAUSE * 2**tried, LONGEST_PAUSE)
        return float(max(FIRST_PAUSE, longest * 0.5 * (1 + self.chance())))


def session_form(wanted: Wanted) -> Fields:
    """Return the form of a Checkout Session: one line, our row's id on session and payment.

    Which ways of paying are offered is set in Stripe's dashboard: the field for it has another name in each version.
    Adaptive Pricing would show a family its own currency with a charge for exchanging in it: what we say costs nothing
    would cost something, so it is off whatever the dashboard says.
    """
    product: Fields = {"name": wanted.name}
    price: Fields = {"currency": "vnd", "unit_amount": wanted.amount, "product_data": product}
    return {
        "mode": "payment",
        "client_reference_id": wanted.checkout,
        "line_items": [{"quantity": 1, "price_data": price}],
        "payment_intent_data": {"metadata": {"checkout": wanted.checkout}},
        "metadata": {"checkout": wanted.checkout},
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        "expires_at": int(wanted.expires_at.timestamp()),
        "locale": wanted.language,
        "adaptive_pricing": {"enabled": False},
    }


def _again(answer: httpx.Response) -> bool:
    """Tell whether the same request should be sent again; Stripe's own word goes first."""
    asked = answer.headers.get("stripe-should-retry", "")
    if asked in {"true", "false"}:
        return bool(asked == "true")
    return answer.status_code in {_CONFLICT, _TOO_OFTEN} or answer.status_code >= _SERVER


def _is_kept(answer: httpx.Response) -> bool:
    """Tell whether it is a fault that is kept with the key: asking again with it brings nothing else for a day."""
    return answer.is_server_error and answer.headers.get("idempotent-replayed") == "true"


def _wished(answer: httpx.Response) -> float:
    seconds = answer.headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 6 else 0.0  # noqa: PLR2004  a day


def _read(answer: httpx.Response) -> Answered:
    """Return what an answer holds; raises what Stripe says is wrong."""
    if len(answer.content) > MAX_BYTES:
        raise CallbackUnreadable("Câu trả lời của Stripe quá dài")
    # 409: the same key is under way in another request, which may yet do it, whatever Stripe says of trying again.
    if answer.is_server_error or answer.status_code in {_CONFLICT, _TOO_OFTEN}:
        raise CardProviderAway("Nhà cung cấp thẻ báo lỗi. Chưa biết yêu cầu đã được làm hay chưa.")
    try:
        fields = read_body(answer.content)
    except CallbackUnreadable:
        if answer.is_success:
            raise
        fields = {}
    if not answer.is_success:
        raise problem(answer.status_code, fields)
    return Answered(fields, answer.content)


def problem(status: int, fields: JsonObject) -> CardRequestRefused:
    """Return Stripe's error object as ours; what it leaves out is empty."""
    told = child(fields, "error") if isinstance(fields.get("error"), dict) else {}
    words = {name: str(told.get(name) or "")[:200] for name in ("type", "code", "param", "decline_code")}
    kinds = {"card_error": CardDeclined, "idempotency_error": CardKeyReused}
    kind = CardKeyRefused if status in _NOT_KNOWN else kinds.get(words["type"], CardRequestRefused)
    saying = "; ".join(value for value in (words["code"] or words["type"], words["param"]) if value)
    return kind(
        f"Nhà cung cấp thẻ từ chối (HTTP {status}{': ' + saying if saying else ''}).",
        status=status,
        type_=words["type"],
        code=words["code"],
        param=words["param"],
        decline_code=words["decline_code"],
    )
