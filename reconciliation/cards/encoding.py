"""How a request to Stripe is written: form fields with nested brackets (pure).

Source: Stripe API reference, "Requests": ``application/x-www-form-urlencoded``, ``metadata[key]=value``,
``line_items[0][quantity]=1``. VND has no smaller unit: an amount is whole đồng ("zero-decimal currencies").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from billing.money import Money

Value: TypeAlias = "str | int | bool | Money | Mapping[str, Value] | Sequence[Value]"
Fields: TypeAlias = Mapping[str, Value]


def form_pairs(fields: Fields) -> list[tuple[str, str]]:
    """Return the pairs of a form, in the order of the fields; raises ``TypeError`` for what has no form."""
    return [pair for name, value in fields.items() for pair in _pairs(name, value)]


def _pairs(name: str, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, Money):
        yield name, str(value.dong)
    elif isinstance(value, str | int):
        yield name, str(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _pairs(f"{name}[{key}]", inner)
    elif isinstance(value, Sequence):
        for place, inner in enumerate(value):
            yield from _pairs(f"{name}[{place}]", inner)
    else:
        raise TypeError(f"{name}: a {type(value).__name__} has no form")
