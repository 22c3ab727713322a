"""Where a school lies by day: parts that cover all days, and each month charged with the cap of its own place."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import OverCap, Refused
from billing.fees.caps import Cap, Place, Rulebook, check_schedule
from billing.fees.items import Group, Level, Ownership, Span, Unit
from billing.fees.places import Located, cut_by_place, located_on, where_on
from billing.money import Money
from tests.factories.fees import item, price

WARD, RURAL = Located("ward", "binh_phuoc"), "rural"
NOVEMBER = date(2025, 11, 1)
CAPS = {"ward": Money(300_000), "rural": Money(280_000), "ethnic_1": Money(260_000)}
RULES = Rulebook(
    tuple(
        Cap("BANTRU", Level.PRIMARY, zone, "", Unit.MONTH, most, "NQ 08", Span(date(2025, 8, 1)))
        for zone, most in CAPS.items()
    )
)
BOARDING = item("BANTRU", group=Group.SERVICE)
some_days = st.dates(date(2025, 8, 1), date(2026, 7, 31))
later_places = st.lists(st.builds(Located, st.sampled_from(sorted(CAPS)), st.just(""), some_days), max_size=4)


def places_of(later: list[Located]) -> tuple[Located, ...]:
    return (Located("ward", ""), *sorted(later, key=lambda each: each.since or date.min))


def span_of(one: date, other: date) -> Span:
    return Span(min(one, other), max(one, other))


def each_day(days: Span) -> list[date]:
    assert days.end is not None
    return [days.start + timedelta(days=count) for count in range((days.end - days.start).days + 1)]


@given(later_places, some_days, some_days)
def test_the_parts_are_all_days_once_each_with_its_own_place(later: list[Located], one: date, other: date) -> None:
    places, days = places_of(later), span_of(one, other)
    parts = list(cut_by_place(places, days))
    assert [day for part, _ in parts for day in each_day(part)] == each_day(days)
    for part, place in parts:
        assert all(located_on(places, day).same_place(place) for day in each_day(part))
    assert not any(before.same_place(after) for (_, before), (_, after) in pairwise(parts))


@given(later_places, some_days, st.integers(250_000, 310_000))
def test_a_month_on_each_side_of_a_change_is_held_to_its_own_cap(later: list[Located], day: date, asked: int) -> None:
    """The cap of a month is the lowest of its days' caps: what a round of that month may charge, and no đồng more."""
    places = places_of(later)
    month = next(span for span in Span(day.replace(day=1), date(2026, 7, 31)).months())
    lowest = min(CAPS[located_on(places, each).zone] for each in each_day(month))
    charged = price(BOARDING, asked, Span(date(2025, 8, 1), date(2026, 7, 31)))

    def judge() -> None:
        for part, here in cut_by_place(places, month):
            check_schedule([charged], Place(Ownership.PUBLIC, Level.PRIMARY, here.zone, here.area), part, RULES)

    if Money(asked) <= lowest:
        judge()
    else:
        with pytest.raises(OverCap):
            judge()


def test_days_without_an_end_are_cut_too() -> None:
    places = (WARD, Located(RURAL, "binh_phuoc", NOVEMBER))
    parts = list(cut_by_place(places, Span(date(2025, 9, 1))))
    assert parts == [
        (Span(date(2025, 9, 1), date(2025, 10, 31)), places[0]),
        (Span(NOVEMBER), places[1]),
    ]


def test_of_two_from_one_day_the_later_decision_holds() -> None:
    places = (WARD, Located(RURAL, "", NOVEMBER), Located("ethnic_1", "", NOVEMBER))
    assert located_on(places, NOVEMBER).zone == "ethnic_1"
    assert where_on(places, Level.PRIMARY, NOVEMBER).zone == "ethnic_1"
    assert where_on(places, Level.PRIMARY, NOVEMBER - timedelta(days=1)).zone == "ward"


@pytest.mark.parametrize("places", [(), (Located("ward", "", NOVEMBER),)])
def test_a_school_without_a_first_place_is_not_guessed_at(places: tuple[Located, ...]) -> None:
    with pytest.raises(Refused, match="địa bàn ban đầu"):
        located_on(places, NOVEMBER)
