"""Zalo's template messages (ZNS): verdict in the body, tokens renewed once, doubt never resent.

Public sources disagree on many error codes, and only two are told alike by several: -118 (no Zalo account)
and -124 (token invalid). The others in the table are read in the way that harms least when it is wrong: a
refusal is certain in every case, so at worst a family is served by its next channel.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, NoReturn, Protocol

import httpx

from notifications.channels.base import Accepted, Channel, Message
from notifications.errors import PermanentFailure, TemporaryFailure, UnknownOutcome, Unreachable

_TRACKING_LIMIT = 48
_ACCESS_SECONDS = 25 * 3600
_VIETNAMESE_MOBILE = re.compile(r"(?:\+?84|0)([35789][0-9]{8})\Z")
# Raised before a request is on its way; anything later leaves us in doubt.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Verdict(Enum):
    """What a refusal means for the message."""

    NEXT_CHANNEL = "this person cannot be reached here"
    PERMANENT = "our template or rights are wrong: a person must look"
    TEMPORARY = "try again later"
    NEXT_DAY = "the quota of the day is used up"
    RENEW_TOKEN = "renew the token once and try again"  # noqa: S105  a sentence, not a password


VERDICTS: Mapping[int, Verdict] = {
    -118: Verdict.NEXT_CHANNEL,  # no Zalo account
    -114: Verdict.NEXT_CHANNEL,  # inactive, refused, or an old app
    -139: Verdict.NEXT_CHANNEL,  # refused this kind of message
    -141: Verdict.NEXT_CHANNEL,  # refused messages of this account
    -108: Verdict.NEXT_CHANNEL,  # phone invalid, others say data empty
    -124: Verdict.RENEW_TOKEN,
    -216: Verdict.RENEW_TOKEN,  # as seen on the neighbouring endpoints of an Official Account
    -220: Verdict.RENEW_TOKEN,
    -133: Verdict.TEMPORARY,  # not at night
    -144: Verdict.NEXT_DAY,
    -147: Verdict.NEXT_DAY,
    -1472: Verdict.NEXT_DAY,
    -1121: Verdict.PERMANENT,  # a parameter too long
    -1122: Verdict.PERMANENT,  # a parameter missing
    -1241: Verdict.PERMANENT,  # appsecret_proof wrong: our secret is
}


@dataclass(frozen=True, slots=True)
class TemplateMessage(Message):
    """A message by template; ``to`` is a Vietnamese mobile number in any usual writing."""

    template_id: str
    params: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """An Official Account's pair: access lasts ``expires_in`` seconds, refresh 3 months and **one** use."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in: int = _ACCESS_SECONDS


class TokenStore(Protocol):
    """Keeps one Official Account's tokens where all workers see them."""

    def current(self) -> Tokens:
        """Return the pair in use."""
        ...

    def renew(self, refused: str, exchange: Callable[[str], Tokens]) -> Tokens:
        """Return a pair newer than the ``refused`` access token.

        Under a lock: if somebody else has renewed already, that pair is returned; else ``exchange`` is called
        with the refresh token, and both new tokens are stored for good before the lock is given back.
        A refresh token works once, so two workers must never exchange the same one.
        """
        ...


@dataclass(frozen=True, slots=True)
class ZaloApp:
    """Our application at Zalo and where Zalo answers."""

    app_id: str
    app_secret: str = field(repr=False)
    message_base: str = "https://business.openapi.zalo.me"
    oauth_base: str = "https://oauth.zaloapp.com"


