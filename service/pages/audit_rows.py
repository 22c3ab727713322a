"""The auditor's totals of a period and the province's sums, from rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill, BillCredit, BillVoid
from billing.money import Money, total
from billing.payments.balances import live_allocation
from billing.payments.receipt_number import padded
from billing.payments.school_sums import lowered_at, written_off_at
from billing.payments.tables import Allocation, Payment, PaymentReversal, Receipt, ReceiptBook, ReceiptVoid
from billing.people.tables import Authority, School
from billing.storage import money_sum
from reconciliation.daily_check import NOT_ON_ACCOUNT
from reconciliation.differences import reading as differences
from reconciliation.outgoing.kinds import KIND_NAMES
from reconciliation.outgoing.reading import sums_by_kind
from reconciliation.tables import Transfer
from service.pages.office_rows import WAITING_STATES, bank_and_book
from service.pages.views import AuditPage, AuditTotal, ProvincePage, SchoolRow

_LOCAL = timezone(timedelta(hours=7))


def audit_page(session: Session, school_id: UUID, first: date, last: date, now: datetime) -> AuditPage:
    """Return totals, differences and exceptions of a period, both days included."""
    waiting = session.exec(
        select(func.count(), money_sum(Transfer.amount)).where(
            Transfer.school_id == school_id, Transfer.direction == "in", col(Transfer.state).in_(WAITING_STATES)
        )
    ).one()
    bank, book = bank_and_book(session, school_id, last)
    return AuditPage(
        first=first,
        last=last,
        totals=(*_transfer_totals(session, school_id, first, last), *_bill_totals(session, school_id, first, last)),
        bank=bank,
        book=book,
        waiting_count=waiting[0],
        waiting_amount=waiting[1],
        receipt_numbers=tuple(_receipt_numbers(session, school_id)),
        exceptions=tuple(_exceptions(session, school_id, first, last)),
        as_of=now,
    )


def _transfer_totals(session: Session, school_id: UUID, first: date, last: date) -> list[AuditTotal]:
    in_period = (
        Transfer.school_id == school_id,
        col(Transfer.value_date).between(first, last),
        col(Transfer.state).not_in(NOT_ON_ACCOUNT),
    )
    return [
        _count_and_sum(session, "Tiền vào tài khoản", Transfer.amount, *in_period, Transfer.direction == "in"),
        _count_and_sum(session, "Tiền ra khỏi tài khoản", Transfer.amount, *in_period, Transfer.direction == "out"),
        *(
            AuditTotal(f"Trong đó: {KIND_NAMES[of.kind]}", of.amount, of.count)
            for of in sums_by_kind(session, school_id, first, last)
        ),
    ]


def _bill_totals(session: Session, school_id: UUID, first: date, last: date) -> list[AuditTotal]:
    issued = (Bill.school_id == school_id, *_recorded(Bill.issued_at, first, last))
    void = select(BillVoid.bill_id).where(BillVoid.school_id == school_id)
    reversed_ = select(PaymentReversal.payment_id).where(PaymentReversal.school_id == school_id)
    paid = (
        Payment.school_id == school_id,
        col(Payment.value_date).between(first, last),
        col(Payment.id).not_in(reversed_),
        Payment.source_kind != "write_off",
    )
    allocated = session.exec(
        select(func.count(), money_sum(Allocation.amount))
        .join(Payment, col(Payment.id) == col(Allocation.payment_id))
        .where(*paid, live_allocation())
    ).one()
    payments = _count_and_sum(session, "Tiền đã ghi nhận cho học sinh", Payment.amount, *paid)
    receipts = (Receipt.school_id == school_id, *_recorded(Receipt.issued_at, first, last))
    voids = select(ReceiptVoid.receipt_id).where(ReceiptVoid.school_id == school_id)
    lowered = BillCredit.school_id == school_id, *_recorded(BillCredit.at, first, last)
    off_rest, to_credit = session.exec(
        select(money_sum(BillCredit.off_rest), money_sum(BillCredit.to_credit)).where(
            *lowered, col(BillCredit.bill_id).not_in(void)
        )
    ).one()
    return [
        _count_and_sum(session, "Thông báo thu đã phát hành", Bill.family_due, *issued, col(Bill.id).not_in(void)),
        AuditTotal("Ghi giảm, gia đình nộp ít đi", off_rest),
        AuditTotal("Ghi giảm, chuyển thành tiền nộp thừa", to_credit),
        payments,
        AuditTotal("Trong đó ghi vào thông báo thu", allocated[1], allocated[0]),
        AuditTotal("Trong đó tiền nộp thừa", payments.amount - allocated[1]),
        _count_and_sum(session, "Biên lai đã lập", Receipt.amount, *receipts, col(Receipt.id).not_in(voids)),
    ]


def _count_and_sum(session: Session, label: str, amount: Money, *conditions: ColumnElement[bool] | bool) -> AuditTotal:
    count, summed = session.exec(select(func.count(), money_sum(amount)).where(*conditions)).one()
    return AuditTotal(label, summed, count)


def _recorded(moment: datetime, first: date, last: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    start = datetime.combine(first, datetime.min.time(), _LOCAL)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), _LOCAL)
    return col(moment) >= start, col(moment) < end


def _receipt_numbers(session: Session, school_id: UUID) -> list[tuple[str, str, str, int]]:
    rows = session.exec(
        select(ReceiptBook.code, func.min(Receipt.number), func.max(Receipt.number), func.count())
        .join(Receipt, col(Receipt.book_id) == col(ReceiptBook.id))
        .where(ReceiptBook.school_id == school_id)
        .group_by(ReceiptBook.code)
        .order_by(ReceiptBook.code)
    ).all()
    return [(code, padded(low), padded(high), high - low + 1 - count) for code, low, high, count in rows]


def _exceptions(session: Session, school_id: UUID, first: date, last: date) -> list[str]:
    def count(state: str) -> int:
        return session.exec(
            select(func.count()).where(
                Transfer.school_id == school_id,
                Transfer.state == state,
                col(Transfer.value_date).between(first, last),
            )
        ).one()

    voided = session.exec(
        select(func.count()).where(ReceiptVoid.school_id == school_id, *_recorded(ReceiptVoid.at, first, last))
    ).one()
    reversed_ = session.exec(
        select(func.count()).where(PaymentReversal.school_id == school_id, *_recorded(PaymentReversal.at, first, last))
    ).one()
    deeds = session.exec(
        select(func.count()).where(AuditEntry.school_id == school_id, *_recorded(AuditEntry.at, first, last))
    ).one()
    differing = [each for each in differences.differing(session, [school_id], first) if each.day <= last]
    found = [
        (count("quarantined"), "giao dịch bị cách ly, chưa ghi sổ"),
        (count("held"), "giao dịch đang giữ lại, chờ ngân hàng xác nhận"),
        (count("duplicate"), "giao dịch báo trùng, không ghi sổ lần nữa"),
        (len(differing), "giao dịch mà các nguồn báo có kể khác nhau (xem Đối chiếu nguồn báo có)"),
        (voided, "biên lai đã hủy"),
        (reversed_, "khoản ghi nhận đã đảo lại"),
        (deeds, "việc có ghi vào nhật ký kiểm toán"),
    ]
    return [f"{number} {words}." for number, words in found if number]


def province_page(session: Session, schools: Sequence[School], now: datetime) -> ProvincePage:
    """Return the sums of schools; the transaction's scope holds just them."""
    rows = tuple(_school_row(session, school, now) for school in schools)
    return ProvincePage(
        rows=rows,
        billed=total(row.billed for row in rows),
        received=total(row.received for row in rows),
        as_of=now,
    )


def _school_row(session: Session, school: School, now: datetime) -> SchoolRow:
    void = select(BillVoid.bill_id).where(BillVoid.school_id == school.id)
    billed = _count_and_sum(session, "", Bill.family_due, Bill.school_id == school.id, col(Bill.id).not_in(void))
    received = session.exec(
        select(money_sum(Allocation.amount)).where(Allocation.school_id == school.id, live_allocation())
    ).one()
    off_rest, to_credit = lowered_at(session, school.id)
    gone = written_off_at(session, school.id)
    waiting = session.exec(
        select(func.count()).where(
            Transfer.school_id == school.id, Transfer.direction == "in", col(Transfer.state).in_(WAITING_STATES)
        )
    ).one()
    authority = session.get_one(Authority, school.authority_id)
    bank, book = bank_and_book(session, school.id, now.astimezone(_LOCAL).date())
    return SchoolRow(
        school=school.name,
        commune=authority.name,
        bills=billed.count or 0,
        billed=billed.amount - off_rest - to_credit - gone,
        received=received - to_credit - gone,
        waiting_count=waiting,
        difference=bank - book,
    )
