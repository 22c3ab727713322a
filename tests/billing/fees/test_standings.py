"""How a price that is written down stands to the caps, level by level."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from billing.fees.caps import Cap, Rulebook, Standing
from billing.fees.items import Level, Span, Unit
from billing.fees.places import Located
from billing.fees.standings import Measure, standing_of
from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from billing.people.tables import School

DAY = date(2025, 10, 6)
HERE = (Located("ward", "binh_phuoc"),)
YEAR = Span(date(2025, 9, 1), date(2026, 5, 31))
CAPS = Rulebook((Cap("BANTRU", Level.PRIMARY, "", "", Unit.MONTH, Money(300_000), "NQ 08", YEAR),))


def measure(kind: str = "public") -> Measure:
    school = School(
        province_id=uuid.UUID(int=1), authority_id=uuid.UUID(int=1), code="1", name="Trường thử", kind=kind,
        levels=["primary", "lower_secondary"], address="", phone="",
    )  # fmt: skip
    return Measure(school, CAPS, HERE)


ITEM = FeeItem(
    school_id=uuid.UUID(int=2), code="BANTRU", legal_name="Bán trú", item_group="service", unit="month",
    legal_basis="NQ 08", revenue_account="531", bank_account_id=uuid.UUID(int=3), valid_from=YEAR.start,
)  # fmt: skip


def price(amount: int, *levels: str) -> FeePrice:
    return FeePrice(
        school_id=ITEM.school_id, item_id=ITEM.id, amount=Money(amount), levels=list(levels), valid_from=YEAR.start,
        valid_to=YEAR.end,
    )  # fmt: skip


def test_each_level_has_its_own_answer_with_the_cap_that_binds() -> None:
    found = standing_of(price(300_000), ITEM, measure(), DAY)
    assert [(each.level, each.standing) for each in found] == [
        (Level.PRIMARY, Standing.WITHIN),
        (Level.LOWER_SECONDARY, Standing.NO_CAP),
    ]
    assert found[0].cap == CAPS.caps[0]
    assert found[1].cap is None
    assert not any(each.refused for each in found)


@pytest.mark.parametrize("levels", [(), ("primary",)])
def test_a_price_above_the_cap_is_refused_and_that_is_all_there_is_to_say(levels: tuple[str, ...]) -> None:
    [only] = standing_of(price(300_001, *levels), ITEM, measure(), DAY)
    assert only.refused
    assert "NQ 08" in only.reason


def test_a_price_for_another_level_does_not_meet_the_cap() -> None:
    [only] = standing_of(price(900_000, "lower_secondary"), ITEM, measure(), DAY)
    assert only.standing is Standing.NO_CAP


def test_a_private_school_is_free() -> None:
    assert {each.standing for each in standing_of(price(9_000_000), ITEM, measure("private"), DAY)} == {Standing.FREE}
