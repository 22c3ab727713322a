"""What falls when a pupil leaves: exact while nothing changed, a part of what was billed when something did."""

from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO, Money
from billing.moving.fallen import Shares, fallen

DONG = st.integers(0, 10_000_000).map(Money)


@st.composite
def shares(draw: st.DrawFn) -> Shares:
    """Draw what an item comes to, and what of it family and State carry."""
    family, state, others = draw(DONG), draw(DONG), draw(DONG)
    return Shares(family + state + others, family, state)


@given(shares(), shares())
def test_unchanged_it_is_the_difference(was: Shares, now: Shares) -> None:
    family, state = fallen(was.family, was.state, was, now)
    assert (family, state) == (max(was.family - now.family, ZERO), max(was.state - now.state, ZERO))


@given(DONG, DONG, shares(), shares())
def test_never_more_than_was_billed_and_nothing_where_nothing_falls(
    family: Money, state: Money, was: Shares, now: Shares
) -> None:
    off = fallen(family, state, was, now)
    assert ZERO <= off[0] <= max(family, was.family)
    assert ZERO <= off[1] <= max(state, was.state)
    if (family, state) != (was.family, was.state):
        assert off[0] <= family
        assert off[1] <= state
        if was.gross <= now.gross:
            assert off == (ZERO, ZERO)


@given(DONG, DONG, shares())
def test_who_used_nothing_gets_all_of_it_back(family: Money, state: Money, was: Shares) -> None:
    if was.gross:
        assert fallen(family, state, was, Shares()) == (family, state)


def test_half_a_month_at_a_price_raised_since_is_half_of_what_was_billed() -> None:
    was, now = Shares(Money(400_000), Money(400_000)), Shares(Money(200_000), Money(200_000))
    assert fallen(Money(310_001), ZERO, was, now) == (Money(155_001), ZERO)


def test_a_reduction_approved_since_does_not_swallow_what_was_not_used() -> None:
    was, now = Shares(Money(310_000), ZERO), Shares()
    assert fallen(Money(310_000), ZERO, was, now) == (Money(310_000), ZERO)
