"""Locking an issued round: nothing of it is corrected any more, until another person unlocks it with a reason."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, Refused, SamePerson
from billing.rounds.drafting import find_round, person, round_deed
from billing.rounds.tables import BillingRound


def lock_round(session: Session, round_id: UUID, actor: Actor, now: datetime) -> BillingRound:
    """Lock an issued round; raises ``Conflict`` from any other state. Money for its bills goes on coming in."""
    billing_round = find_round(session, round_id, hold=True)
    if billing_round.state != "issued":
        raise Conflict("Chỉ khóa được đợt thu đã phát hành và chưa khóa.", state=billing_round.state)
    billing_round.state = "locked"
    billing_round.locked_by, billing_round.locked_at = person(actor), now
    billing_round.unlocked_by, billing_round.unlocked_at, billing_round.unlock_reason = None, None, ""
    return _kept(session, billing_round, actor, now, round_deed(billing_round, "round.lock"))


def unlock_round(session: Session, round_id: UUID, actor: Actor, now: datetime, reason: str) -> BillingRound:
    """Open a locked round for corrections again.

    Raises ``Conflict`` when it is not locked, ``SamePerson`` for whoever locked it, ``Refused`` without a reason.
    """
    billing_round = find_round(session, round_id, hold=True)
    if billing_round.state != "locked":
        raise Conflict("Đợt thu này không bị khóa.", state=billing_round.state)
    if not reason.strip():
        raise Refused("Hãy ghi lý do mở khóa đợt thu.")
    opener = person(actor)
    if opener == billing_round.locked_by:
        raise SamePerson("Người khóa đợt thu không được tự mở khóa. Hãy nhờ người khác.", round=round_id)
    billing_round.state = "issued"
    billing_round.unlocked_by, billing_round.unlocked_at, billing_round.unlock_reason = opener, now, reason.strip()
    return _kept(session, billing_round, actor, now, round_deed(billing_round, "round.unlock", reason.strip()))


def refuse_locked(billing_round: BillingRound) -> None:
    """Raise ``Conflict`` unless the round is issued and open for corrections."""
    if billing_round.state == "locked":
        raise Conflict(
            f"{billing_round.name} đã khóa, không sửa được nữa. Hãy nhờ người khác mở khóa và ghi lý do.",
            round=billing_round.id,
        )
    if billing_round.state != "issued":
        raise Conflict("Đợt thu chưa phát hành nên chưa có gì để sửa.", state=billing_round.state)


def _kept(session: Session, billing_round: BillingRound, actor: Actor, now: datetime, deed: Deed) -> BillingRound:
    session.add(billing_round)
    session.flush()
    record_deed(session, actor, deed, now)
    return billing_round
