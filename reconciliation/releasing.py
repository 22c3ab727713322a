"""Held money: what lets it go, and what shows that it never was.

A transfer is held where a mere key vouches for a large sum. It is let go by a source of another kind that tells the
same (the provider's list, a statement), or by two people: one asks and says why, another agrees.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select
from sqlmodel.sql.expression import SelectOfScalar

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.ledger.posting import Fact, reverse
from billing.ledger.tables import JournalEntry
from reconciliation.lists.tables import TransferRelease, TransferReleaseDecision
from reconciliation.tables import Transfer
from reconciliation.transfers import step

LINE = "line_of_statement"
RELEASED = "released"
_MOST_REASON = 300


def confirm(session: Session, transfer: Transfer, reason: str, now: datetime) -> bool:
    """Let held money go since another source tells the same; tell whether it was held."""
    if transfer.state != "held":
        return False
    step(session, transfer, "new", reason, now)
    return True


def distrust(session: Session, transfer: Transfer, reason: str, now: datetime) -> None:
    """Put held money aside and take it out of the book: the bank's own word speaks against it.

    The reversal stands on the bank's day, since on that day the bank had no such money.
    """
    step(session, transfer, "quarantined", reason[:_MOST_REASON], now)
    entry = session.exec(
        select(JournalEntry.id).where(
            JournalEntry.school_id == transfer.school_id,
            JournalEntry.kind == "transfer_received",
            JournalEntry.source_id == str(transfer.id),
        )
    ).one()
    fact = Fact(transfer.school_id, "transfer_distrusted", str(transfer.id), transfer.value_date, reason[:_MOST_REASON])
    reverse(session, entry or 0, fact, now)


def ask_release(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, transfer_id: UUID, reason: str, now: datetime
) -> TransferRelease:
    """Ask to let a held transfer go.

    Raises ``NotFound``, ``Refused`` without a reason, ``Conflict`` when it is held no more or was asked for already.
    """
    if not reason.strip():
        raise Refused("Hãy ghi lý do: đã xem gì ở ngân hàng mà biết tiền này có thật.")
    held_transfer(session, school_id, transfer_id)
    if session.exec(_waiting_for(school_id, transfer_id)).first() is not None:
        raise Conflict("Đã có đề nghị thả giao dịch này, đang chờ người khác duyệt.")
    asked = TransferRelease(
        school_id=school_id,
        transfer_id=transfer_id,
        reason=reason[:_MOST_REASON],
        made_by=person_of(actor),
        made_at=now,
    )
    session.add(asked)
    session.flush()
    record_deed(session, actor, Deed(school_id, "transfer.release.ask", "transfer", str(transfer_id), reason), now)
    return asked


def approve_release(session: Session, actor: Actor, school_id: UUID, release_id: UUID, now: datetime) -> None:
    """Let held money go at another's word; raises ``SamePerson``, ``Conflict``, ``NotFound``."""
    asked = _undecided(session, school_id, release_id)
    if asked.made_by == actor.user_id:
        raise SamePerson("Người đề nghị không tự duyệt được. Xin nhờ người duyệt khác.")
    transfer = held_transfer(session, school_id, asked.transfer_id)
    _decide(session, asked, actor, now, approved=True)
    step(session, transfer, "new", RELEASED, now, person_of(actor))


def refuse_release(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, release_id: UUID, reason: str, now: datetime
) -> None:
    """Say no, or take one's own back: the money stays held."""
    if not reason.strip():
        raise Refused("Hãy ghi lý do không duyệt.")
    _decide(session, _undecided(session, school_id, release_id), actor, now, approved=False, reason=reason)


def _decide(  # noqa: PLR0913  one decision with its facts
    session: Session, asked: TransferRelease, actor: Actor, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        TransferReleaseDecision(
            release_id=asked.id,
            school_id=asked.school_id,
            approved=approved,
            decided_by=person_of(actor),
            reason=reason[:_MOST_REASON],
            at=now,
        )
    )
    session.flush()
    action = "transfer.release.approve" if approved else "transfer.release.refuse"
    record_deed(session, actor, Deed(asked.school_id, action, "transfer", str(asked.transfer_id), reason), now)


def held_transfer(session: Session, school_id: UUID, transfer_id: UUID) -> Transfer:
    """Return a held transfer, locked until the transaction ends; raises ``NotFound`` or ``Conflict``."""
    transfer = session.exec(
        select(Transfer).where(Transfer.school_id == school_id, Transfer.id == transfer_id).with_for_update()
    ).one_or_none()
    if transfer is None:
        raise NotFound("Không có giao dịch này.")
    if transfer.state != "held":
        raise Conflict("Giao dịch này không còn bị giữ lại: ngân hàng đã xác nhận, hoặc đã bị loại. Xin mở lại trang.")
    return transfer


def _undecided(session: Session, school_id: UUID, release_id: UUID) -> TransferRelease:
    asked = session.exec(
        select(TransferRelease).where(TransferRelease.school_id == school_id, TransferRelease.id == release_id)
    ).one_or_none()
    if asked is None:
        raise NotFound("Không có đề nghị này.")
    if session.get(TransferReleaseDecision, release_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định.")
    return asked


def _waiting_for(school_id: UUID, transfer_id: UUID) -> SelectOfScalar[UUID]:
    decided = select(TransferReleaseDecision.release_id).where(TransferReleaseDecision.release_id == TransferRelease.id)
    return select(TransferRelease.id).where(
        TransferRelease.school_id == school_id, TransferRelease.transfer_id == transfer_id, ~decided.exists()
    )
