"""The sheet on which families sign for refunds in cash, as an A5 PDF (pure)."""

from __future__ import annotations

from reportlab.platypus import Flowable, Spacer

from billing.documents.credit_sheets import PayoutList, RefundedRow
from billing.documents.pdf import INNER_WIDTH, Printout, columns, field, grid, line, one_at_a_time, render
from billing.documents.words import amount_in_words
from billing.money import total

_WIDTHS = (24, 0, 36, 62, 92)
_ROWS_A_PAGE = 14
_SIGNERS = ("Người lập", "Người duyệt", "Thủ quỹ")


@one_at_a_time
def cash_sheet_pdf(payout: PayoutList) -> bytes:
    """Return the sheet: the cash lines of a refund with room to sign; the same record always gives the same bytes."""
    rows = [row for row in payout.rows if row.cash]
    pages = [rows[start : start + _ROWS_A_PAGE] for start in range(0, len(rows), _ROWS_A_PAGE)] or [[]]
    printouts = [
        _page(payout, page, 1 + number * _ROWS_A_PAGE, last=number == len(pages) - 1)
        for number, page in enumerate(pages)
    ]
    return render(printouts, title="Danh sách ký nhận tiền hoàn", author=payout.school)


def _page(payout: PayoutList, rows: list[RefundedRow], first: int, *, last: bool) -> Printout:
    widths = [width or INNER_WIDTH - sum(_WIDTHS) for width in _WIDTHS]
    head = [line(text, bold=True, size=8) for text in ("STT", "Học sinh", "Lớp", "Số tiền", "Ký, ghi rõ họ tên")]
    body = [
        [line(str(first + place), size=8), line(row.name, size=8), line(row.class_name, size=8),
         line(str(row.amount), size=8, align="right"), Spacer(0, 26)]
        for place, row in enumerate(rows)
    ]  # fmt: skip
    story: list[Flowable] = [
        line(payout.school, bold=True),
        line(payout.address, size=8),
        Spacer(0, 8),
        line("DANH SÁCH KÝ NHẬN TIỀN HOÀN", size=13, bold=True, align="center"),
        Spacer(0, 4),
        field("Lý do", payout.reason),
        Spacer(0, 6),
        grid([head, *body], widths),
    ]
    if last:
        story += _end(payout)
    return Printout(story, f"Ký nhận tiền hoàn · {payout.school}")


def _end(payout: PayoutList) -> list[Flowable]:
    amount = total(row.amount for row in payout.rows if row.cash)
    names = (payout.maker, payout.approver, "")
    signing = [[line(who, bold=True, align="center", size=8), Spacer(0, 44), line(name, align="center", size=8)]
               for who, name in zip(_SIGNERS, names, strict=True)]  # fmt: skip
    return [
        Spacer(0, 6),
        field("Tổng cộng", str(amount)),
        field("Bằng chữ", amount_in_words(amount)),
        Spacer(0, 10),
        columns(signing, [INNER_WIDTH // 3] * 3),
    ]
