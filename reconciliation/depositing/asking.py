"""Tying a deposit to money in that no rule suggests: one person asks with a reason, another agrees.

Neither is who made the deposit. While it waits, nobody else decides about that money (``decided_elsewhere``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.till import hold_cash
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.storage import among
from billing.visible import is_blank
from reconciliation.depositing.tables import CashDepositTie, CashTieAsk, CashTieDecision
from reconciliation.depositing.tying import held_pair, is_suggested, refuse_depositor, write_tie
from reconciliation.tables import Transfer


def ask_tie(  # noqa: PLR0913, PLR0917  which deposit to which transfer, who says so, why
    session: Session, actor: Actor, school_id: UUID, deposit_id: UUID, transfer_id: UUID, reason: str, now: datetime
) -> CashTieAsk:
    """Ask for a tie; raises as ``tie_deposit``, ``Refused`` without a reason or for what one person ties alone."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do: vì sao tiền vào này là tiền trường đã nộp.")
    deposit, transfer = held_pair(session, school_id, deposit_id, transfer_id)
    refuse_depositor(session, actor, deposit)
    if is_suggested(session, deposit, transfer):
        raise Refused("Tiền vào này được gợi ý cho lần nộp: hãy gắn thẳng, không cần đề nghị.")
    if open_asks(session, school_id, [deposit_id]):
        raise Conflict("Lần nộp này đã có đề nghị gắn, đang chờ người khác quyết định.", deposit=deposit_id)
    row = CashTieAsk(
        school_id=school_id,
        deposit_id=deposit.id,
        transfer_id=transfer.id,
        reason=reason.strip(),
        made_by=_person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    for kind, key in (("cash_deposit", deposit.id), ("transfer", transfer.id)):
        record_deed(session, actor, Deed(school_id, "cash.ask_tie", kind, str(key), row.reason), now)
    return row


def agree_tie(session: Session, actor: Actor, school_id: UUID, ask_id: UUID, now: datetime) -> CashDepositTie:
    """Tie as another person asked.

    Raises ``SamePerson`` for who asked or deposited, ``Conflict`` when it is decided or one of them is settled.
    """
    asked = _open(session, school_id, ask_id)
    own_word = "Người đề nghị gắn không tự đồng ý. Hãy nhờ người khác."
    second_person(session, actor, Agreement(school_id, {asked.made_by}, NO_CHILD, own_word))
    _decide(session, actor, asked, now)
    deposit, transfer = held_pair(session, school_id, asked.deposit_id, asked.transfer_id)
    refuse_depositor(session, actor, deposit)
    return write_tie(session, actor, deposit, transfer, now)


def refuse_tie(  # noqa: PLR0913, PLR0917  who says no to what, why
    session: Session, actor: Actor, school_id: UUID, ask_id: UUID, reason: str, now: datetime
) -> None:
    """Say no, or take one's own request back."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không gắn.")
    _decide(session, actor, _open(session, school_id, ask_id), now, reason=reason.strip())


def open_asks(session: Session, school_id: UUID, deposits: Collection[UUID]) -> dict[UUID, tuple[CashTieAsk, Transfer]]:
    """Return the requests that wait, with their money in, by deposit."""
    rows = session.exec(
        select(CashTieAsk, Transfer)
        .join(Transfer, col(Transfer.id) == col(CashTieAsk.transfer_id))
        .outerjoin(CashTieDecision, col(CashTieDecision.ask_id) == col(CashTieAsk.id))
        .where(
            CashTieAsk.school_id == school_id,
            among(CashTieAsk.deposit_id, deposits),
            col(CashTieDecision.ask_id).is_(None),
        )
    ).all()
    return {asked.deposit_id: (asked, transfer) for asked, transfer in rows}


def _open(session: Session, school_id: UUID, ask_id: UUID) -> CashTieAsk:
    hold_cash(session, school_id)
    found = session.exec(
        select(CashTieAsk).where(CashTieAsk.school_id == school_id, CashTieAsk.id == ask_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy đề nghị gắn này.", ask=ask_id)
    if session.get(CashTieDecision, ask_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định. Hãy tải lại trang.", ask=ask_id)
    return found


def _decide(session: Session, actor: Actor, asked: CashTieAsk, now: datetime, *, reason: str = "") -> None:
    session.add(
        CashTieDecision(
            ask_id=asked.id,
            school_id=asked.school_id,
            agreed=not reason,
            reason=reason,
            decided_by=_person(actor),
            at=now,
        )
    )
    session.flush()
    word = "cash.refuse_tie" if reason else "cash.agree_tie"
    for kind, key in (("cash_deposit", asked.deposit_id), ("transfer", asked.transfer_id)):
        record_deed(session, actor, Deed(asked.school_id, word, kind, str(key), reason), now)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên làm.")
    return actor.user_id
