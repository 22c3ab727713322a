"""eSMS's texts under a school's name (SMS brandname, customer care): one call, one text, known again by our id.

Written after the provider's published pages (sending, error codes, status by SMSID, callback; state of April 2026).
100 says that a text was taken over, not that it arrived; 124 says that our ``RequestId`` was seen before today, so the
text is already theirs. That makes doubt repeatable: after silence the same text is offered again under the same id, on
the same day only, since the block is told to hold "trong ngày".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from enum import Enum
from typing import Any, ClassVar, NoReturn

import httpx

from billing.money import Money
from notifications.channels.base import Accepted, Channel, Message
from notifications.channels.zalo import zalo_phone
from notifications.errors import PermanentFailure, RepeatableDoubt, TemporaryFailure, Unreachable

SEND = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
STATUS = "/MainService.svc/json/GetSendStatus"
ID_LIMIT = 50
_CUSTOMER_CARE = "2"
_TAKEN = {"100", "124"}
_NOT_KNOWN_YET = "105"
_DONE = 5
_REFUSED = 4
_MOST_COST = 1_000_000_000
# Raised before a request is on its way; anything later leaves us in doubt.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Verdict(Enum):
    """What a refusal means for the text."""

    NEXT_CHANNEL = "this phone gets no text of ours"
    PERMANENT = "our account, name or text is wrong: a person must look"
    TEMPORARY = "the account must be filled or opened first: try again later"


VERDICTS: Mapping[str, Verdict] = {
    "99": Verdict.NEXT_CHANNEL,  # the phone is blocked there
    "108": Verdict.NEXT_CHANNEL,  # no phone number
    "177": Verdict.NEXT_CHANNEL,  # our name is not registered with this phone's carrier
    "101": Verdict.TEMPORARY,  # keys
    "103": Verdict.TEMPORARY,  # no money left
    "140": Verdict.TEMPORARY,  # our address is not on their list
    "102": Verdict.PERMANENT,  # no price list
    "104": Verdict.PERMANENT,  # the name is not registered
    "118": Verdict.PERMANENT,  # kind of text
    "146": Verdict.PERMANENT,  # the text is not registered
    "201": Verdict.PERMANENT,  # a blocked word
}


class Delivery(Enum):
    """What the provider knows of a text it took over."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Told:
    """An answer about one text: what became of it, the code with which that was said, and what it cost if told."""

    delivery: Delivery
    code: str
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class SmsMessage(Message):
    """A text to a Vietnamese mobile number in any usual writing; at most 160 GSM letters (``wording/gsm.py``)."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EsmsAccount:
    """Our account at eSMS, the registered name that texts come from, where eSMS answers and where it calls us."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    brandname: str
    base: str = "https://rest.esms.vn"
    callback: str = ""


