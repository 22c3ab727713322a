"""A stand-in for Stripe: its API, the page on which a cardholder pays, and signed webhooks that come again.

    python -m service.standins.stripe_api --port 8805 --key sk_test_xin_chao --secret whsec_xin_chao --webhook URL

It speaks as much of the wire format as the house uses: form fields with brackets, Bearer key, idempotency keys (the
same answer for the same request, an error for another one), lists with cursors, errors by type, code and parameter.
Troubles come on order. A webhook that is not answered with 2xx comes again, ever later, for three days.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.standins.screens import page, style
from service.standins.serving import Running, serve, start_in_thread
from service.standins.stripe_books import StripeBooks, shown
from service.standins.stripe_wire import WireError, invalid, paged, signature, since, unfold
from service.standins.trouble import Trouble

TROUBLES = ("500", "kept-500", "429", "409", "done-but-silent", "refused-but-500", "garbage")
RETRIES = (0, 60, 5 * 60, 30 * 60, 3 * 3600, 12 * 3600, 24 * 3600, 36 * 3600)
"""Seconds after an event at which it is sent, until one is answered; the last lies before three days are over."""
_SILENCE_SECONDS = 30


@dataclass(slots=True)
class Webhooks:
    """Where events are told, with which secrets (two while one is being changed); what was sent and what is due."""

    secrets: list[str]
    url: str = ""
    sent: dict[str, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)

    def due(self, events: Sequence[Mapping[str, Any]], now: int) -> list[Mapping[str, Any]]:
        """Return the events that are to be sent now."""
        return [each for each in events if self._is_due(each, now)]

    def _is_due(self, event: Mapping[str, Any], now: int) -> bool:
        key, tried = event["id"], self.sent.get(event["id"], 0)
        if key in self.done or key in self.lost or tried >= len(RETRIES):
            return False
        return now >= int(event["created"]) + RETRIES[tried]


@dataclass(slots=True)
class StripeStandIn:
    """One Stripe account behind HTTP, with its key and webhooks. ``asked`` is what came in, for tests to look at."""

    books: StripeBooks
    key: str
    webhooks: Webhooks
    trouble: Trouble = field(default_factory=lambda: Trouble(TROUBLES))
    asked: list[tuple[str, str, dict[str, Any], str]] = field(default_factory=list)
    _answers: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)
    url: str = ""

    def deliver(self, client: httpx.Client) -> int:
        """Send what is due once; return how many were answered with 2xx."""
        now, taken = self.books.now(), 0
        for event in self.webhooks.due(list(self.books.events), now):
            body = event_body(event)
            headers = {"Stripe-Signature": signature(body, self.webhooks.secrets, now), "User-Agent": "Stripe/1.0"}
            headers["Content-Type"] = "application/json; charset=utf-8"
            self.webhooks.sent[event["id"]] = self.webhooks.sent.get(event["id"], 0) + 1
            try:
                answer = client.post(self.webhooks.url, content=body, headers=headers)
            except httpx.TransportError:
                continue
            if answer.is_success:
                self.webhooks.done.add(event["id"])
                taken += 1
        return taken

    def answered(
        self, method: str, path: str, pairs: Sequence[tuple[str, str]], headers: Mapping[str, str], trouble: str = ""
    ) -> Response:
        """Answer one request of the API; to *kept-500* belongs a fault that is kept with its key."""
        idempotency = headers.get("idempotency-key", "")
        try:
            if headers.get("authorization") != f"Bearer {self.key}":
                raise invalid("Invalid API Key provided", status=401)
            form = unfold(pairs)
            self.asked.append((method, path, form, idempotency))
            if method != "POST" or not idempotency:
                return _json(200, self._do(method, path, form))
            return self._once(path, form, idempotency, fails=trouble == "kept-500")
        except WireError as error:
            return _json(error.status, error.body())

    def _once(self, path: str, form: dict[str, Any], idempotency: str, *, fails: bool) -> Response:
        """Do what a key stands for once; an answer that was given is given again, with the mark of a repeat."""
        request = hashlib.sha256(json.dumps([path, form], sort_keys=True).encode()).hexdigest()
        with self.books.lock:
            known = self._answers.get(idempotency)
            if known is None:
                try:
                    status, told = 200, self._failed() if fails else self._do("POST", path, form)
                except WireError as error:
                    status, told = error.status, error.body()
                self._answers[idempotency] = (request, status, json.dumps(told).encode())
        if known is None:
            return _json(status, told)
        if known[0] != request:
            raise WireError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            )
        return Response(known[2], known[1], {"Idempotent-Replayed": "true"}, "application/json")

    def _failed(self) -> dict[str, Any]:
        raise WireError(500, "api_error", "Something went wrong on Stripe's end.")

    def _do(self, method: str, path: str, form: dict[str, Any]) -> dict[str, Any]:
        with self.books.lock:
            parts = path.removeprefix("/v1/").split("/")
            if parts[:2] == ["checkout", "sessions"]:
                return self._sessions(method, parts[2:], form)
            if method == "POST" and parts == ["refunds"]:
                return shown(self.books.refund(form))
            kinds = {
                "payment_intents": "payment_intent",
                "charges": "charge",
                "refunds": "refund",
                "payouts": "payout",
                "balance_transactions": "balance_transaction",
                "disputes": "dispute",
            }
            if method == "GET" and parts == ["balance"]:
                return self.books.told_balance()
            if method == "GET" and parts == ["events"]:
                return paged(since(list(reversed(self.books.events)), form), form, path)
            if method == "GET" and parts[0] in kinds:
                return self._ask(kinds[parts[0]], parts[1:], form, path)
        raise invalid(f"Unrecognized request URL ({method}: {path}).", status=404)

    def _sessions(self, method: str, parts: list[str], form: dict[str, Any]) -> dict[str, Any]:
        if method == "POST" and not parts:
            session = self.books.open_session(form)
            session["url"] = f"{self.url}/c/pay/{session['id']}"
            return shown(session)
        if method == "POST" and parts[1:] == ["expire"]:
            return shown(self.books.expire_session(parts[0]))
        if method == "GET" and len(parts) == 1:
            session = shown(self.books.get("checkout.session", parts[0]))
            return self._with_charge(session) if "payment_intent.latest_charge" in form.get("expand", []) else session
        raise invalid("Unrecognized request URL.", status=404)

    def _with_charge(self, session: dict[str, Any]) -> dict[str, Any]:
        """Return a session with its payment and the payment's charge in full, as ``expand`` asks for it."""
        if session["payment_intent"] is None:
            return session
        intent = shown(self.books.rows[session["payment_intent"]])
        charge = self.books.rows.get(intent["latest_charge"] or "")
        return session | {"payment_intent": intent | {"latest_charge": shown(charge) if charge else None}}

    def _ask(self, kind: str, parts: list[str], form: dict[str, Any], path: str) -> dict[str, Any]:
        if parts:
            return shown(self.books.get(kind, parts[0]))
        rows = [
            row for row in self.books.of_kind(kind) if form.get("payment_intent") in {None, row.get("payment_intent")}
        ]
        return paged(since([shown(row) for row in rows], form), form, path)


