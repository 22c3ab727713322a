"""Which of the meals that were billed were used (pure): the same rule that billed them, with what is known now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from billing.money import Money

Meals = tuple[UUID, str]
"""A pupil's meals of one item: pupil and item code."""


@dataclass(frozen=True, slots=True)
class BilledMeals:
    """A line of meals as it was billed."""

    line_id: int
    of: Meals
    unit_price: Money
    quantity: int


def units_used(billed: Iterable[BilledMeals], now: Mapping[Meals, Mapping[Money, int]]) -> dict[int, int]:
    """Return the units used of each line that was not used up; ``now`` has the units by price as charged today.

    What comes off is what the pupil's units of an item fell by in all: a price that was changed since makes no
    leftover. It comes off the lines at whose price it is missing, the last one first.
    """
    by_meals: dict[Meals, list[BilledMeals]] = defaultdict(list)
    for line in billed:
        by_meals[line.of].append(line)
    used: dict[int, int] = {}
    for meals, lines in by_meals.items():
        used |= _used(lines, now.get(meals, {}))
    return used


def _used(lines: list[BilledMeals], now: Mapping[Money, int]) -> dict[int, int]:
    off = max(sum(line.quantity for line in lines) - sum(now.values()), 0)
    left = {line.line_id: line.quantity for line in lines}
    missing = dict.fromkeys({line.unit_price for line in lines}, 0)
    for price in missing:
        missing[price] = max(sum(line.quantity for line in lines if line.unit_price == price) - now.get(price, 0), 0)
    for line in reversed(lines):
        taken = min(off, left[line.line_id], missing[line.unit_price])
        left[line.line_id] -= taken
        missing[line.unit_price] -= taken
        off -= taken
    return {line.line_id: left[line.line_id] for line in lines if left[line.line_id] < line.quantity}