class ZaloChannel(Channel[TemplateMessage]):
    """Sends template messages with a client handed in (its time limits are the caller's choice)."""

    name: ClassVar[str] = "zalo"

    def __init__(self, client: httpx.Client, app: ZaloApp, tokens: TokenStore) -> None:
        self._client = client
        self._app = app
        self._tokens = tokens

    def _deliver(self, message: TemplateMessage) -> Accepted:
        body = self._body(message)
        access = self._tokens.current().access
        answer = self._post(body, access)
        if VERDICTS.get(answer["error"]) is Verdict.RENEW_TOKEN:
            renewed = self._tokens.renew(access, self._exchange)
            answer = self._post(body, renewed.access)
        if answer["error"] != 0:
            self._refuse(answer["error"])
        return self._accepted(answer)

    def _body(self, message: TemplateMessage) -> dict[str, Any]:
        if not 0 < len(message.tracking_id) <= _TRACKING_LIMIT:
            raise ValueError(f"a tracking id for Zalo has 1 to {_TRACKING_LIMIT} characters")
        phone = zalo_phone(message.to)
        if phone is None:
            raise Unreachable("Số điện thoại không phải số di động Việt Nam.", channel=self.name, code="phone")
        return {
            "phone": phone,
            "template_id": message.template_id,
            "template_data": dict(message.params),
            "tracking_id": message.tracking_id,
        }

    def _post(self, body: dict[str, Any], access: str) -> dict[str, Any]:
        """Return Zalo's answer, whose ``error`` is a whole number."""
        proof = hmac.new(self._app.app_secret.encode(), access.encode(), hashlib.sha256).hexdigest()
        headers = {"access_token": access, "appsecret_proof": proof}
        url = f"{self._app.message_base}/message/template"
        try:
            response = self._client.post(url, json=body, headers=headers)
        except _NEVER_SENT as trouble:
            raise self._later(type(trouble).__name__) from None
        except httpx.HTTPError as trouble:
            raise self._doubt(type(trouble).__name__) from None
        return self._read(response)

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        if response.is_server_error:
            raise self._doubt(str(response.status_code))
        answer = _json_object(response)
        error = answer.get("error")
        if type(error) is int and (error != 0 or response.is_success):
            return answer
        if response.is_client_error:  # a gate before Zalo's own program said no
            raise self._later(str(response.status_code))
        raise self._doubt("unreadable")

    def _accepted(self, answer: dict[str, Any]) -> Accepted:
        data = answer.get("data")
        number = data.get("msg_id") if isinstance(data, dict) else None
        return Accepted(
            provider_id=str(number) if isinstance(number, str | int) else "",
            raw=json.dumps(answer, ensure_ascii=False),
        )

    def _refuse(self, error: int) -> NoReturn:
        verdict = VERDICTS.get(error, Verdict.PERMANENT)
        code = str(error)
        if verdict is Verdict.NEXT_CHANNEL:
            raise Unreachable("Zalo không gửi được tới người nhận này.", channel=self.name, code=code)
        if verdict is Verdict.NEXT_DAY:
            raise TemporaryFailure("Zalo đã hết hạn mức trong ngày.", channel=self.name, code=code, next_day=True)
        if verdict is Verdict.PERMANENT:
            raise PermanentFailure("Zalo từ chối tin nhắn; cần người xem lại.", channel=self.name, code=code)
        raise self._later(code)  # -133, or a fresh token refused as well

    def _exchange(self, refresh: str) -> Tokens:
        """Trade the refresh token for a new pair; raises ``TemporaryFailure``, for no message was sent."""
        form = {"refresh_token": refresh, "app_id": self._app.app_id, "grant_type": "refresh_token"}
        url = f"{self._app.oauth_base}/v4/oa/access_token"
        try:
            response = self._client.post(url, data=form, headers={"secret_key": self._app.app_secret})
        except httpx.HTTPError as trouble:
            raise self._later(f"token {type(trouble).__name__}") from None
        answer = _json_object(response)
        access, newer = answer.get("access_token"), answer.get("refresh_token")
        if not (isinstance(access, str) and access and isinstance(newer, str) and newer):
            raise self._later(f"token {_number_in(answer, response)}")
        return Tokens(access, newer, _seconds(answer.get("expires_in")))

    def _later(self, code: str) -> TemporaryFailure:
        return TemporaryFailure("Zalo tạm thời không nhận tin.", channel=self.name, code=code)

    def _doubt(self, code: str) -> UnknownOutcome:
        return UnknownOutcome("Zalo không trả lời rõ ràng; không rõ tin đã đi hay chưa.", channel=self.name, code=code)


def zalo_phone(text: str) -> str | None:
    """Return a Vietnamese mobile number as Zalo wants it (``84912345678``), or None if it is none."""
    found = _VIETNAMESE_MOBILE.match(re.sub(r"[ .()-]", "", text))
    return "84" + found[1] if found else None


def _json_object(response: httpx.Response) -> dict[str, Any]:
    """Return the body if it is a JSON object, else an empty one; a provider's answer is not to be trusted."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _seconds(told: object) -> int:
    """Read a lifetime in seconds, told as number or text; without one, the usual 25 hours."""
    text = str(told)
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 9 else _ACCESS_SECONDS  # noqa: PLR2004  30 years


def _number_in(answer: dict[str, Any], response: httpx.Response) -> int:
    error = answer.get("error")
    return error if type(error) is int else response.status_code
