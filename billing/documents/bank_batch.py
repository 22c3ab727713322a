"""The file with which a bank pays many refunds at once, as XLSX and as CSV (pure).

A plain layout, documented in docs/refunds.md, that an accountant pastes into the bank's own form: number, bank, BIN,
account, holder, amount, memo. No formula can stand in it: text that a sheet would work out is neutralised, and accounts
are text, so that no leading zero is lost.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO

from billing.credits.payee import printed_name
from billing.documents.cells import Digest, safe_text
from billing.documents.workbook import Column, workbook_into
from billing.money import Money
from billing.payments.reference import drop_marks

SHEET = "Lệnh chuyển"
MEMO_LONGEST = 35  # what every bank takes in one piece; some cut or break behind it
_HEAD = ("STT", "Ngân hàng", "Mã BIN", "Số tài khoản", "Tên người nhận", "Số tiền", "Nội dung")
_WIDTHS = (6, 24, 10, 24, 34, 16, 40)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One payment: the bank's short name and BIN, the account in full, its holder, the sum, and the memo."""

    bank: str
    bank_bin: str
    account: str
    holder: str
    amount: Money
    memo: str


def memo_for(code: str, words: str = "HOAN TIEN") -> str:
    """Return a memo with our code of the refund first: capital letters, digits and blanks, at most 35 characters."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in drop_marks(words).upper())
    return " ".join(f"{code} {plain}".split())[:MEMO_LONGEST].rstrip()


def batch_csv(rows: Sequence[BatchRow]) -> bytes:
    """Return the CSV: UTF-8 with its mark, which Excel wants, CRLF, every field quoted."""
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(_HEAD)
    for number, row in enumerate(rows, 1):
        writer.writerow([safe_text(value) if isinstance(value, str) else value for value in _values(number, row)])
    return text.getvalue().encode("utf-8-sig")


def batch_xlsx(rows: Sequence[BatchRow], made_at: datetime) -> bytes:
    """Return the workbook: one sheet, a heading, a row for each payment, nothing else."""
    stream, digest = BytesIO(), Digest()
    columns = tuple(Column(name, width) for name, width in zip(_HEAD, _WIDTHS, strict=True))
    with workbook_into(stream, (SHEET,), name="Lệnh chuyển tiền hoàn", created=made_at) as workbook:
        sheet = workbook.sheet(SHEET, columns, freeze="A2", data_rows=len(rows), digest=digest)
        sheet.head()
        for number, row in enumerate(rows, 1):
            values = _values(number, row)
            sheet.data(*values[:5], row.amount, values[6])
    return stream.getvalue()


def _values(number: int, row: BatchRow) -> tuple[int, str, str, str, str, int, str]:
    return number, row.bank, row.bank_bin, row.account, printed_name(row.holder), row.amount.dong, row.memo
