"""Slips as records, read from the rows: what is to pay on the bills of a request as of a school day, with its QR.

The plain view: no exemption, nobody's share. A class is read at once, however many slips it has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.instalments import Asked
from billing.bills.tables import Bill, BillLine
from billing.documents.filling import lines_of, pupil_codes
from billing.documents.payment_qr import PaidBy, memo_for, number_for, payload_for
from billing.documents.slip_pdf import SlipDocument, SlipItem
from billing.errors import NotFound, Refused
from billing.fees.explaining import plain
from billing.ledger.tables import BankAccount
from billing.money import Money, total
from billing.payments.balances import BillBalance, asked_of, line_dues, request_balances, rest_of
from billing.payments.banks import bank_by_bin
from billing.payments.grace import Muted, muted
from billing.payments.receipts import school_year_of
from billing.payments.tables import PaymentRequest
from billing.payments.virtual_accounts import numbers_shown
from billing.people.tables import ClassGroup, Pupil, School


@dataclass(frozen=True, slots=True)
class Printing:
    """What is printed on every slip of a batch: where it is checked, and where each child's family registers."""

    verify_url: str
    today: date
    register_urls: Mapping[UUID, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """All rows that the slips of one school need."""

    school: School
    accounts: Mapping[UUID, BankAccount]
    names: Mapping[UUID, str]
    codes: Mapping[UUID, str]
    classes: Mapping[UUID, str]  # by bill
    lines: Mapping[UUID, Sequence[BillLine]]
    dues: Mapping[int, Money]
    numbers: Mapping[UUID, str | None]  # by request
    time: Muted


def slip(session: Session, request_id: UUID, printing: Printing) -> SlipDocument:
    """Return the slip of one payment request; raises as ``slips`` does."""
    (made,) = slips(session, [request_id], printing)
    return made


def slips(session: Session, request_ids: Sequence[UUID], printing: Printing) -> list[SlipDocument]:
    """Return the slips of payment requests of one school, in their order.

    Where a bill is paid in instalments, the QR asks for those due by now, or for the next one; an account that takes
    no VietQR is printed to be typed in. Raises ``NotFound``, or ``Refused`` when nothing is to be paid.
    """
    found = {
        row.id: row for row in session.exec(select(PaymentRequest).where(col(PaymentRequest.id).in_(request_ids))).all()
    }
    for missing in set(request_ids) - found.keys():
        raise NotFound("Không có thông báo thu này", request_id=str(missing))
    if not request_ids:
        return []
    (school_id,) = {row.school_id for row in found.values()}
    balances = {
        request: [each for each in bills if each.rest]
        for request, bills in request_balances(session, school_id, request_ids).items()
    }
    shown = [each for bills in balances.values() for each in bills]
    read = _read(session, school_id, found.values(), shown, printing.today)
    return [_slip(found[each], balances[each], read, printing) for each in request_ids]


def _read(
    session: Session,
    school_id: UUID,
    requests: Collection[PaymentRequest],
    balances: Sequence[BillBalance],
    today: date,
) -> _Read:
    accounts, pupils = {row.bank_account_id for row in requests}, {row.pupil_id for row in requests}
    bills = [each.bill_id for each in balances]
    return _Read(
        school=session.exec(select(School).where(School.id == school_id)).one(),
        accounts={
            row.id: row for row in session.exec(select(BankAccount).where(col(BankAccount.id).in_(accounts))).all()
        },
        names=dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all()),
        codes=pupil_codes(session, pupils),
        classes=dict(
            session.exec(
                select(Bill.id, ClassGroup.code)
                .join(ClassGroup, col(ClassGroup.id) == col(Bill.class_id))
                .where(Bill.school_id == school_id, col(Bill.id).in_(bills))
            ).all()
        ),
        lines=lines_of(session, bills),
        dues=line_dues(session, balances),
        numbers=numbers_shown(session, school_id, requests),
        time=muted(session, school_id, pupils, today),
    )


def _slip(request: PaymentRequest, balances: Sequence[BillBalance], read: _Read, printing: Printing) -> SlipDocument:
    account, asked = read.accounts[request.bank_account_id], asked_of(balances, printing.today)
    if not asked:
        raise Refused("Thông báo thu này đã nộp đủ; không có gì để in")
    paid_by = PaidBy(request.reference, read.numbers[request.id])
    bank, newest = bank_by_bin(account.bank_bin), balances[-1]
    due_on = max(each.asked(printing.today).due_on for each in balances)
    grace = read.time.shared(request.pupil_id, [each.bill_id for each in balances])
    return SlipDocument(
        school_name=read.school.name,
        school_contact=f"{read.school.address} · {read.school.phone}",
        round_name=newest.period,
        pupil_name=read.names[request.pupil_id],
        pupil_code=read.codes.get(request.pupil_id, ""),
        class_name=read.classes.get(newest.bill_id, ""),
        school_year=school_year_of(newest.due_on),
        items=tuple(item for each in balances for item in _items(each, read)),
        due_on=due_on,
        grace=grace.until if grace and grace.until > due_on else None,
        qr_payload=payload_for(account, paid_by, asked) or "",
        reference=request.reference,
        memo=memo_for(account, paid_by),
        bank_name=bank.short_name if bank else account.bank_bin,
        account=number_for(account, paid_by),
        account_holder=account.holder,
        verify_url=printing.verify_url,
        register_url=printing.register_urls.get(request.pupil_id, ""),
        leftover=total(each.leftover for each in balances),
        paid=total(each.received for each in balances),
        later=rest_of(balances) - asked,
        instalment=_instalment([each.asked(printing.today) for each in balances if each.instalments]),
        note=printing.note,
        told_at_once=account.told_by == "callback",
        fees_url=f"{printing.verify_url.rstrip('/')}/cong-khai/{read.school.code}",
    )


def _items(balance: BillBalance, read: _Read) -> Iterator[SlipItem]:
    for bill_line in read.lines[balance.bill_id]:
        if shown := plain(bill_line, amount=read.dues[bill_line.id or 0]):
            yield SlipItem(shown.name, balance.period, shown.amount, shown.detail)


def _instalment(parts: Sequence[Asked]) -> str:
    """Return ``Đợt 1/3``; nothing where no bill has instalments, or several have them."""
    return f"Đợt {parts[0].number}/{parts[0].parts}" if len(parts) == 1 else ""
