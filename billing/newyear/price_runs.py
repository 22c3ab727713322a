"""Which prices of last year go on in the new one, and when (pure).

Prices of one item and audience that follow each other without a gap are one run, which goes on at its last price; what
is charged in one month only, or in two times of a year, is re-dated one year on, each by itself. A run without an end
goes on by itself, unless its price changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from billing.fees.items import RARE_UNITS, Price, Span
from billing.money import Money
from billing.newyear.years import a_year_on

_ONE_DAY = timedelta(days=1)
Audience = tuple[str, tuple[str, ...], tuple[int, ...], tuple[str, ...]]
"""Item, levels, grades and classes: what two prices of one run share."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A price of last year, and the days on which it is to hold in the new one; ``key`` names it on a form.

    ``goes_on``: it holds there already, having no end; only another amount needs a new price.
    """

    price: Price
    days: Span
    goes_on: bool = False

    @property
    def key(self) -> str:
        """What names this row: item, audience and first day."""
        item, *audience = audience_of(self.price)
        listed = "/".join(",".join(map(str, each)) for each in audience)
        return f"{item}|{listed}|{self.days.start.isoformat()}"

    def at(self, amount: Money) -> Price:
        """Return the price of the new year at an amount."""
        return replace(self.price, amount=amount, valid=self.days)


def audience_of(price: Price) -> Audience:
    """Return for what and whom a price is."""
    levels = tuple(sorted(level.value for level in price.levels))
    return price.item.code, levels, tuple(sorted(price.grades)), tuple(sorted(price.classes))


def carried_prices(prices: Iterable[Price], last_year: Span, first_day: date) -> list[Carried]:
    """Return what of the prices of last year goes on, by item and first day.

    ``first_day``: from when on a price without an end may have another amount in the new year.
    """
    by_audience: dict[Audience, list[Price]] = {}
    for price in sorted(prices, key=lambda each: each.valid.start):
        if price.valid.within(last_year) is not None:
            by_audience.setdefault(audience_of(price), []).append(price)
    found = [each for runs in by_audience.values() for run in _runs(runs) for each in _carry(run, last_year, first_day)]
    return sorted(found, key=lambda each: (each.price.item.code, each.days.start, each.key))


def raised(amount: Money, percent: int) -> Money:
    """Return an amount raised by a share, rounded to whole thousands of đồng, half a thousand up."""
    if percent == 0:
        return amount
    whole = amount.percent(100 + percent).dong
    return Money((whole + 500) // 1000 * 1000)


def _runs(prices: list[Price]) -> list[list[Price]]:
    runs: list[list[Price]] = []
    for price in prices:
        last = runs[-1][-1] if runs else None
        follows = last is not None and last.valid.end is not None and price.valid.start == last.valid.end + _ONE_DAY
        if follows and price.item.unit not in RARE_UNITS:
            runs[-1].append(price)
        else:
            runs.append([price])
    return runs


def _carry(run: list[Price], last_year: Span, first_day: date) -> list[Carried]:
    last, end = run[-1], run[-1].valid.end
    if end is None:
        return [Carried(last, Span(first_day), goes_on=True)]
    if last_year.end is not None and end > last_year.end:
        return []  # it reaches into the new year by its own days
    start = max(run[0].valid.start, last_year.start)
    return [Carried(last, Span(a_year_on(start), a_year_on(end)))]
