"""A transfer that goes back to its payer follows the bank's own transfer out: tied, it is *refunded*."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.credits.paying_out import find_line
from reconciliation.tables import Transfer
from reconciliation.transfers import step


def move_refunded(  # noqa: PLR0913, PLR0917  who moves what whereto, why and when
    session: Session, actor: Actor, line_id: UUID | None, state: str, reason: str, now: datetime
) -> None:
    """Move the transfer that a line of a refund gives back, if it is of one, to *refunded* or back to *refunding*."""
    transfer_id = find_line(session, line_id).transfer_id if line_id is not None else None
    if transfer_id is None:
        return
    transfer = session.exec(select(Transfer).where(Transfer.id == transfer_id).with_for_update()).one()
    step_by_hand(session, actor, transfer, state, reason, now)


def step_by_hand(  # noqa: PLR0913, PLR0917  as above
    session: Session, actor: Actor, transfer: Transfer, state: str, reason: str, now: datetime
) -> None:
    """Move a transfer as a person's act: the step names the person, and the deed is recorded."""
    step(session, transfer, state, reason, now, actor.user_id)
    deed = Deed(transfer.school_id, f"transfer.{state}", "transfer", str(transfer.id), reason)
    record_deed(session, actor, deed, now, amount=transfer.amount.dong)
