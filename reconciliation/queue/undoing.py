"""Undoing a match in one act: payments, allocations, receipts and entries are reversed, and the money waits again.

One asks and another agrees, whoever had matched. As long as the month that the payment stands in is open for the
school: late money of a closed month stands in an open one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed, record_deeds
from billing.choices.offering import person_of
from billing.credits.reading import free_credit
from billing.credits.using import hold_credit
from billing.errors import Conflict, Refused
from billing.events.recording import PAYMENT_REVERSED, record_events
from billing.ledger.periods import is_closed
from billing.money import ZERO, Money, total
from billing.payments.reversing import booked_from, reverse_payments
from billing.payments.tables import Allocation, Payment
from billing.people.agreeing import second_person
from billing.people.kinship import refuse_own_family
from billing.people.known import pupils_of
from billing.people.names import sort_key
from billing.storage import among
from billing.visible import is_blank
from reconciliation.decided_elsewhere import refuse_decided_elsewhere
from reconciliation.errors import CreditUsed
from reconciliation.holding import hold_named
from reconciliation.live_payments import live_payments
from reconciliation.queue.assigning import MOST_REASON, agreement_to, decide, refuse_moved_on
from reconciliation.queue.standing import Seen, by_act, hold_open_act, hold_transfer, refuse_overtaken
from reconciliation.queue.tables import QueueAct
from reconciliation.shortfalls.accepting import end_shortfalls
from reconciliation.tables import Match, Transfer
from reconciliation.transfers import step


def ask_undo(  # noqa: PLR0913, PLR0917  who wants what undone, why, having seen what
    session: Session, actor: Actor, school_id: UUID, transfer_id: UUID, seen: Seen, reason: str, now: datetime
) -> QueueAct:
    """Ask for a match to be undone; another person agrees.

    Raises ``NotFound``, ``Overtaken``, ``Conflict`` when nothing is matched, ``Refused`` without a reason, in a closed
    month, or when the credit it became is used, ``OwnFamily``.
    """
    transfer = hold_transfer(session, school_id, transfer_id)
    refuse_overtaken(session, transfer, seen)
    refuse_decided_elsewhere(session, transfer)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do gỡ: vì sao khoản tiền này không phải của em đã ghi.")
    payments = _refuse_what_stands(session, actor, transfer)
    act = QueueAct(
        school_id=school_id,
        transfer_id=transfer_id,
        kind="undo",
        seen_step=seen.step,
        evidence=_evidence(session, transfer, payments),
        reason=reason.strip()[:MOST_REASON],
        made_by=person_of(actor),
        at=now,
    )
    session.add(act)
    session.flush()
    deed = Deed(school_id, "queue.undo", "transfer", str(transfer_id), act.reason)
    record_deed(session, actor, deed, now, act=str(act.id), amount=transfer.amount.dong)
    return act


def agree_undo(session: Session, actor: Actor, school_id: UUID, act_id: UUID, now: datetime) -> list[UUID]:
    """Agree to an undoing, which carries it out; return the receipts that are void now.

    Raises ``SamePerson``, ``OwnFamily``, ``Overtaken``, and ``Refused`` or ``Conflict`` as ``ask_undo``.
    """
    act, transfer = hold_open_act(session, school_id, act_id)
    refuse_moved_on(session, transfer, act)
    payments = _refuse_what_stands(session, actor, transfer, act)
    decide(session, actor, act, "agreed", "", now)
    end_shortfalls(session, actor, transfer, act.reason, now)
    receipts = reverse_each(session, actor, payments, act.reason, now)
    _refuse_closed(session, school_id, payments)  # again: from the first entry on, nobody closes a month
    step(session, transfer, "waiting", by_act(act), now, person_of(actor))
    return receipts


def _refuse_what_stands(
    session: Session, actor: Actor, transfer: Transfer, asked: QueueAct | None = None
) -> list[Payment]:
    """Hold what would be reversed and return it; raises what stands against undoing it now, or as ``asked``."""
    if transfer.state != "matched":
        raise Conflict("Giao dịch này không ở trạng thái đã ghi, nên không có gì để gỡ. Hãy tải lại trang.")
    payments = live_payments(session, transfer)
    if not payments:
        raise Refused("Đây là tiền giữa các tài khoản của trường: hãy hủy phân loại ở trang Tiền ra.")
    _refuse_closed(session, transfer.school_id, payments)
    pupils = {payment.pupil_id for payment in payments}
    if asked is None:
        refuse_own_family(session, actor, transfer.school_id, pupils)
    else:
        second_person(session, actor, agreement_to(asked, pupils))
    hold_named(session, pupils)
    hold_credit(session, transfer.school_id)
    refuse_used(session, transfer.school_id, payments)
    return payments


def _refuse_closed(session: Session, school_id: UUID, payments: list[Payment]) -> None:
    """Ask the days that the entries stand on, not the bank's: what came late was booked on the first open day."""
    first = booked_from(session, school_id, [payment.id for payment in payments])
    if is_closed(session, school_id, first):
        raise Refused(
            f"Tháng {first:%m/%Y} đã khóa sổ nên không gỡ được nữa. Nếu tiền nhầm em, hãy lập điều chỉnh giảm thông "
            "báo thu đã nộp để tiền thành tiền tồn, rồi hoàn cho người nộp."
        )


