"""Where a transfer of the queue stands: held for an act, what was seen of it, and whether an act waits already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing.errors import Conflict, NotFound
from reconciliation.errors import Overtaken
from reconciliation.queue.tables import QueueAct, QueueDecision
from reconciliation.tables import Transfer, TransferStep

_BY_HAND = "queue "  # the reason of a step that an act made; behind it the act's id


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person saw of a transfer last: its newest step, and the newest act about it that was not withdrawn."""

    step: int
    act: UUID | None = None

    def __str__(self) -> str:
        """Return it as it travels in a form."""
        return f"{self.step}.{self.act or ''}"

    @classmethod
    def read(cls, text: str) -> Seen:
        """Return what ``str`` wrote; raises ``Conflict`` for anything else (a form of an older page)."""
        step, _, act = text.partition(".")
        try:
            return cls(int(step), UUID(act) if act else None)
        except ValueError as error:
            raise Conflict("Trang này đã cũ. Hãy tải lại trang rồi làm lại.") from error


def hold_transfer(session: Session, school_id: UUID, transfer_id: UUID) -> Transfer:
    """Return a transfer of money in, locked until the transaction ends; raises ``NotFound``."""
    return hold_transfers(session, school_id, [transfer_id])[0]


def hold_transfers(session: Session, school_id: UUID, transfers: Collection[UUID]) -> list[Transfer]:
    """Lock several transfers in the order of their ids and return them so; raises ``NotFound`` if one is missing."""
    found = session.exec(
        select(Transfer)
        .where(Transfer.school_id == school_id, col(Transfer.id).in_(transfers), Transfer.direction == "in")
        .order_by(col(Transfer.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(found) != len(set(transfers)):
        raise NotFound("Trường không có giao dịch này.")
    return list(found)


def seen_of(session: Session, school_id: UUID, transfer_id: UUID) -> Seen:
    """Return what a page that is opened now shows last of a transfer."""
    step = _steps(school_id, transfer_id).limit(1)
    last, act = session.exec(step).first(), session.exec(_acts(school_id, transfer_id).limit(1)).first()
    return Seen((last.id or 0) if last else 0, act.id if act else None)


def seen_of_many(session: Session, school_id: UUID, transfers: Collection[UUID]) -> dict[UUID, Seen]:
    """Return what ``seen_of`` says of each of several transfers, set-wise."""
    steps = session.exec(
        select(TransferStep.transfer_id, func.max(TransferStep.id))
        .where(TransferStep.school_id == school_id, col(TransferStep.transfer_id).in_(transfers))
        .group_by(col(TransferStep.transfer_id))
    ).all()
    acts = session.exec(
        select(QueueAct.transfer_id, QueueAct.id)
        .where(QueueAct.school_id == school_id, col(QueueAct.transfer_id).in_(transfers))
        .order_by(col(QueueAct.at), col(QueueAct.id))
    ).all()
    newest = dict(acts)  # the latest wins
    last = dict(steps)
    return {transfer: Seen(last.get(transfer) or 0, newest.get(transfer)) for transfer in transfers}


def refuse_overtaken(session: Session, transfer: Transfer, seen: Seen) -> None:
    """Raise ``Overtaken`` with who and when, if a step or an act came since; the caller holds the transfer."""
    now = seen_of(session, transfer.school_id, transfer.id)
    if now == seen:
        return
    if now.act != seen.act:
        act = session.exec(_acts(transfer.school_id, transfer.id)).first()
        if act is not None:
            raise _overtaken("act", act.made_by, act)
    step = session.exec(_steps(transfer.school_id, transfer.id)).first()
    raise _overtaken("step", step.made_by if step else None, step)


def open_act(session: Session, school_id: UUID, transfer_id: UUID) -> QueueAct | None:
    """Return the act about a transfer that waits for a second person, if there is one."""
    return session.exec(_acts(school_id, transfer_id).where(~_decided())).first()


def open_acts(session: Session, school_id: UUID) -> list[QueueAct]:
    """Return all acts of a school that wait for a second person, oldest first."""
    query = select(QueueAct).where(QueueAct.school_id == school_id, ~_decided())
    return list(session.exec(query.order_by(col(QueueAct.at), col(QueueAct.id))).all())


def find_act(session: Session, school_id: UUID, act_id: UUID) -> QueueAct:
    """Return an act; raises ``NotFound``."""
    act = session.exec(select(QueueAct).where(QueueAct.school_id == school_id, QueueAct.id == act_id)).one_or_none()
    if act is None:
        raise NotFound("Trường không có việc này.")
    return act


def hold_open_act(session: Session, school_id: UUID, act_id: UUID) -> tuple[QueueAct, Transfer]:
    """Return an act that nobody decided, with its transfer, held; raises ``NotFound``, or ``Overtaken`` by whom."""
    act = find_act(session, school_id, act_id)
    transfer = hold_transfer(session, school_id, act.transfer_id)
    decided = session.exec(
        select(QueueDecision).where(QueueDecision.school_id == school_id, QueueDecision.act_id == act_id)
    ).one_or_none()
    if decided is not None:
        raise _overtaken("act", decided.decided_by, decided)
    return act, transfer


def was_undone(session: Session, school_id: UUID, transfer_id: UUID) -> bool:
    """Tell whether a transfer was matched or reversed once and that was undone: from then on two people decide."""
    return bool(undone_among(session, school_id, [transfer_id]))


def undone_among(session: Session, school_id: UUID, transfers: Collection[UUID]) -> set[UUID]:
    """Return which of some transfers were matched, or taken back by the bank, once, and that was undone."""
    undone = select(TransferStep.transfer_id).where(
        TransferStep.school_id == school_id,
        col(TransferStep.transfer_id).in_(transfers),
        col(TransferStep.from_state).in_(["matched", "reversed"]),
        TransferStep.to_state == "waiting",
    )
    return set(session.exec(undone).all())


def by_act(act: QueueAct) -> str:
    """Return the reason of a step that an act makes."""
    return f"{_BY_HAND}{act.kind} {act.id}"


def _overtaken(what: str, by: UUID | None, row: QueueAct | QueueDecision | TransferStep | None) -> Overtaken:
    at = row.at if row is not None else None
    return Overtaken(
        "Giao dịch này vừa được người khác xử lý sau khi bạn mở trang. Chưa ghi gì; những gì bạn đã nhập còn giữ.",
        what=what,
        by=by,
        at=at,
    )


def _decided() -> ColumnElement[bool]:
    return (
        select(QueueDecision.act_id)
        .where(QueueDecision.school_id == QueueAct.school_id, QueueDecision.act_id == QueueAct.id)
        .exists()
    )


def _acts(school_id: UUID, transfer_id: UUID) -> SelectOfScalar[QueueAct]:
    query = select(QueueAct).where(QueueAct.school_id == school_id, QueueAct.transfer_id == transfer_id)
    return query.order_by(col(QueueAct.at).desc(), col(QueueAct.id).desc())


def _steps(school_id: UUID, transfer_id: UUID) -> SelectOfScalar[TransferStep]:
    query = select(TransferStep).where(TransferStep.school_id == school_id, TransferStep.transfer_id == transfer_id)
    return query.order_by(col(TransferStep.id).desc())