def event_body(event: Mapping[str, Any]) -> bytes:
    """Return an event as it goes out by webhook: Stripe indents it by two."""
    return json.dumps(event, indent=2, ensure_ascii=False).encode()


def _json(status: int, told: Mapping[str, Any]) -> Response:
    headers = {"Request-Id": f"req_{abs(hash(str(told))) % 10**12:012d}"}
    return Response(json.dumps(told), status, headers, "application/json")  # in ASCII, as Stripe writes odd characters


class _Doors:
    """What the stand-in answers over HTTP."""

    def __init__(self, house: StripeStandIn) -> None:
        self._house = house

    async def api(self, request: Request) -> Response:
        """Every address below ``/v1/``, with the troubles that were ordered."""
        mode = self._house.trouble.take()
        if mode in {"500", "429", "409", "garbage"}:
            return _troubled(mode)
        raw = request.url.query if request.method == "GET" else (await request.body()).decode()
        pairs = parse_qsl(raw, keep_blank_values=True)
        answer = await asyncio.to_thread(
            self._house.answered, request.method, request.url.path, pairs, dict(request.headers), mode
        )
        if mode == "done-but-silent":
            await asyncio.sleep(_SILENCE_SECONDS)
        if mode == "refused-but-500":
            return _troubled("500")
        return answer

    async def pay_page(self, request: Request) -> Response:
        """Show the page on which the cardholder pays."""
        return self._page(request.path_params["session"])

    async def pay(self, request: Request) -> Response:
        """Do what the cardholder chose there; 3-D Secure asks once more."""
        session_id, form = request.path_params["session"], await request.form()
        card, step = str(form.get("card", "")), str(form.get("step", ""))
        if card == "3ds" and not step:
            return page("stripe_3ds.html", session=session_id)
        outcome = "declined" if card == "declined" or step == "no" else "paid"
        try:
            session = self._house.books.pay(session_id, outcome)
        except WireError:
            return self._page(session_id)
        if outcome == "declined":
            return self._page(session_id, declined=True)
        # A form's policy holds for redirects too, so a page of its own leads back, as Stripe's script does.
        return page("stripe_done.html", back=session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))

    async def order(self, request: Request) -> Response:
        """Order a trouble: ``{"mode": …, "times": n}``."""
        try:
            wish = await request.json()
            self._house.trouble.order(str(wish["mode"]), int(wish["times"]))
        except (TypeError, KeyError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"ordered": wish})

    async def play(self, request: Request) -> Response:
        """Let happen what only the real world decides: payouts, disputes, refunds that fail, Stripe's own movements."""
        books = self._house.books
        try:
            wish = await request.json()
            acts: dict[str, Callable[[], dict[str, Any]]] = {
                "payout": books.pay_out,
                "dispute": lambda: books.dispute(str(wish["intent"])),
                "close": lambda: books.close_dispute(str(wish["dispute"]), str(wish["status"])),
                "fail-refund": lambda: books.fail_refund(str(wish["refund"])),
                "fail-payout": lambda: books.fail_payout(str(wish["payout"])),
                "move": lambda: books.move(str(wish["type"]), int(wish["amount"]), str(wish.get("words", ""))),
            }
            with books.lock:
                return JSONResponse(shown(acts[str(wish["act"])]()))
        except WireError as error:
            return _json(error.status, error.body())
        except (TypeError, KeyError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)

    def _page(self, session_id: str, *, declined: bool = False) -> Response:
        try:
            session = self._house.books.get("checkout.session", session_id)
        except WireError:
            return page("missing.html", 404)
        open_ = session["status"] == "open" and session["expires_at"] > self._house.books.now()
        names = ", ".join(session["line_items_played"])
        amount = f"{session['amount_total']:,}".replace(",", ".")
        values = {"amount": amount, "names": names, "cancel": session["cancel_url"] or "", "open": open_}
        return page("stripe_pay.html", 402 if declined else 200, session=session_id, declined=declined, **values)


