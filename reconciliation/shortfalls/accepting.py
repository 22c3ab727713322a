"""Accepting what a transfer from abroad lacks: the fee of banks on its way is the school's cost, the bill is paid.

Within the limit that two agreed to, by the number of the bank's paper (SWIFT message or credit advice). One asks and
another agrees: neither a memo nor a payer's name says that money is from abroad (docs/decisions/0035). In the book
Dr 642 / Cr 131 (bill); on the bill it is a write-off: no money came, and nobody asks for it any more. Beyond the limit
the transfer stays a part payment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.holding import hold_bills
from billing.bills.tables import Bill
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from billing.money import Money
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.reference import fold_memo
from billing.payments.relief_tables import Relief, ReliefDecision, ReliefEnd
from billing.payments.tables import Allocation
from billing.payments.writing_off import SHORTFALL, book_write_off, take_back_write_off
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.visible import is_blank
from reconciliation.live_payments import live_payments
from reconciliation.queue.standing import hold_transfer
from reconciliation.shortfalls.limiting import hold_shortfalls, limit_now
from reconciliation.tables import Transfer

LONGEST_NUMBER = 60


@dataclass(frozen=True, slots=True)
class Short:
    """A bill that a transfer paid in part, with what is still open on it."""

    bill: BillBalance
    paid: Money


def ask_shortfall(  # noqa: PLR0913, PLR0917  of which money, on which bill, by what paper, who says so and when
    session: Session, actor: Actor, school_id: UUID, transfer_id: UUID, bill_id: UUID, number: str, reason: str,
    now: datetime,
) -> Relief:  # fmt: skip
    """Ask another person to accept that the open rest of a bill is the fee that banks took off a transfer.

    It waits for ``agree_shortfall``. Raises ``NotFound``, ``OwnFamily``,
    ``Refused`` without the paper's number or a reason, beyond the limit or above what came, ``Conflict`` when the
    transfer did not pay the bill in part, or it or the paper was accepted or asked for before.
    """
    paper = number.strip()[:LONGEST_NUMBER]
    if not fold_memo(paper) or is_blank(reason):
        raise Refused("Hãy ghi số điện SWIFT hoặc số giấy báo có của ngân hàng, và lý do.")
    hold_shortfalls(session, school_id)
    transfer = hold_transfer(session, school_id, transfer_id)
    short = _held(session, transfer, bill_id)
    refuse_own_family(session, actor, school_id, {short.bill.pupil_id})
    _refuse_second(session, school_id, transfer_id)
    most = _refuse_no_fee(session, school_id, short)
    _refuse_used_paper(session, school_id, paper)
    row = Relief(
        school_id=school_id,
        pupil_id=short.bill.pupil_id,
        bill_id=bill_id,
        transfer_id=transfer_id,
        kind=SHORTFALL,
        amount=short.bill.rest,
        decision_number=paper,
        decided_on=transfer.value_date,
        reason=reason.strip(),
        made_by=person_of(actor),
        made_at=now,
    )
    session.add(row)
    session.flush()
    facts = {"transfer": str(transfer_id), "bill": str(bill_id), "amount": short.bill.rest.dong, "limit": most.dong}
    deed = Deed(school_id, "shortfall.ask", "relief", str(row.id), row.reason)
    record_deed(session, actor, deed, now, paper=paper, **facts)
    return row


def agree_shortfall(session: Session, actor: Actor, school_id: UUID, relief_id: UUID, now: datetime) -> None:
    """Agree to what another person asked for: the fee is booked, the bill is paid.

    Raises ``NotFound``, ``SamePerson``, ``OwnFamily``, ``Conflict`` when it is decided already or another sum is open
    than was asked for, ``Refused`` where the limit is lower now.
    """
    hold_shortfalls(session, school_id)
    row = _standing(session, school_id, relief_id)
    if row.transfer_id is None or row.bill_id is None:
        raise ValueError("a shortfall is of a transfer, on a bill")
    transfer = hold_transfer(session, school_id, row.transfer_id)
    if session.get(ReliefDecision, row.id) is not None:
        raise Conflict("Đề nghị này đã được quyết định. Hãy tải lại trang.")
    own_word = "Người đề nghị không tự duyệt. Hãy nhờ người duyệt khác."
    second_person(session, actor, Agreement(school_id, {row.made_by}, {row.pupil_id}, own_word))
    short = _held(session, transfer, row.bill_id)
    if short.bill.rest != row.amount:
        raise Conflict(
            f"Thông báo thu nay còn {short.bill.rest} chưa nộp, không phải {row.amount} như lúc đề nghị. "
            "Hãy không duyệt, rồi đề nghị lại."
        )
    _refuse_no_fee(session, school_id, short)
    _decide(session, actor, row, now, approved=True)
    deed = Deed(school_id, "shortfall.agree", "relief", str(row.id), row.reason)
    record_deed(session, actor, deed, now, paper=row.decision_number, amount=short.bill.rest.dong)
    book_write_off(session, row, now)


def _refuse_second(session: Session, school_id: UUID, transfer_id: UUID) -> None:
    """Raise ``Conflict``, naming the bill, where a shortfall of the transfer stands: banks take their fee off once."""
    standing = {row.bill_id for row in live_shortfalls(session, school_id, transfer_id)}
    if standing:
        numbers = session.exec(select(Bill.number).where(Bill.school_id == school_id, col(Bill.id).in_(standing))).all()
        raise Conflict(
            "Phần thiếu của giao dịch này đã được chấp nhận, hoặc đang chờ duyệt, "
            f"ở thông báo thu {', '.join(numbers)}. "
            "Ngân hàng chỉ trừ phí một lần mỗi giao dịch: nếu phí nằm ở nhiều thông báo thu, hãy gỡ giao dịch rồi "
            "chia lại để một thông báo thu thiếu cả phần đó."
        )


def _held(session: Session, transfer: Transfer, bill_id: UUID) -> Short:
    """Hold a bill and return what a transfer, held too, lacks on it; raises ``Conflict`` where it lacks nothing."""
    hold_bills(session, transfer.school_id, [bill_id])
    short = next((each for each in shorts_of(session, transfer) if each.bill.bill_id == bill_id), None)
    if short is None:
        raise Conflict("Giao dịch này không nộp thiếu cho thông báo thu ấy. Hãy tải lại trang.")
    return short


def _refuse_no_fee(session: Session, school_id: UUID, short: Short) -> Money:
    """Raise ``Refused`` for more than banks take off; return the school's limit."""
    most = limit_now(session, school_id)
    if short.bill.rest > most:
        raise Refused(
            f"Còn thiếu {short.bill.rest}, vượt hạn mức {most} của trường. Phần này gia đình nộp tiếp như nộp thiếu."
        )
    if short.bill.rest > short.paid:
        raise Refused(f"Còn thiếu {short.bill.rest}, nhiều hơn {short.paid} đã về: không phải phí của ngân hàng.")
    return most


