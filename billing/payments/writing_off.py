"""Booking write-offs: a sum set against a bill as a payment that brings no money, taken back by a counter-entry.

Debit an expense account of its own, credit the family's account, so that income stays as it was and paid parts are
never touched. A correction that lowers the bill later lowers first what was written off, for nobody asks for that any
more; the write-off is then taken back and booked anew over what is left of it, on the same decision and papers, so
that bill, book and next correction know it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.ledger.accounts import FAMILY_RECEIVABLE, open_account
from billing.ledger.posting import Fact, Line, post
from billing.money import ZERO, Money
from billing.payments.relief_tables import Relief, ReliefDecision, ReliefEnd, ReliefPaper
from billing.payments.reversing import reverse_payment
from billing.payments.tables import Allocation, Payment
from billing.payments.written_off import live_write_off

WRITTEN_OFF = "811N"  # an expense of its own: what was earned stays earned
SHORTFALL = "shortfall"  # what banks took off a transfer from abroad
BANK_FEES = "642"
_ACCOUNTS = {
    "write_off": (WRITTEN_OFF, "Xóa khoản không thu được của gia đình"),
    SHORTFALL: (BANK_FEES, "Phí ngân hàng"),
}
_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class Lowered:
    """Who lowers a bill with a write-off on it: one asked, another approved (both as the correction names them)."""

    made_by: UUID
    approver: Actor
    reason: str


def book_write_off(session: Session, row: Relief, now: datetime) -> None:
    """Set an approved write-off against its bill, in the book and as a payment; the caller holds the bill."""
    if row.bill_id is None or row.amount is None:
        raise ValueError("a write-off names its bill and sum")
    account = open_account(session, row.school_id, *_ACCOUNTS[row.kind], "expense").code
    day = (now + _VIET_NAM).date()
    payment = Payment(
        school_id=row.school_id,
        pupil_id=row.pupil_id,
        source_kind="write_off",
        source_id=row.id,
        turn=1,
        amount=row.amount,
        value_date=day,
        recorded_at=now,
    )
    session.add(payment)
    session.flush()
    session.add(Allocation(school_id=row.school_id, payment_id=payment.id, bill_id=row.bill_id, amount=row.amount))
    line = Line(account, FAMILY_RECEIVABLE, row.amount, row.pupil_id, bill_id=row.bill_id)
    post(session, Fact(row.school_id, "payment", str(payment.id), day, row.decision_number), [line], now)


def take_back_write_off(session: Session, actor: Actor, row: Relief, reason: str, now: datetime) -> None:
    """End a write-off and reverse its payment, so that its sum is open again; the caller holds the bill."""
    if actor.user_id is None:
        raise ValueError("a person takes a write-off back")
    session.add(ReliefEnd(relief_id=row.id, school_id=row.school_id, reason=reason, made_by=actor.user_id, at=now))
    session.flush()
    record_deed(session, actor, Deed(row.school_id, "write_off.end", "relief", str(row.id), reason), now)
    payment = session.exec(
        select(Payment).where(
            Payment.school_id == row.school_id, Payment.source_kind == "write_off", Payment.source_id == row.id
        )
    ).one()
    reverse_payment(session, row.school_id, payment.id, actor.user_id, reason, now)
    deed = Deed(row.school_id, "write_off.reverse", "payment", str(payment.id), reason)
    record_deed(session, actor, deed, now, amount=payment.amount.dong)


def lower_write_offs(session: Session, bill_id: UUID, off: Money, by: Lowered, now: datetime) -> None:
    """Take a sum off what is written off of a bill, the newest write-off first, so that the sum is open again.

    The caller holds the bill, and lowers it by the sum in the same transaction. Raises ``ValueError`` when less is
    written off.
    """
    left = off
    for row in session.exec(
        select(Relief).where(Relief.bill_id == bill_id, live_write_off()).order_by(col(Relief.id).desc())
    ).all():
        if not left:
            return
        amount = row.amount or ZERO
        part = min(left, amount)
        take_back_write_off(session, by.approver, row, by.reason, now)
        if amount - part:
            _book_the_rest(session, row, amount - part, by, now)
        left -= part
    if left:
        raise ValueError(f"bill {bill_id} has {left} less written off than is to come off it")


def _book_the_rest(session: Session, row: Relief, rest: Money, by: Lowered, now: datetime) -> None:
    """Write what is left of a write-off as one of its own, with decision and papers of the first."""
    fresh = Relief(
        school_id=row.school_id,
        pupil_id=row.pupil_id,
        bill_id=row.bill_id,
        transfer_id=row.transfer_id,
        kind=row.kind,
        amount=rest,
        decision_number=row.decision_number,
        decided_on=row.decided_on,
        reason=row.reason,
        made_by=by.made_by,
        made_at=now,
    )
    session.add(fresh)
    session.flush()
    _copy_papers(session, row, fresh)
    approver = by.approver.user_id
    if approver is None:
        raise ValueError("a person approves")
    session.add(ReliefDecision(relief_id=fresh.id, school_id=row.school_id, approved=True, decided_by=approver, at=now))
    session.flush()
    deed = Deed(row.school_id, "write_off.lower", "relief", str(fresh.id), by.reason)
    record_deed(session, by.approver, deed, now, instead_of=str(row.id), amount=rest.dong)
    book_write_off(session, fresh, now)


def _copy_papers(session: Session, row: Relief, fresh: Relief) -> None:
    for paper in session.exec(select(ReliefPaper).where(ReliefPaper.relief_id == row.id)).all():
        session.add(
            ReliefPaper(
                school_id=paper.school_id,
                relief_id=fresh.id,
                name=paper.name,
                media_type=paper.media_type,
                sha256=paper.sha256,
                content=paper.content,
                made_by=paper.made_by,
                made_at=paper.made_at,
            )
        )
    session.flush()
