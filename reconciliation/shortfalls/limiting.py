"""The school's limit for what foreign money may lack: asked by one, agreed by another, the newest agreed one counts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, Refused
from billing.money import ZERO, Money
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.visible import is_blank
from reconciliation.shortfalls.tables import HIGHEST, ShortfallLimit, ShortfallLimitDecision


def limit_now(session: Session, school_id: UUID) -> Money:
    """Return how much of one transfer from abroad may be missing; 0 đ where the school has agreed to nothing."""
    newest = session.exec(
        select(ShortfallLimit)
        .join(ShortfallLimitDecision, col(ShortfallLimitDecision.limit_id) == ShortfallLimit.id)
        .where(ShortfallLimit.school_id == school_id, col(ShortfallLimitDecision.approved))
        .order_by(col(ShortfallLimitDecision.at).desc(), col(ShortfallLimit.id).desc())
        .limit(1)
    ).first()
    return ZERO if newest is None else newest.most


def waiting_limit(session: Session, school_id: UUID) -> ShortfallLimit | None:
    """Return the limit that waits for another person, if there is one."""
    decided = select(ShortfallLimitDecision.limit_id).where(ShortfallLimitDecision.limit_id == ShortfallLimit.id)
    return session.exec(
        select(ShortfallLimit).where(ShortfallLimit.school_id == school_id, ~decided.exists())
    ).one_or_none()


def ask_limit(  # noqa: PLR0913, PLR0917  how much, why, who says so and when
    session: Session, actor: Actor, school_id: UUID, most: Money, reason: str, now: datetime
) -> ShortfallLimit:
    """Ask for another limit; raises ``Refused`` above 2,000,000 đ or without a reason, ``Conflict`` while one waits."""
    hold_shortfalls(session, school_id)
    if most > HIGHEST:
        raise Refused(f"Hạn mức không quá {HIGHEST}: phí ngân hàng trung gian không lớn hơn thế.")
    if is_blank(reason):
        raise Refused("Hãy ghi căn cứ của hạn mức, ví dụ số quyết định của hiệu trưởng.")
    if waiting_limit(session, school_id) is not None:
        raise Conflict("Đã có đề nghị hạn mức đang chờ duyệt.")
    row = ShortfallLimit(school_id=school_id, most=most, reason=reason.strip(), made_by=person_of(actor), made_at=now)
    session.add(row)
    session.flush()
    record_deed(session, actor, Deed(school_id, "shortfall_limit.ask", "school", str(school_id), row.reason), now)
    return row


def decide_limit(  # noqa: PLR0913  which one, who says so, how and why
    session: Session, actor: Actor, school_id: UUID, limit_id: UUID, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    """Agree to a limit another person asked for, or say no; raises ``SamePerson``, ``Conflict``, ``Refused``."""
    hold_shortfalls(session, school_id)
    row = waiting_limit(session, school_id)
    if row is None or row.id != limit_id:
        raise Conflict("Đề nghị hạn mức này không còn chờ duyệt. Hãy tải lại trang.")
    if approved:
        own_word = "Người đề nghị hạn mức không tự duyệt. Hãy nhờ người duyệt khác."
        second_person(session, actor, Agreement(school_id, {row.made_by}, NO_CHILD, own_word))
    elif is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt.")
    session.add(
        ShortfallLimitDecision(
            limit_id=row.id,
            school_id=school_id,
            approved=approved,
            decided_by=person_of(actor),
            reason=reason.strip(),
            at=now,
        )
    )
    session.flush()
    word = "agree" if approved else "refuse"
    record_deed(session, actor, Deed(school_id, f"shortfall_limit.{word}", "school", str(school_id), reason), now)


def hold_shortfalls(session: Session, school_id: UUID) -> None:
    """Wait until nobody decides about the limit or by a paper of the school; until the transaction ends nobody may."""
    name = {"name": f"shortfall limit {school_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
