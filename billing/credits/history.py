"""How a pupil's credit came about and where it went, read from the book entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.credits.paying_out import STATE_NAMES, LineState, states_of
from billing.ledger.accounts import FAMILY_CREDIT, account_id
from billing.ledger.tables import JournalEntry, Posting
from billing.money import Money

# What an entry of the book means for the credit of a pupil; anything else keeps the note of its entry.
KIND_NAMES = MappingProxyType(
    {
        ("bill_credited", True): "Ghi giảm thông báo đã nộp",
        ("bill_credited_void", False): "Thu hồi thông báo đã ghi giảm",
        ("payment", True): "Nộp thừa",
        ("payment", False): "Trừ vào thông báo thu",
        ("payment_reversed", True): "Trả lại phần đã trừ (thông báo thu bị thu hồi)",
        ("payment_reversed", False): "Khoản nộp bị đảo",
        ("refund_approved", False): "Hoàn cho gia đình",
        ("refund_taken_back", True): "Rút lại khoản hoàn",
    }
)


_REFUND = "refund_approved"


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement of a pupil's credit: up (``amount`` above 0 đ) or down, under which item, by which bill."""

    day: date
    what: str
    item: str | None
    amount: Money
    bill_number: str = ""
    period: str = ""
    note: str = ""


def history_of(session: Session, school_id: UUID, pupil_id: UUID) -> list[Moved]:
    """Return every movement of a pupil's credit at a school, oldest first; together they are what is kept."""
    account = account_id(session, school_id, FAMILY_CREDIT)
    rows = session.exec(
        select(Posting, JournalEntry, col(Bill.number), col(Bill.period))
        .join(JournalEntry, col(JournalEntry.id) == Posting.entry_id)
        .outerjoin(Bill, and_(col(Bill.school_id) == Posting.school_id, col(Bill.id) == Posting.bill_id))
        .where(
            Posting.school_id == school_id,
            Posting.pupil_id == pupil_id,
            or_(col(Posting.credit_account_id) == account, col(Posting.debit_account_id) == account),
        )
        .order_by(col(Posting.id))
    ).all()
    refunded = [UUID(entry.source_id) for _, entry, _, _ in rows if entry.kind == _REFUND]
    states = states_of(session, school_id, refunded) if refunded else {}
    return [
        Moved(
            day=entry.true_day or entry.value_date,
            what=KIND_NAMES.get((entry.kind, posting.credit_account_id == account), entry.note or "Bút toán khác"),
            item=posting.item_code,
            amount=posting.amount if posting.credit_account_id == account else -posting.amount,
            bill_number=number or "",
            period=period or "",
            note=_note(entry, states),
        )
        for posting, entry, number, period in rows
    ]


def _note(entry: JournalEntry, states: Mapping[UUID, LineState]) -> str:
    """Return what became of a refund and when, or why something was undone."""
    if entry.kind == _REFUND:
        state = states[UUID(entry.source_id)]
        day = f" {state.step.day:%d/%m/%Y}" if state.step and state.word != "approved" else ""
        return f"{STATE_NAMES[state.word]}{day}"
    return entry.note if entry.reverses_id is not None else ""
