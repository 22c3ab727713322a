"""Casso: bank balance changes, by webhook v2 (signed, one movement) or v1 (a fixed token, a list of them) (pure).

Source: casso.vn "Tích hợp webhook tùy chỉnh vào Casso" (v1) and CassoHQ/casso-webhook-v2-verify-signature (v2). v2
signs ``t.JSON`` with HMAC-SHA512, where JSON is the body with sorted keys as JavaScript writes it; the published
servers differ on escapes, so the raw body is tried too. Casso sends again on anything but 200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, SignatureMissing
from reconciliation.feeds.base import MAX_BODY_BYTES, Kind, NormalisedTransfer, header
from reconciliation.feeds.json_body import (
    MAX_DONG,
    JsonObject,
    child,
    code,
    needed_code,
    read_object,
    rows,
    text,
    whole,
)
from reconciliation.feeds.moments import SPACED, moment
from reconciliation.feeds.signing import SignedFeed, as_bytes, compact_sorted, hmac_hex, moment_of, same
from reconciliation.matching import Direction

PROVIDER = "casso"
V1 = "v1"
V2 = "v2"
SIGNATURE_HEADER = "X-Casso-Signature"
TOKEN_HEADER = "Secure-Token"  # noqa: S105  the name of a header

_SIGNATURE = re.compile(r"t=([0-9]{1,14}), ?v1=([0-9a-f]{128})", re.IGNORECASE)


class CassoFeed(SignedFeed):
    """One Casso webhook, pinned to one version."""

    provider = PROVIDER
    name = "Casso"
    schemes = (V2, V1)
    unproven = bare_keys = frozenset({V1})

    @classmethod
    def scheme_of(cls, headers: Mapping[str, str], body: bytes) -> str:  # noqa: ARG003  the headers tell
        """Return the version a message carries; raises ``SignatureMissing`` when it carries none."""
        names = {name.lower() for name in headers}
        if SIGNATURE_HEADER.lower() in names:
            return V2
        if TOKEN_HEADER.lower() in names:
            return V1
        raise SignatureMissing(f"Không có tiêu đề {SIGNATURE_HEADER} hay {TOKEN_HEADER}")

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:
        """Check the signature but not its age; a token carries no moment."""
        if self.scheme == V1:
            token = header(headers, TOKEN_HEADER)
            self.demand(lambda secret: same(token, secret))
            return None
        return self._check_signature(body, headers)

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read one movement (v2) or several (v1); raises ``CallbackUnreadable``."""
        fields = read_object(body, MAX_BODY_BYTES)
        if fields.get("error") != 0:
            raise CallbackUnreadable("Trường error phải là 0", field="error")
        if self.scheme == V2:
            return (_signed_movement(child(fields, "data")),)
        return tuple(map(_listed_movement, rows(fields, "data")))

    def _check_signature(self, body: bytes, headers: Mapping[str, str]) -> datetime:
        match = _SIGNATURE.fullmatch(header(headers, SIGNATURE_HEADER))
        if match is None:
            raise SignatureMissing("Chữ ký Casso phải có dạng t=<mili giây>,v1=<128 chữ số hex>")
        milliseconds, given = match[1], match[2].lower()
        texts = _texts(body)
        self.demand(lambda secret: True in [same(given, sign(each, milliseconds, secret)) for each in texts])
        return moment_of(int(milliseconds) // 1000)


def sign(text_to_sign: bytes, milliseconds: str, secret: bytes) -> str:
    """Return the hex HMAC-SHA512 over ``t.text``."""
    return hmac_hex(secret, milliseconds.encode() + b"." + text_to_sign, "sha512")


def _texts(body: bytes) -> tuple[bytes, ...]:
    """Return what the provider may have signed: the bytes themselves, and their JSON with sorted keys."""
    try:
        return body, as_bytes(compact_sorted(read_object(body, MAX_BODY_BYTES)))
    except CallbackUnreadable:
        return (body,)


def _signed_movement(data: JsonObject) -> NormalisedTransfer:
    direction, amount = moved(data)
    number = whole(data, "id", least=0)
    return NormalisedTransfer(
        provider=PROVIDER,
        provider_id=str(number),
        account=needed_code(data, "accountNumber", 30),
        virtual_account=code(data, "virtualAccountNumber", 30) or None,
        direction=direction,
        amount=amount,
        memo=text(data, "description"),
        bank_reference=text(data, "reference", 64) or None,
        time=moment(data, "transactionDateTime", SPACED),
        kind=_kind(number),
        payer_account=text(data, "counterAccountNumber", 64) or None,
        payer_name=text(data, "counterAccountName", 200) or None,
    )


def _listed_movement(row: JsonObject) -> NormalisedTransfer:
    direction, amount = moved(row)
    number = whole(row, "id", least=0)
    return NormalisedTransfer(
        provider=PROVIDER,
        provider_id=str(number),
        account=code(row, "bank_sub_acc_id", 30) or needed_code(row, "subAccId", 30),
        virtual_account=code(row, "virtualAccount", 30) or None,
        direction=direction,
        amount=amount,
        memo=text(row, "description"),
        bank_reference=text(row, "tid", 64) or None,
        time=moment(row, "when", SPACED),
        kind=_kind(number),
        payer_account=text(row, "corresponsiveAccount", 64) or None,
        payer_name=text(row, "corresponsiveName", 200) or None,
    )


def moved(fields: JsonObject) -> tuple[Direction, Money]:
    """Return direction and amount: Casso writes money out as a negative amount."""
    signed = whole(fields, "amount", least=-MAX_DONG)
    if signed == 0:
        raise CallbackUnreadable("Trường amount phải khác 0", field="amount")
    return (Direction.IN if signed > 0 else Direction.OUT), Money(abs(signed))


def _kind(number: int) -> Kind:
    """Return what it is about: the trial call of Casso's own page has the id 0, which no movement has."""
    return Kind.TRANSFER if number else Kind.TEST
