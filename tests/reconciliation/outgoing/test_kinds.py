"""Tests of what a rule suggests for money out."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money, total
from reconciliation.outgoing.kinds import MOST_SUGGESTED, Sent, Tie, Waiting, is_fee, suggest

DAY = date(2025, 10, 6)


def waits(dong: int, **said: object) -> Waiting:
    given_ = {"tie": Tie.REFUND, "id": f"{dong}", "amount": Money(dong), "day": DAY, "words": "Nguyễn Văn A", **said}
    return Waiting(**given_)  # type: ignore[arg-type]  # a test's short hand


@pytest.mark.parametrize(
    ("memo", "fee"),
    [
        ("Thu phí SMS Banking tháng 10", True),
        ("PHI QUAN LY TAI KHOAN T10", True),
        ("Phí chuyển tiền", True),
        ("chuyen tien hoc phi lop 1A", False),
        ("hoan hoc phi thang 9", False),
        ("PHI NOI TRU", False),
        ("phi an ban tru", False),
        ("", False),
    ],
)
def test_the_banks_words_name_a_fee_and_no_money_of_families(memo: str, *, fee: bool) -> None:
    assert is_fee(Sent(Money(11_000), DAY, memo)) is fee
    assert not is_fee(Sent(Money(50_000_000), DAY, memo))


def test_the_banks_number_speaks_before_the_sum() -> None:
    payout = waits(5_000, tie=Tie.INSURANCE, id="p", reference="ft 25279001")
    other = waits(5_000, id="r")
    rules = [(each.rule, each.kind) for each in suggest(Sent(Money(5_000), DAY, "x", "FT25279001"), [other, payout])]
    assert rules == [("same_number", "insurance"), ("same_amount", "refund")]


def test_all_lines_of_one_order_together() -> None:
    lines = [waits(3_000, id="a", group="1"), waits(4_000, id="b", group="1"), waits(9_000, id="c", group="2")]
    (found,) = suggest(Sent(Money(7_000), DAY, "chi ho"), lines)
    assert (found.rule, [each.id for each in found.ties]) == ("whole_order", ["a", "b"])


amounts = st.integers(1, 5).map(lambda n: n * 1_000)


@given(
    amounts,
    st.lists(st.tuples(amounts, st.sampled_from(["", "1", "2"]), st.sampled_from(Tie)), max_size=8),
    st.sampled_from(["", "thu phi", "tien an"]),
)
def test_a_suggestion_comes_to_the_whole_sum(rest: int, rows: list[tuple[int, str, Tie]], memo: str) -> None:
    waiting = [waits(dong, id=str(n), group=group, tie=tie) for n, (dong, group, tie) in enumerate(rows)]
    found = suggest(Sent(Money(rest), DAY, memo), waiting)
    assert len(found) <= MOST_SUGGESTED
    for each in found:
        assert each.rule == "fee_words" or total(tie.amount for tie in each.ties) == Money(rest)
        assert len({tie.key for tie in each.ties}) == len(each.ties)
