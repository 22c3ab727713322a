"""VietinBank: collection by identifier, one movement per notice, signed by RSA both ways (pure).

Source: "Thu hộ định danh" v1.4.1, section 2.2.3, as quoted in public integrations; no signed sample is published. The
bank signs ``transId + transTime + custCode + amount + bankTransId + remark`` (empty ones left out) with RSA and
SHA-256, and wants an answer that we sign over ``transId + errorCode + errorDesc``. The parts stand without anything
between them, so a digit could wander from one to the next: the amount counts as unproven.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from reconciliation.errors import CallbackUnreadable, SignatureMissing
from reconciliation.feeds.base import MAX_BODY_BYTES, Answer, NormalisedTransfer
from reconciliation.feeds.json_body import (
    JsonObject,
    amount_in_digits,
    code,
    demand_dong,
    needed_code,
    read_object,
    text,
)
from reconciliation.feeds.moments import PACKED, moment
from reconciliation.feeds.signing import SignedFeed, as_bytes, needed_signature, raw_text
from reconciliation.matching import Direction

PROVIDER = "vietinbank"
RSA = "rsa"
RSA_ONE_WAY = "rsa_one_way"
SIGNED_FIELDS = ("transId", "transTime", "custCode", "amount", "bankTransId", "remark")
DONE = "00"
DONE_TOLD = "Success"

_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{80,4000}={0,2}")
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)
_MIN_BITS = 2048
_KEYS_KEPT = 512  # checking a private key takes a tenth of a second, and feeds are opened anew every few seconds
_IN = frozenset({"C", "1", "2", "3", "COLLECTION"})
_OUT = frozenset({"D"})


class VietinbankFeed(SignedFeed):
    """One VietinBank agreement. A secret is PEM: the bank's public key and, with ``rsa``, our private key behind it.

    ``rsa_one_way`` only checks: its answer carries no signature, which is enough for checks by hand and for an
    agreement that wants none.
    """

    provider = PROVIDER
    name = "VietinBank"
    schemes = (RSA_ONE_WAY, RSA)
    unproven = frozenset(schemes)
    refused = Answer(401, b'{"errorCode": "97", "errorDesc": "Invalid signature"}')

    def __init__(self, scheme: str, secrets: Sequence[str]) -> None:
        super().__init__(scheme, secrets)
        self._keys = {secret: _bank_key(secret) for secret in self._secrets}
        self._own = _own_key(self._secrets[0]) if scheme == RSA else None

    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:  # noqa: ARG002  it is in the body
        """Check the signature, which carries no moment of its own."""
        fields = read_object(body, MAX_BODY_BYTES)
        try:
            given = base64.b64decode(needed_signature(fields, "signature", _SIGNATURE), validate=True)
        except binascii.Error as error:
            raise SignatureMissing("Trường signature không phải là base64", field="signature") from error
        signed = signed_text(fields)
        self.demand(lambda secret: _fits(self._keys[secret], given, signed))
        return None

    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read one movement; raises ``CallbackUnreadable``, also where its direction is not told."""
        fields = read_object(body, MAX_BODY_BYTES)
        demand_dong(fields, "currencyCode")
        return (
            NormalisedTransfer(
                provider=PROVIDER,
                provider_id=needed_code(fields, "transId", 50),
                account=needed_code(fields, "recvAcctId", 20),
                virtual_account=code(fields, "recvVirtualAcctId", 25) or code(fields, "custCode", 30) or None,
                direction=_direction(fields),
                amount=amount_in_digits(fields, "amount"),
                memo=text(fields, "remark", 200),
                bank_reference=code(fields, "bankTransId", 30) or None,
                time=moment(fields, "transTime", PACKED),
                payer_account=text(fields, "sendAcctId", 20) or None,
                payer_name=text(fields, "sendAcctName", 200) or None,
            ),
        )

    def accepted(self, body: bytes) -> Answer:
        """Return the bank's answer for this movement, signed when the scheme says so."""
        try:
            fields = read_object(body, MAX_BODY_BYTES)
            named = {name: raw_text(fields, name) for name in ("providerId", "transId")}
        except CallbackUnreadable:
            named = {"providerId": "", "transId": ""}
        answer = {**named, "errorCode": DONE, "errorDesc": DONE_TOLD, "signature": ""}
        if self._own is not None:
            signed = as_bytes(named["transId"] + DONE + DONE_TOLD)
            answer["signature"] = base64.b64encode(self._own.sign(signed, padding.PKCS1v15(), SHA256())).decode()
        return Answer(200, json.dumps(answer).encode())


def signed_text(fields: JsonObject) -> bytes:
    """Return what the bank signs: the parts one behind the other."""
    return as_bytes("".join(raw_text(fields, name) for name in SIGNED_FIELDS))


def _fits(key: rsa.RSAPublicKey, given: bytes, signed: bytes) -> bool:
    try:
        key.verify(given, signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=_KEYS_KEPT)
def _bank_key(secret: bytes) -> rsa.RSAPublicKey:
    """Return the bank's key; raises ``ValueError`` for a file without one and for one too short."""
    key = _loaded(load_pem_public_key, _part(secret, "PUBLIC KEY"))
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _MIN_BITS:
        raise ValueError(f"khóa công khai của ngân hàng phải là RSA từ {_MIN_BITS} bit")
    return key


@lru_cache(maxsize=_KEYS_KEPT)
def _own_key(secret: bytes) -> rsa.RSAPrivateKey:
    """Return our key, with which answers are signed."""
    key = _loaded(lambda pem: load_pem_private_key(pem, password=None), _part(secret, "PRIVATE KEY"))
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _MIN_BITS:
        raise ValueError(f"khóa riêng của trường phải là RSA từ {_MIN_BITS} bit")
    return key


def _loaded(load: Callable[[bytes], object], pem: bytes) -> object:
    try:
        return load(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # broken, with a password, of an unknown kind
        raise ValueError("không đọc được khóa PEM (khóa riêng không được đặt mật khẩu)") from error


def _part(secret: bytes, kind: str) -> bytes:
    for match in _PEM.finditer(secret.decode()):
        if match[1].endswith(kind):
            return match[0].encode()
    raise ValueError(f"thiếu phần -----BEGIN {kind}----- (PEM)")


def _direction(fields: JsonObject) -> Direction:
    """Return the direction; what "O" means is published nowhere, and a direction is never guessed."""
    told = text(fields, "transType", 20)
    if told in _IN:
        return Direction.IN
    if told in _OUT:
        return Direction.OUT
    raise CallbackUnreadable("Trường transType không cho biết tiền vào hay tiền ra", field="transType")
