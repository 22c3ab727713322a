"""Closing a month and opening it again: one person asks, another decides; the months follow each other.

A closed month closes all days before its end. The figures of its days are stored with the closing and stay; what comes
later stands on the first open day (``billing/ledger/periods``). Only the month that was closed last is opened again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.closing.tables import PeriodAsk, PeriodDecision
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.periods import live_closings
from billing.ledger.tables import ClosedPeriod, JournalEntry, PeriodReopening
from billing.money import Money
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.visible import is_blank

_VIET_NAM = timedelta(hours=7)
MOST_REASON = 300
_FIGURES = text("""
INSERT INTO closed_figures (school_id, month, turn, account_id, debit, credit)
SELECT :school, :month, :turn, l.id, coalesce(sum(x.amount) FILTER (WHERE x.debit_account_id = l.id), 0),
       coalesce(sum(x.amount) FILTER (WHERE x.credit_account_id = l.id), 0)
FROM journal_entries e
JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
JOIN ledger_accounts l ON l.school_id = x.school_id AND l.id IN (x.debit_account_id, x.credit_account_id)
WHERE e.school_id = :school AND e.value_date < :until AND e.value_date >= coalesce(:since, '-infinity'::date)
GROUP BY l.id
""")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One kind of thing that a month leaves open, how many, their sum where they are money, and which (short marks)."""

    what: str
    count: int
    amount: Money | None = None
    which: tuple[str, ...] = field(default=(), compare=False)

    def plain(self) -> dict[str, Any]:
        """Return it as it is stored with a request."""
        amount = None if self.amount is None else self.amount.dong
        return {"what": self.what, "count": self.count, "amount": amount, "which": list(self.which)}


def mark_of(unfinished: Sequence[Unfinished]) -> str:
    """Return a short mark of what a page showed as unfinished, which comes back with its form."""
    plain = json.dumps([each.plain() for each in unfinished])
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def month_end(month: date) -> date:
    """Return the first day after a month."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def closable(session: Session, school_id: UUID, today: date) -> date | None:
    """Return the month that is to be closed next, None while it is not over.

    That is the one behind the last closed one; of a school that never closed any, the first with an entry in the book.
    """
    closings = live_closings(session, school_id)
    month = month_end(closings[-1].month) if closings else _first_month(session, school_id)
    return month if month is not None and month_end(month) <= today else None


def refuse_turn(session: Session, school_id: UUID, month: date, now: datetime) -> None:
    """Raise ``Refused`` for a month that is not the one to be closed next."""
    if month != closable(session, school_id, (now + _VIET_NAM).date()):
        raise Refused("Chỉ khóa sổ tháng đã hết, lần lượt từng tháng. Hãy tải lại trang để xem tháng đến lượt.")


def ask_close(  # noqa: PLR0913, PLR0917  who asks for which month, having seen what
    session: Session,
    actor: Actor,
    school_id: UUID,
    month: date,
    unfinished: Sequence[Unfinished],
    reason: str,
    now: datetime,
) -> PeriodAsk:
    """Ask for a month to be closed; what is unfinished needs a word why it may stay so.

    Raises ``Conflict`` while another request waits, ``Refused`` for a month whose turn it is not.
    """
    _refuse_waiting(session, school_id)
    refuse_turn(session, school_id, month, now)
    if unfinished and is_blank(reason):
        raise Refused("Tháng này còn việc chưa xong. Hãy làm nốt, hoặc ghi vì sao vẫn khóa sổ.")
    return _ask(session, actor, school_id, "close", month, unfinished, reason, now)


def ask_reopen(  # noqa: PLR0913, PLR0917  who asks for which month, why
    session: Session, actor: Actor, school_id: UUID, month: date, reason: str, now: datetime
) -> PeriodAsk:
    """Ask for the month that was closed last to be opened again.

    Raises ``Conflict`` while another request waits, ``Refused`` without a reason or for any other month.
    """
    _refuse_waiting(session, school_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do mở lại sổ.")
    _last_closed(session, school_id, month)
    return _ask(session, actor, school_id, "reopen", month, (), reason, now)


def agree(  # noqa: PLR0913, PLR0917  who agrees to what, having seen what
    session: Session, actor: Actor, school_id: UUID, ask_id: UUID, unfinished: Sequence[Unfinished], now: datetime
) -> PeriodAsk:
    """Close or open the month as another person asked. Nobody posts at the school meanwhile.

    ``unfinished`` is what the month leaves open now: where it is more or other than what was asked with, the request is
    stale. Raises ``SamePerson``, ``Conflict`` when it is decided or stale, ``Refused`` when it is no longer its turn.
    """
    hold_book(session, school_id)
    asked = open_ask(session, school_id, ask_id)
    own_word = "Người đề nghị không tự duyệt. Hãy nhờ người duyệt khác."
    second_person(session, actor, Agreement(school_id, {asked.made_by}, NO_CHILD, own_word))
    if asked.kind == "close" and any(is_worse(asked, each) for each in unfinished):
        raise Conflict(
            "Từ lúc đề nghị, tháng có thêm việc chưa xong. Hãy không duyệt, để kế toán xem lại rồi đề nghị lại."
        )
    _decide(session, actor, asked, now, agreed=True)
    if asked.kind == "close":
        _close(session, actor, asked, now)
    else:
        _reopen(session, actor, asked, now)
    return asked


def refuse(  # noqa: PLR0913, PLR0917  who says no to what, why
    session: Session, actor: Actor, school_id: UUID, ask_id: UUID, reason: str, now: datetime
) -> PeriodAsk:
    """Say no to a request, or take one's own back; the book stays as it is."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt, hoặc vì sao rút lại.")
    asked = open_ask(session, school_id, ask_id)
    _decide(session, actor, asked, now, agreed=False, reason=reason.strip()[:MOST_REASON])
    return asked


