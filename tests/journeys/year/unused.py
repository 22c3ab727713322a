"""What of its bills a leaver did not use, reckoned apart from the product (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from tests.journeys.year.book import Bill, not_used, price_now, to_stay
from tests.journeys.year.charges import Line


@dataclass
class Unused:
    """What a leaver did not use of a bill: units of meals that count, and what else falls for family and State."""

    bill: Bill
    meals: dict[int, int]
    shares: dict[int, tuple[int, int]]

    def offs(self) -> list[tuple[Line, int, int]]:
        """Return what would come off now, line by line."""
        found = []
        for place, line in enumerate(self.bill.lines):
            family, state = 0, 0
            if place in self.meals:
                units = min(self.meals[place], line.units if line.used is None else line.used)
                family, state = to_stay(line, price_now(line), units)
            if place in self.shares:
                family, state = not_used(line, *self.shares[place])
            if family or state:
                found.append((line, family, state))
        return found


def units_used(bills: Sequence[Bill], now: Sequence[Line]) -> list[tuple[Line, int]]:
    """Return lines of meals of which not all were eaten, with the units that were; the last line gives way first.

    A price that was changed since makes no leftover: what comes off is what all units of the item fell by.
    """
    lines = [line for bill in bills for line in bill.lines if line.meals]
    eaten = [line for line in now if line.meals]
    off = max(sum(line.units for line in lines) - sum(line.units for line in eaten), 0)
    prices = {line.price for line in lines}
    missing = {price: max(_at_price(lines, price) - _at_price(eaten, price), 0) for price in prices}
    found = []
    for line in reversed(lines):
        taken = min(off, line.units, missing[line.price])
        missing[line.price] -= taken
        off -= taken
        if taken:
            found.append((line, line.units - taken))
    return found


def _at_price(lines: Sequence[Line], price: int) -> int:
    return sum(line.units for line in lines if line.price == price)


def unused_of(bills: Sequence[Bill], before: Sequence[Line], after: Sequence[Line]) -> list[Unused]:
    """Return what of a round's bills a leaver did not use: meals by units, all else by what is charged less."""
    used = {id(line): units for line, units in units_used(bills, after)}
    found = []
    for bill in bills:
        meals = {place: used[id(line)] for place, line in enumerate(bill.lines) if id(line) in used}
        shares: dict[int, tuple[int, int]] = {}
        for item in sorted({line.item for line in bill.lines if not line.meals}):
            family, state = _fallen(bills, item, _shares(before, item), _shares(after, item))
            for place in reversed(range(len(bill.lines))):
                line = bill.lines[place]
                if line.item == item:
                    mine = min(family, line.family - line.unused), min(state, line.state - line.unused_state)
                    family, state = family - mine[0], state - mine[1]
                    if any(not_used(line, *mine)):
                        shares[place] = mine
        found.append(Unused(bill, meals, shares))
    return found


def _fallen(bills: Sequence[Bill], item: str, was: tuple[int, int, int], now: tuple[int, int, int]) -> tuple[int, int]:
    """Return what of the shares as billed was not used: a part of them, where something was changed since."""
    lines = [line for bill in bills for line in bill.lines if line.item == item]
    family = sum(line.family - line.unused for line in lines)
    state = sum(line.state - line.unused_state for line in lines)
    if (family, state) == (was[0], was[1]):
        return max(family - now[0], 0), max(state - now[1], 0)
    if was[2] <= now[2]:
        return 0, 0
    share = Fraction(was[2] - now[2], was[2])
    return floor(family * share + Fraction(1, 2)), floor(state * share + Fraction(1, 2))


def _shares(lines: Sequence[Line], item: str) -> tuple[int, int, int]:
    mine = [line for line in lines if line.item == item]
    return sum(line.family for line in mine), sum(line.state for line in mine), sum(line.gross for line in mine)
