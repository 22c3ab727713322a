"""Tests of reading statements: what adds up is read whole, anything else names its row."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.feeds.stand_in import Payment, StandInBank
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.matching import Direction
from reconciliation.statements import grid
from reconciliation.statements.reading import read_statement
from tests.reconciliation.statements.workbooks import MB_HEADER, mb, vietcombank, workbook

FIRST = ("1", "08/09/2025", "", "650.000", "1.650.000", "FW23 hoc phi")
SECOND = ("2", "08/09/2025", "", "650.000", "2.300.000", "FW23 hoc phi")
OUT = ("3", "09/09/2025", "11.000", "", "2.289.000", "Phi dich vu")


def test_lines_are_read_with_day_amount_direction_and_balance() -> None:
    read = read_statement(mb(FIRST, SECOND, OUT))

    assert (read.bank, read.account) == ("mb", "0123456789")
    assert (read.opening, read.closing) == (Money(1_000_000), Money(2_289_000))
    assert (read.money_in, read.money_out) == (Money(1_300_000), Money(11_000))
    first, second, out = read.lines
    assert (first.line, first.day, first.amount) == (5, date(2025, 9, 8), Money(650_000))
    assert first.time == datetime(2025, 9, 7, 17, tzinfo=UTC)
    assert (out.direction, out.balance, out.memo) == (Direction.OUT, Money(2_289_000), "Phi dich vu")
    assert (first.occurrence, second.occurrence) == (1, 2)
    assert first.key("0123456789") != second.key("0123456789")


def test_newest_first_gives_the_same_lines_and_keys() -> None:
    ahead, behind = read_statement(mb(FIRST, SECOND, OUT)), read_statement(mb(OUT, SECOND, FIRST))

    keys = [[line.key("a") for line in read.lines] for read in (ahead, behind)]
    assert keys[0] == keys[1]
    assert behind.opening == Money(1_000_000)


def test_columns_go_by_their_headings_whatever_their_order() -> None:
    read = read_statement(
        vietcombank(
            ["08/09/2025 10:11:12", "5078 - 12345", "650,000", "", "MBVCB.123.FW23 hoc phi"],
            ["07/09/2025", "5078 - 12344", "", "20,000", "phi"],
        )
    )

    assert read.bank == "vietcombank"
    assert [line.direction for line in read.lines] == [Direction.OUT, Direction.IN]
    assert read.lines[1].time == datetime(2025, 9, 8, 3, 11, 12, tzinfo=UTC)
    assert read.lines[1].bank_reference == "5078 - 12345"
    assert (read.opening, read.closing) == (None, None)


def test_the_table_may_stand_on_a_later_sheet_and_be_empty() -> None:
    rows = [["SAO KÊ CHI TIẾT TÀI KHOẢN"], ["Số dư đầu kỳ", "5.000"], MB_HEADER, ["Số dư cuối kỳ", "5.000"]]
    read = read_statement(workbook(*rows, sheets_before=1))

    assert (read.lines, read.opening, read.closing) == ((), Money(5_000), Money(5_000))


def test_a_memo_that_runs_over_two_rows_is_joined_and_a_footer_is_not() -> None:
    more = ["", "", "", "", "", "thang 9"]
    footer = ["Người lập bảng", "", "", "", "", ""]
    read = read_statement(mb(FIRST, more, ("3", "08/09/2025", "50.000", "", "1.600.000", "x"), footer))

    assert [line.memo for line in read.lines] == ["FW23 hoc phi thang 9", "x"]


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (("1", "08/13/2025", "", "650.000", "1.650.000", "x"), "Ngày"),
        (("1", "", "", "650.000", "1.650.000", "x"), "Ngày"),
        (("1", "08/09/2025", "", "65O.000", "1.650.000", "x"), "Ghi có"),
        (("1", "08/09/2025", "", "650.000,50", "1.650.000", "x"), "Ghi có"),
        (("1", "08/09/2025", "", "=600000+50000", "1.650.000", "x"), "Ghi có"),
        (("1", "08/09/2025", "1.000", "650.000", "1.649.000", "x"), "Ghi nợ, Ghi có"),
        (("1", "08/09/2025", "", "", "1.000.000", "x"), "Ghi nợ, Ghi có"),
        (("1", "08/09/2025", "", "-650.000", "350.000", "x"), "Ghi nợ, Ghi có"),
        (("1", "08/09/2025", "", "650.000", "", "x"), "Số dư"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_read(line: tuple[str, ...], column: str) -> None:
    with pytest.raises(StatementUnreadable) as refused:
        read_statement(mb(FIRST, line))

    problems = refused.value.facts["problems"]
    assert isinstance(problems, list)
    assert [(problem.line, problem.column) for problem in problems] == [(6, column)]


def test_all_bad_rows_are_listed() -> None:
    bad = ("1", "never", "", "x", "", "y")
    with pytest.raises(StatementUnreadable) as refused:
        read_statement(mb(bad, FIRST, bad))

    problems = refused.value.facts["problems"]
    assert isinstance(problems, list)
    assert {problem.line for problem in problems} == {5, 7}
    assert len(problems) == 6


@pytest.mark.parametrize(
    "content",
    [
        mb(FIRST, ("2", "08/09/2025", "", "650.000", "2.300.001", "x")),
        mb(FIRST, opening="1.000.001"),
        mb(FIRST, end=[["Số dư cuối kỳ: 1.650.001"]]),
        mb(FIRST, end=[["Tổng cộng", "", "0", "650.001"]]),
        mb(FIRST, end=[["Tổng cộng", "", "1", "650.000"]]),
        mb(FIRST, FIRST),
    ],
)
def test_what_does_not_add_up_is_refused(content: bytes) -> None:
    with pytest.raises(StatementTotalsDiffer):
        read_statement(content)


def test_totals_that_add_up_are_accepted() -> None:
    end = [["Tổng cộng", "", "", "650.000"], ["Số dư cuối kỳ", "", "", "1.650.000"]]

    assert len(read_statement(mb(FIRST, end=end)).lines) == 1


@pytest.mark.parametrize(
    "content", [b"", b"<html><table></table></html>", b"PK\x03\x04 no archive", workbook(["a", "b"])]
)
def test_what_is_no_known_statement_is_refused(content: bytes) -> None:
    with pytest.raises(StatementUnreadable):
        read_statement(content)


def test_another_archive_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    with pytest.raises(StatementUnreadable):
        read_statement(packed.getvalue())


def test_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in [("MAX_FILE_BYTES", 100), ("MAX_UNPACKED_BYTES", 100), ("MAX_ROWS", 2)]:
        with monkeypatch.context() as patch:
            patch.setattr(grid, name, limit)
            with pytest.raises(StatementUnreadable):
                read_statement(mb(FIRST))


def test_a_bank_can_be_named_where_the_file_does_not_tell() -> None:
    nameless = workbook(MB_HEADER, FIRST)
    with pytest.raises(StatementUnreadable, match="Không nhận ra"):
        read_statement(nameless)
    with pytest.raises(StatementUnreadable, match="Chưa có mẫu"):
        read_statement(nameless, "nowhere bank")

    assert len(read_statement(nameless, "mb").lines) == 1


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 5_000_000), st.booleans(), st.integers(0, 60 * 24 * 20)), max_size=12),
    st.integers(0, 10**9),
    st.integers(0, 2**32),
)
def test_what_the_stand_in_bank_writes_is_read_back(
    payments: list[tuple[int, bool, int]], opening: int, seed: int
) -> None:
    bank = StandInBank({"0123456789": "Trường Tiểu học An Bình"}, Random(seed))  # noqa: S311  chance, not secrecy
    bank.open_account("0123456789", Money(opening))
    start = datetime(2025, 9, 1, tzinfo=UTC)
    for dong, outgoing, minutes in sorted(payments, key=lambda payment: payment[2]):
        direction = Direction.OUT if outgoing else Direction.IN
        moment = start + timedelta(minutes=minutes)
        bank.book(Payment(account="0123456789", amount=Money(dong), at=moment, memo="hp", direction=direction))
    head = StatementHead(
        account="0123456789",
        owner="Trường Tiểu học An Bình",
        first_day=date(2025, 9, 1),
        last_day=date(2025, 9, 30),
        opening=Money(opening),
    )
    booked = bank.movements("0123456789")
    read = read_statement(statement(head, booked))

    assert (read.account, read.opening) == ("0123456789", Money(opening))
    assert [(line.signed, line.time, line.bank_reference) for line in read.lines] == [
        (one.signed, one.at, one.bank_reference) for one in booked
    ]