def _troubled(mode: str) -> Response:
    if mode == "garbage":
        return PlainTextResponse("<html>502 Bad Gateway</html>", 502)
    type_ = {"429": "rate_limit", "409": "lock_timeout"}.get(mode, "api_error")
    headers = {"Retry-After": "1"} if mode == "429" else {}
    told = {
        "error": {"type": "api_error" if mode == "500" else "invalid_request_error", "code": type_, "message": mode}
    }
    return JSONResponse(told, int(mode), headers)


def app(house: StripeStandIn) -> Starlette:
    """Return the ASGI program."""
    doors = _Doors(house)
    routes: list[tuple[str, Callable[[Request], Awaitable[Response]], list[str]]] = [
        ("/v1/{rest:path}", doors.api, ["GET", "POST"]),
        ("/c/pay/{session}", doors.pay_page, ["GET"]),
        ("/c/pay/{session}", doors.pay, ["POST"]),
        ("/trouble", doors.order, ["POST"]),
        ("/play", doors.play, ["POST"]),
        ("/style.css", style, ["GET"]),
    ]
    return Starlette(routes=[Route(path, door, methods=methods) for path, door, methods in routes])


def make(key: str, secret: str, clock: Callable[[], datetime], webhook: str = "") -> StripeStandIn:
    """Return a stand-in for one account, in the mode of its key."""
    live = key.startswith(("sk_live_", "rk_live_"))
    return StripeStandIn(StripeBooks(clock, live=live), key, Webhooks([secret], webhook))


def start(house: StripeStandIn, port: int = 0) -> Running:
    """Start in a thread of this process; port 0 takes a free one. Webhooks go out when ``deliver`` is called."""
    running = start_in_thread(app(house), port)
    house.url = running.url
    return running


def _deliver_for_ever(house: StripeStandIn) -> None:
    with httpx.Client(timeout=10.0) as client:
        while True:
            house.deliver(client)
            time.sleep(1.0)


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m service.standins.stripe_api", description="Stripe, played.")
    parser.add_argument("--port", type=int, default=8805)
    parser.add_argument("--key", default="sk_test_xin_chao", help="the API key that is believed")
    parser.add_argument("--secret", default="whsec_xin_chao", help="the secret that webhooks are signed with")
    parser.add_argument("--webhook", default="", help="the address that events are told to")
    parser.add_argument("--url", default="", help="how browsers reach this program; its own port if left out")
    chosen = parser.parse_args(arguments)
    house = make(chosen.key, chosen.secret, lambda: datetime.now(UTC), chosen.webhook)
    house.url = chosen.url or f"http://127.0.0.1:{chosen.port}"
    if chosen.webhook:
        threading.Thread(target=_deliver_for_ever, args=(house,), daemon=True).start()
    serve(app(house), chosen.port)


if __name__ == "__main__":
    main()
