"""Tests of MT940: fields by the library, completeness by us."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.matching import Direction
from reconciliation.statements.reading import read_statement
from tests.reconciliation.statements import bank_files
from tests.reconciliation.statements.bank_files import ACCOUNT


def message(
    lines: str, opening: str = "C250908VND1000,", closing: str = "C250908VND1000,", account: str = ACCOUNT
) -> str:
    return f":20:X\n:25:{account}\n:28C:1/1\n:60F:{opening}\n{lines}:62F:{closing}\n"


def test_what_stands_under_the_closing_balance_belongs_to_no_movement() -> None:
    read = read_statement(bank_files.mt940())

    assert "hotline" not in read.lines[-1].memo
    assert [line.bank_reference for line in read.lines] == ["FT25251001", "FT25252001", "FT25253001"]


def test_a_memo_folded_within_a_word_is_joined_again() -> None:
    memo = "A" * 60 + " FW23ABCDEFG" + " hoc phi"
    folded = f"{memo[:65]}\n{memo[65:]}"
    read = read_statement(message(f":61:250908C500,NTRFNONREF//R1\n:86:{folded}\n", closing="C250908VND1500,").encode())

    assert read.lines[0].memo == memo


@pytest.mark.parametrize(("mark", "direction"), [("RC", Direction.OUT), ("RD", Direction.IN), ("D", Direction.OUT)])
def test_reversals_go_the_other_way(mark: str, direction: Direction) -> None:
    closing = "C250908VND1500," if direction is Direction.IN else "C250908VND500,"
    read = read_statement(message(f":61:250908{mark}500,NTRFNONREF\n", closing=closing).encode())

    assert read.lines[0].direction is direction


def test_the_booking_day_is_the_entry_date_also_over_new_year() -> None:
    read = read_statement(message(":61:2512310102C500,NTRFNONREF\n", closing="C260102VND1500,").encode())

    assert read.lines[0].day == date(2026, 1, 2)


def test_a_line_that_the_library_would_lose_is_missed() -> None:
    lost = ":61:250908C100,\n:61:250908C500,NTRFNONREF\n"  # without a type the second would take the first one's place
    with pytest.raises(StatementUnreadable, match="không đọc được"):
        read_statement(message(lost, closing="C250908VND1500,").encode())


def test_what_cannot_be_read_is_not_logged(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StatementUnreadable):
        read_statement(message(":61:nguyen thi be\n").encode())

    assert "nguyen" not in caplog.text + capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "closing"),
    [
        (":61:250908C500,NTRFNONREF\n", "C250908VND1501,"),
        ("", "C250908VND1001,"),
    ],
)
def test_balances_that_do_not_add_up_are_refused(lines: str, closing: str) -> None:
    with pytest.raises(StatementTotalsDiffer):
        read_statement(message(lines, closing=closing).encode())


@pytest.mark.parametrize(
    "content",
    [
        message(":61:250908C500,50NTRFNONREF\n", closing="C250908VND1500,"),
        message(":61:250908X500,NTRFNONREF\n"),
        message(":61:250931C500,NTRFNONREF\n", closing="C250908VND1500,"),
        message(":61:250908C0,NTRFNONREF\n"),
        message("", opening="C250908USD1000,", closing="C250908USD1000,"),
        ":20:X\n:25:1\n:62F:C250908VND1,\n:61:250908C1,NTRF\n",
    ],
)
def test_what_is_no_money_in_dong_is_refused(content: str) -> None:
    with pytest.raises(StatementUnreadable):
        read_statement(content.encode())


def test_messages_of_one_account_follow_each_other_and_a_gap_is_refused() -> None:
    first = message(":61:250908C500,NTRFNONREF\n", closing="C250908VND1500,")
    second = message(":61:250909C500,NTRFNONREF\n", opening="C250909VND1500,", closing="C250909VND2000,")
    for content in (first + second, second + first):
        read = read_statement(content.encode())
        assert (read.opening, read.closing, [line.day.day for line in read.lines]) == (Money(1000), Money(2000), [8, 9])
    with pytest.raises(StatementTotalsDiffer, match="không nối nhau"):
        read_statement((first + message("", "C250908VND900,", "C250908VND900,")).encode())


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 10**12), st.booleans(), st.integers(1, 28)), max_size=8), st.integers(0, 10**12)
)
def test_what_is_written_is_read_back(moved: list[tuple[int, bool, int]], opening: int) -> None:
    signed = [dong if into else -dong for dong, into, _ in moved]
    lines = "".join(
        f":61:2509{day:02}{'C' if into else 'D'}{dong},NTRFNONREF//R{place}\n:86:memo {place}\n"
        for place, (dong, into, day) in enumerate(moved)
    )
    closing = opening + sum(signed)
    sign = "C" if closing >= 0 else "D"
    content = message(lines, f"C250901VND{opening},", f"{sign}250930VND{abs(closing)},")
    read = read_statement(content.encode())

    assert [line.signed.dong for line in read.lines] == signed
    assert [line.day.day for line in read.lines] == [day for _, _, day in moved]
    assert read.closing == Money(closing)
