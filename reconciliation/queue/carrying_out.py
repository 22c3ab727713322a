"""Carrying an assignment out: the same recording as the matcher's, then the state, and the decision as a match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col

from billing.bills.holding import hold_bills
from billing.bills.tables import Bill
from billing.errors import NotFound
from billing.money import ZERO, Money, total
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import record_payments
from billing.people.known import Known
from billing.people.known import pupils_of as pupils_known
from billing.people.names import sort_key
from billing.storage import among
from reconciliation.errors import BillsFilled
from reconciliation.holding import hold_named, refuse_too_many
from reconciliation.queue.pieces import Piece, outcome_of, parts_by_pupil, pupils_of
from reconciliation.queue.standing import by_act
from reconciliation.queue.tables import QueueAct
from reconciliation.settling import received_of
from reconciliation.tables import Match, Transfer
from reconciliation.transfers import step

CHOOSE_AGAIN = "Hãy sửa các phần sau rồi làm lại; phần thừa để làm tiền tồn của em được:"
"""What whoever assigns does about bills that have less open than was meant for them."""
ASK_AGAIN = (
    "Hãy không đồng ý, để người đề nghị sửa các phần sau rồi đề nghị lại; phần thừa để làm tiền tồn của em được:"
)
"""What whoever would agree does about them."""
PERSON = "person"  # the rule of a match that a person decided


@dataclass(frozen=True, slots=True)
class Assigned:
    """An act about to be carried out: its transfer, held, its parts, and who says so in the end."""

    transfer: Transfer
    act: QueueAct
    pieces: Sequence[Piece]
    by: UUID


def hold_for(session: Session, school_id: UUID, pieces: Sequence[Piece]) -> dict[UUID, BillBalance]:
    """Hold pupils and bills of some parts, so that what is read still holds; return the bills as they stand.

    Raises ``NotFound`` for a bill that is not the pupil's, ``Refused`` for more than the database can hold at once.
    """
    pupils, bills = pupils_of(pieces), {piece.bill_id for piece in pieces if piece.bill_id is not None}
    refuse_too_many(session, len(pupils) + len(bills))
    hold_named(session, pupils)
    hold_bills(session, school_id, bills)
    return balances_of(session, school_id, pieces)


def balances_of(session: Session, school_id: UUID, pieces: Collection[Piece]) -> dict[UUID, BillBalance]:
    """Return the bills of some parts as they stand, holding nothing; raises ``NotFound`` as ``hold_for``."""
    bills = {piece.bill_id for piece in pieces if piece.bill_id is not None}
    found = bill_balances(session, col(Bill.school_id) == school_id, among(Bill.id, bills)) if bills else []
    balances = {balance.bill_id: balance for balance in found}
    for piece in pieces:
        if piece.bill_id is not None:
            balance = balances.get(piece.bill_id)
            if balance is None or balance.pupil_id != piece.pupil_id:
                raise NotFound("Trường không có thông báo thu này của em này.", bill=piece.bill_id)
    return balances


def refuse_too_much(
    session: Session, school_id: UUID, balances: Mapping[UUID, BillBalance], pieces: Collection[Piece], remedy: str
) -> None:
    """Raise ``BillsFilled``, naming every bill, when the parts put more on bills than is open there now."""
    wanted: dict[UUID, Money] = defaultdict(lambda: ZERO)
    for piece in pieces:
        if piece.bill_id is not None:
            wanted[piece.bill_id] += piece.amount
    over = [balances[bill_id] for bill_id, amount in wanted.items() if amount > balances[bill_id].rest]
    if not over:
        return
    known = pupils_known(session, school_id)

    def place(bill: BillBalance) -> tuple[object, ...]:
        return known[bill.pupil_id].class_name, sort_key(known[bill.pupil_id].name), bill.number

    raise BillsFilled(
        f"{len(over)} thông báo thu nay còn ít hơn số định ghi vào (đã có người nộp). Chưa ghi gì. {remedy}",
        [_filled(bill, wanted[bill.bill_id], known[bill.pupil_id]) for bill in sorted(over, key=place)],
    )


def _filled(bill: BillBalance, wanted: Money, child: Known) -> str:
    return (
        f"{child.name} ({child.code}), lớp {child.class_name or '—'}: thông báo thu {bill.number} nay chỉ còn "
        f"{bill.rest} chưa nộp, định ghi {wanted}"
    )


def carry_out(
    session: Session, assigned: Sequence[Assigned], balances: Mapping[UUID, BillBalance], now: datetime
) -> None:
    """Record the payments of some acts, receipts last over all of them, and move their transfers to *matched*.

    The caller holds transfers, pupils and bills (``hold_for``) and has refused what does not fit.
    """
    rests = {bill_id: balance.rest for bill_id, balance in balances.items()}
    received = []
    for one in assigned:
        step(session, one.transfer, "matched", by_act(one.act), now, one.by)
        session.add(_match(one, rests, now))
        for pupil_id, (amount, parts) in parts_by_pupil(one.pieces).items():
            received.append((received_of(one.transfer, pupil_id, amount), parts))
    session.flush()
    record_payments(session, received, now)


def _match(one: Assigned, rests: Mapping[UUID, Money], now: datetime) -> Match:
    credit = [piece for piece in one.pieces if piece.bill_id is None]
    pupils = pupils_of(one.pieces)
    evidence: dict[str, Any] = {
        "rule": PERSON,
        "act": str(one.act.id),
        "notes": [],
        "bills": [
            {"bill_id": str(piece.bill_id), "amount": piece.amount.dong, "pupil": str(piece.pupil_id)}
            for piece in one.pieces
            if piece.bill_id is not None
        ],
        "credit": total(piece.amount for piece in credit).dong,
        "credit_to": str(credit[0].pupil_id) if len(pupils) == 1 and credit else None,
    }
    return Match(
        school_id=one.transfer.school_id,
        transfer_id=one.transfer.id,
        outcome=outcome_of(one.pieces, rests),
        evidence=evidence,
        made_by=one.by,
        at=now,
    )
