"""How providers sign (pure): pinned secrets, digests, texts to sign; and what all signed feeds have in common.

All secrets are tried before anything is judged, and digests are compared in constant time, so that the time an
answer takes tells nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from reconciliation.errors import CallbackUnreadable, SignatureMissing, SignatureWrong
from reconciliation.feeds.base import Answer, NormalisedTransfer, header, judge_age
from reconciliation.feeds.json_body import JsonObject

MAX_AGE = timedelta(seconds=300)
MAX_SECRETS = 2  # the new one and the old one, while a secret is being changed
TAKEN = Answer(200, b'{"success": true}')
NOT_TAKEN = Answer(401, b'{"success": false}')

_BEARER = re.compile(r"Bearer (\S+)", re.IGNORECASE)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_EXACT_IN_JAVASCRIPT = 2**53
_PLAIN_IN_JAVASCRIPT = (1e-6, 1e21)
_ID_DIGITS = 32  # 128 bits: nobody without the secret chooses what is signed


class SignedFeed(ABC):
    """One configured feed, pinned to one scheme, with the secret (two while it is being changed).

    Raises ``ValueError`` (in Vietnamese) for an unknown scheme and for secrets it cannot work with.
    """

    provider: ClassVar[str]
    name: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]
    unproven: ClassVar[frozenset[str]] = frozenset()
    bare_keys: ClassVar[frozenset[str]] = frozenset()
    """Schemes where whoever has once read the key can write anything: such a feed needs a list of addresses."""
    refused: Answer = NOT_TAKEN
    paths: ClassVar[Collection[str]] = ("",)
    log_in_path: ClassVar[str | None] = None

    def __init__(self, scheme: str, secrets: Sequence[str]) -> None:
        if scheme not in self.schemes:
            raise ValueError(f"{self.name} ký theo {' hoặc '.join(self.schemes)}, không theo {scheme}")
        if not 1 <= len(secrets) <= MAX_SECRETS or not all(secrets):
            raise ValueError("cần một bí mật, hoặc hai trong lúc đổi bí mật")
        self.scheme = scheme
        self._secrets = tuple(secret.encode() for secret in secrets)

    @classmethod
    def scheme_of(cls, headers: Mapping[str, str], body: bytes) -> str:  # noqa: ARG003  most providers have one scheme
        """Return the scheme a message carries, for checks by hand; a configured feed never asks this.

        Raises ``SignatureMissing`` when it carries none.
        """
        return cls.schemes[0]

    @property
    def proves_amount(self) -> bool:
        """Tell whether the signature binds every digit of the amount: a mere key does not."""
        return self.scheme not in self.unproven

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Believe the bytes or raise ``CallbackRefused``."""
        moment = self.signed_at(body, headers)
        if moment is not None:
            judge_age(moment, now, MAX_AGE)

    @abstractmethod
    def signed_at(self, body: bytes, headers: Mapping[str, str]) -> datetime | None:
        """Check the signature but not its age; return when it was made, if the scheme says so."""

    @abstractmethod
    def read(self, body: bytes) -> tuple[NormalisedTransfer, ...]:
        """Read believed bytes; raises ``CallbackUnreadable``."""

    def read_each(self, body: bytes) -> tuple[NormalisedTransfer | CallbackUnreadable, ...]:
        """Read believed bytes whole or not at all; raises ``CallbackUnreadable``."""
        return self.read(body)

    def log_in(self, headers: Mapping[str, str], now: datetime) -> Answer:  # noqa: ARG002  most providers never log in
        """Answer a provider that asks for a token: no."""
        return self.refused

    def accepted(self, body: bytes) -> Answer:  # noqa: ARG002  for most providers always the same bytes
        """Return the answer to a believed body."""
        return TAKEN

    def demand(self, right: Callable[[bytes], bool]) -> None:
        """Raise ``SignatureWrong`` unless the check holds with one of the secrets; all of them are tried."""
        tried = [right(secret) for secret in self._secrets]
        if not any(tried):
            raise SignatureWrong("Chữ ký không đúng")

    def demand_bearer(self, headers: Mapping[str, str]) -> None:
        """Demand ``Authorization: Bearer`` with the secret itself."""
        given = bearer(headers)
        self.demand(lambda secret: same(given, secret))


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token of ``Authorization: Bearer``; raises ``SignatureMissing``."""
    match = _BEARER.fullmatch(header(headers, "Authorization"))
    if match is None:
        raise SignatureMissing("Tiêu đề Authorization phải có dạng: Bearer KHÓA")
    return match[1]


def same(given: str, expected: str | bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(as_bytes(given), as_bytes(expected) if isinstance(expected, str) else expected)


def hmac_hex(secret: bytes, message: bytes, algorithm: str) -> str:
    """Return an HMAC as lower-case hex digits."""
    return hmac.digest(secret, message, algorithm).hex()


def md5_hex(message: bytes) -> str:
    """Return an MD5 as lower-case hex digits: two banks publish no better, which is why it proves no amount."""
    return hashlib.md5(message, usedforsecurity=False).hexdigest()


def id_of_signed(signed: bytes) -> str:
    """Return what tells a movement apart where only this text of the message is signed: its digest.

    What stands beside a signed text can be changed by whoever holds one copy of the message, and in a text whose parts
    stand one behind the other a digit may wander; so neither a field beside it nor a single part of it will do. All
    copies of one signed text are one movement, however they are dressed.
    """
    return hashlib.sha256(signed).hexdigest()[:_ID_DIGITS]


def as_bytes(text: str) -> bytes:
    """Return UTF-8; a lone surrogate, which nobody can have signed, becomes bytes that match nothing."""
    return text.encode("utf-8", "surrogatepass")


def raw_text(fields: JsonObject, name: str) -> str:
    """Return a field as it stands in a text to be signed: not tidied, a whole number in digits, null as nothing."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise CallbackUnreadable(f"Trường {name} phải là chữ hoặc số nguyên", field=name)
    return str(value)


def needed_signature(fields: JsonObject, name: str, pattern: re.Pattern[str]) -> str:
    """Return the signature that stands in the body itself; raises ``SignatureMissing``."""
    value = fields.get(name)
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise SignatureMissing(f"Trường {name} không có hoặc không phải là chữ ký", field=name)
    return value


def compact_sorted(value: object) -> str:
    """Return JSON as JavaScript writes it without blanks, with the keys sorted at every level.

    Like there, keys sort by UTF-16 code units; neither "/" nor letters outside ASCII are escaped, lone surrogates are.
    """
    if isinstance(value, dict):
        pairs = (f"{_quoted(key)}:{compact_sorted(value[key])}" for key in sorted(value, key=_utf16))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact_sorted, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return javascript_number(value)
    return json.dumps(value)


def javascript_number(value: float) -> str:
    """Return a number as JavaScript writes it, which knows no whole numbers; what is too large for it is null."""
    if isinstance(value, int) and abs(value) <= _EXACT_IN_JAVASCRIPT:
        return str(value)
    number = float(str(value))
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"
    least, most = _PLAIN_IN_JAVASCRIPT
    if least <= abs(number) < most:
        plain = format(Decimal(repr(number)), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def moment_of(seconds: int) -> datetime:
    """Return the moment of a Unix time, which must be within the calendar (eleven digits at most)."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
