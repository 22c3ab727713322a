"""Handing the till over: every movement of cash since the last hand-over, what was counted, and two signatures.

A hand-over stands from its first signature; the receiver accepts it, or one of the two refuses it with a reason, and
its movements belong to the next one. Where both are gone an approver ends it; nobody answers then for what lies in the
till, so it is counted anew before the next. What is listed never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cash.counting import counted_since_cash_moved
from billing.cash.keeping import approves, keeper_of, may_receive, refuse_not_keeping
from billing.cash.till_tables import CashCount, CashHandover, CashHandoverDecision, CashHandoverLine
from billing.errors import Conflict, NotAllowed, NotFound, Refused, SamePerson
from billing.ledger.till import hold_cash
from billing.money import ZERO, Money, total
from billing.storage import new_id
from billing.visible import is_blank

_STANDING = """NOT EXISTS (SELECT FROM cash_handover_decisions d
                WHERE d.school_id = h.school_id AND d.handover_id = h.id AND NOT d.accepted)"""
# Movements of account 111 that no standing hand-over lists, with their net sum.
_FREE = text(f"""
SELECT x.entry_id, sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END)::bigint AS amount
FROM postings x JOIN ledger_accounts l ON l.school_id = x.school_id AND l.code = '111'
  AND l.id IN (x.debit_account_id, x.credit_account_id)
WHERE x.school_id = :school AND NOT EXISTS (
    SELECT FROM cash_handover_lines n JOIN cash_handovers h ON h.school_id = n.school_id AND h.id = n.handover_id
    WHERE n.school_id = x.school_id AND n.entry_id = x.entry_id AND {_STANDING})
