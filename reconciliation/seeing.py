"""A person marks a message that was put aside as seen, and says what became of it: nobody is told of it any more.

Nothing else changes: the message stays as it came, its money is in no number, and who marked it stands in the audit.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from billing.visible import is_blank
from reconciliation.tables import Feed, InboxMessage, InboxResult, InboxSeen

_MOST_REASON = 300


def mark_seen(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, inbox_id: int, reason: str, now: datetime
) -> None:
    """Mark a message of a school; raises ``Refused`` without a reason, ``NotFound``, ``Conflict`` the second time."""
    if is_blank(reason):
        raise Refused("Hãy ghi đã xử lý tin này ra sao.")
    put_aside = (
        select(InboxMessage.id)
        .join(Feed, col(Feed.id) == col(InboxMessage.feed_id))
        .join(InboxResult, col(InboxResult.inbox_id) == col(InboxMessage.id))
        .where(InboxMessage.id == inbox_id, Feed.school_id == school_id, InboxResult.outcome == "quarantined")
    )
    if session.exec(put_aside).one_or_none() is None:
        raise NotFound("Không có tin này trong các tin chưa vào sổ của trường.")
    row = {
        "inbox_id": inbox_id,
        "school_id": school_id,
        "reason": reason.strip()[:_MOST_REASON],
        "seen_by": person_of(actor),
        "at": now,
    }
    added = insert(InboxSeen).values(row).on_conflict_do_nothing().returning(col(InboxSeen.inbox_id))
    if session.execute(added).scalar_one_or_none() is None:
        raise Conflict("Tin này đã có người đánh dấu. Xin tải lại trang.")
    record_deed(session, actor, Deed(school_id, "inbox.seen", "inbox_message", str(inbox_id), reason), now)
