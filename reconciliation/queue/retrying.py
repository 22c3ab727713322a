"""Asking the matcher again, and words beside a transfer; neither needs a second person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Refused
from billing.people.kinship import refuse_own_family
from billing.vault import Vault
from reconciliation.decided_elsewhere import refuse_decided_elsewhere
from reconciliation.holding import hold_pupils
from reconciliation.matching import Decision
from reconciliation.queue.assigning import refuse_not_waiting
from reconciliation.queue.looking import look
from reconciliation.queue.standing import Seen, hold_transfer, refuse_overtaken, was_undone
from reconciliation.queue.tables import QueueComment
from reconciliation.settling import record_decision
from reconciliation.tables import Match

MOST_WORDS = 1000
_RETRIED = "retried"


def retry(  # noqa: PLR0913, PLR0917  who asks about what, having seen what
    session: Session,
    vault: Vault | None,
    actor: Actor,
    school_id: UUID,
    transfer_id: UUID,
    seen: Seen,
    now: datetime,
) -> Decision:
    """Let the matcher decide a waiting transfer again, on the bills as they are now; what is certain is booked.

    What a person undid is never booked by the matcher again: then its decision is a suggestion. Raises ``NotFound``,
    ``Overtaken``, ``OwnFamily`` where it would pay for the own family, ``Conflict`` also while others decide about it.
    """
    transfer = hold_transfer(session, school_id, transfer_id)
    refuse_overtaken(session, transfer, seen)
    refuse_not_waiting(transfer)
    refuse_decided_elsewhere(session, transfer)
    hold_pupils(session, transfer)
    found = look(session, vault, transfer)
    refuse_own_family(session, actor, school_id, found.pupils)
    record_deed(
        session,
        actor,
        Deed(school_id, "queue.retry", "transfer", str(transfer_id)),
        now,
        outcome=found.decision.outcome.value,
    )
    if found.certain and not was_undone(session, school_id, transfer_id):
        record_decision(session, transfer, found.decision, now, person_of(actor))
        return found.decision
    outcome = "suggested" if found.certain else found.decision.outcome.value
    session.add(
        Match(
            school_id=school_id,
            transfer_id=transfer_id,
            outcome=outcome,
            evidence=found.evidence() | {"asked_by": str(person_of(actor)), "why": _RETRIED},
            at=now,
        )
    )
    session.flush()
    return found.decision


def comment(  # noqa: PLR0913, PLR0917  who says what about what
    session: Session, actor: Actor, school_id: UUID, transfer_id: UUID, words: str, now: datetime
) -> QueueComment:
    """Write a comment beside a transfer; raises ``Refused`` for nothing or too much, ``NotFound``."""
    said = words.strip()
    if not said:
        raise Refused("Hãy viết lời ghi chú.")
    if len(said) > MOST_WORDS:
        raise Refused(f"Lời ghi chú dài nhất {MOST_WORDS} chữ.")
    hold_transfer(session, school_id, transfer_id)
    row = QueueComment(school_id=school_id, transfer_id=transfer_id, words=said, made_by=person_of(actor), at=now)
    session.add(row)
    session.flush()
    record_deed(session, actor, Deed(school_id, "queue.comment", "transfer", str(transfer_id)), now)
    return row
