"""JSON from outside, read strictly (pure): size, depth, double keys, and each field's own type."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import NoReturn, TypeAlias

from billing.money import Money
from reconciliation.errors import CallbackUnreadable

MAX_DEPTH = 8
MAX_DONG = 2**63 - 1  # what a BIGINT holds

_DIGITS = re.compile(r"[0-9]{1,18}")

JsonObject: TypeAlias = dict[str, object]


def read_object(body: bytes, max_bytes: int, max_depth: int = MAX_DEPTH) -> JsonObject:
    """Read one JSON object in UTF-8; anything doubtful raises ``CallbackUnreadable``.

    Refused: too long, too deep, a key given twice (two readers may see two amounts), NaN and Infinity.
    """
    if len(body) > max_bytes:
        raise CallbackUnreadable(f"Nội dung dài hơn {max_bytes} byte")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_single_keys, parse_constant=_no_constant)
        depth = _depth(value)
    except (ValueError, RecursionError) as error:
        raise CallbackUnreadable("Nội dung không phải là JSON hợp lệ") from error
    if not isinstance(value, dict):
        raise CallbackUnreadable("Nội dung không phải là một đối tượng JSON")
    if depth > max_depth:
        raise CallbackUnreadable(f"Nội dung lồng nhau quá {max_depth} tầng")
    return value


def text(fields: JsonObject, name: str, max_length: int = 500) -> str:
    """Return a text field in NFC; ``null`` and an absent field are the empty text.

    Control characters and lone surrogates, which PostgreSQL may not store, are replaced: a strange memo is no
    reason to lose the money it came with.
    """
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > max_length:
        raise CallbackUnreadable(f"Trường {name} phải là chữ, tối đa {max_length} ký tự", field=name)
    return unicodedata.normalize("NFC", "".join(map(_printable, value))).strip()


def code(fields: JsonObject, name: str, max_length: int = 64) -> str:
    """Return a text field that names something, such as an account: printable ASCII, no blank inside."""
    value = text(fields, name, max_length)
    if not value.isascii() or any(character.isspace() for character in value):
        raise CallbackUnreadable(f"Trường {name} có ký tự lạ", field=name)
    return value


def needed_code(fields: JsonObject, name: str, max_length: int = 64) -> str:
    """Return such a field, which must not be empty."""
    value = code(fields, name, max_length)
    if not value:
        raise CallbackUnreadable(f"Thiếu trường {name}", field=name)
    return value


def whole(fields: JsonObject, name: str, least: int = 1) -> int:
    """Return a whole number, above 0; a bool, a fraction and a text are refused, also when they look whole."""
    value = fields.get(name)
    if type(value) is not int or not least <= value <= MAX_DONG:
        raise CallbackUnreadable(f"Trường {name} phải là số nguyên{' dương' if least == 1 else ''}", field=name)
    return value


def amount(fields: JsonObject, name: str) -> Money:
    """Return an amount in đồng, above 0."""
    return Money(whole(fields, name))


def amount_in_digits(fields: JsonObject, name: str) -> Money:
    """Return an amount above 0 that may also come as a text of digits, without sign, blank or separator."""
    value = fields.get(name)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return amount({name: int(value)}, name)
    return amount(fields, name)


def child(fields: JsonObject, name: str) -> JsonObject:
    """Return the object in a field."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise CallbackUnreadable(f"Trường {name} phải là một đối tượng", field=name)
    return value


def rows(fields: JsonObject, name: str) -> list[JsonObject]:
    """Return the list of objects in a field."""
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise CallbackUnreadable(f"Trường {name} phải là danh sách các đối tượng", field=name)
    return value


def demand_dong(fields: JsonObject, name: str) -> None:
    """Refuse a currency other than đồng."""
    if fields.get(name) != "VND":
        raise CallbackUnreadable(f"Trường {name} phải là VND", field=name)


def _single_keys(pairs: list[tuple[str, object]]) -> JsonObject:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is given twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _depth(value: object) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(_depth, children), default=0)


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return " " if category == "Cc" else character
