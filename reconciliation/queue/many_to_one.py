"""Several transfers for one pupil: each an assignment of its own, worked out one behind the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import Conflict, Refused
from billing.vault import Vault
from reconciliation.decided_elsewhere import decided_elsewhere
from reconciliation.queue.assigning import Wanted, assign
from reconciliation.queue.carrying_out import hold_for
from reconciliation.queue.in_bulk import MOST_AT_ONCE, DryRun, Planned
from reconciliation.queue.open_bills import open_bills_of
from reconciliation.queue.pieces import Piece
from reconciliation.queue.sharing import OpenBill, Share, pieces_from
from reconciliation.queue.standing import Seen, hold_transfers
from reconciliation.queue.tables import QueueAct
from reconciliation.tables import Transfer


def plan_together(session: Session, school_id: UUID, pupil_id: UUID, transfers: Collection[UUID]) -> DryRun:
    """Tell what some waiting transfers would pay for one pupil, the oldest first; moves nothing.

    What the first leaves open is what the next one finds; what is over in the end is the pupil's credit.
    """
    found = session.exec(
        select(Transfer)
        .where(Transfer.school_id == school_id, col(Transfer.id).in_(transfers), Transfer.direction == "in")
        .order_by(col(Transfer.value_date), col(Transfer.id))
    ).all()
    bills: dict[UUID, list[OpenBill]] = {}
    taken: list[Planned] = []
    left: list[Planned] = []
    for transfer in found:
        why_not = "" if transfer.state == "waiting" else "Không còn chờ người xử lý."
        why_not = why_not or decided_elsewhere(session, transfer)
        if why_not:
            left.append(Planned(transfer, why_not=why_not))
            continue
        account = transfer.bank_account_id
        if account not in bills:
            bills[account] = open_bills_of(session, school_id, {pupil_id}, account)[pupil_id]
        pieces = pieces_from([Share(pupil_id, transfer.amount)], {pupil_id: bills[account]})
        bills[account] = _without(bills[account], pieces)
        taken.append(Planned(transfer, tuple(pieces)))
    return DryRun(tuple(taken), tuple(left))


def assign_together(  # noqa: PLR0913, PLR0917  who confirms what for whom, as shown, why and when
    session: Session,
    vault: Vault | None,
    actor: Actor,
    school_id: UUID,
    pupil_id: UUID,
    seen: dict[UUID, Seen],
    digest: str,
    reason: str,
    now: datetime,
) -> list[QueueAct]:
    """Assign all of them to the pupil as shown, or none; each is carried out or waits for another person.

    Raises as ``assign``, ``Conflict`` when it would do something else than was shown, ``Refused`` for nothing chosen
    or more than 200 at once.
    """
    if not seen or len(seen) > MOST_AT_ONCE:
        raise Refused(f"Hãy chọn từ 1 đến {MOST_AT_ONCE} giao dịch.")
    hold_transfers(session, school_id, list(seen))
    planned = plan_together(session, school_id, pupil_id, list(seen))
    hold_for(session, school_id, [piece for each in planned.taken for piece in each.pieces])
    acts = []
    for each in (*planned.taken, *planned.left):
        # Of one that does not wait any more, assigning says who was faster.
        wanted = Wanted(each.transfer.id, each.pieces, seen[each.transfer.id], reason)
        acts.append(assign(session, vault, actor, school_id, wanted, now))
    if planned.digest != digest:
        raise Conflict("Có giao dịch hoặc thông báo thu nay không còn như lúc xem. Chưa ghi gì; hãy xem lại.")
    return acts


def _without(bills: Sequence[OpenBill], pieces: Sequence[Piece]) -> list[OpenBill]:
    """Return what stays open behind some parts."""
    paid = {piece.bill_id: piece.amount for piece in pieces}
    rests = [replace(bill, rest=bill.rest - paid[bill.bill_id]) if bill.bill_id in paid else bill for bill in bills]
    return [bill for bill in rests if bill.rest]
