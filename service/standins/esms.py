"""An eSMS that behaves like the real one: registered texts only, ids known again for a day, status asked later.

    python -m service.standins.esms --port 8806 --folder .hocphi/esms

Families' texts are shown at ``/`` as a parent would see them, and as JSON at ``/messages``. The callback is a GET
without a signature, with the fields that eSMS publishes, and is tried again only when nobody answers in time.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from notifications.channels.esms import ID_LIMIT, SEND, STATUS
from notifications.quiet import SCHOOL_TIME
from notifications.wording.gsm import ONE_SMS
from notifications.wording.sms import registered
from service.standins.journal import Journal
from service.standins.screens import page, style
from service.standins.serving import Running, serve, start_in_thread
from service.standins.trouble import Trouble

API_KEY = "stand-in-esms-key"
SECRET_KEY = "stand-in-esms-secret"  # noqa: S105  opens nothing but this stand-in
BRANDNAME = "HOCPHI"
TROUBLES = ("500", "accept-then-500", "accept-then-silence", "garbage")
_SILENCE_SECONDS = 120
_SHOWN = 200
_CALLS = 5
_CALL_SECONDS = 5.0
_PHONE = re.compile(r"0[35789][0-9]{8}\Z")
_WAITING_FOR_REPORT, _DONE = 7, 5


@dataclass(frozen=True, slots=True)
class EsmsRules:
    """How this eSMS is set up. Phones with the ending ``lost`` never get a text; ``blocked`` ones are refused."""

    balance: int = 1_000_000_000
    price: int = 850
    lost: str = "999"
    blocked: str = "998"
    report_after: float = 2.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that was taken over; ``arrives`` says whether it reaches its phone."""

    sms_id: str
    phone: str
    text: str
    request_id: str
    at: float
    arrives: bool
    parts: int


class Refusal(Exception):  # noqa: N818  a named sentence, as in the rule rooms
    """eSMS says no: its code and its words."""

    def __init__(self, code: str, words: str, **more: str) -> None:
        super().__init__(words)
        self.answer = {"CodeResult": code, "CountRegenerate": 0, "ErrorMessage": words, **more}


@dataclass
class Esms:
    """The state of the stand-in; what must outlive a kill is in a journal."""

    folder: Path
    rules: EsmsRules = field(default_factory=EsmsRules)
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.trouble = Trouble(TROUBLES)
        self._lock = threading.Lock()
        self._journal = Journal(self.folder / "sent.jsonl")
        self.sent = [Sent(**entry) for entry in self._journal.entries()]
        self._shapes = [_shape(text) for text in registered()]

    def accept(self, body: object) -> Sent:
        """Take one text as eSMS does; raises ``Refusal``."""
        if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
            raise Refusal("99", "Invalid request")
        self.check_keys(body)
        if body.get("Brandname") != BRANDNAME:
            raise Refusal("104", "Brand name code is not exist")
        if body.get("SmsType") != "2":
            raise Refusal("118", "Sms type is not valid")
        phone, text, request_id = body.get("Phone", ""), body.get("Content", ""), body.get("RequestId", "")
        if not _PHONE.match(phone):
            raise Refusal("108", "Phone number is not valid")
        if self.rules.blocked and phone.endswith(self.rules.blocked):
            raise Refusal("99", "Phone is blocked")
        if not any(shape.fullmatch(text) for shape in self._shapes):
            raise Refusal("146", "Sai template Brandname CSKH", SMSID=secrets.token_hex(16))
        return self._take(phone, text, request_id)

    def status(self, named: Mapping[str, str]) -> dict[str, Any]:
        """Tell what became of a text."""
        sms_id = named.get("RefId", "")
        try:
            self.check_keys(named)
        except Refusal:
            return {"CodeResponse": "101", "SMSID": sms_id}
        found = next((one for one in self.sent if one.sms_id == sms_id), None)
        if found is None:
            return {"CodeResponse": "105", "SMSID": sms_id}
        return {"CodeResponse": "100", "SMSID": sms_id, **self.figures(found)}

    def figures(self, one: Sent) -> dict[str, Any]:
        """Return the counts that status and callback tell."""
        done = self.now() - one.at >= self.rules.report_after
        return {
            "SendFailed": int(done and not one.arrives),
            "SendStatus": _DONE if done else _WAITING_FOR_REPORT,
            "SendSuccess": int(done and one.arrives),
            "TotalPrice": float(self.rules.price * one.parts) if done and one.arrives else 0.0,
            "TotalReceiver": 1,
            "TotalSent": int(done),
        }

    def check_keys(self, named: Mapping[str, str]) -> None:
        """Refuse wrong keys."""
        pairs = ((named.get("ApiKey", ""), API_KEY), (named.get("SecretKey", ""), SECRET_KEY))
        if not all(hmac.compare_digest(given.encode(), right.encode()) for given, right in pairs):
            raise Refusal("101", "Authorize Failed")

    def _take(self, phone: str, text: str, request_id: str) -> Sent:
        with self._lock:
            if len(request_id) > ID_LIMIT:
                raise Refusal("110", "RequestId is too long")
            today = _day(self.now())
            if request_id and any(one.request_id == request_id and _day(one.at) == today for one in self.sent):
                raise Refusal("124", "Request exist 1", SendStatus="5")
            if self.rules.balance < self.rules.price * (len(self.sent) + 1):
                raise Refusal("103", "Balance not enough to send message")
            arrives = not (self.rules.lost and phone.endswith(self.rules.lost))
            parts = 1 if len(text) <= ONE_SMS else -(-len(text) // 153)  # 7 of each part bind the parts together
            one = Sent(secrets.token_hex(16), phone, text, request_id, self.now(), arrives, parts)
            self._journal.append(asdict(one))
            self.sent.append(one)
            return one


def _shape(text: str) -> re.Pattern[str]:
    """Return what a registered text lets through: anything in the place of each ``{…}``, the rest to the letter."""
    pieces = re.split(r"\{[a-z_]+\}", text)
    return re.compile(r"[^\n]{1,110}".join(map(re.escape, pieces)))


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(SCHOOL_TIME).date().isoformat()


class _Doors:
    """What the stand-in answers over HTTP."""

    def __init__(self, esms: Esms) -> None:
        self._esms = esms

    async def send(self, request: Request) -> Response:
        """Answer at the address for texts."""
        mode = self._esms.trouble.take()
        if mode == "500":
            return PlainTextResponse("Internal Server Error", 500)
        if mode == "garbage":
            return PlainTextResponse("<html>502 Bad Gateway</html>")
        body = await _json(request)
        try:
            one = self._esms.accept(body)
        except Refusal as refusal:
            return JSONResponse(refusal.answer)
        if body.get("CallbackUrl"):
            self._tell(body["CallbackUrl"], one)
        if mode == "accept-then-500":
            return PlainTextResponse("Internal Server Error", 500)
        if mode == "accept-then-silence":
            await asyncio.sleep(_SILENCE_SECONDS)
        return JSONResponse({"CodeResult": "100", "CountRegenerate": 0, "SMSID": one.sms_id})

    async def status(self, request: Request) -> Response:
        """Answer at the address for asking."""
        return JSONResponse(self._esms.status(request.query_params))

    async def messages(self, request: Request) -> Response:
        """All texts, or one phone's, as JSON."""
        phone = request.query_params.get("phone", "")
        return JSONResponse([asdict(one) for one in self._esms.sent if phone in ("", one.phone)])

    async def phone_screen(self, request: Request) -> Response:
        """Show the texts as parents see them."""
        return _screen(self._esms, request.query_params.get("phone", ""))

    async def trouble(self, request: Request) -> Response:
        """Order a trouble: ``{"mode": …, "times": n}``."""
        wish = await _json(request)
        try:
            self._esms.trouble.order(str(wish["mode"]), int(wish["times"]))
        except (TypeError, KeyError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"ordered": wish})

    def _tell(self, address: str, one: Sent) -> None:
        """Call back once the network has reported; tried again only when nobody answers in time."""

        def call() -> None:
            figures = self._esms.figures(one)
            more = {"SMSID": one.sms_id, "RequestId": one.request_id, "TypeId": "2", "phonenumber": one.phone}
            for _ in range(_CALLS):
                try:
                    httpx.get(f"{address}?{urlencode(figures | more)}", timeout=_CALL_SECONDS)
                except httpx.TimeoutException:
                    continue
                except httpx.HTTPError:
                    pass
                return

        timer = threading.Timer(self._esms.rules.report_after + 0.1, call)
        timer.daemon = True
        timer.start()


