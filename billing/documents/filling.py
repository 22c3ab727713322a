"""Receipts as records, read from the rows. A receipt says the same whenever it is printed.

The plain view: no class, no exemption, nobody's share. Which items a payment paid follows from the order in which a
bill's items stand and from the payments that were live when this one came; later reversals do not change it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillCredit, BillLine
from billing.cash.tables import CashTaking
from billing.documents.receipt_pdf import ReceiptDocument, ReceiptItem, VoidMark
from billing.errors import NotFound
from billing.fees.explaining import plain
from billing.money import ZERO, Money, total
from billing.payments.receipt_number import padded
from billing.payments.tables import (
    Allocation,
    Payment,
    PaymentReversal,
    Receipt,
    ReceiptBook,
    ReceiptVoid,
)
from billing.people.tables import Pupil, PupilCode, School

SCHOOL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
CHANNELS = {"transfer": "Chuyển khoản ngân hàng", "cash": "Tiền mặt", "card": "Thẻ", "credit": "Tiền nộp thừa"}
CREDIT_ITEM = "Tiền nộp thừa, giữ lại cho học sinh"


@dataclass(frozen=True, slots=True)
class _Paid:
    """What one payment paid of one bill, after what was paid before it and taken off its lines by credit notes."""

    bill: Bill
    before: Money
    amount: Money
    lowered: Mapping[int, Money]

    @property
    def remaining(self) -> Money:
        """What was still due on the bill after this payment."""
        return self.bill.family_due - total(self.lowered.values()) - self.before - self.amount


def receipt_document(session: Session, receipt_id: UUID, verify_url: str, bank_reference: str = "") -> ReceiptDocument:
    """Return one receipt as a record; raises ``NotFound`` when the caller may not see it or it does not exist.

    The bank's reference is known to reconciliation, which hands it in.
    """
    return receipt_documents(session, {receipt_id: verify_url}, {receipt_id: bank_reference})[receipt_id]


def receipt_documents(
    session: Session, verify_urls: Mapping[UUID, str], bank_references: Mapping[UUID, str]
) -> dict[UUID, ReceiptDocument]:
    """Return receipts as records, by id: one query for each table, however many they are.

    ``verify_urls`` names the receipts and where each is checked; raises ``NotFound`` for one that may not be seen.
    """
    rows = session.exec(
        select(Receipt, ReceiptBook, Payment, School)
        .join(ReceiptBook, col(ReceiptBook.id) == col(Receipt.book_id))
        .join(Payment, col(Payment.id) == col(Receipt.payment_id))
        .join(School, col(School.id) == col(Receipt.school_id))
        .where(col(Receipt.id).in_(verify_urls))
    ).all()
    for missing in verify_urls.keys() - {receipt.id for receipt, *_ in rows}:
        raise NotFound("Không có biên lai này", receipt_id=str(missing))
    payments = [payment for _, _, payment, _ in rows]
    paid = _paid_by(session, payments)
    lines = lines_of(session, [part.bill.id for parts in paid.values() for part in parts])
    pupils = {payment.pupil_id for payment in payments}
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())
    codes = pupil_codes(session, pupils)
    voids = {
        void.receipt_id: _mark(void)
        for void in session.exec(select(ReceiptVoid).where(col(ReceiptVoid.receipt_id).in_(verify_urls))).all()
    }
    by_hand = _by_hand(session, payments)
    return {
        receipt.id: ReceiptDocument(
            unit_name=school.name,
            unit_address=school.address,
            budget_code=school.budget_code or "",
            book=book.code,
            number=padded(receipt.number),
            issued_on=receipt.issued_at.astimezone(SCHOOL_TIME).date(),
            payer_name=by_hand.get(payment.id, ("", ""))[0] or f"Gia đình học sinh {names[payment.pupil_id]}",
            pupil_name=names[payment.pupil_id],
            pupil_code=codes.get(payment.pupil_id, ""),
            school_year=book.school_year,
            items=tuple(_receipt_items(payment, paid[payment.id], lines)),
            channel=CHANNELS[payment.source_kind],
            bank_reference=bank_references.get(receipt.id, ""),
            received_on=payment.value_date,
            remaining=total(part.remaining for part in paid[payment.id]),
            collector_name=by_hand.get(payment.id, ("", school.name))[1],
            verify_url=verify_urls[receipt.id],
            void=voids.get(receipt.id),
        )
        for receipt, book, payment, school in rows
    }


def _by_hand(session: Session, payments: Sequence[Payment]) -> dict[UUID, tuple[str, str]]:
    """Return, for payments that a cashier took, who brought the money (empty: the family) and who took it."""
    sources = [payment.source_id for payment in payments if payment.source_kind == "cash"]
    rows = session.exec(
        select(Payment.id, CashTaking.payer, CashTaking.collector)
        .join(CashTaking, col(CashTaking.id) == col(Payment.source_id))
        .where(Payment.source_kind == "cash", col(CashTaking.id).in_(sources))
    ).all()
    return {payment_id: (payer, collector) for payment_id, payer, collector in rows}


def _paid_by(session: Session, payments: Sequence[Payment]) -> dict[UUID, list[_Paid]]:
    """Return the bills each payment paid, oldest due first, with what was live on them when it came."""
    rows = session.exec(
        select(Allocation, Bill)
        .join(Bill, col(Bill.id) == col(Allocation.bill_id))
        .where(
            col(Allocation.school_id).in_({payment.school_id for payment in payments}),
            col(Allocation.payment_id).in_([payment.id for payment in payments]),
        )
        .order_by(col(Bill.due_on), col(Bill.number)),
    ).all()
    on_bill = _allocated(session, [bill for _, bill in rows])
    off = _taken_off(session, [bill for _, bill in rows])
    recorded = {payment.id: payment.recorded_at for payment in payments}
    paid: dict[UUID, list[_Paid]] = {payment.id: [] for payment in payments}
    for allocation, bill in rows:
        at = recorded[allocation.payment_id]
        lowered: dict[int, Money] = defaultdict(lambda: ZERO)
        for note in off.get(bill.id, ()):
            if note.at < at:
                lowered[note.line_id] += note.off_rest
        before = _before(on_bill[bill.id], allocation, at)
        paid[allocation.payment_id].append(_Paid(bill, before, allocation.amount, lowered))
    return paid


_Allocated = Sequence[tuple[Allocation, datetime | None]]
"""What was ever allocated to a bill, in its order, with the moment of each reversal."""


def _allocated(session: Session, bills: Sequence[Bill]) -> Mapping[UUID, _Allocated]:
    rows = session.exec(
        select(Allocation, PaymentReversal.at)
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Allocation.payment_id))
        .where(
            col(Allocation.school_id).in_({bill.school_id for bill in bills}),
            col(Allocation.bill_id).in_({bill.id for bill in bills}),
        )
        .order_by(col(Allocation.id)),
    ).all()
    found: dict[UUID, list[tuple[Allocation, datetime | None]]] = {bill.id: [] for bill in bills}
    for allocation, reversed_at in rows:
        found[allocation.bill_id].append((allocation, reversed_at))
    return found


def _taken_off(session: Session, bills: Sequence[Bill]) -> Mapping[UUID, Sequence[BillCredit]]:
    """Return the credit notes of some bills: what was open and no longer is; what was given back stays paid."""
    rows = session.exec(
        select(BillCredit).where(
            col(BillCredit.school_id).in_({bill.school_id for bill in bills}),
            col(BillCredit.bill_id).in_({bill.id for bill in bills}),
        )
    ).all()
    found: dict[UUID, list[BillCredit]] = defaultdict(list)
    for row in rows:
        found[row.bill_id].append(row)
    return found


def _before(on_bill: _Allocated, allocation: Allocation, at: datetime) -> Money:
    """Return what earlier allocations had paid of the same bill at a moment; reversals since then do not count."""
    earlier = takewhile(lambda each: each[0].id != allocation.id, on_bill)
    return total(each.amount for each, reversed_at in earlier if reversed_at is None or reversed_at > at)


def _receipt_items(
    payment: Payment, paid: Sequence[_Paid], lines: Mapping[UUID, Sequence[BillLine]]
) -> Iterator[ReceiptItem]:
    """Yield what was paid, item by item; what is left of the payment is the pupil's credit."""
    for part in paid:
        for bill_line, amount in _shares(lines[part.bill.id], part):
            if shown := plain(bill_line, amount=amount):
                yield ReceiptItem(shown.name, part.bill.period, shown.amount, shown.detail)
    credit = payment.amount - total(part.amount for part in paid)
    if credit:
        yield ReceiptItem(CREDIT_ITEM, "", credit)


