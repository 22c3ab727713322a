"""How far a round's total may move against the last one before the approver is asked: each school says it itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Refused
from billing.people.tables import School
from billing.rounds.drafting import person

LARGEST_PERCENT = 1000


def set_alert(session: Session, school_id: UUID, percent: int, actor: Actor, now: datetime) -> None:
    """Set the share in percent (1 to 1,000) above which a change of the total is asked about.

    Rounds calculated from now on follow it. Who approves decides it and not who makes the rounds; the caller sees to
    that. Raises ``Refused`` for any other number.
    """
    person(actor)
    if not 1 <= percent <= LARGEST_PERCENT:
        raise Refused(f"Mức phải từ 1 đến {LARGEST_PERCENT} %, không phải {percent}. Hãy ghi lại.", percent=percent)
    school = session.get_one(School, school_id)
    was, school.alert_percent = school.alert_percent, percent
    session.add(school)
    session.flush()
    record_deed(session, actor, Deed(school_id, "round.alert", "school", str(school_id)), now, was=was, percent=percent)
