"""Money in that is the school's own: matched to nobody's bill, or back to waiting when that was wrong."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing.audit.recording import Actor
from reconciliation.tables import Match, Transfer
from reconciliation.transfers import step

OWN_TRANSFER, NOT_OURS = "own_transfer", "nothing_found"


def settle_as_own(session: Session, actor: Actor, transfer: Transfer, rule: str, now: datetime) -> None:
    """Move money in to *matched* by a rule that says it is the school's own, or back to *waiting* (``NOT_OURS``)."""
    state = "waiting" if rule == NOT_OURS else "matched"
    session.add(
        Match(
            school_id=transfer.school_id,
            transfer_id=transfer.id,
            outcome="matched" if state == "matched" else "unmatched",
            evidence={"rule": rule, "notes": [], "bills": [], "credit": 0, "credit_to": None},
            made_by=actor.user_id,
            at=now,
        )
    )
    step(session, transfer, state, rule, now)
