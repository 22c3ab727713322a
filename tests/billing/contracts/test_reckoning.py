"""Sums of contracts over any terms, months and days: no đồng is lost, and nothing is charged that no clause allows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.contracts.reckoning import (
    Charged,
    PrepaidLine,
    earned,
    kept_of_deposit,
    late_charge,
    month_of,
    months_between,
    withdraw,
)
from billing.contracts.terms import (
    DepositTerms,
    Keep,
    LateTerms,
    PlanTerms,
    Step,
    Terms,
    WithdrawalTerms,
    as_json,
    check,
    from_json,
)
from billing.errors import Refused
from billing.money import ZERO, Money, total

START = date(2025, 9, 1)
DAYS = st.dates(date(2025, 6, 1), date(2026, 8, 31))
MONEY = st.integers(0, 200_000_000).map(Money)
PERCENT = st.integers(0, 100)


@st.composite
def some_terms(draw: st.DrawFn) -> Terms:
    """Draw terms that a school could write."""
    deposit = draw(st.none() | st.integers(1, 20_000_000).map(lambda dong: DepositTerms(Money(dong))))
    through = sorted(draw(st.sets(st.integers(1, 12), max_size=4)))
    percents = sorted(draw(st.lists(PERCENT, min_size=len(through) + 1, max_size=len(through) + 1)), reverse=True)
    steps = tuple(Step(month, percent) for month, percent in zip(through, percents[1:], strict=True))
    less = deposit is not None and draw(st.booleans())
    plans = (PlanTerms("year", "NAM", draw(st.integers(0, 99)), "HOCPHI"), PlanTerms("month", "HOCPHI"))
    return check(Terms(deposit, plans, WithdrawalTerms(percents[0], less, steps)))


LINES = st.lists(
    st.builds(
        lambda number, first, months, net: PrepaidLine(
            number, month_of(START + timedelta(first * 31)), months, net, net
        ),
        st.integers(1, 99),
        st.integers(0, 6),
        st.integers(1, 12),
        MONEY,
    ),
    max_size=3,
    unique_by=lambda line: line.line_id,
)


@given(net=MONEY, months=st.integers(1, 12), begun=st.integers(0, 14))
def test_each_month_adds_to_what_is_earned_and_the_last_one_brings_all(net: Money, months: int, begun: int) -> None:
    assert ZERO <= earned(net, months, begun) <= earned(net, months, begun + 1) <= net
    assert earned(net, months, months) == net
    parts = [earned(net, months, each + 1) - earned(net, months, each) for each in range(months)]
    assert total(parts) == net
    assert max(parts) - min(parts) <= Money(1)


@given(terms=some_terms(), lines=LINES, last_day=DAYS)
def test_withdrawal_splits_every_line_into_used_back_and_kept(
    terms: Terms, lines: list[PrepaidLine], last_day: date
) -> None:
    done, percent = withdraw(terms, START, last_day, lines)
    assert {each.line_id for each in done} == {line.line_id for line in lines}
    assert 0 <= percent <= 100
    by_id = {line.line_id: line for line in lines}
    for each in done:
        assert min(each.used, each.back, each.kept) >= ZERO
        assert each.used + each.back + each.kept == by_id[each.line_id].net
    if last_day < START and terms.withdrawal.less_deposit and terms.deposit:
        whole = total(Money(line.net.dong * percent // 100) for line in lines)
        assert total(each.back for each in done) == max(whole - terms.deposit.amount, ZERO)


@given(terms=some_terms(), lines=LINES, day=DAYS)
def test_who_leaves_later_never_gets_more_back(terms: Terms, lines: list[PrepaidLine], day: date) -> None:
    day = max(day, START)
    now, later = (total(each.back for each in withdraw(terms, START, day + timedelta(n), lines)[0]) for n in (0, 40))
    assert later <= now


@given(amount=st.integers(1, 100_000_000).map(Money), told=DAYS, percent=PERCENT, days=st.integers(0, 366))
def test_deposit_is_kept_by_the_day_on_which_the_family_tells(
    amount: Money, told: date, percent: int, days: int
) -> None:
    kept = kept_of_deposit(DepositTerms(amount, (Keep(days, percent),)), START, told)
    early = (START - told).days >= days
    assert kept == (Money(amount.dong * percent // 100) if early else amount)


@given(
    percent=st.integers(1, 100),
    grace=st.integers(0, 60),
    cap=st.integers(1_000, 1_000_000).map(Money),
    rest=MONEY,
    days=st.lists(st.integers(0, 200), min_size=1, max_size=6).map(sorted),
)
def test_late_charges_never_compound_nor_pass_the_cap(
    percent: int, grace: int, cap: Money, rest: Money, days: list[int]
) -> None:
    """Asked for on any days, the charges are at most one share of the bill for each started month, and the cap."""
    before: list[Charged] = []
    for day in days:
        charge = late_charge(LateTerms(grace, cap, percent), rest, day, before)
        assert charge.amount.dong % 1_000 == 0
        assert day > grace or not charge.amount
        if charge.months:
            before.append(charge)
    months = -(-days[-1] // 30) if days[-1] > grace else 0
    assert total(each.amount for each in before) <= min(cap, Money(rest.dong * percent // 100) * months)
    assert not late_charge(LateTerms(grace, cap, percent), rest, days[-1], before).months or not rest


def test_late_charge_by_the_clause() -> None:
    clause = LateTerms(grace=10, cap=Money(500_000), percent=2)
    rest = Money(2_500_000)
    assert late_charge(clause, rest, 10, []) == Charged(0, ZERO)
    assert late_charge(clause, rest, 11, []) == Charged(1, Money(50_000))
    assert late_charge(clause, rest, 31, [Charged(1, Money(50_000))]) == Charged(1, Money(50_000))
    assert late_charge(clause, Money(50_000_000), 90, []) == Charged(3, Money(500_000))
    fixed = LateTerms(grace=0, cap=Money(100_000), amount=Money(30_000))
    assert late_charge(fixed, rest, 61, []) == Charged(3, Money(90_000))


@given(terms=some_terms())
def test_terms_are_read_as_they_were_stored(terms: Terms) -> None:
    assert from_json(as_json(terms)) == terms


def test_months_between_counts_both_ends() -> None:
    assert months_between(START, date(2025, 10, 31)) == 2
    assert months_between(START, date(2025, 8, 31)) == 0


GOOD = WithdrawalTerms(100, less_deposit=False)
MONTH = (PlanTerms("month", "HOCPHI"),)
DEPOSIT = DepositTerms(Money(1_000_000))


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms(None, (), GOOD), "ít nhất một cách đóng"),
        (Terms(None, (*MONTH, *MONTH), GOOD), "chỉ ghi một khoản"),
        (Terms(None, (PlanTerms("month", "HOCPHI", 5),), GOOD), "đóng theo tháng không giảm"),
        (Terms(DepositTerms(ZERO), MONTH, GOOD), "lớn hơn 0 đ"),
        (Terms(DepositTerms(Money(1), (Keep(10, 0), Keep(20, 50))), MONTH, GOOD), "giảm dần số ngày"),
        (Terms(DepositTerms(Money(1), (Keep(20, 60), Keep(10, 50))), MONTH, GOOD), "không giảm"),
        (Terms(None, MONTH, WithdrawalTerms(100, less_deposit=True)), "không có tiền giữ chỗ"),
        (Terms(None, MONTH, WithdrawalTerms(101, less_deposit=False)), "0 đến 100"),
        (Terms(None, MONTH, WithdrawalTerms(50, less_deposit=False, steps=(Step(1, 60),))), "không tăng"),
        (Terms(None, MONTH, WithdrawalTerms(90, less_deposit=False, steps=(Step(13, 60),))), "tháng học thứ 1"),
        (Terms(None, MONTH, GOOD, LateTerms(5, Money(10_000))), "chỉ một trong hai"),
        (Terms(None, MONTH, GOOD, LateTerms(5, Money(10_000), 2, Money(1_000))), "chỉ một trong hai"),
        (Terms(None, MONTH, GOOD, LateTerms(5, ZERO, 2)), "Mức trần"),
        (Terms(None, MONTH, GOOD, LateTerms(-1, Money(10_000), 2)), "ân hạn"),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_the_remedy(terms: Terms, said: str) -> None:
    with pytest.raises(Refused, match=said):
        check(terms)


def test_terms_with_everything_stand() -> None:
    assert check(Terms(DEPOSIT, MONTH, GOOD, LateTerms(5, Money(10_000), 2))).way("month").item == "HOCPHI"
    with pytest.raises(Refused, match="không có cách đóng này"):
        Terms(None, MONTH, GOOD).way("year")
