"""Properties of reading: what is written in any format and order is read back, adds up, and keeps its keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.errors import StatementUnreadable
from reconciliation.statements.cells import read_account, read_amount, read_day_of, read_moment
from reconciliation.statements.lines import Statement
from reconciliation.statements.reading import read_statement
from tests.reconciliation.statements.bank_files import delimited

HEADING = ["Ngày giao dịch", "Số bút toán", "Nội dung", "Số tiền ghi nợ", "Số tiền ghi có", "Số dư"]
START = date(2025, 9, 1)
Moves = list[tuple[int, int, str]]
MOVES = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(-(10**9), 10**9).filter(bool), st.sampled_from(["hp", "Phí, dịch vụ", "x;y"])
    ),
    max_size=10,
).map(sorted)
SHAPES = st.sampled_from(["{:,}", "{:,}.00", "{}", "{:,} VND"])


def table(moves: Moves, opening: int, shape: str = "{:,}") -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for day, dong, memo in moves:
        opening += dong
        out, into = (shape.format(-dong), "") if dong < 0 else ("", shape.format(dong))
        rows.append([f"{START + timedelta(days=day):%d/%m/%Y}", "", memo, out, into, shape.format(opening)])
    return rows


def read(rows: Sequence[Sequence[object]], opening: int, delimiter: str = ";") -> Statement:
    top: list[Sequence[object]] = [
        ["VPBank"],
        ["Số tài khoản", "0123456789"],
        ["Số dư đầu kỳ", f"{opening:,}"],
        HEADING,
    ]
    return read_statement(delimited([*top, *rows], delimiter))


@given(MOVES, st.integers(0, 10**12), SHAPES, st.sampled_from([";", ",", "\t"]), st.sampled_from([1, -1]))
def test_lines_add_up_to_closing_less_opening_whatever_the_format(
    moves: Moves, opening: int, shape: str, delimiter: str, order: int
) -> None:
    rows = table(moves, opening, shape)
    statement = read(rows[::order], opening, delimiter)

    assert [line.memo for line in statement.lines] == [memo for _, _, memo in moves]
    assert [line.signed.dong for line in statement.lines] == [dong for _, dong, _ in moves]
    if moves:
        assert statement.closing == Money(opening) + statement.money_in - statement.money_out


@given(MOVES, st.integers(0, 10**12), st.integers(0, 20), st.integers(0, 20))
def test_an_overlapping_export_of_whole_days_has_the_same_keys(
    moves: Moves, opening: int, first: int, last: int
) -> None:
    """So the same file, or one that overlaps it, brings no line that is not known."""
    before = opening + sum(dong for day, dong, _ in moves if day < first)
    part = [move for move in moves if first <= move[0] <= last]
    whole = [line.key("a") for line in read(table(moves, opening), opening).lines]

    assert len(set(whole)) == len(whole)
    assert {line.key("a") for line in read(table(part, before), before).lines} <= set(whole)


@given(MOVES.filter(bool), st.integers(0, 10**9), st.data())
def test_one_changed_sum_or_balance_is_never_accepted(moves: Moves, opening: int, data: st.DataObject) -> None:
    rows = [list(row) for row in table(moves, opening, "{}")]
    place = data.draw(st.integers(0, len(rows) - 1))
    column = 3 if rows[place][3] else data.draw(st.sampled_from([4, 5])) if rows[place][4] else 5
    rows[place][column] = str(int(str(rows[place][column])) + data.draw(st.integers(1, 10**6)))

    with pytest.raises(StatementUnreadable):
        read(rows, opening)


@given(st.text(max_size=20))
def test_any_text_is_an_amount_a_day_an_account_or_an_error_that_says_why(text: str) -> None:
    for reader in (read_amount, read_moment, read_account, lambda cell: read_day_of(cell, (START, START))):
        reasons = []
        try:
            reader(text)
        except ValueError as error:
            reasons.append(str(error))
        assert all(reasons)


@given(st.dates(date(2024, 3, 1), date(2026, 2, 27)), st.integers(0, 150), st.integers(0, 150))
def test_a_day_without_a_year_is_found_again_in_its_period(day: date, before: int, after: int) -> None:
    period = (day - timedelta(days=before), day + timedelta(days=after))

    assert read_day_of(f"{day:%d-%m}", period) == day


@given(st.integers(10**5, 10**19 - 1))
def test_an_account_as_a_number_is_itself_or_refused_never_another(number: int) -> None:
    for told in (number, float(number)):
        try:
            found = read_account(told)
        except ValueError:
            continue
        assert found == (str(number), True)
