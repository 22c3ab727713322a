"""``statement read``: a bank's file as JSON lines of transfers, plus line and balance."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from reconciliation.errors import StatementUnreadable
from reconciliation.statements.lines import Statement, StatementLine
from reconciliation.statements.reading import read_statement
from service.commands.answers import YES, no, unusable


def add_arguments(parser: ArgumentParser) -> None:
    """Declare ``read``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="read")
    read = actions.add_parser("read", help="đọc tệp sao kê", allow_abbrev=False)
    read.add_argument("file", metavar="FILE", help="tệp của ngân hàng: .xlsx, .xls, CSV, MT940, CAMT.053")
    read.add_argument("--bank", metavar="NAME", help="tên mẫu sao kê, nếu tệp không tự nói")
    read.add_argument("--account", metavar="NUMBER", help="tài khoản cần đọc, tệp phải ghi số này")


def run(arguments: Namespace) -> int:
    """Print the lines, oldest first; print nothing when anything in the file cannot be read or does not add up."""
    try:
        content = Path(arguments.file).read_bytes()
    except OSError as error:
        return unusable(f"Không đọc được tệp {arguments.file}: {error.strerror}")
    try:
        statement = read_statement(content, arguments.bank, arguments.account)
    except StatementUnreadable as refused:
        return no(refused.message)
    if arguments.account and not statement.is_of(arguments.account):
        said = f"ghi tài khoản {statement.account}" if statement.account else "không ghi số tài khoản nào"
        return no(f"Tệp {said}, không cho thấy là của {arguments.account}; chưa đọc dòng nào")
    for line in statement.lines:
        print(json.dumps(as_dict(statement, line), ensure_ascii=False))
    return YES


def as_dict(statement: Statement, line: StatementLine) -> dict[str, object]:
    """Return the stable keys of a transfer, with its row in the file and the balance after it."""
    return {
        "provider": statement.bank,
        "id": line.key(statement.account or ""),
        "amount": line.amount.dong,
        "direction": line.direction.value,
        "memo": line.memo,
        "account": statement.account,
        "virtual_account": None,
        "bank_reference": line.bank_reference,
        "time": line.time.isoformat().replace("+00:00", "Z"),
        "kind": "transfer",
        "line": line.line,
        "balance": None if line.balance is None else line.balance.dong,
    }
