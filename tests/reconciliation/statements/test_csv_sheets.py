"""Tests of delimited text: quotes that nobody closed, rows cut or shifted."""

from __future__ import annotations

import pytest

from reconciliation.errors import StatementUnreadable
from reconciliation.statements.reading import read_statement

TOP = "VPBank\nSố tài khoản,0123456789\n"
MEMO_LAST = f"{TOP}Ngày giao dịch,Số bút toán,Số tiền ghi nợ,Số tiền ghi có,Số dư,Nội dung\n"
FIRST = '08/09/2025,B1,,650000,1650000,"FW1 an"\n'
SECOND = '09/09/2025,B2,,350000,2000000,"FW23ABCDE hoc phi"\n'
THIRD = '10/09/2025,B3,,350000,2350000,"FW3 cu"\n'


def test_the_file_as_the_bank_wrote_it_is_read() -> None:
    memos = [line.memo for line in read_statement(f"{MEMO_LAST}{FIRST}{SECOND}{THIRD}".encode()).lines]
    assert memos == ["FW1 an", "FW23ABCDE hoc phi", "FW3 cu"]

    folded = SECOND.replace(" hoc phi", "\nhoc phi, lop 1A")
    assert read_statement(f"{MEMO_LAST}{FIRST}{folded}".encode()).lines[1].memo == "FW23ABCDE hoc phi, lop 1A"


@pytest.mark.parametrize(
    "rows",
    [
        FIRST + SECOND[: SECOND.index("CDE")],  # cut within the memo
        FIRST + SECOND.replace('phi"', "phi") + THIRD.replace('"', ""),  # the next row goes into the memo
        FIRST.replace('an"', "an") + SECOND + THIRD,
        FIRST.replace('an"', "an") + SECOND.replace('"', "") + THIRD.replace('"FW3 cu"', 'FW3"'),
    ],
)
def test_a_quote_that_nobody_closed_refuses_the_file(rows: str) -> None:
    with pytest.raises(StatementUnreadable, match="ngoặc kép"):
        read_statement((MEMO_LAST + rows).encode())


@pytest.mark.parametrize(
    "row",
    [
        "09/09/2025,B2,,350000,2000000,hoc phi, lop 1A",  # a comma that nobody quoted: the memo would be cut there
        "09/09/2025,B2,,350000,2000000",
    ],
)
def test_a_row_of_another_width_than_the_heading_is_named(row: str) -> None:
    with pytest.raises(StatementUnreadable, match="dòng 5, cột Cả dòng"):
        read_statement(f"{MEMO_LAST}{FIRST}{row}\n".encode())