def app(esms: Esms) -> Starlette:
    """Return the ASGI program: eSMS's two addresses, the page of texts, and the door for troubles."""
    doors = _Doors(esms)
    return Starlette(
        routes=[
            Route(SEND, doors.send, methods=["POST"]),
            Route(STATUS, doors.status),
            Route("/messages", doors.messages),
            Route("/trouble", doors.trouble, methods=["POST"]),
            Route("/style.css", style),
            Route("/", doors.phone_screen),
        ]
    )


def start(folder: Path, port: int = 0, rules: EsmsRules | None = None) -> tuple[Esms, Running]:
    """Start in a thread of this process; port 0 takes a free one."""
    esms = Esms(folder, rules or EsmsRules())
    return esms, start_in_thread(app(esms), port)


def _screen(esms: Esms, phone: str) -> Response:
    chosen = [one for one in esms.sent if phone in ("", one.phone)]
    newest = [
        {
            "one": one,
            "at": datetime.fromtimestamp(one.at, UTC).astimezone(SCHOOL_TIME),
            "pieces": re.split(r"(https?://\S+)", one.text),
        }
        for one in reversed(chosen[-_SHOWN:])
    ]
    phones = len({one.phone for one in esms.sent})
    return page("esms.html", messages=newest, phone=phone, count=len(chosen), phones=phones, sender=BRANDNAME)


async def _json(request: Request) -> Any:  # noqa: ANN401  a body can be anything
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        return None


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m service.standins.esms", description="A stand-in for eSMS.")
    parser.add_argument("--port", type=int, default=8806)
    parser.add_argument("--folder", type=Path, default=Path(".hocphi/esms"))
    parser.add_argument("--balance", type=int, default=1_000_000_000, help="đồng on the account")
    parser.add_argument("--lost", default="999", help="phones ending like this never get a text")
    parser.add_argument("--blocked", default="998", help="phones ending like this are refused")
    chosen = parser.parse_args(arguments)
    rules = EsmsRules(balance=chosen.balance, lost=chosen.lost, blocked=chosen.blocked)
    serve(app(Esms(chosen.folder, rules)), chosen.port)


if __name__ == "__main__":
    main()
