"""A meal price that goes after its bills were issued makes no leftover of meals that were eaten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from billing.errors import Refused
from billing.fees.items import Quantity, Span, Unit
from billing.fees.pricing import NewPrice, add_price, stop_price, withdraw_price
from billing.fees.tables import FeeItem, FeePrice
from billing.money import Money
from billing.rounds.by_days import meals_of_round, preview_attendance
from billing.rounds.still_priced import price_days, unpriced_days
from service.database import Database
from tests.billing.rounds.correction_world import Issued, issue
from tests.factories.fees import item, price
from tests.factories.rounds import BillingSchool

MEALS = item("TIENAN", unit=Unit.MEAL_DAY)
_NOVEMBER = NewPrice(Money(33_000), date(2025, 11, 1))
Change = Callable[[Session, Issued, FeePrice], object]


@pytest.fixture
def issued(database: Database, billing: BillingSchool, now: datetime) -> Issued:
    return issue(database, billing, now)


def dearer(session: Session, issued: Issued, old: FeePrice) -> None:
    del old
    add_price(session, issued.billing.school, "TIENAN", _NOVEMBER, issued.billing.accountant, issued.now)


def withdrawn(session: Session, issued: Issued, old: FeePrice) -> None:
    withdraw_price(session, issued.billing.school, old.id or 0, issued.billing.accountant, issued.now, "nhập nhầm")
    dearer(session, issued, old)


def stopped(session: Session, issued: Issued, old: FeePrice) -> None:
    last = date(2025, 9, 30)
    stop_price(session, issued.billing.school, old.id or 0, last, issued.billing.accountant, issued.now, "thôi nấu")


def change(session: Session, issued: Issued, deed: Change) -> None:
    found = select(FeePrice).join(FeeItem, FeeItem.id == FeePrice.item_id).where(FeeItem.code == "TIENAN")  # type: ignore[arg-type]  # SQLModel types a condition as bool
    deed(session, issued, session.exec(found).one())


def test_another_price_from_november_on_makes_no_leftover(issued: Issued) -> None:
    with issued.open() as session:
        change(session, issued, dearer)
        with pytest.raises(Refused, match="đã dùng hết"):
            preview_attendance(session, issued.billing.accountant, issued.round_id, issued.now)


@pytest.mark.parametrize("deed", [withdrawn, stopped])
def test_meals_whose_price_is_gone_are_not_taken_for_uneaten(issued: Issued, deed: Change) -> None:
    with issued.open() as session:
        change(session, issued, deed)
        with pytest.raises(Refused, match=r"01/10/2025–31/10/2025 nay không còn.*nhập lại đơn giá"):
            preview_attendance(session, issued.billing.accountant, issued.round_id, issued.now)
        with pytest.raises(Refused, match="nay không còn"):
            meals_of_round(session, issued.round_id)
        back = NewPrice(Money(40_000), date(2025, 9, 1), date(2025, 10, 31))
        add_price(session, issued.billing.school, "TIENAN", back, issued.billing.accountant, issued.now)
        with pytest.raises(Refused, match="đã dùng hết"):
            preview_attendance(session, issued.billing.accountant, issued.round_id, issued.now)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6))
def test_days_without_a_price_are_exactly_those_that_no_price_holds(pieces: list[tuple[int, int]]) -> None:
    first = date(2025, 10, 1)
    month = Span(first, first + timedelta(days=30))
    spans = [Span(first + timedelta(days=min(each)), first + timedelta(days=max(each))) for each in pieces]
    gaps = unpriced_days(month, [price(MEALS, 32_000, valid=span, quantity=Quantity.MEAL_DAYS) for span in spans])
    for day in (first + timedelta(days=number) for number in range(31)):
        assert any(gap.holds(day) for gap in gaps) != any(span.holds(day) for span in spans)


def test_a_line_of_no_price_has_no_days() -> None:
    assert price_days({}) is None
    assert price_days({"from": "2025-09-01"}) == Span(date(2025, 9, 1))
    assert price_days({"from": "2025-09-01", "to": "2025-09-30"}) == Span(date(2025, 9, 1), date(2025, 9, 30))
