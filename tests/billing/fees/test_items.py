"""Items, prices and reductions refuse what cannot be right when they are built."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.fees.items import FeeItem, Group, Level, Payer, Price, Quantity, Reduction, Span, Unit
from billing.money import Money
from tests.factories.fees import OCTOBER, SCHOOL_YEAR, item, percent, price, spans


def test_span_holds_both_its_ends() -> None:
    assert OCTOBER.holds(date(2025, 10, 1))
    assert OCTOBER.holds(date(2025, 10, 31))
    assert not OCTOBER.holds(date(2025, 9, 30))
    assert not OCTOBER.holds(date(2025, 11, 1))
    assert Span(date(2025, 1, 1)).holds(date(2999, 1, 1))


def test_span_cannot_end_before_it_starts() -> None:
    with pytest.raises(Refused, match="30/09/2025 trước ngày bắt đầu 01/10/2025"):
        Span(date(2025, 10, 1), date(2025, 9, 30))


@given(spans(), spans(), st.integers(-60, 500))
def test_common_days_are_exactly_those_held_by_both(one: Span, other: Span, offset: int) -> None:
    common = one.within(other)
    assert common == other.within(one)
    day = SCHOOL_YEAR.start + timedelta(days=offset)
    assert (common is not None and common.holds(day)) == (one.holds(day) and other.holds(day))


def test_one_common_day_is_enough() -> None:
    last = date(2025, 10, 31)
    assert OCTOBER.within(Span(last)) == Span(last, last)
    assert OCTOBER.within(Span(date(2025, 11, 1))) is None


@pytest.mark.parametrize(
    ("span", "whole", "single"),
    [
        (OCTOBER, True, True),
        (SCHOOL_YEAR, True, False),
        (Span(date(2025, 9, 1)), True, False),
        (Span(date(2025, 10, 2), date(2025, 10, 31)), False, True),
        (Span(date(2025, 10, 1), date(2025, 10, 30)), False, True),
        (Span(date(2024, 10, 1), date(2025, 10, 31)), True, False),
    ],
)
def test_whole_months_and_one_month(span: Span, *, whole: bool, single: bool) -> None:
    assert span.whole_months() is whole
    assert span.one_month() is single


@pytest.mark.parametrize("missing", ["code", "name", "account", "legal_basis"])
def test_an_item_needs_its_code_name_account_and_basis(missing: str) -> None:
    fields: dict[str, Any] = {"code": "A", "name": "A", "account": "main", "legal_basis": "NQ"} | {missing: "  "}
    with pytest.raises(Refused, match=missing):
        FeeItem(group=Group.SERVICE, unit=Unit.MONTH, revenue_account="531", **fields)


def test_a_donation_can_have_no_price() -> None:
    with pytest.raises(Refused, match="tài trợ là tự nguyện"):
        price(item(group=Group.DONATION), 100_000)


@pytest.mark.parametrize("dong", [0, -1, 1_000_000_001])
def test_a_price_is_positive_and_no_typing_mistake(dong: int) -> None:
    with pytest.raises(Refused, match="đơn giá"):
        price(item(), dong)


@pytest.mark.parametrize("unit", [Unit.ONCE, Unit.YEAR, Unit.TERM])
def test_what_is_due_once_must_say_in_which_month(unit: Unit) -> None:
    with pytest.raises(Refused, match="vào một tháng nào"):
        price(item(unit=unit), 45_000)
    assert price(item(unit=unit), 45_000, OCTOBER).valid == OCTOBER


def test_monthly_prices_run_by_whole_months_and_meals_by_days() -> None:
    half = Span(date(2025, 10, 15), date(2025, 10, 31))
    with pytest.raises(Refused, match="ngày đầu tháng"):
        price(item(), 10_000, half)
    assert price(item(unit=Unit.MEAL_DAY), 32_000, half).valid == half


def test_meal_days_go_with_meals_only() -> None:
    with pytest.raises(Refused, match="ngày ăn"):
        price(item(), 10_000, quantity=Quantity.MEAL_DAYS)
    with pytest.raises(Refused, match="ngày ăn"):
        price(item(unit=Unit.MEAL_DAY), 32_000, quantity=Quantity.FIXED)


def test_registered_quantities_need_a_registration() -> None:
    with pytest.raises(Refused, match="khoản đăng ký"):
        price(item(unit=Unit.HOUR), 11_000, quantity=Quantity.REGISTERED)


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_counts_have_bounds(count: int) -> None:
    with pytest.raises(Refused, match="số lượng"):
        price(item(), 10_000, count=count)


def test_a_price_meets_level_grade_and_class() -> None:
    everybody = price(item(), 10_000)
    assert everybody.meets(Level.PRESCHOOL, 3, "Lá 2")
    some = price(
        item(),
        10_000,
        levels=frozenset({Level.PRIMARY}),
        grades=frozenset({1, 2}),
        classes=frozenset({"1A", "2B"}),
    )
    assert some.meets(Level.PRIMARY, 1, "1A")
    assert not some.meets(Level.PRESCHOOL, 1, "1A")
    assert not some.meets(Level.PRIMARY, 3, "1A")
    assert not some.meets(Level.PRIMARY, 1, "1B")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"payer": Payer.FAMILY}, "không thể là gia đình"),
        ({"legal_basis": " "}, "căn cứ pháp lý"),
        ({"id": ""}, "phải có mã"),
        ({"percent": None}, "tỷ lệ hoặc số tiền"),
        ({"amount": Money(1000)}, "tỷ lệ hoặc số tiền"),
        ({"percent": 0}, "từ 1 đến 100"),
        ({"percent": 101}, "từ 1 đến 100"),
        ({"percent": None, "amount": Money(0)}, "lớn hơn 0"),
        ({"percent": None, "amount": Money(1), "items": frozenset({"A", "B"})}, "đúng một khoản"),
        ({"percent": None, "amount": Money(1), "groups": frozenset({Group.SERVICE})}, "đúng một khoản"),
        ({"items": frozenset()}, "khoản thu hoặc nhóm"),
        ({"from_sibling": 0}, "thứ tự con"),
    ],
)
def test_a_reduction_refuses_what_cannot_be_right(change: dict[str, Any], reason: str) -> None:
    fields: dict[str, Any] = {
        "id": "r1",
        "title": "Hộ nghèo",
        "payer": Payer.STATE,
        "valid": SCHOOL_YEAR,
        "legal_basis": "Nghị định 238/2025/NĐ-CP",
        "percent": 50,
        "items": frozenset({"HOCPHI"}),
    }
    assert Reduction(**fields).percent == 50
    with pytest.raises(Refused, match=reason):
        Reduction(**fields | change)


def test_a_reduction_covers_by_item_or_group() -> None:
    by_item = percent(50, items=("HOCPHI",))
    by_group = percent(50, groups=(Group.TUITION,))
    tuition = item("HOCPHI", group=Group.TUITION)
    assert by_item.covers(tuition)
    assert by_group.covers(tuition)
    assert not by_item.covers(item("NUOCUONG"))
    assert not by_group.covers(item("NUOCUONG"))


def test_prices_are_plain_values() -> None:
    assert price(item(), 10_000) == Price(item(), Money(10_000), SCHOOL_YEAR)
    assert len({price(item(), 10_000), price(item(), 10_000)}) == 1


@given(spans(), spans())
def test_what_is_left_without_other_days_is_exactly_the_days_not_in_them(one: Span, other: Span) -> None:
    left = one.without(other)
    for offset in range(-60, 620):
        day = date(2025, 9, 1) + timedelta(days=offset)
        assert sum(each.holds(day) for each in left) == (one.holds(day) and not other.holds(day))
