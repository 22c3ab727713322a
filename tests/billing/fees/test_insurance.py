"""The published premiums of pupils' health insurance, and no guess beyond the known base wage."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.fees.catalogue import shipped_catalogue
from billing.fees.insurance import InsuranceRule, month_of, premium
from billing.fees.items import Payer, Span
from billing.money import Money

RULES = shipped_catalogue("national").insurance
OCTOBER = date(2025, 10, 1)


@pytest.mark.parametrize(
    ("months", "gross", "family"),
    [(12, 1_263_600, 631_800), (6, 631_800, 315_900), (3, 315_900, 157_950)],
)
def test_published_premiums_from_july_2025(months: int, gross: int, family: int) -> None:
    bought = premium(RULES, OCTOBER, months)
    assert (bought.gross, bought.family) == (Money(gross), Money(family))
    assert bought.state + bought.family == bought.gross


def test_the_state_paid_thirty_percent_before() -> None:
    assert premium(RULES, date(2025, 6, 30), 12).family == Money(884_520)
    assert premium(RULES, date(2025, 7, 1), 12).family == Money(631_800)


@pytest.mark.parametrize("day", [date(2024, 6, 30), date(2026, 7, 1)])
def test_beyond_the_known_base_wage_nothing_is_guessed(day: date) -> None:
    with pytest.raises(Refused, match="0 bộ tham số"):
        premium(RULES, day, 3)


def test_two_rules_for_one_day_are_refused() -> None:
    with pytest.raises(Refused, match="2 bộ tham số"):
        premium([*RULES, RULES[1]], OCTOBER, 3)


@pytest.mark.parametrize("months", [0, 13, -3])
def test_months_have_bounds(months: int) -> None:
    with pytest.raises(Refused, match="từ 1 đến 12 tháng"):
        premium(RULES, OCTOBER, months)


@given(st.integers(0, 10_000_000), st.integers(1, 1000), st.integers(0, 100), st.integers(1, 12))
def test_no_dong_is_lost_between_state_and_family(wage: int, rate: int, share: int, months: int) -> None:
    rule = InsuranceRule(Money(wage), rate, share, "Luật BHYT", Span(date(2025, 7, 1)))
    bought = premium([rule], OCTOBER, months)
    assert bought.state + bought.family == bought.gross
    assert bought.state >= Money(0) <= bought.family
    assert abs(bought.gross.dong * 1000 - wage * months * rate) <= 500 * months  # each month is rounded


@pytest.mark.parametrize("name", ["public-primary", "public-upper-secondary"])
def test_the_catalogues_price_is_the_calculated_one(name: str) -> None:
    catalogue = shipped_catalogue(name)
    (price,) = [each for each in catalogue.prices if each.item.code == "BHYT-3T"]
    (share,) = [each for each in catalogue.reductions if each.payer is Payer.STATE]
    bought = premium(RULES, price.valid.start, 3)
    assert price.amount == bought.gross
    assert share.percent is not None
    assert price.amount.percent(share.percent) == bought.state


@given(st.integers(1, 10_000_000), st.integers(1, 1000), st.integers(0, 100), st.integers(0, 100), st.integers(1, 12))
def test_months_times_a_month_is_the_whole_for_every_payer(
    wage: int, rate: int, state: int, province: int, months: int
) -> None:
    province = min(province, 100 - state)
    rule = InsuranceRule(Money(wage), rate, state, "Luật BHYT", Span(date(2025, 7, 1)), province, "Nghị quyết thử")
    month, bought = month_of(rule), premium([rule], OCTOBER, months)
    assert bought.gross == month.gross * months == (month.state + month.province + month.family) * months
    assert (bought.state, bought.province, bought.family) == (
        month.state * months,
        month.province * months,
        month.family * months,
    )
    assert min(month.state, month.province, month.family) >= Money(0)
    if state + province == 100:
        assert month.family == Money(0)


@pytest.mark.parametrize(("state", "province", "basis"), [(60, 41, "NQ"), (50, 50, " "), (50, -51, "NQ")])
def test_shares_stay_within_the_whole_and_a_province_pays_by_decision(state: int, province: int, basis: str) -> None:
    with pytest.raises(Refused):
        InsuranceRule(Money(2_340_000), 45, state, "Luật BHYT", Span(date(2025, 7, 1)), province, basis)
