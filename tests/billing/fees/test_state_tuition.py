"""Tuition of a public school: the council's rate and nothing else, in the months the State pays for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.errors import Refused
from billing.fees.items import Group, Level, PartMonth, Price, Span
from billing.fees.places import Located
from billing.fees.state_tuition import refuse_other_tuition
from billing.money import Money
from tests.factories.claims import rate
from tests.factories.fees import OCTOBER, item, price

HERE = (Located("ward", ""),)
FROM_JANUARY = (Located("rural", "", date(2026, 1, 1)),)
TUITION = item("HOCPHI", group=Group.TUITION)
RIGHT = price(TUITION, 120_000)
RATES = (rate(dong=120_000, zone="ward"), rate(dong=90_000, zone="rural"))
WINTER = Span(date(2025, 12, 1), date(2026, 1, 31))


def judge(charged: Price, days: Span = OCTOBER, level: Level = Level.PRIMARY) -> None:
    refuse_other_tuition(level, [charged], days, HERE, RATES)


def test_the_councils_rate_is_what_a_public_school_bills() -> None:
    judge(RIGHT)
    judge(replace(RIGHT, amount=Money(60_000), count=2))
    with pytest.raises(Refused, match=r"tháng 10/2025.*120\.000 đ/tháng \(NQ thử\)"):
        judge(replace(RIGHT, amount=Money(100_000)))


@pytest.mark.parametrize(
    "other", [replace(RIGHT, part_month=PartMonth.HALF), replace(RIGHT, item=replace(TUITION, opt_in=True))]
)
def test_the_rate_is_for_every_pupil_and_the_whole_month(other: Price) -> None:
    with pytest.raises(Refused, match="cho mọi học sinh và trọn tháng"):
        judge(other)


def test_every_month_of_a_round_is_judged_where_the_school_then_lies() -> None:
    with pytest.raises(Refused, match=r"tháng 01/2026.*90\.000 đ"):
        refuse_other_tuition(Level.PRIMARY, [RIGHT], WINTER, HERE + FROM_JANUARY, RATES)
    refuse_other_tuition(Level.PRIMARY, [RIGHT], OCTOBER, HERE + FROM_JANUARY, RATES)


def test_in_summer_the_state_pays_for_preschools_only() -> None:
    june, open_end = Span(date(2026, 6, 1), date(2026, 6, 30)), replace(RIGHT, valid=Span(date(2025, 9, 1)))
    with pytest.raises(Refused, match="chín tháng"):
        judge(open_end, june)
    judge(open_end, june, Level.PRESCHOOL)
    judge(RIGHT, june)  # it ended in May


def test_what_is_no_tuition_or_of_the_years_before_or_has_no_known_rate_is_left_alone() -> None:
    judge(price(item("NUOCUONG"), 10_000))
    judge(replace(RIGHT, levels=frozenset({Level.PRESCHOOL}), amount=Money(1)))
    old = Span(date(2025, 1, 1), date(2025, 1, 31))
    judge(price(TUITION, 90_000, Span(date(2024, 9, 1), date(2025, 5, 31))), old)
    judge(price(TUITION, 100_000), level=Level.UPPER_SECONDARY)