def refuse_used(session: Session, school_id: UUID, payments: list[Payment]) -> None:
    """Raise ``CreditUsed``, naming every child, when the credit that these payments became is used or asked back."""
    allocated = allocated_of(session, school_id, payments)
    became: dict[UUID, Money] = defaultdict(lambda: ZERO)
    for payment in payments:
        became[payment.pupil_id] += payment.amount - total(amount for _, amount in allocated[payment.id])
    free = free_credit(session, school_id, set(became))
    left = {pupil: free.get((pupil, None), ZERO) for pupil in became}
    short = [pupil for pupil, amount in became.items() if amount > left[pupil]]
    if not short:
        return
    known = pupils_of(session, school_id)
    listed = sorted((known[pupil] for pupil in short), key=lambda each: (each.class_name, sort_key(each.name)))
    raise CreditUsed(
        f"Tiền của giao dịch này đã thành tiền tồn của {len(short)} em, nay không còn đủ để gỡ. Của từng em, hãy trả "
        "lại phần đã trừ vào thông báo thu, hoặc từ chối đề nghị hoàn tiền, rồi gỡ:",
        [
            f"{each.name} ({each.code}), lớp {each.class_name or '—'}: {became[each.pupil_id]} đã thành tiền tồn, "
            f"nay chỉ còn {left[each.pupil_id]} chưa dùng"
            for each in listed
        ],
    )


def allocated_of(
    session: Session, school_id: UUID, payments: Sequence[Payment]
) -> dict[UUID, list[tuple[UUID, Money]]]:
    """Return by payment the bills that it went to, with the sums."""
    found: dict[UUID, list[tuple[UUID, Money]]] = defaultdict(list)
    query = select(Allocation).where(
        Allocation.school_id == school_id, among(Allocation.payment_id, [payment.id for payment in payments])
    )
    for row in session.exec(query.order_by(col(Allocation.id))).all():
        found[row.payment_id].append((row.bill_id, row.amount))
    return found


def reverse_each(session: Session, actor: Actor, payments: Sequence[Payment], reason: str, now: datetime) -> list[UUID]:
    """Reverse payments of one school with their receipts, events and deeds, and return the receipts that are void now.

    All is written set-wise, so that taking back a transfer that was split over a school costs what its lines do.
    """
    if not payments:
        return []
    school_id = payments[0].school_id
    receipts = reverse_payments(session, school_id, [each.id for each in payments], actor.user_id, reason, now)
    happened = [(each.id, {"pupil_id": str(each.pupil_id), "amount": each.amount.dong}) for each in payments]
    record_events(session, school_id, PAYMENT_REVERSED, happened, now)
    deeds: list[tuple[Deed, dict[str, object]]] = []
    for each in payments:
        deed = Deed(school_id, "queue.reverse", "payment", str(each.id), reason)
        deeds.append((deed, {"amount": each.amount.dong}))
        if receipt := receipts[each.id]:
            void = Deed(school_id, "receipt.void", "receipt", str(receipt), reason)
            deeds.append((void, {"payment": str(each.id)}))
    record_deeds(session, actor, deeds, now)
    return [receipt for receipt in receipts.values() if receipt is not None]


def _evidence(session: Session, transfer: Transfer, payments: list[Payment]) -> dict[str, object]:
    """Return what is to be undone: the decision that stands, and the payments with their bills."""
    match = session.exec(
        select(Match)
        .where(Match.school_id == transfer.school_id, Match.transfer_id == transfer.id)
        .order_by(col(Match.id).desc())
    ).first()
    allocated = allocated_of(session, transfer.school_id, payments)
    return {
        "match": match.id if match else None,
        "payments": [
            {
                "payment": str(payment.id),
                "pupil": str(payment.pupil_id),
                "amount": payment.amount.dong,
                "bills": [{"bill": str(bill), "amount": amount.dong} for bill, amount in allocated[payment.id]],
            }
            for payment in payments
        ],
    }