def hold_book(session: Session, school_id: UUID) -> None:
    """Wait until nobody writes the school's book, and let nobody write until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"book {school_id}"})


def store_closing(session: Session, row: ClosedPeriod) -> None:
    """Store a closing with the figures of its days, which are never to be any other."""
    session.add(row)
    session.flush()
    facts = {"school": row.school_id, "month": row.month, "turn": row.turn, "since": row.since}
    session.execute(_FIGURES, {**facts, "until": month_end(row.month)})


def waiting_ask(session: Session, school_id: UUID) -> PeriodAsk | None:
    """Return the request of a school that waits for the other person."""
    query = (
        select(PeriodAsk)
        .outerjoin(PeriodDecision, col(PeriodDecision.ask_id) == col(PeriodAsk.id))
        .where(PeriodAsk.school_id == school_id, col(PeriodDecision.ask_id).is_(None))
    )
    return session.exec(query).one_or_none()


def open_ask(session: Session, school_id: UUID, ask_id: UUID) -> PeriodAsk:
    """Return a request that waits; raises ``NotFound`` outside the school, ``Conflict`` when it is decided."""
    found = session.exec(
        select(PeriodAsk).where(PeriodAsk.school_id == school_id, PeriodAsk.id == ask_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy đề nghị này.", ask=ask_id)
    if session.get(PeriodDecision, ask_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định. Hãy tải lại trang.", ask=ask_id)
    return found


def is_worse(asked: PeriodAsk, now: Unfinished) -> bool:
    """Say whether more of a kind is open now than when it was asked, or another than then; what was done does no harm.

    In number, in money, or in what it is: one done and another begun since is not what the asker saw.
    """
    seen = next((each for each in asked.seen if each["what"] == now.what), None)
    if seen is None:
        return bool(now.count)
    grew = now.count > seen["count"] or (now.amount is not None and now.amount.dong > (seen["amount"] or 0))
    others = set(now.which) - set(seen["which"]) if "which" in seen else set()  # older requests kept no marks
    return grew or bool(others)


def _ask(  # noqa: PLR0913, PLR0917  as above
    session: Session,
    actor: Actor,
    school_id: UUID,
    kind: str,
    month: date,
    unfinished: Sequence[Unfinished],
    reason: str,
    now: datetime,
) -> PeriodAsk:
    row = PeriodAsk(
        school_id=school_id,
        kind=kind,
        month=month,
        reason=reason.strip()[:MOST_REASON],
        seen=[each.plain() for each in unfinished],
        made_by=_person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(school_id, f"period.ask_{kind}", "period", f"{month:%Y-%m}", row.reason)
    record_deed(session, actor, deed, now, ask=str(row.id), unfinished=len(unfinished))
    return row


def _decide(  # noqa: PLR0913  what, how, and why
    session: Session, actor: Actor, asked: PeriodAsk, now: datetime, *, agreed: bool, reason: str = ""
) -> None:
    session.add(
        PeriodDecision(
            ask_id=asked.id, school_id=asked.school_id, agreed=agreed, reason=reason, decided_by=_person(actor), at=now
        )
    )
    session.flush()
    action = f"period.{asked.kind if agreed else 'keep'}"
    deed = Deed(asked.school_id, action, "period", f"{asked.month:%Y-%m}", reason or asked.reason)
    record_deed(session, actor, deed, now, ask=str(asked.id))


def _close(session: Session, actor: Actor, asked: PeriodAsk, now: datetime) -> None:
    closings = live_closings(session, asked.school_id)
    if asked.month != closable(session, asked.school_id, (now + _VIET_NAM).date()):
        raise Refused("Tháng này không còn đến lượt khóa sổ. Hãy tải lại trang.")
    turns = select(func.count()).where(ClosedPeriod.school_id == asked.school_id, ClosedPeriod.month == asked.month)
    row = ClosedPeriod(
        school_id=asked.school_id,
        month=asked.month,
        turn=session.exec(turns).one() + 1,
        since=month_end(closings[-1].month) if closings else None,
        ask_id=asked.id,
        closed_by=_person(actor),
        closed_at=now,
    )
    store_closing(session, row)


def _reopen(session: Session, actor: Actor, asked: PeriodAsk, now: datetime) -> None:
    last = _last_closed(session, asked.school_id, asked.month)
    session.add(
        PeriodReopening(
            school_id=last.school_id,
            month=last.month,
            turn=last.turn,
            ask_id=asked.id,
            opened_by=_person(actor),
            at=now,
        )
    )
    session.flush()


def _last_closed(session: Session, school_id: UUID, month: date) -> ClosedPeriod:
    closings = live_closings(session, school_id)
    if not closings or closings[-1].month != month:
        raise Refused("Chỉ mở lại được tháng khóa sổ sau cùng. Hãy tải lại trang.")
    return closings[-1]


def _first_month(session: Session, school_id: UUID) -> date | None:
    query = select(func.min(JournalEntry.value_date)).where(JournalEntry.school_id == school_id)
    first: date | None = session.exec(query).one_or_none()
    return None if first is None else first.replace(day=1)


def _refuse_waiting(session: Session, school_id: UUID) -> None:
    """Whoever asks second at the same moment waits here, by the lock of *one_open_period_ask*, and is told."""
    name = {"name": f"periods of {school_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    if waiting_ask(session, school_id) is not None:
        raise Conflict("Một đề nghị về khóa sổ còn chờ người duyệt. Xong việc đó rồi mới đề nghị tiếp.")


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc khóa sổ phải do một người có tên làm.")
    return actor.user_id
