"""VietQR.vn: ``transaction-sync``, one movement per call, by a bearer we issued or signed by an agency (pure).

Source: api.vietqr.vn "API Transaction Sync" and doc.vietqr.vn "Tài liệu kết nối VietQR". The Vietnamese page writes
``bankaccount``, ``transactionid``, ``transactiontime``; the English one and the agency's ``bankAccount`` and so on:
both are read. VietQR.vn logs in to us and sends the token it was given: ``token`` is one made by ``issue``, good for
300 seconds and given out by ``log_in``; ``bearer`` is the secret itself, for a partner that keeps one token.
``agency`` signs ``transactionId + amount in ten digits + transactionTime + orderId`` with HMAC-SHA256; its parts stand
without anything between them, so a digit may wander; account, memo, direction and ``referencenumber`` are not signed at
all. Its messages with the same signed text are one movement, whatever else they say. The rule of the optional ``sign``
is published nowhere and not judged. No scheme proves the amount.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciliation.errors import CallbackRefused, CallbackUnreadable, SignatureMissing
from reconciliation.feeds.base import MAX_BODY_BYTES, Answer, NormalisedTransfer, header
from reconciliation.feeds.json_body import JsonObject, amount_in_digits, needed_code, read_object, text
from reconciliation.feeds.moments import SPACED, TO_THE_MINUTE, moment, moment_of_milliseconds
from reconciliation.feeds.signing import (
    MAX_AGE,
    SignedFeed,
    as_bytes,
    bearer,
    hmac_hex,
    id_of_signed,
    moment_of,
    needed_signature,
    raw_text,
    same,
)
from reconciliation.matching import Direction

PROVIDER = "vietqrvn"
TOKEN = "token"  # noqa: S105  the name of a scheme
BEARER = "bearer"
AGENCY = "agency"

_BASIC = re.compile(r"Basic ([A-Za-z0-9+/=]{1,2000})", re.IGNORECASE)
_TOKEN = re.compile(r"([0-9]{1,11})\.([0-9a-f]{64})")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")
_AMOUNT_DIGITS = 10
_DIRECTIONS = {"C": Direction.IN, "D": Direction.OUT}
_CAMEL = {"bankaccount": "bankAccount", "transactionid": "transactionId", "transactiontime": "transactionTime"}


class VietqrvnFeed(SignedFeed):
    """One agreement with VietQR.vn, pinned to one scheme."""

    provider = PROVIDER
    name = "VietQR.vn"
    schemes = (TOKEN, BEARER, AGENCY)
    unproven = frozenset(schemes)
    bare_keys = frozenset({TOKEN, BEARER})
    paths = ("", "bank/api/transaction-sync")
    log_in_path = "api/token_generate"

    def __init__(self, scheme: str, secrets: Sequence[str]) -> None:
        super().__init__(scheme, secrets)
        self.refused = (
            _answer(401, error=True, errorReason="002", toastMessage="", messageError="Invalid signature")
            if scheme == AGENCY
            else _answer(401, error=True, errorReason="E74", toastMessage="Invalid token", object=None)
        )

    @classmethod
    def scheme_of(cls, headers: Mapping[str, str], body: bytes) -> str:
        """Return the scheme a message carries; raises ``SignatureMissing`` when it carries none."""
        if "authorization" in {name.lower() for name in headers}:
            return TOKEN if _TOKEN.fullmatch(bearer(headers)) else BEARER
        if "signature" in read_object(body, MAX_BODY_BYTES):
            return AGENCY
        raise SignatureMissing("Không có tiêu đề Authorization hay trường signature")

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:
        """Check token or signature; return when a token was issued."""
        if self.scheme == TOKEN:
            return self._check_token(bearer(headers))
        if self.scheme == BEARER:
            self.demand_bearer(headers)
        else:
            self._check_signature(read_object(body, MAX_BODY_BYTES))
        return None

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read one movement; raises ``CallbackUnreadable``."""
        fields = _one_spelling(read_object(body, MAX_BODY_BYTES))
        direction = _DIRECTIONS.get(text(fields, "transType", 10))
        if direction is None:
            raise CallbackUnreadable("Trường transType phải là C hoặc D", field="transType")
        reference = needed_code(fields, "referencenumber", 100)
        return (
            NormalisedTransfer(
                provider=PROVIDER,
                provider_id=reference if self.scheme != AGENCY else _agency_id(fields),
                account=needed_code(fields, "bankaccount", 30),
                direction=direction,
                amount=amount_in_digits(fields, "amount"),
                memo=text(fields, "content"),
                bank_reference=reference,
                time=_time(fields),
            ),
        )

    def accepted(self, body: bytes) -> Answer:
        """Return the provider's answer; our own id of the message is the digest under which it is stored."""
        if self.scheme == AGENCY:
            return _answer(200, error=False, errorReason="000", toastMessage=_told_id(body), messageError="Success")
        ours = {"reftransactionid": hashlib.sha256(body).hexdigest()}
        return _answer(200, error=False, errorReason="", toastMessage="", object=ours)

    def log_in(self, headers: Mapping[str, str], now: datetime) -> Answer:
        """Give out a token for 300 seconds to who names the secret as password (Basic, with any user name)."""
        try:
            given = _password(headers)
            self.demand(lambda secret: self.scheme == TOKEN and same(given, secret))
        except CallbackRefused as refused:
            return _answer(400, status="FAILED", message=f"E74: {refused.message}")
        token = issue(self._secrets[0], int(now.timestamp()))
        return _answer(200, access_token=token, token_type="Bearer", expires_in=int(MAX_AGE.total_seconds()))  # noqa: S106  the kind, no password

    def _check_token(self, token: str) -> datetime:
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise SignatureMissing("Tiêu đề Authorization không mang mã do hệ thống này cấp")
        issued = int(match[1])
        self.demand(lambda secret: same(token, issue(secret, issued)))
        return moment_of(issued)

    def _check_signature(self, fields: JsonObject) -> None:
        given = needed_signature(fields, "signature", _SIGNATURE).lower()
        signed = agency_text(fields)
        self.demand(lambda secret: same(given, hmac_hex(secret, signed, "sha256")))


