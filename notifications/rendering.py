"""A message's words, made from rows at the moment of sending, in the plain view that any eye may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.documents.banks import bank_by_bin
from billing.documents.payment_qr import memo_for
from billing.events.tables import Event
from billing.fees.items import UNIT_NAMES, Unit
from billing.ledger.tables import BankAccount
from billing.money import total
from billing.payments.balances import BillBalance, bill_balances, request_balances, rest_of
from billing.payments.receipt_number import with_book
from billing.payments.tables import (
    Allocation,
    Payment,
    PaymentRequest,
    PaymentRequestBill,
    Receipt,
    ReceiptBook,
)
from billing.people.tables import ClassGroup, Guardian, Pupil, School
from billing.vault import Vault
from notifications.channels.base import Message as Outgoing
from notifications.channels.mail import Attachment, Letter
from notifications.channels.zalo import TemplateMessage
from notifications.errors import UnfitText, Unreachable
from notifications.occasions import CONTACT_KIND, contacts
from notifications.quiet import SCHOOL_TIME
from notifications.rules import Kind, Via
from notifications.tables import Message
from notifications.wording.facts import Account, Line, NoticeFacts, ReceiptFacts, SchoolInWords
from notifications.wording.letters import LetterText, notice_letter, receipt_letter
from notifications.wording.plain import Language, within
from notifications.wording.zns import notice_params, receipt_params


@dataclass(frozen=True, slots=True)
class Desk:
    """What writing a message takes besides the rows.

    ``link_for`` gives a payment request's page; ``receipt_pdf`` prints a receipt (session, receipt, page);
    ``templates`` are Zalo's ids of our templates.
    """

    vault: Vault
    link_for: Callable[[Session, PaymentRequest], str]
    receipt_pdf: Callable[[Session, UUID, str], bytes]
    templates: Mapping[tuple[Kind, Language], str]


def render(session: Session, message: Message, desk: Desk, now: datetime) -> Outgoing:
    """Write one message for its channel.

    Raises ``Unreachable`` when the contact is gone, ``UnfitText`` when something does not fit its template.
    """
    to = _address(session, message, desk.vault, now)
    guardian = session.get_one(Guardian, message.guardian_id)
    language: Language = "en" if guardian.language == "en" else "vi"
    event = session.get_one(Event, message.event_id)
    if message.kind == Kind.BILL_ISSUED:
        notice = notice_facts(session, event.subject_id, desk)
        if message.channel == Via.ZALO:
            params = notice_params(notice, guardian.full_name, language)
            return TemplateMessage(str(message.id), to, _template(desk, Kind.BILL_ISSUED, language), params)
        words = notice_letter(notice, guardian.full_name, language)
        return _letter(message, to, words, notice.school.name, now)
    receipt = receipt_facts(session, event.subject_id, desk)
    if message.channel == Via.ZALO:
        params = receipt_params(receipt, guardian.full_name, language)
        return TemplateMessage(str(message.id), to, _template(desk, Kind.PAYMENT_RECEIVED, language), params)
    words = receipt_letter(receipt, guardian.full_name, language)
    printed = _attachment(session, event.subject_id, receipt, desk)
    return _letter(message, to, words, receipt.school.name, now, printed)


def notice_facts(session: Session, request_id: UUID, desk: Desk) -> NoticeFacts:
    """Read what a payment request says now: its bills that are not void, what was paid, what is due."""
    request = session.get_one(PaymentRequest, request_id)
    balances = [
        balance
        for balance in request_balances(session, request.school_id, [request_id])[request_id]
        if not balance.void
    ]
    newest = max(balances, key=lambda balance: (balance.due_on, balance.number))
    return NoticeFacts(
        school=_school(session, request.school_id),
        pupil=session.get_one(Pupil, request.pupil_id).full_name,
        school_class=_class_of(session, newest.bill_id),
        period=newest.period,
        lines=tuple(line for balance in balances for line in _lines(session, balance, newest)),
        due=rest_of(balances),
        deadline=newest.due_on,
        account=_account(session, request),
        reference=memo_for(session.get_one(BankAccount, request.bank_account_id), request),
        link=desk.link_for(session, request),
        paid=total(balance.paid for balance in balances),
    )


def receipt_facts(session: Session, payment_id: UUID, desk: Desk) -> ReceiptFacts:
    """Read what was received by one payment, for which bills, and what the family has still to pay."""
    payment = session.get_one(Payment, payment_id)
    receipt, book = session.exec(
        select(Receipt, ReceiptBook).join(ReceiptBook).where(Receipt.payment_id == payment_id)
    ).one()
    paid = session.exec(
        select(Bill, Allocation)
        .join(Allocation, col(Allocation.bill_id) == col(Bill.id))
        .where(Allocation.payment_id == payment_id)
        .order_by(col(Bill.due_on), col(Bill.number))
    ).all()
    at_school = col(Bill.school_id) == payment.school_id, col(Bill.pupil_id) == payment.pupil_id
    request = _request_of(session, payment, [bill.id for bill, _ in paid])
    return ReceiptFacts(
        school=_school(session, payment.school_id),
        pupil=session.get_one(Pupil, payment.pupil_id).full_name,
        school_class=_class_of(session, paid[-1][0].id if paid else _last_bill(session, request)),
        number=with_book(book.code, receipt.number),
        amount=payment.amount,
        paid_on=payment.value_date,
        lines=tuple(Line(bill.period, part.amount) for bill, part in paid),
        link=desk.link_for(session, request),
        remaining=rest_of(bill_balances(session, *at_school)),
        credit=payment.amount - total(part.amount for _, part in paid),
    )


def _address(session: Session, message: Message, vault: Vault, now: datetime) -> str:
    today = now.astimezone(SCHOOL_TIME).date()
    via = Via(message.channel)
    contact = contacts(session, [message.guardian_id], today).get((message.guardian_id, via))
    if contact is None:
        raise Unreachable("Phụ huynh không còn liên lạc này.", channel=via, code="no_contact")
    return vault.open(contact.sealed, f"contacts.{CONTACT_KIND[via]}")


def _template(desk: Desk, kind: Kind, language: Language) -> str:
    template_id = desk.templates.get((kind, language)) or desk.templates.get((kind, "vi"))
    if not template_id:
        raise UnfitText("Chưa có mẫu Zalo cho loại tin này.", kind=kind)
    return template_id


def _letter(message: Message, to: str, words: LetterText, school: str, now: datetime, *files: Attachment) -> Letter:
    return Letter(
        tracking_id=str(message.id),
        to=to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        written_at=now,
        from_name=school,
        attachments=files,
    )


def _attachment(session: Session, payment_id: UUID, facts: ReceiptFacts, desk: Desk) -> Attachment:
    receipt_id = session.exec(select(Receipt.id).where(Receipt.payment_id == payment_id)).one()
    name = f"bien-lai-{facts.number.replace('/', '-')}.pdf"
    return Attachment(name, "application/pdf", desk.receipt_pdf(session, receipt_id, facts.link))


def _school(session: Session, school_id: UUID) -> SchoolInWords:
    school = session.get_one(School, school_id)
    return SchoolInWords(school.name, school.phone)


def _class_of(session: Session, bill_id: UUID) -> str:
    query = select(ClassGroup.code).join(Bill, col(Bill.class_id) == col(ClassGroup.id)).where(Bill.id == bill_id)
    return session.exec(query).one()


def _lines(session: Session, balance: BillBalance, newest: BillBalance) -> list[Line]:
    """Return a bill's items as the family pays them; an older bill's items say their month."""
    rows = session.exec(
        select(BillLine).where(BillLine.bill_id == balance.bill_id).order_by(col(BillLine.position))
    ).all()
    month = "" if balance.period == newest.period else within(balance.period)
    return [
        Line(row.item_name, row.family_share, ", ".join(part for part in (month, _reckoning(row)) if part))
        for row in rows
        if row.family_share
    ]


def _reckoning(row: BillLine) -> str:
    """Return ``22 ngày ăn × 28.000 đ``, and nothing where a reduction would show through it."""
    if row.quantity <= 1 or row.family_share != row.gross:
        return ""
    return f"{row.quantity} {UNIT_NAMES[Unit(row.unit)]} × {row.unit_price}"


def _account(session: Session, request: PaymentRequest) -> Account:
    account = session.get_one(BankAccount, request.bank_account_id)
    bank = bank_by_bin(account.bank_bin)
    return Account(
        bank=bank.short_name if bank else account.bank_bin,
        number=request.virtual_account or account.number,
        holder=account.holder,
    )


def _request_of(session: Session, payment: Payment, bills: list[UUID]) -> PaymentRequest:
    """Return the newest request over these bills, or else the pupil's newest at this school."""
    of_pupil = (
        select(PaymentRequest)
        .where(PaymentRequest.school_id == payment.school_id, PaymentRequest.pupil_id == payment.pupil_id)
        .order_by(col(PaymentRequest.created_at).desc(), col(PaymentRequest.id).desc())
    )
    over_bills = of_pupil.join(PaymentRequestBill, col(PaymentRequestBill.request_id) == col(PaymentRequest.id)).where(
        col(PaymentRequestBill.bill_id).in_(bills)
    )
    request = session.exec(over_bills).first() or session.exec(of_pupil).first()
    if request is None:
        raise UnfitText("Khoản thu này chưa có trang để phụ huynh xem.", payment=str(payment.id))
    return request


def _last_bill(session: Session, request: PaymentRequest) -> UUID:
    balances = request_balances(session, request.school_id, [request.id])[request.id]
    return max(balances, key=lambda balance: (balance.due_on, balance.number)).bill_id
