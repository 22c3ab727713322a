"""Where a school lies, dated: its zone and its province before the mergers, which choose caps and rates (pure).

A commune can change class, and a council can do away with the areas of former provinces. What a day is charged or
claimed at follows from the place of that day: a month takes the council rate of the place of its first day, and a
price that holds across a change is judged once on either side of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.errors import Refused
from billing.fees.council_rates import Where
from billing.fees.items import Level, Span

ZONE_NAMES = {
    "ward": "phường",
    "rural": "xã",
    "ethnic_1": "xã vùng dân tộc, khu vực I",
    "ethnic_2": "xã vùng dân tộc, khu vực II",
    "ethnic_3": "xã vùng dân tộc, khu vực III",
}


@dataclass(frozen=True, slots=True)
class Located:
    """A zone and a former area (empty: none) from a day on; ``since`` None: since ever, the first one known."""

    zone: str
    area: str
    since: date | None = None

    def same_place(self, other: Located) -> bool:
        """Tell whether both are the same place, whatever their days."""
        return (self.zone, self.area) == (other.zone, other.area)


def located_on(places: Sequence[Located], day: date) -> Located:
    """Return where a school lies on a day. ``places``: in the order of their days; of two from one day the last holds.

    Raises ``Refused`` for a school without a first place: nobody could say which caps bind it.
    """
    if not places or places[0].since is not None:
        raise Refused("Trường chưa có địa bàn ban đầu nên không biết mức trần nào áp dụng. Hãy thiết lập lại trường.")
    return [each for each in places if each.since is None or each.since <= day][-1]


def cut_by_place(places: Sequence[Located], days: Span) -> Iterator[tuple[Span, Located]]:
    """Cut days where the school's place changes: each part with the place that holds on all of it, in order."""
    start = days.start
    changes = sorted({each.since for each in places if each.since is not None and each.since > days.start})
    for change in changes:
        if days.end is not None and change > days.end:
            break
        if not located_on(places, start).same_place(located_on(places, change)):
            yield Span(start, change - timedelta(days=1)), located_on(places, start)
            start = change
    yield Span(start, days.end), located_on(places, start)


def where_on(places: Sequence[Located], level: Level, day: date) -> Where:
    """Return what a council rate is looked up by for a level of the school on a day."""
    located = located_on(places, day)
    return Where(level, located.zone, located.area)