def _password(headers: Mapping[str, str]) -> str:
    """Return the password of ``Authorization: Basic``; raises ``SignatureMissing``."""
    match = _BASIC.fullmatch(header(headers, "Authorization"))
    try:
        _, found, password = base64.b64decode(match[1] if match else "", validate=True).decode().partition(":")
    except ValueError:
        found = ""
    if not found:
        raise SignatureMissing("Tiêu đề Authorization phải có dạng: Basic base64(tên:mật khẩu)")
    return password


def issue(secret: bytes, seconds: int) -> str:
    """Return the token that is given out at a moment (Unix time): the moment, and its HMAC-SHA256."""
    return f"{seconds}.{hmac_hex(secret, f'{PROVIDER} {seconds}'.encode(), 'sha256')}"


def agency_text(fields: JsonObject) -> bytes:
    """Return what an agency signs; the secret is used as the text it is, also where it looks like base64."""
    named = _one_spelling(fields)
    parts = [raw_text(named, name) for name in ("transactionid", "amount", "transactiontime", "orderId")]
    parts[1] = parts[1].zfill(_AMOUNT_DIGITS)
    return as_bytes("".join(parts))


def _agency_id(fields: JsonObject) -> str:
    """Return what tells an agency's movement apart; without an id of its own two of one moment would sign alike."""
    needed_code(fields, "transactionid", 100)
    return id_of_signed(agency_text(fields))


def _one_spelling(fields: JsonObject) -> JsonObject:
    """Return the fields under the names of the Vietnamese page; a field that comes in both spellings is refused."""
    named = dict(fields)
    for name, camel in _CAMEL.items():
        if name in named and camel in named:
            raise CallbackUnreadable(f"Trường {name} được viết hai cách", field=name)
        if camel in named:
            named[name] = named.pop(camel)
    return named


def _time(fields: JsonObject) -> datetime:
    if isinstance(fields.get("transactiontime"), str):
        return moment(fields, "transactiontime", SPACED, TO_THE_MINUTE)
    return moment_of_milliseconds(fields, "transactiontime")


def _told_id(body: bytes) -> str:
    """Return the provider's own id of a movement; nothing where the bytes tell none."""
    try:
        return raw_text(_one_spelling(read_object(body, MAX_BODY_BYTES)), "transactionid")
    except CallbackUnreadable:
        return ""


def _answer(status: int, /, **fields: object) -> Answer:
    return Answer(status, json.dumps(fields).encode())
