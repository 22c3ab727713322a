"""What a guardian agrees to, word by word: the table is the rule's, no đồng is lost in it, and every change shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.contracts.reckoning import PrepaidLine, withdraw
from billing.contracts.terms import Step, Terms, WithdrawalTerms
from billing.contracts.wording import Offer, Priced, contract_words, describe, withdrawals
from billing.money import ZERO, Money
from tests.billing.contracts.contract_world import MONTHLY, STARTS, TERMS

OFFER = Offer(
    school="Trường Tiểu học Hoa Mai",
    number="HD2526-00001",
    child="T. Thị B",
    school_year="2025-2026",
    plan="year",
    starts_on=STARTS,
    months=9,
    version="HD-2025",
    title="Hợp đồng dịch vụ giáo dục",
    body="Điều 1.  Hai bên\n\nĐiều 2. Học phí",
    terms=TERMS,
    priced=(Priced("Học phí đóng cả năm", STARTS, 9, MONTHLY),),
    deposit_due=date(2025, 6, 30),
)
HALVES = (Priced("Học phí đóng kỳ", STARTS, 5, MONTHLY), Priced("Học phí đóng kỳ", date(2026, 2, 1), 4, MONTHLY))


def test_the_year_is_told_with_its_price_its_deposit_its_late_charge_and_an_example() -> None:
    told = contract_words(OFFER).text
    for said in (
        "cộng các kỳ của hợp đồng: 20.250.000 đ",
        "Báo không nhập học: đến hết 03/07/2025 | Trường giữ: 0 đ | Trả lại: 2.000.000 đ",
        "Báo không nhập học: đến hết 02/08/2025 | Trường giữ: 1.000.000 đ | Trả lại: 1.000.000 đ",
        "Phí chậm nộp: sau 10 ngày ân hạn, 2 % số chưa nộp mỗi tháng bắt đầu",
        "Ví dụ: đã nộp 20.250.000 đ, em học đến hết ngày 30/09/2025 (tháng học thứ 1). Đã học 2.250.000 đ",
        "chưa học 18.000.000 đ; trả lại 70 % của phần chưa học là 12.600.000 đ, trường giữ 5.400.000 đ.",
        "Rút học: tháng học thứ 2 (10/2025) | Đã nộp: 20.250.000 đ | Đã học: 4.500.000 đ | Tỷ lệ: 70 %",
        "Trả lại: 11.025.000 đ | Trường giữ: 4.725.000 đ",
        "Rút học: tháng học thứ 6 (02/2026) | Đã nộp: 20.250.000 đ | Đã học: 13.500.000 đ | Tỷ lệ: 0 %",
        "Điều 1. Hai bên\nĐiều 2. Học phí",
    ):
        assert said in told.replace("\N{NO-BREAK SPACE}", " ")
    assert "Rút học: đến hết 31/08/2025 | Đã nộp: 20.250.000 đ | Đã học: 0 đ | Tỷ lệ: 100 %" in told
    assert "Trả lại: 18.250.000 đ | Trường giữ: 2.000.000 đ" in told, "the deposit is held back before the start"


def test_who_pays_by_month_has_nothing_paid_ahead() -> None:
    monthly = replace(OFFER, plan="month", priced=(Priced("Học phí", STARTS, 9, MONTHLY),))
    told = contract_words(monthly).text
    assert "Phải nộp một tháng: 2.500.000 đ" in told
    assert "không có khoản đóng trước" in told
    assert "Đã nộp" not in told


def test_a_school_without_deposit_and_late_charge_says_so() -> None:
    terms = Terms(None, TERMS.plans, WithdrawalTerms(80, less_deposit=False))
    told = contract_words(replace(OFFER, terms=terms)).text
    assert "Không có phí chậm nộp." in told
    assert "Tiền giữ chỗ" not in told
    assert "Ví dụ" not in told, "nothing comes back after the first day"


def test_the_second_half_counts_from_its_first_month_on() -> None:
    shown = withdrawals(replace(OFFER, plan="half", priced=HALVES))
    first, second = (5 * MONTHLY).percent(95), (4 * MONTHLY).percent(95)
    assert [each.paid for each in shown] == [first] * 6 + [first + second] * 4


@given(
    price=st.integers(1, 50_000_000).map(Money),
    months=st.integers(1, 12),
    percents=st.tuples(*[st.integers(0, 100)] * 3).map(lambda found: sorted(found, reverse=True)),
    starts_on=st.dates(date(2025, 1, 1), date(2030, 12, 31)),
)
def test_used_back_and_kept_are_what_was_paid(price: Money, months: int, percents: list[int], starts_on: date) -> None:
    withdrawal = WithdrawalTerms(percents[0], less_deposit=True, steps=(Step(3, percents[1]), Step(6, percents[2])))
    priced = (Priced("Học phí", starts_on, months, price),)
    offer = replace(
        OFFER, terms=replace(TERMS, withdrawal=withdrawal), priced=priced, starts_on=starts_on, months=months
    )
    shown = withdrawals(offer)
    assert len(shown) == months + 1
    for each in shown:
        net = offer.net(offer.priced[0])
        line = PrepaidLine(0, starts_on.replace(day=1), months, net, net)
        ((ruled,), percent) = withdraw(offer.terms, starts_on, each.last, [line])
        assert (each.percent, each.used, each.back, each.kept) == (percent, ruled.used, ruled.back, ruled.kept)
        assert each.used + each.back + each.kept == each.paid == net
        assert min(each.used, each.back, each.kept) >= ZERO


@pytest.mark.parametrize(
    "other",
    [
        replace(OFFER, number="HD2526-00002"),
        replace(OFFER, version="HD-2026"),
        replace(OFFER, body="Điều 1. Khác"),
        replace(OFFER, deposit_due=date(2025, 7, 1)),
        replace(OFFER, months=8),
        replace(OFFER, priced=(replace(OFFER.priced[0], price=MONTHLY + Money(1_000)),)),
        replace(OFFER, terms=replace(TERMS, late=None)),
        replace(OFFER, terms=replace(TERMS, withdrawal=WithdrawalTerms(100, less_deposit=True, steps=(Step(2, 69),)))),
    ],
)
def test_another_sum_or_word_is_another_digest(other: Offer) -> None:
    assert contract_words(other).digest != contract_words(OFFER).digest


def test_the_terms_are_told_in_two_languages() -> None:
    told = list(describe(TERMS))
    assert len(told) == 4 + 3 + 4 + 1
    assert all(vi and en for vi, en in told)
