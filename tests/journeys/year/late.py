"""What is asked of who came when a round was over, reckoned apart from the product (pure): only what a person took.

Of a round's items by the term, the year or once those are open that the pupil was not billed for elsewhere, for which
its family is registered where that is asked, and that are no insurance. They cost what a classmate paid then; of the
reductions those count that hold on the day the pupil came.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from tests.journeys.year.book import Book
from tests.journeys.year.charges import Facts, Line, Registered, Stay, charge
from tests.journeys.year.events import RARE, Price

_INSURANCE = "BHYT"


def came_late(facts: Facts, pupil: str, last: date) -> bool:
    """Say whether a pupil was never at the school up to a day."""
    return facts.all_stays(pupil)[0].first > last


def open_prices(facts: Facts, book: Book, pupil: str, days: tuple[date, date], family: Collection[str]) -> list[Price]:
    """Return the prices of a round's days that may be asked of who came after them; ``family``: its rounds' codes."""
    first, last = days
    elsewhere = {line.item for bill in book.bills if bill.pupil == pupil and bill.round not in family and not bill.void
                 for line in bill.lines if facts.plan.item(line.item).unit in {"year", "once"}}  # fmt: skip
    return [
        price
        for price in facts.prices
        if facts.plan.item(price.item).unit in RARE
        and price.first <= last
        and price.last >= first
        and not price.item.startswith(_INSURANCE)
        and price.item not in elsewhere
        and (not facts.plan.item(price.item).opt_in or _registered(facts, pupil, price.item, last))
    ]


def charge_late(
    facts: Facts, pupil: str, days: tuple[date, date], months: Sequence[date], prices: Sequence[Price]
) -> list[Line]:
    """Return what some prices come to, as of a classmate who was there on all of a round's days."""
    first, last = days
    came = facts.all_stays(pupil)[0].first
    there = Stay(first, [(first, facts.stays[pupil].groups[0][1])], last)
    then = replace(
        facts,
        prices=list(prices),
        registered={
            (pupil, price.item): [Registered(first, held[0].quantity, last)]
            for price in prices
            if (held := _registered(facts, pupil, price.item, last))
        },
        reductions={
            pupil: [
                replace(each, first=first, last=last)
                for each in facts.reductions.get(pupil, [])
                if each.first <= came <= each.last
            ]
        },
    )
    return charge(then, pupil, months, frozenset(), [there])


def _registered(facts: Facts, pupil: str, item: str, last: date) -> list[Registered]:
    """Return a pupil's registrations that hold on a day after a round's last one, the first of them first."""
    held = [each for each in facts.registered.get((pupil, item), []) if each.last is None or each.last > last]
    return sorted(held, key=lambda each: each.first)
