"""Receipts and slips as records, read from the rows. A receipt says the same whenever it is printed.

The plain view: no class, no exemption, nobody's share. Which items a payment paid follows from the order in which a
bill's items stand and from the payments that were live when this one came; later reversals do not change it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.documents.banks import bank_by_bin
from billing.documents.payment_qr import payload_for
from billing.documents.receipt_pdf import ReceiptDocument, ReceiptItem, VoidMark
from billing.documents.slip_pdf import SlipDocument, SlipItem
from billing.errors import NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.balances import request_balances, rest_of
from billing.payments.receipt_number import padded
from billing.payments.receipts import school_year_of
from billing.payments.tables import (
    Allocation,
    Payment,
    PaymentRequest,
    PaymentReversal,
    Receipt,
    ReceiptBook,
    ReceiptVoid,
)
from billing.people.tables import Pupil, PupilCode, School
from billing.storage import money_sum

SCHOOL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
CHANNELS = {"transfer": "Chuyển khoản ngân hàng", "cash": "Tiền mặt", "card": "Thẻ", "credit": "Tiền nộp thừa"}
UNITS = {
    "month": "tháng",
    "meal_day": "ngày ăn",
    "hour": "giờ",
    "day": "ngày",
    "lesson": "tiết",
    "km": "km",
    "term": "học kỳ",
    "year": "năm",
    "once": "lần",
}
CREDIT_ITEM = "Tiền nộp thừa, giữ lại cho học sinh"


@dataclass(frozen=True, slots=True)
class _Paid:
    """What one payment paid of one bill, after what was paid before it."""

    bill: Bill
    before: Money
    amount: Money


def receipt_document(session: Session, receipt_id: UUID, verify_url: str, bank_reference: str = "") -> ReceiptDocument:
    """Return one receipt as a record; raises ``NotFound`` when the caller may not see it or it does not exist.

    The bank's reference is known to reconciliation, which hands it in.
    """
    receipt = session.get(Receipt, receipt_id)
    if receipt is None:
        raise NotFound("Không có biên lai này", receipt_id=str(receipt_id))
    payment = session.exec(select(Payment).where(Payment.id == receipt.payment_id)).one()
    book = session.exec(select(ReceiptBook).where(ReceiptBook.id == receipt.book_id)).one()
    school = session.exec(select(School).where(School.id == receipt.school_id)).one()
    pupil = session.exec(select(Pupil).where(Pupil.id == payment.pupil_id)).one()
    paid = _paid_by(session, payment)
    return ReceiptDocument(
        unit_name=school.name,
        unit_address=school.address,
        budget_code=school.budget_code or "",
        book=book.code,
        number=padded(receipt.number),
        issued_on=receipt.issued_at.astimezone(SCHOOL_TIME).date(),
        payer_name=f"Gia đình học sinh {pupil.full_name}",
        pupil_name=pupil.full_name,
        pupil_code=pupil_code(session, pupil.id),
        school_year=book.school_year,
        items=tuple(_receipt_items(session, payment, paid)),
        channel=CHANNELS[payment.source_kind],
        bank_reference=bank_reference,
        received_on=payment.value_date,
        remaining=total(part.bill.family_due - part.before - part.amount for part in paid),
        collector_name=school.name,
        verify_url=verify_url,
        void=_void(session, receipt.id),
    )


def _paid_by(session: Session, payment: Payment) -> list[_Paid]:
    """Return the bills a payment paid, oldest due first, with what was live on them when it came."""
    rows = session.exec(
        select(Allocation, Bill)
        .join(Bill, col(Bill.id) == col(Allocation.bill_id))
        .where(Allocation.payment_id == payment.id)
        .order_by(col(Bill.due_on), col(Bill.number)),
    ).all()
    return [
        _Paid(bill, _before(session, allocation, payment.recorded_at), allocation.amount) for allocation, bill in rows
    ]


def _before(session: Session, allocation: Allocation, at: datetime) -> Money:
    """Return what earlier allocations had paid of the same bill at a moment; reversals since then do not count."""
    return session.exec(
        select(money_sum(Allocation.amount))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Allocation.payment_id))
        .where(
            Allocation.bill_id == allocation.bill_id,
            col(Allocation.id) < allocation.id,
            col(PaymentReversal.at).is_(None) | (col(PaymentReversal.at) > at),
        ),
    ).one()


def _receipt_items(session: Session, payment: Payment, paid: Sequence[_Paid]) -> Iterator[ReceiptItem]:
    """Yield what was paid, item by item; what is left of the payment is the pupil's credit."""
    for part in paid:
        for bill_line, amount in _shares(lines_of(session, part.bill.id), part.before, part.amount):
            detail = _detail(bill_line) if amount == bill_line.family_share else ""
            yield ReceiptItem(bill_line.item_name, part.bill.period, amount, detail)
    credit = payment.amount - total(part.amount for part in paid)
    if credit:
        yield ReceiptItem(CREDIT_ITEM, "", credit)


