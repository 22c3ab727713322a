"""Parts of bought months: whatever is cut, part and rest are the whole for every payer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.insurance.parting import Amounts, part, summed
from billing.money import ZERO, Money

DONG = st.integers(-10_000_000, 10_000_000).map(Money)
AMOUNTS = st.builds(Amounts, DONG, DONG, DONG, DONG)


@given(AMOUNTS, st.integers(1, 12), st.data())
def test_a_part_and_the_rest_are_the_whole(amounts: Amounts, of: int, data: st.DataObject) -> None:
    months = data.draw(st.integers(0, of))
    kept = amounts.part(months, of)
    assert kept + (amounts - kept) == amounts
    assert kept.gross + (amounts - kept).gross == amounts.gross
    assert amounts.part(of, of) == amounts
    assert not amounts.part(0, of)


@given(DONG, st.integers(1, 12), st.data())
def test_months_that_cost_the_same_are_cut_exactly(month: Money, of: int, data: st.DataObject) -> None:
    months = data.draw(st.integers(0, of))
    assert part(month * of, months, of) == month * months


@given(st.lists(AMOUNTS, max_size=5))
def test_sums_by_payer_are_the_gross(rows: list[Amounts]) -> None:
    assert summed(rows).gross == sum((row.gross for row in rows), ZERO)


@pytest.mark.parametrize(("months", "of"), [(-1, 3), (4, 3), (0, 0)])
def test_no_more_months_than_there_are(months: int, of: int) -> None:
    with pytest.raises(ValueError, match="months"):
        part(Money(1), months, of)
