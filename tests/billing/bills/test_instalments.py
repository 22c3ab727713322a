"""Splitting loses no đồng, and what is asked for follows the days, the money and the credit notes."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.bills.instalments import (
    Asked,
    Instalment,
    Share,
    asked_on,
    check_shares,
    shares_as_json,
    shares_from,
    split_due,
)
from billing.errors import Refused
from billing.money import ZERO, Money, total

OCTOBER, NOVEMBER, DECEMBER = date(2025, 10, 20), date(2025, 11, 20), date(2025, 12, 20)
SHARES = (Share(OCTOBER, 40), Share(NOVEMBER, 30), Share(DECEMBER, 30))
PARTS = split_due(Money(1_000_001), SHARES)


@st.composite
def shares(draw: st.DrawFn) -> tuple[Share, ...]:
    cuts = sorted(draw(st.sets(st.integers(1, 99), min_size=1, max_size=9)))
    percents = [after - before for before, after in zip([0, *cuts], [*cuts, 100], strict=True)]
    return tuple(Share(OCTOBER + timedelta(days=30 * place), percent) for place, percent in enumerate(percents))


@given(st.integers(0, 10**12), shares())
def test_splitting_loses_no_dong_and_is_fair_to_one(due: int, split: tuple[Share, ...]) -> None:
    parts = split_due(Money(due), split)
    assert total(part.amount for part in parts) == Money(due)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert all(part.amount > ZERO for part in parts)
    exact = {share.due_on: due * share.percent / 100 for share in split}
    assert all(abs(part.amount.dong - exact[part.due_on]) < 1 for part in parts)


@given(shares())
def test_shares_come_back_from_where_they_are_kept(split: tuple[Share, ...]) -> None:
    assert shares_from(shares_as_json(split)) == split == check_shares(split[::-1])


@given(st.data(), shares(), st.integers(1, 10**9), st.dates(date(2025, 9, 1), date(2026, 9, 1)))
def test_what_is_asked_and_what_comes_later_is_the_rest(
    data: st.DataObject, split: tuple[Share, ...], due: int, today: date
) -> None:
    parts = split_due(Money(due), split)
    credited = data.draw(st.integers(0, due))
    paid = data.draw(st.integers(0, due - credited))
    asked = asked_on(parts, Money(credited), Money(paid), today)
    rest = due - credited - paid
    assert asked.amount + asked.later == Money(rest)
    assert bool(asked.amount) == bool(rest)  # whoever still owes is always asked for something
    assert asked.amount >= ZERO
    assert asked.later >= ZERO
    assert 1 <= asked.number <= asked.parts == len(parts)


@given(shares(), st.integers(100, 10**9))
def test_paying_what_is_asked_step_by_step_pays_the_bill(split: tuple[Share, ...], due: int) -> None:
    parts, paid, today = split_due(Money(due), split), ZERO, date(2025, 9, 1)
    asked = asked_on(parts, ZERO, paid, today)
    numbers = []
    while asked.amount:
        numbers.append(asked.number)
        paid += asked.amount
        asked = asked_on(parts, ZERO, paid, today)
    assert paid == Money(due)
    assert numbers == [part.number for part in parts]


@pytest.mark.parametrize(
    ("today", "credited", "paid", "expected"),
    [
        (date(2025, 10, 6), 0, 0, Asked(Money(400_001), 1, 3, OCTOBER, Money(600_000))),
        (OCTOBER, 0, 400_001, Asked(Money(300_000), 2, 3, NOVEMBER, Money(300_000))),  # nothing is due: the next one
        (NOVEMBER, 0, 0, Asked(Money(700_001), 2, 3, NOVEMBER, Money(300_000))),  # two are due
        (NOVEMBER, 0, 400_002, Asked(Money(299_999), 2, 3, NOVEMBER, Money(300_000))),
        (date(2025, 10, 6), 25_000, 0, Asked(Money(400_001), 1, 3, OCTOBER, Money(575_000))),  # off the last part
        (DECEMBER, 350_000, 0, Asked(Money(650_001), 3, 3, DECEMBER, ZERO)),
        (date(2025, 10, 6), 350_000, 400_001, Asked(Money(250_000), 2, 3, NOVEMBER, ZERO)),
        (DECEMBER, 0, 1_000_001, Asked(ZERO, 3, 3, DECEMBER, ZERO)),
    ],
)
def test_what_is_asked(today: date, credited: int, paid: int, expected: Asked) -> None:
    assert asked_on(PARTS, Money(credited), Money(paid), today) == expected


def test_a_sum_too_small_for_all_parts_has_fewer() -> None:
    assert split_due(Money(1), SHARES) == (Instalment(1, Money(1), OCTOBER),)
    assert split_due(ZERO, SHARES) == split_due(Money(5), ()) == ()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ((Share(OCTOBER, 100),), "từ hai đợt"),
        ((Share(OCTOBER, 100), Share(NOVEMBER, 0)), "mỗi đợt từ 1 %"),
        ((Share(OCTOBER, 50), Share(NOVEMBER, 49)), "đang là 99 %"),
        ((Share(OCTOBER, 50), Share(OCTOBER, 50)), "cùng hạn nộp"),
    ],
)
def test_shares_that_make_no_whole_are_refused(bad: tuple[Share, ...], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        check_shares(bad)
