"""A report made from transfers alone: the ledger's figures are added up by another way than the report does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

from billing.money import ZERO, Money
from reconciliation.reports.records import (
    AccountFigures,
    ReceiptLine,
    ReconciliationReport,
    TransferLine,
    UnpaidLine,
    WaitingLine,
)

MOMENT = datetime(2025, 10, 1, 2, 3, 4, 567_890, tzinfo=UTC)
ACCOUNTS = ("Vietcombank •6789", "BIDV •0001")


def account(name: str, transfers: Sequence[TransferLine], waiting: Sequence[WaitingLine]) -> AccountFigures:
    """Return one account's figures, added up in plain numbers."""
    mine = [row for row in transfers if row.account == name]

    def booked(column: str) -> Money:
        return Money(sum(getattr(row, column).dong for row in mine if row.incoming and row.state != "duplicate"))

    paid_out = Money(sum(row.amount.dong for row in mine if not row.incoming and row.state != "duplicate"))
    held = Money(sum(row.amount.dong for row in waiting if row.account == name))
    balance = booked("amount") - paid_out
    return AccountFigures(
        account=name,
        holder="TRUONG TIEU HOC DONG MAU",
        bank_in=booked("amount"),
        bank_out=paid_out,
        allocated=booked("allocated"),
        credit=booked("credit"),
        waiting=booked("waiting"),
        refunded=booked("refunded"),
        suspense_balance=held,
        book_balance=balance,
        bank_balance=balance if name == ACCOUNTS[0] else None,
    )


def report(
    transfers: Sequence[TransferLine] = (),
    receipts: Sequence[ReceiptLine] = (),
    unpaid: Sequence[UnpaidLine] = (),
) -> ReconciliationReport:
    """Return a report that agrees with itself over the given rows."""
    waiting = [
        WaitingLine(row.at, row.account, row.bank_reference, row.waiting, row.memo, row.state, "Không có mã")
        for row in transfers
        if row.waiting
    ]
    return ReconciliationReport(
        school_name="Trường Tiểu học Đồng Mẫu",
        school_code="TH01",
        period_from=date(2025, 9, 1),
        period_to=date(2025, 9, 30),
        as_of=MOMENT,
        recorded_seq=4711,
        accounts=[account(name, transfers, waiting) for name in ACCOUNTS],
        transfers=transfers,
        waiting=waiting,
        receipts=receipts,
        unpaid=unpaid,
        receivable_balance=Money(sum(row.due.dong - row.paid.dong for row in unpaid)),
    )


def transfer(amount: int = 100_000, memo: str = "FW23456789A", state: str = "matched") -> TransferLine:
    """Return one transfer that is wholly allocated."""
    return TransferLine(
        at=MOMENT - timedelta(days=20, hours=1),
        account=ACCOUNTS[0],
        bank_reference="FT25248123456789",
        incoming=True,
        amount=Money(amount),
        memo=memo,
        state=state,
        allocated=Money(amount),
        pupil_codes=("7501234567",),
        bills=("TB-0001",),
        receipts=("01/2025-0000001",),
        evidence="Mã đúng, đúng số tiền",
    )


def receipt(number: int, amount: int = 100_000, *, is_void: bool = False) -> ReceiptLine:
    """Return one receipt of the one book."""
    return ReceiptLine(
        book="01/2025",
        number=number,
        issued_on=date(2025, 9, 11),
        pupil_code="7501234567",
        pupil_name="Trần Nguyễn Đăng Khôi",
        amount=Money(amount),
        bank_reference="FT25248123456789",
        void_reason="Ghi nhầm" if is_void else "",
        is_void=is_void,
    )


def unpaid(class_name: str = "3A", code: str = "7501234567", due: int = 500, paid: int = 200) -> UnpaidLine:
    """Return one item that is partly paid."""
    return UnpaidLine(
        class_name=class_name,
        pupil_code=code,
        pupil_name="Lê Thị Bưởi",
        bill="TB-0002",
        item="Tiền ăn bán trú",
        period="Tháng 9/2025",
        due_on=date(2025, 10, 10),
        due=Money(due),
        paid=Money(paid),
    )


@st.composite
def transfers(draw: st.DrawFn) -> TransferLine:
    """Draw any transfer: money in split into four parts, or money out."""
    parts = [Money(draw(st.integers(0, 10**10))) for _ in range(4)]
    incoming = draw(st.booleans())
    twice = draw(st.integers(0, 5)) == 0
    whole = sum(parts, ZERO) if incoming else Money(draw(st.integers(1, 10**10)))
    allocated, credit, waiting, refunded = parts if incoming and not twice else [ZERO] * 4
    state = draw(st.sampled_from(["matched", "waiting", "refunded"])) if incoming else "ignored_out"
    return TransferLine(
        at=MOMENT - timedelta(seconds=draw(st.integers(0, 10**7))),
        account=draw(st.sampled_from(ACCOUNTS)),
        bank_reference=draw(st.text(max_size=20)),
        incoming=incoming,
        amount=whole,
        memo=draw(st.text(max_size=60)),
        state="duplicate" if twice else state,
        allocated=allocated,
        credit=credit,
        waiting=waiting,
        refunded=refunded,
        late=draw(st.booleans()),
    )


def wall(*parts: int) -> datetime:
    """Return a moment as a spreadsheet holds it: the wall clock, without a zone."""
    year, month, day, *clock = parts
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    return datetime.combine(date(year, month, day), time(hour, minute, second))
