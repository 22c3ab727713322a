"""Totals, gaps and checks of a report: right when the rows agree, loud when a single đồng is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import ZERO, Money
from reconciliation.reports.records import STATES, ReconciliationReport, TransferLine, books, by_class, by_state, checks
from tests.reconciliation.reports.making import receipt, report, transfer, transfers, unpaid


def wrong(made: ReconciliationReport) -> list[str]:
    return [check.name for check in checks(made) if check.difference]


@given(st.lists(transfers(), max_size=15))
def test_a_report_whose_rows_agree_has_no_difference(rows: list[TransferLine]) -> None:
    assert wrong(report(rows)) == []


@pytest.mark.parametrize(
    ("column", "caught"),
    [
        ("bank_in", ["Tiền vào: sổ cái và từng giao dịch", "Tiền vào = phân bổ"]),
        ("bank_out", ["Tiền ra: sổ cái"]),
        ("allocated", ["Đã phân bổ: sổ cái", "Tiền vào = phân bổ"]),
        ("credit", ["Tiền nộp thừa: sổ cái", "Tiền vào = phân bổ"]),
        ("waiting", ["Chờ xử lý: sổ cái", "Tiền vào = phân bổ"]),
        ("refunded", ["Hoàn trả: sổ cái", "Tiền vào = phân bổ"]),
        ("suspense_balance", ["Tiền đang chờ"]),
        ("book_balance", ["Số dư ngân hàng và số dư sổ: Vietcombank •6789"]),
        ("bank_balance", ["Số dư ngân hàng và số dư sổ: Vietcombank •6789"]),
    ],
)
def test_one_dong_off_in_the_ledger_is_caught(column: str, caught: list[str]) -> None:
    made = report([transfer(), transfer(5)])
    first, *others = made.accounts
    off = replace(first, **{column: getattr(first, column) + Money(1)})
    found = wrong(replace(made, accounts=[off, *others]))
    assert len(found) == len(caught)
    assert all(any(name.startswith(start) for name in found) for start in caught)


def test_a_lost_transfer_and_a_lost_unpaid_line_are_caught() -> None:
    made = report([transfer(), transfer()], unpaid=[unpaid(), unpaid()])
    assert "Tiền vào: sổ cái và từng giao dịch" in wrong(replace(made, transfers=made.transfers[1:]))
    assert wrong(replace(made, unpaid=made.unpaid[1:])) == ["Chưa nộp: sổ cái và trang Chưa nộp"]


def test_an_account_without_statement_is_not_compared() -> None:
    assert [row.difference for row in report([transfer()]).accounts] == [ZERO, None]
    assert [check.name for check in checks(report([transfer()])) if "BIDV" in check.name] == []


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(0, 10))
def test_the_missing_numbers_are_exactly_those_nobody_wrote(numbers: set[int], before: int) -> None:
    (book,) = books([receipt(number) for number in numbers], {"01/2025": before})
    assert set(book.missing) | numbers >= set(range(before + 1, max(numbers) + 1))
    assert not set(book.missing) & numbers
    assert (book.first, book.last, book.count) == (min(numbers), max(numbers), len(numbers))
    assert book.doubled == ()


def test_a_number_given_twice_is_shown_and_a_void_one_is_no_gap() -> None:
    (book,) = books([receipt(8), receipt(9, is_void=True), receipt(9), receipt(10, 7)], {"01/2025": 7})
    assert book.missing == ()
    assert book.doubled == (9,)
    assert book.voids == 1
    assert book.live == Money(200_007)


def test_states_are_counted_in_their_order() -> None:
    rows = [transfer(5, state="waiting"), transfer(7), transfer(8, state="new"), transfer(1, state="waiting")]
    assert by_state(rows) == [("new", 1, Money(8)), ("waiting", 2, Money(6)), ("matched", 1, Money(7))]
    assert len(STATES) == 10


def test_a_pupil_with_two_open_items_is_one_pupil_of_the_class() -> None:
    rows = [unpaid(code="1"), unpaid(code="1", due=900), unpaid(code="2"), unpaid("3B", code="3")]
    assert by_class(rows) == [("3A", 3 - 1, Money(300 + 700 + 300)), ("3B", 1, Money(300))]


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(report(), as_of=datetime(2025, 10, 1))  # noqa: DTZ001  the refusal is what is tested
