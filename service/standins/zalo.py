"""A Zalo that behaves like the real one: template messages, single-use refresh tokens, error codes, a daily quota.

    python -m service.standins.zalo --port 8802 --folder .hocphi/zalo --links http://127.0.0.1:8000/t/

Families' messages are shown at ``/`` as a parent would see them, and as JSON at ``/messages``.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from notifications.quiet import SCHOOL_TIME
from notifications.rules import Kind
from notifications.wording.codes import code_template
from notifications.wording.zns import ZnsTemplate, template
from service.standins.journal import Journal
from service.standins.screens import page, style
from service.standins.serving import Running, serve, start_in_thread
from service.standins.trouble import Trouble

APP_ID = "4000000000000000001"
APP_SECRET = "stand-in-zalo-secret"  # noqa: S105  opens nothing but this stand-in
FIRST_ACCESS = "stand-in-access-1"
FIRST_REFRESH = "stand-in-refresh-1"
TEMPLATE_IDS: Mapping[tuple[Kind, str], str] = {
    (Kind.BILL_ISSUED, "vi"): "500101",
    (Kind.PAYMENT_RECEIVED, "vi"): "500102",
    (Kind.BILL_REPLACED, "vi"): "500104",
    (Kind.BILL_VOIDED, "vi"): "500105",
    (Kind.BILL_CREDITED, "vi"): "500106",
    (Kind.CREDIT_USED, "vi"): "500107",
    (Kind.BILL_REMINDED, "vi"): "500108",
    (Kind.CONTRACT_OFFERED, "vi"): "500109",
    (Kind.CHOICE_OFFERED, "vi"): "500110",
    (Kind.PAYMENT_TAKEN_BACK, "vi"): "500111",
    (Kind.CARD_UNPAID, "vi"): "500112",
    (Kind.BILL_ISSUED, "en"): "500201",
    (Kind.BILL_REPLACED, "en"): "500204",
    (Kind.BILL_VOIDED, "en"): "500205",
    (Kind.BILL_CREDITED, "en"): "500206",
    (Kind.CREDIT_USED, "en"): "500207",
    (Kind.BILL_REMINDED, "en"): "500208",
    (Kind.CONTRACT_OFFERED, "en"): "500209",
    (Kind.CHOICE_OFFERED, "en"): "500210",
    (Kind.PAYMENT_TAKEN_BACK, "en"): "500211",
    (Kind.CARD_UNPAID, "en"): "500212",
    (Kind.PAYMENT_RECEIVED, "en"): "500202",
}
CODE_TEMPLATE = "500103"
ACCESS_SECONDS = 25 * 3600
TROUBLES = ("500", "accept-then-500", "accept-then-silence", "garbage")
_SILENCE_SECONDS = 120
_SHOWN = 200
_PHONE = re.compile(r"84[35789][0-9]{8}\Z")


@dataclass(frozen=True, slots=True)
class ZaloRules:
    """How this Zalo is set up. Phones ending in ``without_zalo`` have no account; empty means all have one."""

    links: str = "http://127.0.0.1:8000/t/"
    daily_quota: int = 50_000
    without_zalo: str = "000"
    access_seconds: int = ACCESS_SECONDS


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message on a parent's phone."""

    msg_id: str
    phone: str
    template_id: str
    tracking_id: str
    title: str
    paragraphs: list[str]
    rows: list[list[str]]
    button: list[str]
    params: dict[str, str]
    sent_time: int