class EsmsChannel(Channel[SmsMessage]):
    """Sends texts, and asks what became of them, with a client handed in (its time limits are the caller's choice)."""

    name: ClassVar[str] = "sms"

    def __init__(self, client: httpx.Client, account: EsmsAccount) -> None:
        self._client = client
        self._account = account

    def _deliver(self, message: SmsMessage) -> Accepted:
        try:
            response = self._client.post(self._account.base + SEND, json=self._body(message))
        except _NEVER_SENT as trouble:
            raise self._later(type(trouble).__name__) from None
        except httpx.HTTPError as trouble:
            raise self._doubt(type(trouble).__name__) from None
        answer = self._read(response)
        if answer["CodeResult"] not in _TAKEN:
            self._refuse(answer["CodeResult"])
        number = answer.get("SMSID")
        raw = json.dumps(answer, ensure_ascii=False, default=str)
        return Accepted(number if isinstance(number, str) else "", raw, answer["CodeResult"])

    def ask(self, sms_id: str) -> Told:
        """Ask what became of a text, by the provider's id; raises ``TemporaryFailure`` when that is not told now."""
        account = self._account
        named = {"RefId": sms_id, "ApiKey": account.api_key, "SecretKey": account.secret_key}
        try:
            response = self._client.get(account.base + STATUS, params=named)
        except httpx.HTTPError as trouble:
            raise self._later(type(trouble).__name__) from None
        answer = json_object(response)
        code = answer.get("CodeResponse", answer.get("CodeResult"))
        if code == _NOT_KNOWN_YET:
            return Told(Delivery.WAITING, _NOT_KNOWN_YET)
        if not response.is_success or code != "100":
            raise self._later(code if isinstance(code, str) else str(response.status_code))
        return read_status(answer)

    def _body(self, message: SmsMessage) -> dict[str, str]:
        if not 0 < len(message.tracking_id) <= ID_LIMIT:
            raise ValueError(f"a RequestId for eSMS has 1 to {ID_LIMIT} characters")
        phone = zalo_phone(message.to)
        if phone is None:
            raise Unreachable("Số điện thoại không phải số di động Việt Nam.", channel=self.name, code="phone")
        account = self._account
        body = {
            "ApiKey": account.api_key,
            "SecretKey": account.secret_key,
            "Phone": f"0{phone[2:]}",
            "Content": message.text,
            "Brandname": account.brandname,
            "SmsType": _CUSTOMER_CARE,
            "IsUnicode": "0",
            "RequestId": message.tracking_id,
        }
        return body | ({"CallbackUrl": account.callback} if account.callback else {})

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        """Return the answer, whose ``CodeResult`` is a text; anything else is a doubt."""
        answer = json_object(response)
        code = answer.get("CodeResult")
        if isinstance(code, str | int) and not isinstance(code, bool) and not response.is_server_error:
            return answer | {"CodeResult": str(code)}
        if response.is_client_error:  # a gate before eSMS's own program said no
            raise self._later(str(response.status_code))
        raise self._doubt(str(response.status_code) if response.is_server_error else "unreadable")

    def _refuse(self, code: str) -> NoReturn:
        verdict = VERDICTS.get(code, Verdict.PERMANENT)
        if verdict is Verdict.NEXT_CHANNEL:
            raise Unreachable("Nhà mạng không nhận SMS cho số này.", channel=self.name, code=code)
        if verdict is Verdict.PERMANENT:
            raise PermanentFailure("eSMS từ chối tin nhắn; cần người xem lại.", channel=self.name, code=code)
        raise self._later(code)

    def _later(self, code: str) -> TemporaryFailure:
        return TemporaryFailure("eSMS tạm thời không nhận tin.", channel=self.name, code=code)

    def _doubt(self, code: str) -> RepeatableDoubt:
        return RepeatableDoubt("eSMS không trả lời rõ ràng; sẽ hỏi lại với cùng mã tin.", channel=self.name, code=code)


def read_status(answer: Mapping[str, Any]) -> Told:
    """Read a status: done means delivered unless a failure is counted; refused is refused; all else is on its way."""
    status, failed, sent = (_count(answer.get(name)) for name in ("SendStatus", "SendFailed", "SendSuccess"))
    code, cost = f"{status}/{sent}/{failed}", _cost(answer.get("TotalPrice"))
    if status == _REFUSED or (status == _DONE and failed and not sent):
        return Told(Delivery.UNDELIVERED, code, cost)
    if status == _DONE and sent:
        return Told(Delivery.DELIVERED, code, cost)
    return Told(Delivery.WAITING, code)


def json_object(response: httpx.Response) -> dict[str, Any]:
    """Return the body if it is a JSON object, else an empty one; its numbers are exact. It is not to be trusted."""
    try:
        answer = json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _count(told: object) -> int:
    text = str(told)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0  # noqa: PLR2004  a count, not a hoax


def _cost(told: object) -> Money | None:
    """Return a price in whole đồng, a part of one counted as one; None if it is none."""
    if isinstance(told, bool) or not isinstance(told, int | str | Decimal):
        return None
    try:
        price = Decimal(told)
    except InvalidOperation:
        return None
    if not price.is_finite() or not 0 <= price <= _MOST_COST:
        return None
    return Money(int(price.to_integral_value(ROUND_CEILING)))
