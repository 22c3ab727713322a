"""Relief: one person asks for more time or for a sum not to be asked for any more, another decides.

Nothing of it takes anything from a child. A write-off is set against the open rest of a bill as a payment that brings
no money, and is undone by reversing that payment; see ``writing_off``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.holding import hold_bills
from billing.bills.tables import Bill
from billing.errors import Conflict, NotFound, Refused
from billing.money import Money, total
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.relief_tables import Relief, ReliefDecision, ReliefEnd, ReliefPaper
from billing.payments.writing_off import SHORTFALL, book_write_off, take_back_write_off
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.plans.papers import Paper
from billing.visible import is_blank

_VIET_NAM = timedelta(hours=7)
_LONGEST_GRACE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class MoreTime:
    """More time for a pupil's bill (or all of them) until a day; ``parts`` are what is paid by which day."""

    pupil_id: UUID
    bill_id: UUID | None
    until: date
    reason: str
    parts: tuple[tuple[date, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class NoLonger:
    """That the open rest of a bill is not asked for any more, by which decision, with the file that shows it."""

    bill_id: UUID
    decision_number: str
    decided_on: date
    reason: str
    paper: Paper


def ask_grace(session: Session, actor: Actor, school_id: UUID, wanted: MoreTime, now: datetime) -> Relief:
    """Ask for more time; raises ``Refused`` for a day, parts or reason that make no sense, or when nothing is open."""
    refuse_own_family(session, actor, school_id, {wanted.pupil_id})
    open_ = [each for each in _open(session, school_id, wanted.pupil_id) if wanted.bill_id in {None, each.bill_id}]
    if not open_:
        raise Refused("Em này không còn khoản nào chưa nộp ở đây để gia hạn.")
    _refuse_bad_time(wanted, total(each.rest for each in open_), (now + _VIET_NAM).date())
    row = Relief(
        school_id=school_id,
        pupil_id=wanted.pupil_id,
        bill_id=wanted.bill_id,
        kind="grace",
        until=wanted.until,
        parts=[{"due_on": day.isoformat(), "amount": amount.dong} for day, amount in wanted.parts],
        reason=wanted.reason.strip(),
        made_by=_person(actor),
        made_at=now,
    )
    return _asked(session, actor, row, now, until=wanted.until.isoformat())


def ask_write_off(session: Session, actor: Actor, school_id: UUID, wanted: NoLonger, now: datetime) -> Relief:
    """Ask for the open rest of a bill to be written off, all of it and nothing that was paid.

    Raises ``NotFound``, ``Conflict`` when one waits for this bill already, ``Refused`` without an open rest, reason or
    decision.
    """
    balance = _bill(session, school_id, wanted.bill_id)
    refuse_own_family(session, actor, school_id, {balance.pupil_id})
    if not balance.rest:
        raise Refused(f"Thông báo thu {balance.number} không còn gì chưa nộp; phần đã nộp không xóa được.")
    if is_blank(wanted.reason) or is_blank(wanted.decision_number):
        raise Refused("Hãy ghi lý do, số và ngày quyết định xóa khoản không thu được.")
    if wanted.decided_on > (now + _VIET_NAM).date():
        raise Refused("Ngày quyết định không được sau hôm nay.")
    if _waiting(session, school_id, wanted.bill_id):
        raise Conflict(f"Đã có đề nghị xóa cho thông báo thu {balance.number}, đang chờ duyệt.")
    row = Relief(
        school_id=school_id,
        pupil_id=balance.pupil_id,
        bill_id=wanted.bill_id,
        kind="write_off",
        amount=balance.rest,
        decision_number=wanted.decision_number.strip(),
        decided_on=wanted.decided_on,
        reason=wanted.reason.strip(),
        made_by=_person(actor),
        made_at=now,
    )
    _asked(session, actor, row, now, amount=balance.rest.dong, decision=row.decision_number)
    session.add(
        ReliefPaper(
            school_id=school_id,
            relief_id=row.id,
            name=wanted.paper.name,
            media_type=wanted.paper.media_type,
            sha256=hashlib.sha256(wanted.paper.content).digest(),
            content=wanted.paper.content,
            made_by=row.made_by,
            made_at=now,
        )
    )
    session.flush()
    return row


def approve_relief(session: Session, actor: Actor, school_id: UUID, relief_id: UUID, now: datetime) -> Relief:
    """Approve what another person asked for; a write-off goes into the book at once.

    Raises ``NotFound``, ``SamePerson``, and ``Conflict`` when it is decided already or the bill is no longer what it
    was when it was asked for.
    """
    row = _undecided(session, school_id, relief_id)
    own_word = "Người đề nghị không tự duyệt. Hãy nhờ người duyệt khác."
    second_person(session, actor, Agreement(school_id, {row.made_by}, {row.pupil_id}, own_word))
    _decide(session, actor, row, now, approved=True)
    if row.kind == "write_off":
        _write_off(session, row, now)
    return row


def refuse_relief(  # noqa: PLR0913, PLR0917  who refuses what, why
    session: Session, actor: Actor, school_id: UUID, relief_id: UUID, reason: str, now: datetime
) -> None:
    """Say no, or take back what one asked for; raises ``Refused`` without a reason."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt.")
    _decide(session, actor, _undecided(session, school_id, relief_id), now, approved=False, reason=reason.strip())


def end_relief(  # noqa: PLR0913, PLR0917  who ends what, why
    session: Session, actor: Actor, school_id: UUID, relief_id: UUID, reason: str, now: datetime
) -> None:
    """Lift a grace, or reverse a write-off by a counter-entry, so that its sum is open again.

    Raises ``NotFound`` for what was never approved, ``Conflict`` when it ended already, ``Refused`` without a reason.
    """
    row = find_relief(session, school_id, relief_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do.")
    decision = session.get(ReliefDecision, row.id)
    if decision is None or not decision.approved:
        raise NotFound("Đề nghị này chưa được duyệt.")
    if row.kind == "write_off" and row.bill_id is not None:
        hold_bills(session, school_id, [row.bill_id])  # first, as corrections do that take a part of it back
    _hold(session, row.id)
    if session.get(ReliefEnd, row.id) is not None:
        raise Conflict("Việc này đã được thôi từ trước. Hãy tải lại trang để xem hiện còn gì đang có hiệu lực.")
    refuse_own_family(session, actor, school_id, {row.pupil_id})
    if row.kind == "write_off":
        take_back_write_off(session, actor, row, reason.strip(), now)
        return
    session.add(ReliefEnd(relief_id=row.id, school_id=school_id, reason=reason.strip(), made_by=_person(actor), at=now))
    session.flush()
    record_deed(session, actor, Deed(school_id, f"{row.kind}.end", "relief", str(row.id), reason.strip()), now)


def find_relief(session: Session, school_id: UUID, relief_id: UUID) -> Relief:
    """Return a relief of the school; raises ``NotFound`` for any other, also for a shortfall (own rules)."""
    found = session.exec(select(Relief).where(Relief.school_id == school_id, Relief.id == relief_id)).one_or_none()
    if found is None or found.kind == SHORTFALL:
        raise NotFound("Trường không có đề nghị này.")
    return found


def open_paper(session: Session, actor: Actor, school_id: UUID, paper_id: UUID, now: datetime) -> ReliefPaper:
    """Return a file and record who opened it; raises ``NotFound``."""
    found = session.exec(
        select(ReliefPaper).where(ReliefPaper.school_id == school_id, ReliefPaper.id == paper_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Trường không có tệp này.")
    record_deed(session, actor, Deed(school_id, "relief.open_paper", "relief", str(found.relief_id)), now)
    return found


def _refuse_bad_time(wanted: MoreTime, rest: Money, today: date) -> None:
    if is_blank(wanted.reason):
        raise Refused("Hãy ghi lý do gia hạn (đơn của gia đình …).")
    if not today < wanted.until <= today + _LONGEST_GRACE:
        raise Refused("Ngày gia hạn phải sau hôm nay và trong vòng một năm.")
    days = [day for day, _ in wanted.parts]
    if days and (days != sorted(set(days)) or days[0] < today or days[-1] != wanted.until):
        raise Refused("Các ngày nộp dần phải tăng dần, từ hôm nay, và ngày cuối là ngày gia hạn.")
    if days and (any(not amount for _, amount in wanted.parts) or total(a for _, a in wanted.parts) != rest):
        raise Refused(f"Các phần nộp dần phải lớn hơn 0 đ và cộng lại đúng {rest} đang chưa nộp.")


def _write_off(session: Session, row: Relief, now: datetime) -> None:
    """Write the sum off its bill, if that is still what is open."""
    if row.bill_id is None:
        raise ValueError("a write-off names its bill")
    hold_bills(session, row.school_id, [row.bill_id])
    balance = _bill(session, row.school_id, row.bill_id)
    if balance.rest != row.amount:
        raise Conflict(
            f"Thông báo thu {balance.number} nay còn {balance.rest} chưa nộp, không phải {row.amount} như lúc đề nghị. "
            "Hãy không duyệt, rồi đề nghị lại."
        )
    book_write_off(session, row, now)


def _open(session: Session, school_id: UUID, pupil_id: UUID) -> Sequence[BillBalance]:
    of_pupil = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.pupil_id) == pupil_id)
    return [balance for balance in of_pupil if balance.rest]


def _bill(session: Session, school_id: UUID, bill_id: UUID) -> BillBalance:
    found = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id) == bill_id)
    if not found:
        raise NotFound("Không tìm thấy thông báo thu này.", bill=bill_id)
    return found[0]


def _waiting(session: Session, school_id: UUID, bill_id: UUID) -> bool:
    query = (
        select(Relief.id)
        .outerjoin(ReliefDecision, col(ReliefDecision.relief_id) == col(Relief.id))
        .where(
            Relief.school_id == school_id,
            Relief.bill_id == bill_id,
            Relief.kind == "write_off",
            col(ReliefDecision.relief_id).is_(None),
        )
    )
    return session.exec(query.limit(1)).first() is not None


def _hold(session: Session, relief_id: UUID) -> None:
    """Wait until nobody else decides or ends this relief."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"relief {relief_id}"})


def _undecided(session: Session, school_id: UUID, relief_id: UUID) -> Relief:
    row = find_relief(session, school_id, relief_id)
    _hold(session, relief_id)
    if session.get(ReliefDecision, relief_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định rồi.", relief=relief_id)
    return row


def _asked(session: Session, actor: Actor, row: Relief, now: datetime, **details: str | int) -> Relief:
    session.add(row)
    session.flush()
    deed = Deed(row.school_id, f"{row.kind}.ask", "relief", str(row.id), row.reason)
    record_deed(session, actor, deed, now, bill=str(row.bill_id or ""), **details)
    return row


def _decide(  # noqa: PLR0913  who decides what how
    session: Session, actor: Actor, row: Relief, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        ReliefDecision(
            relief_id=row.id,
            school_id=row.school_id,
            approved=approved,
            decided_by=_person(actor),
            reason=reason,
            at=now,
        )
    )
    session.flush()
    verdict = "approve" if approved else "refuse"
    record_deed(session, actor, Deed(row.school_id, f"{row.kind}.{verdict}", "relief", str(row.id), reason), now)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ValueError("a person asks and decides")
    return actor.user_id
