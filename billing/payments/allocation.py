"""Which bills a sum of money pays: the first listed first, what is left over becomes credit (pure)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from billing.money import Money

BillKey = TypeVar("BillKey", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Part(Generic[BillKey]):
    """Money for one bill, above 0 đ."""

    bill: BillKey
    amount: Money


def allocate(amount: Money, rests: Sequence[tuple[BillKey, Money]]) -> tuple[tuple[Part[BillKey], ...], Money]:
    """Split an amount over bills with what is still due on each; return the parts and what is left over.

    Bills are filled in the order given (oldest due first). Parts and rest add up to the amount. Raises
    ``ValueError`` for an amount or a rest below 0 đ.
    """
    left = amount.dong
    if left < 0 or any(rest.dong < 0 for _, rest in rests):
        raise ValueError("neither money nor what is due can be below 0 đ")
    parts = []
    for bill, rest in rests:
        if left >= rest.dong > 0:
            parts.append(Part(bill, rest))
            left -= rest.dong
        elif 0 < left < rest.dong:
            parts.append(Part(bill, Money(left)))
            left = 0
    return tuple(parts), Money(left)
