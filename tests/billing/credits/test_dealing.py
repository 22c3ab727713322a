"""The rule by which credit pays bills."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.credits.dealing import Credit, OpenBill, Rule, Use, deal
from billing.money import ZERO, Money, total

ITEMS = ("TIENAN", "BANTRU", "NUOCUONG")
AMOUNTS = st.integers(0, 500_000).map(Money)


@st.composite
def bills(draw: st.DrawFn) -> list[OpenBill[int]]:
    found = []
    for key in range(draw(st.integers(0, 4))):
        items = tuple((item, draw(AMOUNTS)) for item in draw(st.sets(st.sampled_from(ITEMS))))
        rest = draw(st.integers(0, sum(amount.dong for _, amount in items) + 100_000))
        found.append(OpenBill(key, Money(rest), items, draw(st.booleans())))
    return found


CREDITS = st.dictionaries(
    st.sampled_from([*ITEMS, "XEMXIEC", None]), st.tuples(AMOUNTS, st.sampled_from(list(Rule))), max_size=5
).map(lambda found: [Credit(item, amount, rule) for item, (amount, rule) in found.items()])


def sums(uses: tuple[Use[int], ...]) -> tuple[dict[str | None, Money], dict[int, Money]]:
    by_item: dict[str | None, Money] = defaultdict(lambda: ZERO)
    by_bill: dict[int, Money] = defaultdict(lambda: ZERO)
    for use in uses:
        by_item[use.item] += use.amount
        by_bill[use.bill] += use.amount
    return by_item, by_bill


@given(CREDITS, bills())
def test_never_more_than_there_is_or_is_open(kept: list[Credit], open_: list[OpenBill[int]]) -> None:
    uses = deal(kept, open_)
    by_item, by_bill = sums(uses)
    assert all(use.amount > ZERO for use in uses)
    assert len({(use.item, use.bill) for use in uses}) == len(uses)
    assert all(by_item[credit.item] <= credit.amount for credit in kept)
    assert all(by_bill[bill.bill] <= bill.rest for bill in open_)


@given(CREDITS, bills())
def test_each_credit_goes_where_its_rule_lets_it(kept: list[Credit], open_: list[OpenBill[int]]) -> None:
    rules = {credit.item: credit.rule for credit in kept}
    by_key = {bill.bill: bill for bill in open_}
    for use in deal(kept, open_):
        if use.item is None:
            continue
        bill = by_key[use.bill]
        assert rules[use.item] is not Rule.STAYS
        if rules[use.item] is Rule.SAME_ITEM or not bill.offset:
            assert use.amount <= dict(bill.items)[use.item]


@given(CREDITS, bills())
def test_what_could_be_used_is_used(kept: list[Credit], open_: list[OpenBill[int]]) -> None:
    by_item, by_bill = sums(deal(kept, open_))
    left = {credit.item: credit.amount - by_item[credit.item] for credit in kept}
    rests = {bill.bill: bill.rest - by_bill[bill.bill] for bill in open_}
    if left.get(None, ZERO):
        assert total(rests.values()) == ZERO
    for credit in kept:
        if credit.item is not None and credit.rule is Rule.OFFSET and left[credit.item]:
            assert all(rests[bill.bill] == ZERO for bill in open_ if bill.offset)


@given(CREDITS, bills())
def test_dealing_again_with_what_is_left_uses_nothing_more(kept: list[Credit], open_: list[OpenBill[int]]) -> None:
    uses = deal(kept, open_)
    by_item, by_bill = sums(uses)
    own: dict[tuple[str | None, int], Money] = {(use.item, use.bill): use.amount for use in uses}
    rest = [replace(credit, amount=credit.amount - by_item[credit.item]) for credit in kept]
    still = [
        replace(
            bill,
            rest=bill.rest - by_bill[bill.bill],
            items=tuple((item, max(due - own.get((item, bill.bill), ZERO), ZERO)) for item, due in bill.items),
        )
        for bill in open_
    ]
    assert deal(rest, still) == ()


def test_the_same_item_comes_first_and_takes_its_own_line() -> None:
    meals, water = Credit("TIENAN", Money(50), Rule.OFFSET), Credit("NUOCUONG", Money(30), Rule.SAME_ITEM)
    both = OpenBill("b", Money(60), (("TIENAN", Money(30)), ("NUOCUONG", Money(30))))
    assert set(deal([meals, water], [both])) == {Use("TIENAN", "b", Money(30)), Use("NUOCUONG", "b", Money(30))}


def test_an_item_that_is_not_charged_offsets_others_or_waits() -> None:
    other = OpenBill("b", Money(60), (("BANTRU", Money(60)),))
    assert deal([Credit("TIENAN", Money(50), Rule.OFFSET)], [other]) == (Use("TIENAN", "b", Money(50)),)
    assert deal([Credit("TIENAN", Money(50), Rule.SAME_ITEM)], [other]) == ()
    assert deal([Credit("TIENAN", Money(50), Rule.STAYS)], [other]) == ()


def test_money_without_an_item_pays_the_oldest_bill() -> None:
    old, new = OpenBill("old", Money(20), offset=False), OpenBill("new", Money(60))
    assert deal([Credit(None, Money(50))], [old, new]) == (Use(None, "old", Money(20)), Use(None, "new", Money(30)))


def test_strange_input_is_refused() -> None:
    with pytest.raises(ValueError, match="below"):
        deal([Credit("A", Money(-1))], [])
    with pytest.raises(ValueError, match="twice"):
        deal([Credit("A", ZERO), Credit("A", ZERO)], [OpenBill("b", ZERO)])
