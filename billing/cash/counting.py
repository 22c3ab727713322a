"""Counting the till: notes by face value against account 111; a difference has a reason and a second person.

When the second person agrees, the difference is posted, so that the book is what lies in the till: what is missing
stands on 1388Q, what is too much on 3388Q, until it is explained (Circular 107/2017: 1388, 3388).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cash.denominations import counted
from billing.cash.keeping import refuse_not_keeping
from billing.cash.taking import ScreenMoved
from billing.cash.till_tables import CashCount, CashCountDecision
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.accounts import CASH, open_account
from billing.ledger.balances import debit_balance
from billing.ledger.posting import Fact, Line, post
from billing.ledger.till import hold_cash, last_movement
from billing.money import Money
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.storage import new_id
from billing.visible import is_blank

MISSING, TOO_MUCH = "1388Q", "3388Q"
_VIET_NAM = timedelta(hours=7)
_UNCOUNTED = text("""
SELECT day FROM (
    SELECT (e.recorded_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day, max(e.recorded_at) AS last
    FROM journal_entries e JOIN postings x ON x.school_id = e.school_id AND x.entry_id = e.id
    JOIN ledger_accounts l ON l.school_id = x.school_id AND l.code = '111'
      AND l.id IN (x.debit_account_id, x.credit_account_id)
    WHERE e.school_id = :school AND e.kind <> 'cash_difference' GROUP BY 1) moved
WHERE day < :before AND NOT EXISTS (
    SELECT FROM cash_counts c WHERE c.school_id = :school
      AND (c.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date = moved.day AND c.at >= moved.last
      AND NOT EXISTS (SELECT FROM cash_count_decisions d
                      WHERE d.school_id = c.school_id AND d.count_id = c.id AND NOT d.agreed))
ORDER BY day DESC
""")
_MOVED_AFTER = text("""
SELECT DISTINCT x.entry_id FROM postings x JOIN ledger_accounts l ON l.school_id = x.school_id AND l.code = '111'
  AND l.id IN (x.debit_account_id, x.credit_account_id)
WHERE x.school_id = :school AND x.entry_id > :after
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted: notes by face value, the balance that stood on the page, a reason where they differ."""

    notes: Mapping[int, int]
    book: Money
    reason: str
    form: UUID


def uncounted_days(session: Session, school_id: UUID, before: date) -> tuple[date, ...]:
    """Return the days before one on which cash moved and nobody counted afterwards, the newest first."""
    return tuple(session.execute(_UNCOUNTED, {"school": school_id, "before": before}).scalars())


def balance_of(session: Session, school_id: UUID) -> Money:
    """Return what account 111 of a school holds."""
    return debit_balance(session, school_id, CASH)


def count_till(session: Session, actor: Actor, school_id: UUID, count: Counted, now: datetime) -> CashCount:
    """Store a count once; the same form again returns the first.

    Raises ``ScreenMoved`` when cash moved since the page was shown, ``Conflict`` while an earlier difference waits or
    for a form that stored something else, ``NotAllowed`` for who does not keep the till, ``Refused`` for a difference
    without a reason.
    """
    hold_cash(session, school_id)
    before = session.exec(
        select(CashCount).where(CashCount.school_id == school_id, CashCount.form == count.form)
    ).one_or_none()
    if before is not None:
        return _same(before, count)
    refuse_not_keeping(session, school_id, actor.user_id, now)
    if open_count(session, school_id) is not None:
        raise Conflict("Lần kiểm quỹ trước có chênh lệch, còn chờ người thứ hai. Xong việc đó rồi mới kiểm tiếp.")
    book, found = balance_of(session, school_id), counted(count.notes)
    if book != count.book:
        raise ScreenMoved("Từ lúc bạn đếm, quỹ đã có thu hoặc chi khác. Hãy xem lại số trên sổ.")
    if found != book and is_blank(count.reason):
        raise Refused(f"Đếm được {found}, sổ ghi {book}. Hãy đếm lại, hoặc ghi lý do chênh lệch.")
    row = CashCount(
        id=new_id(),
        school_id=school_id,
        form=count.form,
        notes=_notes(count),
        counted=found,
        book=book,
        moved_last=last_movement(session, school_id),
        reason=count.reason.strip(),
        made_by=_person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(school_id, "cash.count", "cash_count", str(row.id), row.reason)
    record_deed(session, actor, deed, now, counted=found.dong, book=book.dong)
    return row


def agree_count(session: Session, actor: Actor, school_id: UUID, count_id: UUID, now: datetime) -> None:
    """Agree to a difference, which is posted; raises ``SamePerson`` for who counted, ``Conflict`` the second time."""
    row = _undecided(session, school_id, count_id)
    own_word = "Người kiểm quỹ không tự xác nhận chênh lệch. Hãy nhờ người khác."
    second_person(session, actor, Agreement(school_id, {row.made_by}, NO_CHILD, own_word))
    day = (now + _VIET_NAM).date()
    fact = Fact(school_id, "cash_difference", str(row.id), day, row.reason)
    entry = post(session, fact, [_difference(session, row)], now)
    _decide(session, actor, row, now, entry_id=entry)


def reject_count(  # noqa: PLR0913, PLR0917  who says no to which, why
    session: Session, actor: Actor, school_id: UUID, count_id: UUID, reason: str, now: datetime
) -> None:
    """Do not accept a difference: nothing is posted and the till is counted anew."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không xác nhận.")
    row = _undecided(session, school_id, count_id)
    own_word = "Người kiểm quỹ không tự quyết định chênh lệch. Hãy nhờ người khác."
    second_person(session, actor, Agreement(school_id, {row.made_by}, NO_CHILD, own_word))
    _decide(session, actor, row, now, reason=reason.strip())


def open_count(session: Session, school_id: UUID) -> CashCount | None:
    """Return the count whose difference waits for a second person."""
    return session.exec(
        select(CashCount)
        .outerjoin(CashCountDecision, col(CashCountDecision.count_id) == CashCount.id)
        .where(
            CashCount.school_id == school_id,
            col(CashCount.counted) != col(CashCount.book),
            col(CashCountDecision.count_id).is_(None),
        )
    ).first()


def standing_count(session: Session, school_id: UUID) -> CashCount | None:
    """Return the newest count, unless it waits or was not agreed to: an older one does not serve again then."""
    count = session.exec(
        select(CashCount)
        .where(CashCount.school_id == school_id)
        .order_by(col(CashCount.at).desc(), col(CashCount.id).desc())
        .limit(1)
    ).first()
    if count is None or count.counted == count.book:
        return count
    decided = session.get(CashCountDecision, count.id)
    return count if decided is not None and decided.agreed else None


def counted_since_cash_moved(session: Session, school_id: UUID) -> CashCount | None:
    """Return the count that stands if no cash moved after it but by the difference that it found.

    Equal sums are not enough: cash that came and went again was there for nobody to count.
    """
    count = standing_count(session, school_id)
    if count is None or count.counted != balance_of(session, school_id):
        return None
    decided = session.get(CashCountDecision, count.id)
    own = None if decided is None else decided.entry_id
    return count if _moved_after(session, count) <= {own} else None


def _moved_after(session: Session, count: CashCount) -> set[int | None]:
    """Return the entries that moved account 111 after a count; all for one that is older than their being noted."""
    facts = {"school": count.school_id, "after": count.moved_last or 0}
    return set(session.execute(_MOVED_AFTER, facts).scalars())


def _same(before: CashCount, count: Counted) -> CashCount:
    """Return the count that a form stored before; other notes, book or reason under its key are another matter."""
    if (before.notes, before.book, before.reason) != (_notes(count), count.book, count.reason.strip()):
        raise Conflict(
            f"Trang này đã ghi một lần kiểm quỹ khác: đếm được {before.counted}. Hãy mở lại trang rồi kiểm.",
            form=count.form,
        )
    return before


def _notes(count: Counted) -> dict[str, int]:
    return {str(face): number for face, number in count.notes.items() if number}


def _difference(session: Session, row: CashCount) -> Line:
    school_id = row.school_id
    if row.counted > row.book:
        open_account(session, school_id, TOO_MUCH, "Thừa quỹ chờ xử lý", "clearing")
        return Line(CASH, TOO_MUCH, row.counted - row.book)
    open_account(session, school_id, MISSING, "Thiếu quỹ chờ xử lý", "clearing")
    return Line(MISSING, CASH, row.book - row.counted)


def _undecided(session: Session, school_id: UUID, count_id: UUID) -> CashCount:
    hold_cash(session, school_id)
    row = session.exec(
        select(CashCount).where(CashCount.school_id == school_id, CashCount.id == count_id)
    ).one_or_none()
    if row is None:
        raise NotFound("Không tìm thấy lần kiểm quỹ này.", count=count_id)
    if row.counted == row.book or session.get(CashCountDecision, count_id) is not None:
        raise Conflict("Lần kiểm quỹ này không còn chờ xác nhận. Hãy tải lại trang.", count=count_id)
    return row


def _decide(  # noqa: PLR0913  one decision
    session: Session, actor: Actor, row: CashCount, now: datetime, *, entry_id: int | None = None, reason: str = ""
) -> None:
    agreed = entry_id is not None
    session.add(
        CashCountDecision(
            count_id=row.id,
            school_id=row.school_id,
            agreed=agreed,
            reason=reason,
            entry_id=entry_id,
            decided_by=_person(actor),
            at=now,
        )
    )
    session.flush()
    deed = Deed(row.school_id, "cash.agree_count" if agreed else "cash.reject_count", "cash_count", str(row.id), reason)
    record_deed(session, actor, deed, now, counted=row.counted.dong, book=row.book.dong)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc kiểm quỹ phải do một người có tên làm.")
    return actor.user_id
