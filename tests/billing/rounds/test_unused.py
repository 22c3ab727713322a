"""What of billed meals was used: never more comes off than is missing, and all that is missing does."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from billing.rounds.unused import BilledMeals, units_used

ANH, BINH = UUID(int=1), UUID(int=2)
LOW, HIGH = Money(30_000), Money(32_000)
LINES = st.lists(st.tuples(st.sampled_from([LOW, HIGH]), st.integers(0, 23)), min_size=1, max_size=4)
NOW = st.dictionaries(st.sampled_from([LOW, HIGH, Money(35_000)]), st.integers(0, 40), max_size=3)


def billed(*lines: tuple[Money, int], pupil: UUID = ANH) -> list[BilledMeals]:
    return [BilledMeals(number, (pupil, "TIENAN"), price, units) for number, (price, units) in enumerate(lines, 1)]


def test_three_days_absent_leave_twenty_used() -> None:
    assert units_used(billed((HIGH, 23)), {(ANH, "TIENAN"): {HIGH: 20}}) == {1: 20}


def test_all_used_is_no_leftover() -> None:
    assert units_used(billed((HIGH, 23)), {(ANH, "TIENAN"): {HIGH: 23}}) == {}
    assert units_used(billed((HIGH, 23)), {(ANH, "TIENAN"): {HIGH: 24}}) == {}


def test_who_left_before_the_first_day_used_nothing() -> None:
    assert units_used(billed((HIGH, 23)), {}) == {1: 0}


def test_what_is_missing_comes_off_at_its_price() -> None:
    lines = billed((LOW, 10), (HIGH, 13))
    assert units_used(lines, {(ANH, "TIENAN"): {LOW: 7, HIGH: 13}}) == {1: 7}


def test_a_price_that_was_changed_since_makes_no_leftover() -> None:
    assert units_used(billed((LOW, 23)), {(ANH, "TIENAN"): {HIGH: 23}}) == {}
    assert units_used(billed((LOW, 23)), {(ANH, "TIENAN"): {HIGH: 21}}) == {1: 21}


@given(LINES, NOW)
def test_exactly_the_difference_comes_off(lines: list[tuple[Money, int]], now: dict[Money, int]) -> None:
    before = sum(units for _, units in lines)
    used = units_used(billed(*lines), {(ANH, "TIENAN"): now})
    after = sum(used.get(number, units) for number, (_, units) in enumerate(lines, 1))
    assert before - after == max(before - sum(now.values()), 0)
    assert all(0 <= left < lines[number - 1][1] for number, left in used.items())


@given(LINES, LINES, NOW)
def test_pupils_and_items_do_not_mix(
    hers: list[tuple[Money, int]], his: list[tuple[Money, int]], now: dict[Money, int]
) -> None:
    both = [
        *billed(*hers),
        *(BilledMeals(each.line_id + 10, (BINH, "TIENAN"), each.unit_price, each.quantity) for each in billed(*his)),
    ]
    alone = units_used(billed(*hers), {(ANH, "TIENAN"): now})
    together = units_used(both, {(ANH, "TIENAN"): now, (BINH, "TIENAN"): dict(his)})
    assert {line: left for line, left in together.items() if line < 10} == alone
