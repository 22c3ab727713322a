"""Small statements as XLSX bytes, in the layouts of two banks."""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook

MB_HEADER = ("STT", "Ngày hạch toán", "Phát sinh nợ/Debit", "Phát sinh có/Credit", "Số dư", "Nội dung")
VIETCOMBANK_HEADER = ("Ngày giao dịch", "Số tham chiếu", "Số tiền ghi có", "Số tiền ghi nợ", "Mô tả")


def workbook(*rows: Sequence[object], sheets_before: int = 0) -> bytes:
    book = Workbook()
    for _ in range(sheets_before):
        book.create_sheet().append(["Ghi chú"])
    sheet = book.create_sheet() if sheets_before else book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def mb(
    *lines: Sequence[object],
    opening: object = "1.000.000",
    account: str = "0123456789",
    end: Sequence[Sequence[object]] = (),
) -> bytes:
    top: list[Sequence[object]] = [
        ["SAO KÊ CHI TIẾT TÀI KHOẢN"],
        [f"ACCOUNT NO: {account}"],
        ["Số dư đầu kỳ", opening],
        MB_HEADER,
    ]
    return workbook(*top, *lines, *end)


def vietcombank(*lines: Sequence[object]) -> bytes:
    return workbook(
        ["NGÂN HÀNG TMCP NGOẠI THƯƠNG VIỆT NAM"], ["Số tài khoản", "0011004123456"], VIETCOMBANK_HEADER, *lines
    )
