"""What many messages of one school say, read together: one query for each table, however many messages there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.documents.payment_qr import PaidBy, memo_for, number_for
from billing.events.going_back import BY_BANK
from billing.events.recording import BILL_CREDITED, CARD_UNPAID, CREDIT_USED, PAYMENT_TAKEN_BACK
from billing.events.tables import Event
from billing.fees.explaining import plain
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.balances import (
    BillBalance,
    Call,
    bill_balances,
    call_of,
    line_dues,
    request_balances,
    rest_of,
)
from billing.payments.banks import bank_by_bin
from billing.payments.grace import Muted, muted
from billing.payments.receipt_number import with_book
from billing.payments.tables import Allocation, Payment, PaymentRequest, PaymentRequestBill, Receipt, ReceiptBook
from billing.payments.virtual_accounts import numbers_shown
from billing.people.names import NO_CLASS
from billing.people.tables import ClassGroup, Pupil, School
from notifications.announced import instead_of_announced
from notifications.wording.facts import (
    Account,
    ChangeFacts,
    Coming,
    Line,
    NoticeFacts,
    ReceiptFacts,
    SchoolInWords,
    StillAsked,
)
from notifications.wording.plain import within

_WITH_A_SUM = frozenset({CREDIT_USED, PAYMENT_TAKEN_BACK, CARD_UNPAID})
Links = Callable[[Session, Sequence[PaymentRequest]], Mapping[UUID, str]]
"""Gives the pages of payment requests, by request."""


@dataclass(frozen=True, slots=True)
class GivenReceipt:
    """A receipt and what a message says of it."""

    receipt_id: UUID
    facts: ReceiptFacts


def notice_facts(
    session: Session, school_id: UUID, request_ids: Collection[UUID], links: Links, today: date
) -> dict[UUID, NoticeFacts]:
    """Read what payment requests say on a day, by request: bills that are not void, what was paid, what is asked.

    Left out is a request on which nothing is open.
    """
    if not request_ids:
        return {}
    requests = session.exec(
        select(PaymentRequest).where(
            PaymentRequest.school_id == school_id,
            col(PaymentRequest.id).in_(request_ids),
        )
    ).all()
    balances = {
        request_id: [balance for balance in found if not balance.void]
        for request_id, found in request_balances(session, school_id, [each.id for each in requests]).items()
    }
    calls = {request_id: call for request_id, found in balances.items() if (call := call_of(found, today))}
    newest = {request_id: _newest(balances[request_id]) for request_id in calls}
    instead = {each.request_id: each for each in instead_of_announced(session, school_id, calls)}
    school = school_in_words(session, school_id)
    names = _names(session, {request.pupil_id for request in requests})
    classes = _classes(session, [bill.bill_id for bill in newest.values()])
    items = _items(session, [balance for found in balances.values() for balance in found])
    accounts = _accounts(session, {request.bank_account_id for request in requests})
    pages = links(session, requests)
    numbers = numbers_shown(session, school_id, requests)
    time = muted(session, school_id, {request.pupil_id for request in requests}, today)
    return {
        request.id: NoticeFacts(
            school=school,
            pupil=names[request.pupil_id],
            school_class=classes[newest[request.id].bill_id],
            period=newest[request.id].period,
            lines=tuple(
                line
                for balance in balances[request.id]
                for line in _lines(items[balance.bill_id], balance.period, newest[request.id].period)
            ),
            due=calls[request.id].whole,
            deadline=calls[request.id].by,
            account=_in_words(accounts[request.bank_account_id], PaidBy(request.reference, numbers[request.id])),
            reference=memo_for(accounts[request.bank_account_id], request),
            link=pages[request.id],
            leftover=total(balance.leftover for balance in balances[request.id]),
            paid=total(balance.received for balance in balances[request.id]),
            coming=tuple(Coming(amount, day) for day, amount in calls[request.id].coming),
            part=part_of(calls[request.id]),
            months=_months(calls[request.id]),
            grace=_more_time(time, request.pupil_id, balances[request.id], calls[request.id]),
            replaced=(instead[request.id].old_number, instead[request.id].number) if request.id in instead else None,
        )
        for request in requests
        if request.id in calls
    }


def change_facts(
    session: Session, school_id: UUID, events: Collection[Event], links: Links, today: date
) -> dict[int, ChangeFacts]:
    """Read what is to be said of bills taken back, lowered or paid by credit, by event; the plain view, so never why.

    A bill that nobody was ever asked to pay has no page to show; it is left out.
    """
    bills = {event.subject_id for event in events}
    if not bills:
        return {}
    balances = {
        balance.bill_id: balance
        for balance in bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id).in_(bills))
    }
    requests = _newest_requests(session, school_id, bills)
    asked = request_balances(session, school_id, [request.id for request in requests.values()])
    school = school_in_words(session, school_id)
    names = _names(session, {balance.pupil_id for balance in balances.values()})
    classes = _classes(session, bills)
    pages = links(session, list({request.id: request for request in requests.values()}.values()))
    instead = dict(
        session.exec(
            select(Bill.replaces_id, Bill.number).where(Bill.school_id == school_id, col(Bill.replaces_id).in_(bills))
        ).all()
    )
    time = muted(session, school_id, {balance.pupil_id for balance in balances.values()}, today)
    told: dict[int, ChangeFacts] = {}
    for event in events:
        request, bill = requests.get(event.subject_id), balances[event.subject_id]
        if request is None or event.id is None:
            continue
        lowered = event.kind == BILL_CREDITED
        now, off, back = (Money(event.facts[name]) if lowered else ZERO for name in ("due", "off_rest", "to_credit"))
        used = Money(event.facts["used"]) if event.kind in _WITH_A_SUM else ZERO
        told[event.id] = ChangeFacts(
            school=school,
            pupil=names[bill.pupil_id],
            school_class=classes[bill.bill_id],
            period=bill.period,
            number=bill.number,
            was=now + off + back if lowered else bill.due,
            now=bill.due if used else now,
            used=used,
            link=pages[request.id],
            given_back=back,
            asked=_still_asked(time, bill.pupil_id, asked[request.id], today),
            instead=instead.get(bill.bill_id, ""),
            by=event.facts.get("by", BY_BANK),
        )
    return told


def part_of(call: Call) -> str:
    """Return ``1/3`` for the first of three instalments; nothing where no single bill is paid in parts."""
    return f"{call.number}/{call.parts}" if call.parts else ""


def _months(call: Call) -> tuple[Line, ...]:
    """Return what is open by month, where there are several."""
    return tuple(Line(period, amount) for period, amount in call.months) if len(call.months) > 1 else ()


def _still_asked(time: Muted, pupil_id: UUID, balances: Sequence[BillBalance], today: date) -> StillAsked | None:
    call = call_of(balances, today)
    if call is None:
        return None
    return StillAsked(call.now, call.by, call.whole, _more_time(time, pupil_id, balances, call))


def _more_time(time: Muted, pupil_id: UUID, balances: Sequence[BillBalance], call: Call) -> date | None:
    """Return until when the family has more time than the day that is asked for, for all that is open."""
    grace = time.shared(pupil_id, [each.bill_id for each in balances if each.rest])
    return grace.until if grace and grace.until > call.by else None


def _newest_requests(session: Session, school_id: UUID, bills: Collection[UUID]) -> dict[UUID, PaymentRequest]:
    rows = session.exec(
        select(PaymentRequestBill.bill_id, PaymentRequest)
        .join(PaymentRequest, col(PaymentRequest.id) == col(PaymentRequestBill.request_id))
        .where(PaymentRequestBill.school_id == school_id, col(PaymentRequestBill.bill_id).in_(bills))
        .order_by(col(PaymentRequest.created_at), col(PaymentRequest.id))
    ).all()
    return dict(rows)


def receipt_facts(
    session: Session, school_id: UUID, payment_ids: Collection[UUID], links: Links
) -> dict[UUID, GivenReceipt]:
    """Read what payments brought, by payment: for which bills, and what each family has still to pay.

    A payment of a pupil who never had a payment request has no page to show; it is left out.
    """
    if not payment_ids:
        return {}
    rows = session.exec(
        select(Payment, Receipt, ReceiptBook)
        .join(Receipt, col(Receipt.payment_id) == col(Payment.id))
        .join(ReceiptBook, col(ReceiptBook.id) == col(Receipt.book_id))
        .where(col(Receipt.school_id) == school_id, col(Receipt.payment_id).in_(payment_ids))
    ).all()
    payments = [payment for payment, _, _ in rows]
    pupils = {payment.pupil_id for payment in payments}
    paid = _paid(session, school_id, payments)
    requests = _requests(session, school_id, payments, paid)
    shown = {payment.id: _shown_bill(paid[payment.id]) for payment in payments if paid[payment.id]} | _last_bills(
        session, school_id, {key: request for key, request in requests.items() if not paid[key]}
    )
    school = school_in_words(session, school_id)
    names = _names(session, pupils)
    classes = _classes(session, list(shown.values()))
    pages = links(session, list({request.id: request for request in requests.values()}.values()))
    rest = _rests(session, school_id, pupils)
    return {
        payment.id: GivenReceipt(
            receipt.id,
            ReceiptFacts(
                school=school,
                pupil=names[payment.pupil_id],
                school_class=classes[shown[payment.id]],
                number=with_book(book.code, receipt.number),
                amount=payment.amount,
                paid_on=payment.value_date,
                lines=tuple(Line(bill.period, amount) for bill, amount in paid[payment.id]),
                link=pages[requests[payment.id].id],
                remaining=rest[payment.pupil_id],
                credit=payment.amount - total(amount for _, amount in paid[payment.id]),
            ),
        )
        for payment, receipt, book in rows
        if payment.id in requests
    }


_Paid = Mapping[UUID, list[tuple[Bill, Money]]]
"""The bills that each payment paid, oldest due first, and how much of them."""


def _paid(session: Session, school_id: UUID, payments: Sequence[Payment]) -> _Paid:
    rows = session.exec(
        select(Allocation, Bill)
        .join(Bill, col(Allocation.bill_id) == col(Bill.id))
        .where(
            col(Allocation.school_id) == school_id,
            col(Allocation.payment_id).in_([payment.id for payment in payments]),
        )
        .order_by(col(Bill.due_on), col(Bill.number))
    ).all()
    found: dict[UUID, list[tuple[Bill, Money]]] = {payment.id: [] for payment in payments}
    for allocation, bill in rows:
        found[allocation.payment_id].append((bill, allocation.amount))
    return found


def _requests(
    session: Session, school_id: UUID, payments: Sequence[Payment], paid: _Paid
) -> dict[UUID, PaymentRequest]:
    """Return, by payment, the newest request over the bills it paid, or else the pupil's newest at this school."""
    asked = session.exec(
        select(PaymentRequest)
        .where(
            PaymentRequest.school_id == school_id,
            col(PaymentRequest.pupil_id).in_({payment.pupil_id for payment in payments}),
        )
        .order_by(col(PaymentRequest.created_at).desc(), col(PaymentRequest.id).desc())
    ).all()
    over = set(
        session.exec(
            select(PaymentRequestBill.request_id, PaymentRequestBill.bill_id).where(
                PaymentRequestBill.school_id == school_id,
                col(PaymentRequestBill.request_id).in_([request.id for request in asked]),
            )
        ).all()
    )
    found: dict[UUID, PaymentRequest] = {}
    for payment in payments:
        own = [request for request in asked if request.pupil_id == payment.pupil_id]
        over_bills = [each for each in own if any((each.id, bill.id) in over for bill, _ in paid[payment.id])]
        if chosen := next(iter(over_bills or own), None):
            found[payment.id] = chosen
    return found