def _shares(lines: Sequence[BillLine], before: Money, amount: Money) -> Iterator[tuple[BillLine, Money]]:
    """Deal an amount out to lines in their order, after ``before`` was dealt out the same way."""
    skip, left = before, amount
    for bill_line in lines:
        open_part = bill_line.family_share - min(skip, bill_line.family_share)
        skip -= bill_line.family_share - open_part
        share = min(open_part, left)
        if share:
            yield bill_line, share
        left -= share


def slip(session: Session, request_id: UUID, verify_url: str, note: str = "") -> SlipDocument:
    """Return the printable slip of a payment request: what is still to pay on its bills, with its QR.

    Raises ``NotFound``, or ``Refused`` when nothing is to be paid or the account takes no VietQR.
    """
    request = session.get(PaymentRequest, request_id)
    if request is None:
        raise NotFound("Không có thông báo thu này", request_id=str(request_id))
    balances = [each for each in request_balances(session, request.school_id, [request_id])[request_id] if each.rest]
    account = session.exec(select(BankAccount).where(BankAccount.id == request.bank_account_id)).one()
    payload = payload_for(account, request, rest_of(balances))
    if payload is None:
        raise Refused("Thông báo thu này đã nộp đủ hoặc tài khoản không nhận VietQR; không có gì để in")
    school = session.exec(select(School).where(School.id == request.school_id)).one()
    pupil = session.exec(select(Pupil).where(Pupil.id == request.pupil_id)).one()
    bank = bank_by_bin(account.bank_bin)
    items = [item for each in balances for item in _slip_items(session, each.bill_id, each.period)]
    newest = balances[-1]
    return SlipDocument(
        school_name=school.name,
        school_contact=f"{school.address} · {school.phone}",
        round_name=newest.period,
        pupil_name=pupil.full_name,
        pupil_code=pupil_code(session, pupil.id),
        school_year=school_year_of(newest.due_on),
        items=tuple(items),
        due_on=newest.due_on,
        qr_payload=payload,
        reference=request.reference,
        bank_name=bank.short_name if bank else account.bank_bin,
        account_last4=(request.virtual_account or account.number)[-4:],
        account_holder=account.holder,
        verify_url=verify_url,
        paid=total(each.paid for each in balances),
        note=note,
    )


def _slip_items(session: Session, bill_id: UUID, period: str) -> Iterator[SlipItem]:
    for bill_line in lines_of(session, bill_id):
        yield SlipItem(bill_line.item_name, period, bill_line.family_share, _detail(bill_line))


def lines_of(session: Session, bill_id: UUID) -> Sequence[BillLine]:
    """Return the lines of a bill that the family pays anything of, in their order."""
    return session.exec(
        select(BillLine)
        .where(BillLine.bill_id == bill_id, BillLine.family_share > ZERO)
        .order_by(col(BillLine.position)),
    ).all()


def _detail(bill_line: BillLine) -> str:
    """Return ``21 ngày ăn × 35.000 đ``; nothing when somebody else pays a share, which it would give away."""
    if bill_line.family_share != bill_line.gross or bill_line.quantity == 1:
        return ""
    return f"{bill_line.quantity} {UNITS[bill_line.unit]} × {bill_line.unit_price}"


def _void(session: Session, receipt_id: UUID) -> VoidMark | None:
    void = session.get(ReceiptVoid, receipt_id)
    if void is None:
        return None
    by = "người được phân quyền" if void.made_by else "hệ thống đối soát"
    return VoidMark(void.reason, void.at.astimezone(SCHOOL_TIME).date(), by)


def pupil_code(session: Session, pupil_id: UUID) -> str:
    """Return a pupil's newest sector code; empty when the pupil has none yet."""
    code = session.exec(
        select(PupilCode.code)
        .where(PupilCode.pupil_id == pupil_id, PupilCode.kind == "moet")
        .order_by(col(PupilCode.valid_from).desc(), col(PupilCode.id).desc())
        .limit(1),
    ).first()
    return code or ""
