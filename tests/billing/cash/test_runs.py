"""Tests of the numbers that are missing in a book."""

from hypothesis import given
from hypothesis import strategies as st

from billing.cash.runs import Run, missing_runs


def test_a_gap_is_a_run_and_what_comes_after_the_last_is_none() -> None:
    assert missing_runs(101, [101, 104, 105, 110]) == [Run(102, 103), Run(106, 109)]
    assert [str(run) for run in missing_runs(1, [2, 5])] == ["1", "3–4"]
    assert missing_runs(1, []) == []


@given(first=st.integers(1, 30), used=st.sets(st.integers(1, 60)))
def test_runs_and_used_numbers_together_are_all_numbers(first: int, used: set[int]) -> None:
    used = {number for number in used if number >= first}
    runs = missing_runs(first, used)
    missing = {number for run in runs for number in range(run.first, run.last + 1)}
    assert sum(map(len, runs)) == len(missing)
    assert not missing & used
    assert missing | used == set(range(first, max(used, default=first - 1) + 1))