def _shown_bill(paid: Sequence[tuple[Bill, Money]]) -> UUID:
    """Return the bill whose class a receipt names: the newest one that was paid."""
    return paid[-1][0].id


def _last_bills(session: Session, school_id: UUID, requests: Mapping[UUID, PaymentRequest]) -> dict[UUID, UUID]:
    """Return the newest bill of each request, under the request's own key."""
    if not requests:
        return {}
    balances = request_balances(session, school_id, [request.id for request in requests.values()])
    return {key: _newest(balances[request.id]).bill_id for key, request in requests.items()}


def _newest(balances: Sequence[BillBalance]) -> BillBalance:
    return max(balances, key=lambda balance: (balance.due_on, balance.number))


def _rests(session: Session, school_id: UUID, pupils: Collection[UUID]) -> dict[UUID, Money]:
    """Return what each pupil's family has still to pay at this school."""
    balances = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.pupil_id).in_(pupils))
    return {pupil: rest_of([each for each in balances if each.pupil_id == pupil]) for pupil in pupils}


def school_in_words(session: Session, school_id: UUID) -> SchoolInWords:
    """Return name and phone of a school as families know it."""
    school = session.get_one(School, school_id)
    return SchoolInWords(school.name, school.phone)


def _names(session: Session, pupils: Collection[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())


def _classes(session: Session, bills: Collection[UUID]) -> dict[UUID, str]:
    """Return the class that stands on each bill; the deposit of a child that is not enrolled yet has none."""
    rows = session.exec(
        select(Bill.id, ClassGroup.code)
        .outerjoin(ClassGroup, col(Bill.class_id) == col(ClassGroup.id))
        .where(col(Bill.id).in_(bills))
    ).all()
    return {bill: code or NO_CLASS for bill, code in rows}


def _accounts(session: Session, accounts: Collection[UUID]) -> dict[UUID, BankAccount]:
    found = session.exec(select(BankAccount).where(col(BankAccount.id).in_(accounts))).all()
    return {account.id: account for account in found}


def _in_words(account: BankAccount, paid_by: PaidBy) -> Account:
    bank = bank_by_bin(account.bank_bin)
    number = number_for(account, paid_by)
    return Account(
        bank=bank.short_name if bank else account.bank_bin,
        number=number,
        holder=account.holder,
        has_qr=account.can_qr and bool(number),
        told_at_once=account.told_by == "callback",
    )


_Items = list[tuple[BillLine, Money]]
"""A bill's lines in their order, each with what it comes to for the family after credit notes."""


def _items(session: Session, balances: Sequence[BillBalance]) -> dict[UUID, _Items]:
    found: dict[UUID, _Items] = {balance.bill_id: [] for balance in balances}
    dues = line_dues(session, balances)
    rows = session.exec(select(BillLine).where(col(BillLine.bill_id).in_(found)).order_by(col(BillLine.position))).all()
    for row in rows:
        found[row.bill_id].append((row, dues[row.id or 0]))
    return found


def _lines(items: _Items, period: str, newest: str) -> list[Line]:
    """Return a bill's items as the family pays them; an older bill's items say their month."""
    month = "" if period == newest else within(period)
    return [
        Line(shown.name, shown.amount, ", ".join(part for part in (month, shown.detail) if part))
        for row, due in items
        if (shown := plain(row, amount=due))
    ]