def _refuse_used_paper(session: Session, school_id: UUID, paper: str) -> None:
    """Raise ``Conflict`` where a paper stands for another transfer; letters' case and blanks make it no other paper."""
    papers = session.exec(
        select(Relief.decision_number).where(Relief.school_id == school_id, Relief.kind == SHORTFALL, ~_gone())
    ).all()
    if fold_memo(paper) in {fold_memo(each or "") for each in papers}:
        raise Conflict(f"Giấy số {paper} đã dùng cho một giao dịch khác. Mỗi giấy của ngân hàng chỉ dùng một lần.")


def _decide(  # noqa: PLR0913  which one, who says what, why and when
    session: Session, actor: Actor, row: Relief, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    by = person_of(actor)
    session.add(
        ReliefDecision(
            relief_id=row.id, school_id=row.school_id, approved=approved, decided_by=by, reason=reason, at=now
        )
    )
    session.flush()


def take_back_shortfall(  # noqa: PLR0913, PLR0917  which one, who says so, why and when
    session: Session, actor: Actor, school_id: UUID, relief_id: UUID, reason: str, now: datetime
) -> None:
    """Take an acceptance back, so that its sum is open again on the bill; say no to one that waits, or withdraw it.

    Raises ``NotFound``, ``OwnFamily``, ``Refused`` without a reason, or ``Conflict`` when it ended meanwhile, also with
    its transfer's match.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do.")
    hold_shortfalls(session, school_id)
    row = _standing(session, school_id, relief_id)
    if row.transfer_id is None or row.bill_id is None:
        raise ValueError("a shortfall is of a transfer, on a bill")
    hold_transfer(session, school_id, row.transfer_id)  # whoever undoes its match ends the shortfall too
    if row.id not in {each.id for each in live_shortfalls(session, school_id, row.transfer_id)}:
        raise Conflict(
            "Phần thiếu này vừa được người khác hủy, hoặc giao dịch của nó vừa được gỡ: phần này lại chưa nộp. "
            "Hãy tải lại trang."
        )
    hold_bills(session, school_id, [row.bill_id])
    refuse_own_family(session, actor, school_id, {row.pupil_id})
    _end(session, actor, row, reason.strip(), now)


def _standing(session: Session, school_id: UUID, relief_id: UUID) -> Relief:
    """Return what is accepted or asked for; raises ``NotFound`` for any other."""
    row = session.exec(
        select(Relief).where(Relief.school_id == school_id, Relief.id == relief_id, Relief.kind == SHORTFALL, ~_gone())
    ).one_or_none()
    if row is None:
        raise NotFound("Không có phần thiếu nào đang được chấp nhận hoặc chờ duyệt ở đây.")
    return row


def _end(session: Session, actor: Actor, row: Relief, reason: str, now: datetime) -> None:
    """Take back what was accepted; say no to what nobody has decided yet."""
    if session.get(ReliefDecision, row.id) is not None:
        take_back_write_off(session, actor, row, reason, now)
        return
    _decide(session, actor, row, now, approved=False, reason=reason)
    record_deed(session, actor, Deed(row.school_id, "shortfall.refuse", "relief", str(row.id), reason), now)


def end_shortfalls(session: Session, actor: Actor, transfer: Transfer, reason: str, now: datetime) -> None:
    """Take back what was accepted or asked for of a transfer whose payments are about to be reversed."""
    standing = live_shortfalls(session, transfer.school_id, transfer.id)
    hold_bills(session, transfer.school_id, [row.bill_id for row in standing if row.bill_id is not None])
    for row in standing:
        _end(session, actor, row, reason, now)


def live_shortfalls(session: Session, school_id: UUID, transfer_id: UUID) -> list[Relief]:
    """Return what is accepted of a transfer, or asked for, and was neither taken back nor refused."""
    rows = session.exec(
        select(Relief).where(
            Relief.school_id == school_id,
            Relief.kind == SHORTFALL,
            Relief.transfer_id == transfer_id,
            ~_gone(),
        )
    ).all()
    return list(rows)


def shorts_of(session: Session, transfer: Transfer) -> list[Short]:
    """Return the bills that a transfer paid and on which something is still open, by number."""
    payments = [payment.id for payment in live_payments(session, transfer)]
    parts = session.exec(
        select(Allocation).where(Allocation.school_id == transfer.school_id, col(Allocation.payment_id).in_(payments))
    ).all()
    paid = {part.bill_id: part.amount for part in parts}
    found = bill_balances(session, col(Bill.school_id) == transfer.school_id, col(Bill.id).in_(paid))
    shorts = [Short(bill, paid[bill.bill_id]) for bill in found if bill.rest]
    return sorted(shorts, key=lambda each: each.bill.number)


def _gone() -> ColumnElement[bool]:
    """Return the condition that a relief was taken back or refused."""
    refused = select(ReliefDecision.relief_id).where(
        ReliefDecision.relief_id == Relief.id, ~col(ReliefDecision.approved)
    )
    return or_(select(ReliefEnd.relief_id).where(ReliefEnd.relief_id == Relief.id).exists(), refused.exists())
