"""Taking an unpaid bill back, and putting a newly calculated one in its place. A bill's number is never used again.

Credit that was set against the bill goes back to the pupil, under its item; only money that came in stands in the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.tables import Bill, BillCredit, BillLine, BillVoid
from billing.credits.giving_back import give_back
from billing.credits.using import hold_credit
from billing.errors import Conflict, NotFound, Refused
from billing.events.recording import BILL_VOIDED, record_event
from billing.fees.charges import Charge
from billing.fees.charging import split_by_account
from billing.fees.preview import digest_of
from billing.fees.pupils import BilledPupil
from billing.fees.schedule import item_ids
from billing.ledger.posting import Fact, reverse
from billing.ledger.tables import JournalEntry
from billing.money import Money
from billing.payments.balances import BillBalance, bill_balances
from billing.rounds.calculating import calculate
from billing.rounds.drafting import find_round
from billing.rounds.issuing import VIET_NAM, alone, new_bill, new_lines, next_numbers, put_out
from billing.rounds.lowering import credit_entry
from billing.rounds.tables import Correction
from billing.storage import new_id


@dataclass(frozen=True, slots=True)
class Instead:
    """The bill that would take the place of another: whose, what is charged, what the family would owe."""

    pupil: BilledPupil
    charge: Charge

    @property
    def due(self) -> Money:
        """What the family would owe."""
        return self.charge.family_due

    @property
    def digest(self) -> str:
        """The SHA-256 of what would be charged."""
        return digest_of([self.charge])


def bill_to_void(session: Session, bill_id: UUID) -> BillBalance:
    """Return a bill that can be taken back; raises ``NotFound``, or ``Conflict`` when it is paid or void already.

    A bill that only the pupil's own credit pays can be taken back.
    """
    found = bill_balances(session, col(Bill.id) == bill_id)
    if not found:
        raise NotFound("Không tìm thấy thông báo thu này.", bill=bill_id)
    (balance,) = found
    if balance.void:
        raise Conflict(f"Thông báo thu {balance.number} đã bị thu hồi.", bill=bill_id)
    if balance.to_credit or balance.allocated != balance.by_credit:
        raise Conflict(
            f"Thông báo thu {balance.number} đã có tiền nộp nên không thu hồi được. Hãy lập giấy ghi giảm: phần đã nộp"
            " sẽ thành tiền nộp thừa của học sinh.",
            bill=bill_id,
        )
    return balance


def instead_of(session: Session, balance: BillBalance) -> Instead:
    """Calculate the bill that would take this one's place now.

    At the prices as they stand now: what was let off the old bill is not let off the new one. Raises ``Refused`` when
    nothing would be charged, or when an item of it now goes to another account and would be on no bill.
    """
    bill = session.exec(select(Bill).where(Bill.id == balance.bill_id)).one()
    billing_round = find_round(session, bill.round_id)
    calculated = calculate(session, billing_round, only={bill.pupil_id}, again=True, besides=bill.id)
    parts = split_by_account(calculated.charges[0]) if calculated.charges else {}
    part = parts.pop(str(bill.bank_account_id), None)
    _refuse_lost(session, balance, parts.values())
    if part is None:
        raise Refused(
            f"Tính lại thì không còn khoản thu nào thay cho thông báo thu {balance.number}. Hãy thu hồi mà không"
            " lập thông báo mới.",
            bill=balance.bill_id,
        )
    return Instead(calculated.pupils[bill.pupil_id], part)


def _refuse_lost(session: Session, balance: BillBalance, elsewhere: Iterable[Charge]) -> None:
    """Raise ``Refused`` when items of a bill now go to another account: the bill in its place could not name them."""
    named = set(session.exec(select(BillLine.item_code).where(BillLine.bill_id == balance.bill_id)).all())
    lost = sorted({line.item.name for charge in elsewhere for line in charge.lines if line.item.code in named})
    if lost:
        raise Refused(
            f"{', '.join(lost)} nay thu vào tài khoản khác nên không nằm trong thông báo lập lại cho {balance.number}."
            " Hãy thu hồi thông báo này, rồi lập đợt bổ sung: mỗi tài khoản một thông báo.",
            bill=balance.bill_id,
        )


def void(session: Session, correction: Correction, approver: UUID, now: datetime) -> BillBalance:
    """Take the correction's bill back: the book's entries of it are reversed, an event tells of it."""
    bill_id = _bill_of(correction)
    alone(session, correction.round_id)
    hold_credit(session, correction.school_id)
    balance = bill_to_void(session, bill_id)
    back = give_back(session, correction.school_id, bill_id, Actor(approver, "approver"), correction.reason, now)
    day = now.astimezone(VIET_NAM).date()
    entry_id = None
    for kind, source in _entries(session, correction.school_id, bill_id):
        fact = Fact(correction.school_id, f"{kind}_void", source, day, balance.number)
        undone = _reverse(session, correction.school_id, kind, source, fact, now)
        entry_id = undone if kind == "bill_issued" else entry_id
    session.add(
        BillVoid(
            bill_id=bill_id,
            school_id=correction.school_id,
            entry_id=entry_id,
            reason=correction.reason,
            made_by=correction.made_by,
            approved_by=approver,
            at=now,
        )
    )
    facts = {
        "pupil_id": str(balance.pupil_id),
        "correction": str(correction.id),
        "due": balance.due.dong,
        "to_credit": back.dong,
    }
    record_event(session, correction.school_id, BILL_VOIDED, bill_id, now, **facts)
    session.flush()
    return balance


def replace_bill(session: Session, correction: Correction, approver: UUID, now: datetime, reference_key: bytes) -> UUID:
    """Take a bill back and issue the new one in its place, with request, QR and notice; return the new bill's id.

    Raises ``Conflict`` when what would be charged is no longer what was asked for.
    """
    bill_id = _bill_of(correction)
    billing_round = alone(session, correction.round_id)
    old = bill_to_void(session, bill_id)
    if old.due.dong != correction.content.get("was", old.due.dong):
        raise Conflict(
            f"Thông báo thu {old.number} đã được ghi giảm sau khi lập đề nghị; thông báo lập lại sẽ đòi lại phần đã"
            " giảm. Hãy từ chối đề nghị này; nếu vẫn cần thì lập đề nghị mới theo số tiền hiện nay.",
            bill=bill_id,
        )
    instead = instead_of(session, old)
    if instead.digest != correction.content["digest"]:
        raise Conflict(
            "Dữ liệu đã đổi sau khi lập đề nghị (học sinh, đơn giá hoặc miễn giảm). Hãy từ chối và lập đề nghị mới.",
            bill=bill_id,
        )
    balance = void(session, correction, approver, now)
    ids, number = item_ids(session, correction.school_id), next(next_numbers(session, billing_round))
    lines = new_lines(instead.charge.lines, ids)
    made = new_bill(new_id(), instead.pupil, balance.bank_account_id, number, lines, replaces=bill_id)
    put_out(session, billing_round, [(made, instead.charge.lines)], now, reference_key)
    return made.id


def _bill_of(correction: Correction) -> UUID:
    if correction.bill_id is None:
        raise ValueError(f"correction {correction.id} names no bill")
    return correction.bill_id


def _entries(session: Session, school_id: UUID, bill_id: UUID) -> list[tuple[str, str]]:
    """Return kind and source of the bill's entries in the book: its issue, and its credit notes."""
    credited = session.exec(
        select(BillCredit.correction_id)
        .where(BillCredit.school_id == school_id, BillCredit.bill_id == bill_id)
        .distinct(),
    ).all()
    return [("bill_issued", str(bill_id)), *(credit_entry(each, bill_id) for each in sorted(credited))]


def _reverse(  # noqa: PLR0913, PLR0917  what is undone, and the fact that undoes it
    session: Session, school_id: UUID, kind: str, source: str, fact: Fact, now: datetime
) -> int | None:
    """Undo one entry; a bill that nobody owed anything on has none."""
    entry_id = session.exec(
        select(JournalEntry.id).where(
            JournalEntry.school_id == school_id, JournalEntry.kind == kind, JournalEntry.source_id == source
        )
    ).one_or_none()
    return None if entry_id is None else reverse(session, entry_id, fact, now)
