"""The reconciliation report as a workbook: summary with checks, transfers, what waits, receipts, unpaid (pure).

Totals are values and not formulas, so that every program and every script reads the same number; each is shown with
the check that it agrees with the ledger.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from io import BytesIO

from billing.documents.cells import Digest
from billing.documents.workbook import Column, Sheet, workbook_into
from billing.money import total
from reconciliation.reports.records import STATES, ReconciliationReport
from reconciliation.reports.summary_sheet import SUMMARY_COLUMNS, write_summary

OFF = "Kiểm tra: lệch với sổ cái (phải là 0)"
TRANSFER_COLUMNS = (
    Column("STT", 6),
    Column("Thời gian ngân hàng (GMT+7)", 19),
    Column("Tài khoản", 22),
    Column("Mã giao dịch ngân hàng", 24),
    Column("Chiều", 7),
    Column("Số tiền (đồng)", 15),
    Column("Nội dung chuyển khoản", 44),
    Column("Trạng thái", 14),
    Column("Mã học sinh", 16),
    Column("Thông báo thu", 22),
    Column("Số biên lai", 16),
    Column("Đã phân bổ", 15),
    Column("Tiền nộp thừa", 14),
    Column("Chờ xử lý", 14),
    Column("Hoàn trả", 14),
    Column("Chuyển nội bộ", 14),
    Column("Không tính", 14),
    Column("Căn cứ khớp", 48),
    Column("Ghi sổ muộn", 12),
)
WAITING_COLUMNS = (
    Column("STT", 6),
    Column("Thời gian ngân hàng (GMT+7)", 19),
    Column("Tài khoản", 22),
    Column("Mã giao dịch ngân hàng", 24),
    Column("Số tiền (đồng)", 15),
    Column("Nội dung chuyển khoản", 44),
    Column("Trạng thái", 14),
    Column("Lý do chờ", 48),
    Column("Số ngày chờ", 10),
)
RECEIPT_COLUMNS = (
    Column("STT", 6),
    Column("Quyển số", 14),
    Column("Số", 10),
    Column("Ngày", 12),
    Column("Mã học sinh", 16),
    Column("Họ và tên học sinh", 28),
    Column("Số tiền (đồng)", 15),
    Column("Mã giao dịch ngân hàng", 24),
    Column("Tình trạng", 12),
    Column("Lý do hủy", 36),
)
UNPAID_COLUMNS = (
    Column("STT", 6),
    Column("Lớp", 10),
    Column("Mã học sinh", 16),
    Column("Họ và tên học sinh", 28),
    Column("Thông báo thu", 20),
    Column("Khoản thu", 34),
    Column("Kỳ thu", 16),
    Column("Hạn nộp", 12),
    Column("Phải nộp", 15),
    Column("Đã nộp", 15),
    Column("Chưa nộp", 15),
)


def reconciliation_report_xlsx(report: ReconciliationReport) -> bytes:
    """Return the workbook; its digest and row count stand in the first sheet (``cells.report_digest`` checks them).

    The same report always gives the same bytes.
    """
    name = f"Báo cáo đối soát {report.period_from:%d/%m/%Y}–{report.period_to:%d/%m/%Y}"
    titles = ("Tổng hợp", "Giao dịch", "Chờ xử lý", "Biên lai", "Chưa nộp")
    stream = BytesIO()
    digest = Digest()
    with workbook_into(stream, titles, name=name, created=report.as_of.astimezone(UTC)) as workbook:
        for title, columns, freeze, rows, write in (
            ("Giao dịch", TRANSFER_COLUMNS, "D2", len(report.transfers), _transfers),
            ("Chờ xử lý", WAITING_COLUMNS, "D2", len(report.waiting), _waiting),
            ("Biên lai", RECEIPT_COLUMNS, "D2", len(report.receipts), _receipts),
            ("Chưa nộp", UNPAID_COLUMNS, "E2", len(report.unpaid), _unpaid),
        ):
            sheet = workbook.sheet(title, columns, freeze=freeze, data_rows=rows, digest=digest)
            sheet.head()
            write(sheet, report)
        write_summary(workbook.sheet("Tổng hợp", SUMMARY_COLUMNS, freeze="A3"), report, digest)
    return stream.getvalue()


def _transfers(sheet: Sheet, report: ReconciliationReport) -> None:
    for number, row in enumerate(report.transfers, start=1):
        sheet.data(
            number,
            row.at,
            row.account,
            row.bank_reference,
            "Vào" if row.incoming else "Ra",
            row.amount,
            row.memo,
            STATES[row.state],
            ", ".join(row.pupil_codes),
            ", ".join(row.bills),
            ", ".join(row.receipts),
            row.allocated,
            row.credit,
            row.waiting,
            row.refunded,
            row.own,
            row.excluded,
            row.evidence,
            "Có" if row.late else "",
        )
    _transfer_totals(sheet, report)


def _transfer_totals(sheet: Sheet, report: ReconciliationReport) -> None:
    """Write money in with its parts, money out, and the difference to the ledger (0 when right)."""
    incoming = [row for row in report.transfers if row.incoming]
    outgoing = [row for row in report.transfers if not row.incoming]
    parts = [
        total(row.allocated for row in incoming),
        total(row.credit for row in incoming),
        total(row.waiting for row in incoming),
        total(row.refunded for row in incoming),
        total(row.own for row in incoming),
    ]
    ledger = [
        total(row.allocated for row in report.accounts),
        total(row.credit for row in report.accounts),
        total(row.waiting for row in report.accounts),
        total(row.refunded for row in report.accounts),
        total(row.own for row in report.accounts),
    ]
    off = total(row.counted for row in incoming) - total(row.bank_in for row in report.accounts)
    off_out = total(row.counted for row in outgoing) - total(row.bank_out for row in report.accounts)
    lacking = [part - booked for part, booked in zip(parts, ledger, strict=True)]
    before, between, none = ("",) * 4, ("",) * 5, ("",) * 5
    sheet.note()
    for label, rows, shown in (("Cộng tiền vào", incoming, parts), ("Cộng tiền ra", outgoing, none)):
        whole, excluded = total(row.amount for row in rows), total(row.excluded for row in rows)
        sheet.note(label, *before, whole, *between, *shown, excluded, bold=True)
    sheet.note(OFF, *before, off, *between, *lacking)
    sheet.note(f"{OFF}, tiền ra", *before, off_out)


def _waiting(sheet: Sheet, report: ReconciliationReport) -> None:
    for number, row in enumerate(report.waiting, start=1):
        age = max(report.as_of - row.at, timedelta()).days
        state = STATES[row.state]
        sheet.data(number, row.at, row.account, row.bank_reference, row.amount, row.memo, state, row.reason, age)
    whole = total(row.amount for row in report.waiting)
    booked = total(row.suspense_balance for row in report.accounts)
    sheet.note()
    sheet.note("Cộng", *("",) * 3, whole, bold=True)
    sheet.note(OFF, *("",) * 3, whole - booked)


def _receipts(sheet: Sheet, report: ReconciliationReport) -> None:
    for number, row in enumerate(report.receipts, start=1):
        sheet.data(
            number,
            row.book,
            row.number,
            row.issued_on,
            row.pupil_code,
            row.pupil_name,
            row.amount,
            row.bank_reference,
            "HỦY" if row.is_void else "Còn giá trị",
            row.void_reason,
        )
    sheet.note()
    live = total(row.amount for row in report.receipts if not row.is_void)
    sheet.note("Cộng biên lai còn giá trị", *("",) * 5, live, bold=True)
    void = total(row.amount for row in report.receipts if row.is_void)
    sheet.note("Cộng biên lai đã hủy", *("",) * 5, void, bold=True)


def _unpaid(sheet: Sheet, report: ReconciliationReport) -> None:
    for number, row in enumerate(report.unpaid, start=1):
        sheet.data(
            number,
            row.class_name,
            row.pupil_code,
            row.pupil_name,
            row.bill,
            row.item,
            row.period,
            row.due_on,
            row.due,
            row.paid,
            row.remaining,
        )
    due = total(row.due for row in report.unpaid)
    paid = total(row.paid for row in report.unpaid)
    remaining = total(row.remaining for row in report.unpaid)
    sheet.note()
    sheet.note("Cộng", *("",) * 7, due, paid, remaining, bold=True)
    sheet.note(OFF, *("",) * 9, remaining - report.receivable_balance)