GROUP BY x.entry_id ORDER BY x.entry_id
""")  # noqa: S608  our own text
_LAST = text(f"""
SELECT h.closing FROM cash_handovers h WHERE h.school_id = :school AND {_STANDING} ORDER BY h.number DESC LIMIT 1
""")  # noqa: S608  as above


# When others than its two people last ended a hand-over.
_ENDED = text("""
SELECT max(d.at) FROM cash_handover_decisions d
JOIN cash_handovers h ON h.school_id = d.school_id AND h.id = d.handover_id
WHERE d.school_id = :school AND NOT d.accepted AND d.decided_by NOT IN (h.made_by, h.receiver)
""")
_NO_RECEIVER = "Quỹ chỉ giao cho thủ quỹ hoặc người duyệt đang làm việc ở trường. Kế toán không giữ quỹ."


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """To whom the till is handed, with a note and the key of the form."""

    receiver: UUID
    note: str
    form: UUID


@dataclass(frozen=True, slots=True)
class ToHand:
    """What a hand-over would list now: from ``opening`` by ``entries`` to ``closing``."""

    opening: Money
    entries: tuple[int, ...]
    closing: Money


def to_hand(session: Session, school_id: UUID) -> ToHand:
    """Return what a hand-over would list now."""
    opening = session.execute(_LAST, {"school": school_id}).scalar_one_or_none()
    rows = session.execute(_FREE, {"school": school_id}).all()
    start = ZERO if opening is None else Money(opening)
    return ToHand(start, tuple(row.entry_id for row in rows), start + total(Money(row.amount) for row in rows))


def hand_over(session: Session, actor: Actor, school_id: UUID, handing: Handing, now: datetime) -> CashHandover:
    """Store a hand-over of what was counted; the same form again returns the first.

    Raises ``Conflict`` while another waits or for a form that stored something else, ``Refused`` unless the till was
    counted since cash moved last and since others ended a hand-over, for a receiver who may not keep it or does so
    already with nothing moved, ``SamePerson`` for oneself, ``NotAllowed`` for who does not keep the till.
    """
    hold_cash(session, school_id)
    before = session.exec(
        select(CashHandover).where(CashHandover.school_id == school_id, CashHandover.form == handing.form)
    ).one_or_none()
    if before is not None:
        return _same(before, handing)
    refuse_not_keeping(session, school_id, actor.user_id, now)
    if handing.receiver == actor.user_id:
        raise SamePerson("Không bàn giao quỹ cho chính mình. Hãy chọn người nhận.")
    if waiting_handover(session, school_id) is not None:
        raise Conflict("Lần bàn giao trước còn chờ người nhận ký. Xong việc đó rồi mới bàn giao tiếp.")
    if not may_receive(session, school_id, handing.receiver, now):
        raise Refused(_NO_RECEIVER)
    count = count_to_hand(session, school_id)
    if count is None:
        raise Refused("Quỹ chưa được kiểm từ lần thu chi cuối. Hãy kiểm quỹ rồi bàn giao số đã đếm.")
    listed = to_hand(session, school_id)
    if not listed.entries and handing.receiver == keeper_of(session, school_id):
        raise Refused("Từ lần bàn giao trước chưa có thu chi nào, và người này đang giữ quỹ.")
    row = CashHandover(
        id=new_id(),
        school_id=school_id,
        form=handing.form,
        number=_next_number(session, school_id),
        count_id=count.id,
        receiver=handing.receiver,
        opening=listed.opening,
        closing=listed.closing,
        note=handing.note.strip(),
        made_by=_person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    session.add_all(
        CashHandoverLine(handover_id=row.id, entry_id=entry, school_id=school_id) for entry in listed.entries
    )
    session.flush()
    deed = Deed(school_id, "cash.hand_over", "cash_handover", str(row.id), row.note)
    record_deed(session, actor, deed, now, lines=len(listed.entries), closing=row.closing.dong)
    return row


def count_to_hand(session: Session, school_id: UUID) -> CashCount | None:
    """Return the count that a hand-over would stand on now: since cash moved, and since others ended a hand-over."""
    count = counted_since_cash_moved(session, school_id)
    ended: datetime | None = session.execute(_ENDED, {"school": school_id}).scalar_one()
    return count if count is None or ended is None or count.at > ended else None


def decide_handover(  # noqa: PLR0913  who decides which, how, why
    session: Session,
    actor: Actor,
    school_id: UUID,
    handover_id: UUID,
    now: datetime,
    *,
    accepted: bool,
    reason: str = "",
) -> None:
    """Accept a hand-over as its receiver; refuse it as receiver or giver, or end it as an approver.

    Raises ``NotAllowed`` for anybody else, and for a receiver who may not keep the till any more.
    """
    hold_cash(session, school_id)
    row = find_handover(session, school_id, handover_id)
    if session.get(CashHandoverDecision, handover_id) is not None:
        raise Conflict("Lần bàn giao này đã ký hoặc đã từ chối. Hãy tải lại trang.", handover=handover_id)
    _refuse_stranger(session, row, _person(actor), now, accepted=accepted)
    if not accepted and is_blank(reason):
        raise Refused("Hãy ghi lý do không nhận hoặc rút lại.")
    session.add(
        CashHandoverDecision(
            handover_id=row.id,
            school_id=school_id,
            accepted=accepted,
            reason=reason.strip(),
            decided_by=_person(actor),
            at=now,
        )
    )
    session.flush()
    word = "cash.accept_handover" if accepted else "cash.refuse_handover"
    record_deed(session, actor, Deed(school_id, word, "cash_handover", str(row.id), reason.strip()), now)


def _refuse_stranger(session: Session, row: CashHandover, person: UUID, now: datetime, *, accepted: bool) -> None:
    if accepted:
        if person != row.receiver:
            raise NotAllowed("Chỉ người nhận ký nhận; người giao chỉ rút lại được.")
        if not may_receive(session, row.school_id, person, now):
            raise NotAllowed(_NO_RECEIVER)
    elif person not in {row.receiver, row.made_by} and not approves(session, row.school_id, person, now):
        raise NotAllowed("Chỉ người nhận, người giao hoặc người duyệt kết thúc lần bàn giao chưa ký.")


def find_handover(session: Session, school_id: UUID, handover_id: UUID) -> CashHandover:
    """Return a hand-over; raises ``NotFound`` outside the school."""
    found = session.exec(
        select(CashHandover).where(CashHandover.school_id == school_id, CashHandover.id == handover_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy lần bàn giao này.", handover=handover_id)
    return found


def waiting_handover(session: Session, school_id: UUID) -> CashHandover | None:
    """Return the hand-over that waits for its receiver."""
    return session.exec(
        select(CashHandover)
        .outerjoin(CashHandoverDecision, col(CashHandoverDecision.handover_id) == CashHandover.id)
        .where(CashHandover.school_id == school_id, col(CashHandoverDecision.handover_id).is_(None))
    ).first()


def _same(before: CashHandover, handing: Handing) -> CashHandover:
    """Return the hand-over that a form stored before; another receiver or note under its key is another matter."""
    if (before.receiver, before.note) != (handing.receiver, handing.note.strip()):
        raise Conflict(
            f"Trang này đã lập biên bản bàn giao số {before.number} với nội dung khác. Hãy mở lại trang rồi lập.",
            form=handing.form,
        )
    return before


def _next_number(session: Session, school_id: UUID) -> int:
    last = session.exec(select(func.max(CashHandover.number)).where(CashHandover.school_id == school_id)).one()
    return (last or 0) + 1


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc bàn giao phải do một người có tên làm.")
    return actor.user_id
