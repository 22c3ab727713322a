"""The first sheet of the reconciliation report: what it is, per account, states, receipt books, checks (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from billing.documents.cells import Digest
from billing.documents.workbook import Column, Sheet
from billing.money import Money, total
from reconciliation.reports.records import (
    MISSING_SHOWN,
    STATES,
    AccountFigures,
    ReconciliationReport,
    books,
    by_class,
    by_state,
    checks,
)

SUMMARY_COLUMNS = (
    Column("", 52),
    Column("", 26),
    *(Column("", 18) for _ in range(10)),
)
_ACCOUNT_HEADINGS = (
    "Tài khoản",
    "Chủ tài khoản",
    "Tiền vào",
    "Tiền ra",
    "Đã phân bổ",
    "Tiền nộp thừa",
    "Chờ xử lý",
    "Hoàn trả",
    "Chuyển nội bộ",
    "Ròng theo sổ, cuối kỳ",
    "Ròng theo ngân hàng",
    "Chênh lệch",
)


def write_summary(sheet: Sheet, report: ReconciliationReport, digest: Digest) -> None:
    """Write the first sheet; ``digest`` must have taken all data rows already."""
    sheet.note("BÁO CÁO ĐỐI SOÁT", bold=True)
    sheet.note(report.school_name, report.school_code, bold=True)
    _about(sheet, report, digest)
    _accounts(sheet, report)
    _checks(sheet, report)
    _states(sheet, report)
    _money_out(sheet, report)
    _books(sheet, report)
    _classes(sheet, report)


def _about(sheet: Sheet, report: ReconciliationReport, digest: Digest) -> None:
    """Write the period, the moment and the fingerprint of the data rows."""
    sheet.note("Kỳ báo cáo (ngày ngân hàng)", f"{report.period_from:%d/%m/%Y} – {report.period_to:%d/%m/%Y}")
    sheet.note("Số liệu ghi sổ đến (GMT+7)", report.as_of)
    sheet.note("Bút toán cuối cùng được tính", report.recorded_seq)
    sheet.note("Số dòng dữ liệu (trang 2–5)", digest.rows)
    sheet.note("Tổng tiền vào", total(row.counted for row in report.transfers if row.incoming))
    sheet.note("SHA-256 của các dòng dữ liệu", digest.hexdigest())
    sheet.note()


def _accounts(sheet: Sheet, report: ReconciliationReport) -> None:
    """Write one row an account and their sum; a bank balance nobody has read stays empty."""
    sheet.heading(_ACCOUNT_HEADINGS)
    for row in report.accounts:
        sheet.note(row.account, row.holder, *_movements([row]), row.bank_balance, row.difference)
    known = [row.bank_balance for row in report.accounts if row.bank_balance is not None]
    whole = total(known) if known and len(known) == len(report.accounts) else None
    booked = total(row.book_balance for row in report.accounts)
    difference = None if whole is None else whole - booked
    sheet.note("Cộng", "", *_movements(report.accounts), whole, difference, bold=True)
    sheet.note()


def _movements(rows: Sequence[AccountFigures]) -> list[Money]:
    return [
        total(row.bank_in for row in rows),
        total(row.bank_out for row in rows),
        total(row.allocated for row in rows),
        total(row.credit for row in rows),
        total(row.waiting for row in rows),
        total(row.refunded for row in rows),
        total(row.own for row in rows),
        total(row.book_balance for row in rows),
    ]


def _checks(sheet: Sheet, report: ReconciliationReport) -> None:
    sheet.heading(["Kiểm tra", "Kết quả", "Vế trái", "Vế phải", "Lệch"])
    for check in checks(report):
        verdict = "LỆCH" if check.difference else "Đúng"
        sheet.note(check.name, verdict, check.left, check.right, check.difference)
    sheet.note()


def _states(sheet: Sheet, report: ReconciliationReport) -> None:
    sheet.heading(["Trạng thái giao dịch", "Số giao dịch", "Số tiền"])
    for state, count, amount in by_state(report.transfers):
        sheet.note(STATES[state], count, amount)
    everything = total(row.amount for row in report.transfers)
    sheet.note("Cộng", len(report.transfers), everything, bold=True)
    sheet.note()


def _money_out(sheet: Sheet, report: ReconciliationReport) -> None:
    """Write what money out of the period was for; the sum is that of all money out."""
    sheet.heading(["Tiền ra chi cho việc gì", "Số khoản", "Số tiền"])
    for kind, count, amount in report.out_by_kind:
        sheet.note(kind, count, amount)
    rows = report.out_by_kind
    sheet.note("Cộng", sum(count for _, count, _ in rows), total(amount for _, _, amount in rows), bold=True)
    sheet.note()


def _books(sheet: Sheet, report: ReconciliationReport) -> None:
    """Write the first and last number of each receipt book, and the numbers that are missing or doubled."""
    headings = ("Quyển biên lai", "Số biên lai", "Từ số", "Đến số", "Đã hủy", "Còn giá trị", "Số thiếu", "Số trùng")
    sheet.heading([*headings, "Các số thiếu, trùng"])
    for book in books(report.receipts, report.last_before):
        wrong = [*book.missing, *book.doubled]
        listed = ", ".join(str(number) for number in wrong[:MISSING_SHOWN])
        if len(wrong) > MISSING_SHOWN:
            listed += ", …"
        missing, doubled = len(book.missing), len(book.doubled)
        sheet.note(book.book, book.count, book.first, book.last, book.voids, book.live, missing, doubled, listed)
    sheet.note()


def _classes(sheet: Sheet, report: ReconciliationReport) -> None:
    sheet.heading(["Chưa nộp theo lớp", "Số học sinh", "Chưa nộp"])
    rows = by_class(report.unpaid)
    for name, pupils, remaining in rows:
        sheet.note(name, pupils, remaining)
    pupils = len({row.pupil_code for row in report.unpaid})
    sheet.note("Cộng", pupils, total(remaining for _, _, remaining in rows), bold=True)