def _shares(lines: Sequence[BillLine], part: _Paid) -> Iterator[tuple[BillLine, Money]]:
    """Deal an amount out to lines in their order, after what came before it was dealt out the same way."""
    skip, left = part.before, part.amount
    for bill_line in lines:
        whole = bill_line.family_share - part.lowered.get(bill_line.id or 0, ZERO)
        open_part = whole - min(skip, whole)
        skip -= whole - open_part
        share = min(open_part, left)
        if share:
            yield bill_line, share
        left -= share


def lines_of(session: Session, bills: Collection[UUID]) -> dict[UUID, list[BillLine]]:
    """Return, by bill, the lines that the family pays anything of, in their order."""
    rows = session.exec(
        select(BillLine)
        .where(col(BillLine.bill_id).in_(bills), BillLine.family_share > ZERO)
        .order_by(col(BillLine.position)),
    ).all()
    found: dict[UUID, list[BillLine]] = {bill: [] for bill in bills}
    for row in rows:
        found[row.bill_id].append(row)
    return found


def _mark(void: ReceiptVoid) -> VoidMark:
    by = "người được phân quyền" if void.made_by else "hệ thống đối soát"
    return VoidMark(void.reason, void.at.astimezone(SCHOOL_TIME).date(), by)


def pupil_codes(session: Session, pupils: Collection[UUID]) -> dict[UUID, str]:
    """Return the newest sector code of each pupil who has one."""
    rows = session.exec(
        select(PupilCode.pupil_id, PupilCode.code)
        .where(col(PupilCode.pupil_id).in_(pupils), PupilCode.kind == "moet")
        .order_by(col(PupilCode.valid_from), col(PupilCode.id)),
    ).all()
    return dict(rows)
