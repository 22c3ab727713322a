"""What of a round that was over is asked about for a pupil who came later, and how it would be charged (pure).

Accountants call it "thu bù": what the school asks for once a year or once a term, and asked for before the pupil came.
Nothing of it is charged unless a person takes it (``billing/rounds/catching_up.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from billing.fees.charges import PupilFacts, Schedule
from billing.fees.items import RARE_UNITS, Price, Span


def open_items(
    pupil: PupilFacts, days: Span, prices: Iterable[Price], closed: Collection[str] = ()
) -> tuple[Price, ...]:
    """Return the prices of a round's days that may be asked of a pupil who came after all of them.

    Only items by the term, the year or once; none that needs a registration the family has not made, that it pays
    another way, or that is ``closed`` (codes: billed already, or nobody's to choose). Nothing for who was there.
    """
    came = min((span.start for span in pupil.enrolled), default=None)
    if came is None or days.end is None or came <= days.end:
        return ()
    registered = {each.item for each in pupil.registrations}
    out = {each.item for each in pupil.paid_otherwise}.union(closed)
    return tuple(
        price
        for price in prices
        if price.item.unit in RARE_UNITS
        and price.valid.within(days)
        and price.meets(pupil.level, pupil.grade, pupil.class_name)
        and (not price.item.opt_in or price.item.code in registered)
        and price.item.code not in out
    )


def as_if_there(pupil: PupilFacts, days: Span) -> PupilFacts:
    """Return the facts by which a late pupil's items are charged: as of a classmate who was there on those days.

    The family's first registration of an item and the reductions that hold on the day the pupil came count as then.
    """
    came = min(span.start for span in pupil.enrolled)
    first = {each.item: each for each in sorted(pupil.registrations, key=lambda each: each.days.start, reverse=True)}
    return replace(
        pupil,
        enrolled=(days,),
        registrations=tuple(replace(first[code], days=days) for code in sorted(first)),
        reductions=tuple(replace(each, valid=days) for each in pupil.reductions if each.valid.holds(came)),
        absent=frozenset(),
        paid_otherwise=(),
        before=(),
    )


def only_these(schedule: Schedule, prices: Collection[Price]) -> Schedule:
    """Return a schedule that charges these prices alone."""
    return replace(schedule, prices=tuple(price for price in schedule.prices if price in prices))
