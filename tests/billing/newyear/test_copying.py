"""Last year's prices in the new year, as the accountant tells it: seen with caps and rise first, written once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import Session, col, select

from billing.errors import BadRows
from billing.fees.cap_rows import load_caps
from billing.fees.caps import Cap
from billing.fees.items import Level, Span, Unit
from billing.fees.pricing import NewPrice, add_price
from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from billing.newyear.copying import CarriedRow, copy_prices, preview_prices
from billing.newyear.tables import YearStep
from tests.billing.newyear.year_world import NEW_YEAR, YearSchool


def rows_of(school: YearSchool, session: Session, percent: int = 0) -> dict[str, CarriedRow]:
    found = preview_prices(session, school.billing.school, NEW_YEAR, {}, percent)
    return {row.carried.price.item.code: row for row in found}


def amounts(rows: dict[str, CarriedRow]) -> dict[str, Money]:
    return {row.carried.key: row.amount for row in rows.values()}


def copy(school: YearSchool, session: Session, wanted: dict[str, Money]) -> int:
    return copy_prices(session, school.billing.school, NEW_YEAR, wanted, school.billing.accountant, school.later)


def live(session: Session, code: str) -> list[tuple[date, date | None, int]]:
    rows = session.exec(
        select(FeePrice)
        .join(FeeItem, col(FeeItem.id) == col(FeePrice.item_id))
        .where(FeeItem.code == code, col(FeePrice.withdrawn_at).is_(None))
        .order_by(col(FeePrice.valid_from))
    ).all()
    return [(row.valid_from, row.valid_to, row.amount.dong) for row in rows]


def test_prices_are_redated_once_with_the_whole_catalogue(school: YearSchool) -> None:
    with school.open() as session:
        rows = rows_of(school, session)
        assert rows
        assert {row.state for row in rows.values()} <= {"new", "goes_on"}
        assert all(row.amount == row.was for row in rows.values())
        was = live(session, "TIENAN")
        expected = sum(row.state == "new" for row in rows.values())
        assert copy(school, session, amounts(rows)) == expected
        assert expected > 0
        assert copy(school, session, amounts(rows)) == 0
        assert {row.state for row in rows_of(school, session).values()} <= {"there", "goes_on"}
        meals = live(session, "TIENAN")
        assert meals[: len(was)] == was
        if was[-1][1] is not None:
            assert meals[-1][0] == date(was[0][0].year + 1, was[0][0].month, was[0][0].day)
        assert [step.counts["new"] for step in session.exec(select(YearStep)).all()] == [expected]


def test_a_raise_is_seen_before_and_a_price_above_the_cap_is_refused(school: YearSchool) -> None:
    with school.open() as session:
        assert "chưa có mức trần" in rows_of(school, session)["BANTRU"].said
        next_year = Span(date(2026, 9, 1), date(2027, 8, 31))
        cap = Cap("BANTRU", Level.PRIMARY, "ward", "binh_phuoc", Unit.MONTH, Money(900_000), "NQ 9", next_year, 15)
        load_caps(session, school.billing.school.province_id, [cap])
        rows = rows_of(school, session, percent=10)
        meal, boarding = rows["TIENAN"], rows["BANTRU"]
        assert meal.amount == Money(35_000)  # 32.000 + 10 %, whole thousands
        assert meal.rise == 9
        assert meal.state == "new"
        assert "Trần 900.000 đ" in boarding.said
        for much, why in ((9_000_000, "vượt mức trần"), (400_000, "quá 15 %")):
            many = preview_prices(session, school.billing.school, NEW_YEAR, {boarding.carried.key: Money(much)})
            (over,) = [row for row in many if row.carried.key == boarding.carried.key]
            assert over.state == "refused"
            assert why in over.said
        both = {boarding.carried.key: Money(9_000_000), meal.carried.key: Money(35_000)}
        with pytest.raises(BadRows, match="chưa lưu gì cả"):
            copy(school, session, both)
        assert copy(school, session, {meal.carried.key: Money(35_000)}) == 1
        assert live(session, "TIENAN")[-1][2] == 35_000


def test_a_price_that_changed_in_the_year_goes_on_at_the_last_one(school: YearSchool) -> None:
    with school.open() as session:
        first = rows_of(school, session)["TIENAN"]
        new = NewPrice(Money(34_000), date(2026, 1, 1))
        add_price(session, school.billing.school, "TIENAN", new, school.billing.accountant, school.now)
        row = rows_of(school, session)["TIENAN"]
        assert row.was == Money(34_000)
        assert row.carried.days == first.carried.days


def test_a_price_without_an_end_goes_on_by_itself(school: YearSchool) -> None:
    with school.open() as session:
        item = session.exec(select(FeeItem).where(FeeItem.code == "TIENAN")).one()
        for price in session.exec(select(FeePrice).where(FeePrice.item_id == item.id)).all():
            price.withdrawn_at = school.now
            session.add(price)
        session.flush()
        add_price(session, school.billing.school, "TIENAN", NewPrice(Money(32_000), date(2025, 9, 1)),
                  school.billing.accountant, school.now)  # fmt: skip
        row = rows_of(school, session)["TIENAN"]
        assert (row.state, row.carried.days) == ("goes_on", Span(date(2026, 9, 1)))
        assert copy(school, session, {row.carried.key: Money(32_000)}) == 0
        assert copy(school, session, {row.carried.key: Money(33_000)}) == 1
        assert copy(school, session, {row.carried.key: Money(33_000)}) == 0
        assert live(session, "TIENAN") == [
            (date(2025, 9, 1), date(2026, 8, 31), 32_000),
            (date(2026, 9, 1), None, 33_000),
        ]
