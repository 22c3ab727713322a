"""A bank's statement file, read into lines that add up, account by account (pure).

The bytes tell the format. In sheets the header is found by its headings, the layout by words above it. A file is taken
whole or not at all: a cell that cannot be read, balances that do not run on, and totals that differ are errors that
name the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciliation.errors import StatementLayoutUnknown, StatementUnreadable
from reconciliation.statements.adding_up import check_sums, joined, statement_of
from reconciliation.statements.blocks import read_blocks
from reconciliation.statements.camt053 import is_camt053, read_camt053
from reconciliation.statements.cells import has_day, has_sum
from reconciliation.statements.csv_sheets import read_text
from reconciliation.statements.grid import Sheet
from reconciliation.statements.heading import Table, find_table
from reconciliation.statements.layouts import LAYOUTS
from reconciliation.statements.lines import Statement
from reconciliation.statements.mapping import Mapped, mapped_table
from reconciliation.statements.mt940 import is_mt940, read_mt940
from reconciliation.statements.sheets import demand_size, is_binary, read_sheets


def read_statement(
    content: bytes, bank: str | None = None, account: str | None = None, mapped: Sequence[Mapped] = ()
) -> Statement:
    """Read a statement of one account: the asked one where the file holds several.

    ``bank`` names the layout where the file does not tell it; ``mapped`` are layouts that people explained. Raises
    ``StatementUnreadable`` (with all bad rows in ``facts["problems"]``), ``StatementTotalsDiffer`` or
    ``StatementLayoutUnknown``.
    """
    statements = _of_their_accounts(read_statements(content, bank, mapped))
    told = list(dict.fromkeys(each.account for each in statements))
    if account is not None and any(each.is_of(account) for each in statements):
        statements = [each for each in statements if each.is_of(account)]
    elif len(told) > 1:
        raise StatementUnreadable(
            f"Tệp có sao kê của {len(told)} tài khoản ({', '.join(each or '?' for each in told)})"
            + (": hãy cho biết tài khoản cần đọc" if account is None else f", không có {account}"),
            accounts=[each for each in told if each],
        )
    statement = joined(statements)
    check_sums(statement)
    return statement


def read_statements(content: bytes, bank: str | None = None, mapped: Sequence[Mapped] = ()) -> list[Statement]:
    """Read every statement in a file; raises as ``read_statement`` does."""
    demand_size(content)
    layouts = [layout for layout in LAYOUTS if bank in (None, layout.bank)]
    if not layouts:
        known = ", ".join(dict.fromkeys(layout.bank for layout in LAYOUTS))
        raise StatementUnreadable(f"Chưa có mẫu sao kê của {bank}; hiện có: {known}")
    if not is_binary(content):
        if is_camt053(content):
            return _summed(read_camt053(content))
        text = read_text(content)
        if is_mt940(text):
            return _summed(read_mt940(text))
    sheets = read_sheets(content)
    tables = _tables(sheets, bank, mapped)
    if not tables:
        raise StatementLayoutUnknown(
            "Không nhận ra mẫu sao kê: không thấy dòng tiêu đề cột của ngân hàng nào đã biết",
        )
    _demand_all_read(sheets, tables)
    return [statement_of(block) for table in tables for block in read_blocks(table)]


def _tables(sheets: Sequence[Sheet], bank: str | None, mapped: Sequence[Mapped]) -> list[Table]:
    """Return the tables of the sheets, all of one bank's layout; a further sheet need not name the bank again."""
    explained = [table for sheet in sheets if (table := mapped_table(sheet, mapped)) is not None]
    if explained:
        return explained
    layouts = [layout for layout in LAYOUTS if bank in (None, layout.bank)]
    found = [find_table(sheet, layouts, named=bank is not None) for sheet in sheets]
    first = next((table.layout.bank for table in found if table is not None), None)
    if first is None:
        return []
    own = [layout for layout in LAYOUTS if layout.bank == first]
    tables = [
        table if table is not None and table.layout.bank == first else find_table(sheet, own, named=True)
        for sheet, table in zip(sheets, found, strict=True)
    ]
    return [table for table in tables if table is not None]


def _demand_all_read(sheets: Sequence[Sheet], tables: Sequence[Table]) -> None:
    """Refuse a file with movements on a sheet without headings: a day and a sum in one row are never passed over."""
    read = {id(table.sheet) for table in tables}
    for sheet in sheets:
        row = None if id(sheet) in read else _like_a_movement(sheet)
        if row is not None:
            raise StatementUnreadable(
                f"Trang “{sheet.name}” dòng {row} trông như giao dịch nhưng không có dòng tiêu đề cột; "
                "chưa nhận phần nào của tệp. Hãy tải lại sao kê, hoặc tải từng đoạn ngày cho vừa một trang",
            )


def _like_a_movement(sheet: Sheet) -> int | None:
    return next((place for place, row in enumerate(sheet.rows, start=1) if has_day(row) and has_sum(row)), None)


def _of_their_accounts(statements: Sequence[Statement]) -> list[Statement]:
    """Give a part that names no account the one of the part before (of the first parts: the one after).

    Whether it really goes on there the balances have to tell. An empty part that says nothing is left out.
    """
    kept = [each for each in statements if each.lines or each.closing is not None or each.account] or statements
    account = next((each for each in kept if each.account is not None), None)
    given = []
    for each in kept:
        if each.account is not None or account is None:
            account = each if each.account is not None else account
            given.append(each)
        else:
            given.append(replace(each, account=account.account, zeros_lost=account.zeros_lost))
    return given


def _summed(statements: list[Statement]) -> list[Statement]:
    for statement in statements:
        check_sums(statement)
    return statements