class Refusal(Exception):  # noqa: N818  a named sentence, as in the rule rooms
    """Zalo says no: its code and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass
class Zalo:
    """The state of the stand-in; everything that must outlive a kill is in two journals."""

    folder: Path
    rules: ZaloRules = field(default_factory=ZaloRules)
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.trouble = Trouble(TROUBLES)
        self._messages = Journal(self.folder / "messages.jsonl")
        self._tokens = Journal(self.folder / "tokens.jsonl")
        self.delivered = [Delivered(**entry) for entry in self._messages.entries()]
        self._templates = {
            id_: template(kind, "en" if lang == "en" else "vi") for (kind, lang), id_ in TEMPLATE_IDS.items()
        } | {CODE_TEMPLATE: code_template("vi")}
        first = {"access": FIRST_ACCESS, "refresh": FIRST_REFRESH, "since": self.now()}
        self._pair: dict[str, Any] = first
        for entry in self._tokens.entries():
            self._pair = entry

    def accept(self, headers: Mapping[str, str], body: object) -> dict[str, Any]:
        """Take one message as Zalo does; raises ``Refusal``."""
        self._check_token(headers)
        if not isinstance(body, dict):
            raise Refusal(-100, "Body is invalid")
        phone, template_id, params = body.get("phone"), body.get("template_id"), body.get("template_data")
        if not isinstance(phone, str) or not _PHONE.match(phone):
            raise Refusal(-108, "Phone number is invalid")
        form = self._templates.get(str(template_id))
        if form is None:
            raise Refusal(-112, "Template is invalid or not enabled")
        filled = _fill(form, params if isinstance(params, dict) else {}, self.rules.links)
        if self.rules.without_zalo and phone.endswith(self.rules.without_zalo):
            raise Refusal(-118, "Zalo account not existed")
        left = self.rules.daily_quota - self._sent_today()
        if left <= 0:
            raise Refusal(-1472, "Out of daily quota")
        delivered = self._deliver(phone, str(template_id), str(body.get("tracking_id", "")), filled)
        quota = {"dailyQuota": str(self.rules.daily_quota), "remainingQuota": str(left - 1)}
        return {"msg_id": delivered.msg_id, "sent_time": str(delivered.sent_time), "quota": quota}

    def renew(self, secret_key: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Trade a refresh token for a new pair, once; raises ``Refusal``."""
        if not hmac.compare_digest(secret_key.encode(), APP_SECRET.encode()) or form.get("app_id") != APP_ID:
            raise Refusal(-14004, "Invalid app or secret key")
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self._pair["refresh"]:
            raise Refusal(-14014, "Invalid refresh token")
        self._pair = {
            "access": secrets.token_urlsafe(24),
            "refresh": secrets.token_urlsafe(24),
            "since": self.now(),
        }
        self._tokens.append(self._pair)
        return {
            "access_token": self._pair["access"],
            "refresh_token": self._pair["refresh"],
            "expires_in": str(self.rules.access_seconds),
        }

    def _check_token(self, headers: Mapping[str, str]) -> None:
        access = headers.get("access_token", "")
        expired = self.now() - self._pair["since"] > self.rules.access_seconds
        if access != self._pair["access"] or expired:
            raise Refusal(-124, "Access token is invalid")
        proof = headers.get("appsecret_proof")
        expected = hmac.new(APP_SECRET.encode(), access.encode(), hashlib.sha256).hexdigest()
        if proof is not None and not hmac.compare_digest(proof.encode(), expected.encode()):
            raise Refusal(-1241, "appsecret_proof is invalid")

    def _sent_today(self) -> int:
        today = _day(int(self.now() * 1000))
        newest_first = reversed(self.delivered)
        return sum(1 for _ in itertools.takewhile(lambda one: _day(one.sent_time) == today, newest_first))

    def _deliver(self, phone: str, template_id: str, tracking_id: str, filled: dict[str, Any]) -> Delivered:
        delivered = Delivered(
            msg_id=secrets.token_hex(10),
            phone=phone,
            template_id=template_id,
            tracking_id=tracking_id,
            sent_time=int(self.now() * 1000),
            **filled,
        )
        self._messages.append(asdict(delivered))
        self.delivered.append(delivered)
        return delivered


def _fill(form: ZnsTemplate, params: dict[str, Any], links: str) -> dict[str, Any]:
    """Put the parameters into the template after Zalo's checks: there, text, not too long."""
    for name, limit in form.params().items():
        value = params.get(name)
        if not isinstance(value, str) or not value:
            raise Refusal(-1122, f"Parameter {name} is missing or invalid")
        if len(value) > limit:
            raise Refusal(-1121, f"Parameter {name} is longer than {limit}")
    used = {name: params[name] for name in form.params()}

    def put(text: str) -> str:
        return re.sub(r"<([a-z_]+)>", lambda found: used[found[1]], text)

    base = f"{links.rstrip('/').rpartition('/')[0]}/{form.page}/"
    return {
        "title": put(form.title),
        "paragraphs": [put(text) for text in form.paragraphs],
        "rows": [[label, put(value)] for label, value in form.rows],
        "button": [form.button[0], base + put(form.button[1]) if form.button[0] else ""],
        "params": used,
    }


