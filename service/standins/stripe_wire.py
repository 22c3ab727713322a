"""Stripe's wire format as its stand-in speaks it: forms with brackets, errors, lists, signatures (pure)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class WireError(Exception):
    """An answer that is no: Stripe's error object and its status."""

    status: int
    type: str
    message: str
    code: str = ""
    param: str = ""
    decline_code: str = ""

    def body(self) -> dict[str, Any]:
        """Return the error as Stripe writes it."""
        told = {"type": self.type, "message": self.message, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in told.items() if value}}


def invalid(message: str, param: str = "", code: str = "", status: int = 400) -> WireError:
    """Return an ``invalid_request_error``."""
    return WireError(status, "invalid_request_error", message, code, param)


def missing(param: str) -> WireError:
    """Return the error for a parameter that has to be there."""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unfold(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return nested fields of a form; numbered parts and ``[]`` become lists. Raises ``WireError``."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        match = _NAME.fullmatch(name)
        if match is None:
            raise invalid(f"Invalid parameter name: {name[:60]}", name[:60])
        _put(found, [match[1], *_PART.findall(match[2])], value)
    return {name: _listed(value) for name, value in found.items()}


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    *way, last = path
    for part in way:
        into = into.setdefault(part or str(len(into)), {})
        if not isinstance(into, dict):
            raise invalid(f"Invalid object at {part}", part)
    into[last or str(len(into))] = value


def _listed(value: Any) -> Any:  # noqa: ANN401  whatever a form holds
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    if inner and list(inner) == [str(place) for place in range(len(inner))]:
        return list(inner.values())
    return inner


def refuse_unknown(fields: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise for a parameter that Stripe does not have there."""
    for name in fields:
        if name not in known:
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def needed(fields: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  text, list or fields
    """Return a field that has to be there."""
    if name not in fields or fields[name] == "":
        raise missing(name)
    return fields[name]


def integer(value: object, param: str) -> int:
    """Return a whole number of a form."""
    if not isinstance(value, str) or re.fullmatch(r"-?[0-9]{1,12}", value) is None:
        raise invalid(f"Invalid integer: {str(value)[:40]}", param, "parameter_invalid_integer")
    return int(value)


def paged(rows: Sequence[Mapping[str, Any]], asked: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return one page of a list, the newest first, as ``limit`` and ``starting_after`` ask."""
    limit = integer(asked.get("limit", "10"), "limit")
    if not 1 <= limit <= 100:  # noqa: PLR2004  Stripe's limits
        raise invalid("limit must be between 1 and 100", "limit", "parameter_invalid_integer")
    shown = list(rows)
    after = asked.get("starting_after")
    if after is not None:
        ids = [row["id"] for row in shown]
        if after not in ids:
            raise invalid(f"No such object: '{after}'", "starting_after", "resource_missing")
        shown = shown[ids.index(after) + 1 :]
    return {"object": "list", "url": path, "has_more": len(shown) > limit, "data": shown[:limit]}


def since(rows: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows that ``created[gte]`` and ``created[lte]`` ask for."""
    span = asked.get("created", {})
    first = integer(span.get("gte", "0"), "created[gte]")
    last = integer(span.get("lte", "99999999999"), "created[lte]")
    return [row for row in rows if first <= int(row["created"]) <= last]


def signature(body: bytes, secrets: Sequence[str], at: int) -> str:
    """Return the ``Stripe-Signature`` header: one ``v1`` for each secret that is valid now."""
    signed = str(at).encode() + b"." + body
    marks = [f"v1={hmac.digest(secret.encode(), signed, 'sha256').hex()}" for secret in secrets]
    return ",".join([f"t={at}", *marks])