def _day(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).astimezone(SCHOOL_TIME).date().isoformat()


class _Doors:
    """What the stand-in answers over HTTP."""

    def __init__(self, zalo: Zalo) -> None:
        self._zalo = zalo

    async def send(self, request: Request) -> Response:
        """Zalo's address for messages."""
        mode = self._zalo.trouble.take()
        if mode == "500":
            return PlainTextResponse("Internal Server Error", 500)
        if mode == "garbage":
            return PlainTextResponse("<html>502 Bad Gateway</html>")
        try:
            data = self._zalo.accept(request.headers, await _json(request))
        except Refusal as refusal:
            return JSONResponse({"error": refusal.code, "message": refusal.words})
        if mode == "accept-then-500":
            return PlainTextResponse("Internal Server Error", 500)
        if mode == "accept-then-silence":
            await asyncio.sleep(_SILENCE_SECONDS)
        return JSONResponse({"error": 0, "message": "Success", "data": data})

    async def renew(self, request: Request) -> Response:
        """Zalo's address for tokens."""
        async with request.form() as form:
            words = {name: str(value) for name, value in form.items()}
        try:
            return JSONResponse(self._zalo.renew(request.headers.get("secret_key", ""), words))
        except Refusal as refusal:
            return JSONResponse({"error": refusal.code, "error_name": refusal.words})

    async def messages(self, request: Request) -> Response:
        """All messages, or one phone's, as JSON."""
        phone = request.query_params.get("phone", "")
        return JSONResponse([asdict(one) for one in self._zalo.delivered if phone in ("", one.phone)])

    async def phone_screen(self, request: Request) -> Response:
        """Show the messages as parents see them."""
        return _screen(self._zalo, request.query_params.get("phone", ""))

    async def trouble(self, request: Request) -> Response:
        """Order a trouble: ``{"mode": …, "times": n}``."""
        wish = await _json(request)
        try:
            self._zalo.trouble.order(str(wish["mode"]), int(wish["times"]))
        except (TypeError, KeyError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"ordered": wish})


def app(zalo: Zalo) -> Starlette:
    """Return the ASGI program: Zalo's two addresses, the page of messages, and the door for troubles."""
    doors = _Doors(zalo)
    return Starlette(
        routes=[
            Route("/message/template", doors.send, methods=["POST"]),
            Route("/v4/oa/access_token", doors.renew, methods=["POST"]),
            Route("/messages", doors.messages),
            Route("/trouble", doors.trouble, methods=["POST"]),
            Route("/style.css", style),
            Route("/", doors.phone_screen),
        ]
    )


def start(folder: Path, port: int = 0, rules: ZaloRules | None = None) -> tuple[Zalo, Running]:
    """Start in a thread of this process; port 0 takes a free one."""
    zalo = Zalo(folder, rules or ZaloRules())
    return zalo, start_in_thread(app(zalo), port)


def _screen(zalo: Zalo, phone: str) -> Response:
    chosen = [one for one in zalo.delivered if phone in ("", one.phone)]
    newest = [
        {"one": one, "at": datetime.fromtimestamp(one.sent_time / 1000, UTC).astimezone(SCHOOL_TIME)}
        for one in reversed(chosen[-_SHOWN:])
    ]
    phones = len({one.phone for one in zalo.delivered})
    return page("zalo.html", messages=newest, phone=phone, count=len(chosen), phones=phones)


async def _json(request: Request) -> Any:  # noqa: ANN401  a body can be anything
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        return None


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m service.standins.zalo", description="A stand-in for Zalo.")
    parser.add_argument("--port", type=int, default=8802)
    parser.add_argument("--folder", type=Path, default=Path(".hocphi/zalo"))
    parser.add_argument("--links", default="http://127.0.0.1:8000/t/", help="what the button's address begins with")
    parser.add_argument("--quota", type=int, default=50_000, help="messages a day")
    parser.add_argument("--without-zalo", default="000", help="phones ending like this have no Zalo account")
    chosen = parser.parse_args(arguments)
    rules = ZaloRules(links=chosen.links, daily_quota=chosen.quota, without_zalo=chosen.without_zalo)
    serve(app(Zalo(chosen.folder, rules)), chosen.port)


if __name__ == "__main__":
    main()
