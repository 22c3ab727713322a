"""Assigning money that waits: one person where it is plain, else one asks and another agrees (docs/decisions/0027)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, Refused
from billing.payments.balances import BillBalance
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.people.tables import Enrolment
from billing.storage import among
from billing.vault import Vault
from billing.visible import is_blank
from reconciliation.decided_elsewhere import refuse_asked_back, refuse_decided_elsewhere
from reconciliation.queue.carrying_out import ASK_AGAIN, CHOOSE_AGAIN, Assigned, carry_out, hold_for, refuse_too_much
from reconciliation.queue.looking import Look, look
from reconciliation.queue.pieces import Piece, pays_in_full, pupils_of, refuse_bad_pieces
from reconciliation.queue.standing import (
    Seen,
    hold_open_act,
    hold_transfer,
    refuse_overtaken,
    seen_of,
    was_undone,
)
from reconciliation.queue.tables import QueueAct, QueueDecision, QueuePart
from reconciliation.tables import Transfer

MOST_REASON = 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants done with one transfer, and what of it that person saw."""

    transfer_id: UUID
    pieces: Sequence[Piece]
    seen: Seen
    reason: str = ""


def assign(  # noqa: PLR0913, PLR0917  who wants what, when, with which vault
    session: Session, vault: Vault | None, actor: Actor, school_id: UUID, wanted: Wanted, now: datetime
) -> QueueAct:
    """Assign a waiting transfer to pupils: carried out at once if it is plain, else open for another person.

    Raises ``NotFound``, ``Overtaken`` (with who and when), ``Conflict`` when it does not wait any more or a bill was
    paid meanwhile, ``Refused`` for parts that do not add up or a missing reason, ``OwnFamily``.
    """
    transfer = hold_transfer(session, school_id, wanted.transfer_id)
    refuse_overtaken(session, transfer, wanted.seen)
    refuse_not_waiting(transfer)
    refuse_decided_elsewhere(session, transfer)
    refuse_bad_pieces(transfer.amount, wanted.pieces)
    refuse_own_family(session, actor, school_id, pupils_of(wanted.pieces))
    _refuse_strangers(session, school_id, wanted.pieces)
    balances = hold_for(session, school_id, wanted.pieces)
    refuse_too_much(session, school_id, balances, wanted.pieces, CHOOSE_AGAIN)
    seen = look(session, vault, transfer)
    plain = is_plain(session, transfer, seen, wanted.pieces, balances)
    if not plain and is_blank(wanted.reason):
        raise Refused("Hãy ghi vì sao khoản tiền này là của (các) em đã chọn; người thứ hai sẽ đọc lời này.")
    act = write_act(session, actor, transfer, wanted, seen, now)
    if plain:
        decide(session, actor, act, "alone", "", now)
        carry_out(session, [Assigned(transfer, act, wanted.pieces, act.made_by)], balances, now)
    return act


def agree(session: Session, actor: Actor, school_id: UUID, act_id: UUID, now: datetime) -> QueueAct:
    """Agree to an assignment that another person asked for, which carries it out.

    Raises ``SamePerson``, ``OwnFamily``, ``Overtaken`` when somebody decided it, ``Conflict`` when the transfer moved
    on or a bill has less open than the part for it: then refuse the act, and assign anew.
    """
    act, transfer = hold_open_act(session, school_id, act_id)
    refuse_moved_on(session, transfer, act)
    refuse_not_waiting(transfer)
    refuse_asked_back(session, transfer)
    pieces = pieces_of(session, act)
    second_person(session, actor, agreement_to(act, pupils_of(pieces)))
    balances = hold_for(session, school_id, pieces)
    refuse_too_much(session, school_id, balances, pieces, ASK_AGAIN)
    decide(session, actor, act, "agreed", "", now)
    carry_out(session, [Assigned(transfer, act, pieces, person_of(actor))], balances, now)
    return act


def refuse(  # noqa: PLR0913, PLR0917  who refuses what, why
    session: Session, actor: Actor, school_id: UUID, act_id: UUID, reason: str, now: datetime
) -> QueueAct:
    """Say no to an act, with a reason, or withdraw one's own; the transfer stays as it is."""
    act, _ = hold_open_act(session, school_id, act_id)
    mine = act.made_by == actor.user_id
    if not mine and is_blank(reason):
        raise Refused("Hãy ghi lý do không đồng ý.")
    decide(session, actor, act, "withdrawn" if mine else "refused", reason, now)
    return act


def is_plain(
    session: Session, transfer: Transfer, seen: Look, pieces: Sequence[Piece], balances: Mapping[UUID, BillBalance]
) -> bool:
    """Tell whether one person suffices: the matcher names just this pupil, and the sum pays what is due there.

    All on the account that the money reached, and nobody undid this transfer before.
    """
    here = all(balance.bank_account_id == transfer.bank_account_id for balance in balances.values())
    sole = seen.sole is not None and pupils_of(pieces) == {seen.sole}
    full = pays_in_full(pieces, {bill_id: balance.rest for bill_id, balance in balances.items()})
    return here and sole and full and not was_undone(session, transfer.school_id, transfer.id)


def write_act(  # noqa: PLR0913, PLR0917  an act with all it stands on
    session: Session, actor: Actor, transfer: Transfer, wanted: Wanted, seen: Look, now: datetime
) -> QueueAct:
    """Write an assignment with its parts and what the matcher said; the caller holds the transfer."""
    act = QueueAct(
        school_id=transfer.school_id,
        transfer_id=transfer.id,
        kind="assign",
        seen_step=wanted.seen.step,
        evidence=seen.evidence(),
        reason=wanted.reason.strip()[:MOST_REASON],
        made_by=person_of(actor),
        at=now,
    )
    session.add(act)
    session.flush()
    session.add_all(
        QueuePart(
            school_id=act.school_id,
            act_id=act.id,
            pupil_id=piece.pupil_id,
            bill_id=piece.bill_id,
            amount=piece.amount,
        )
        for piece in wanted.pieces
    )
    session.flush()
    deed = Deed(act.school_id, "queue.assign", "transfer", str(transfer.id), act.reason)
    record_deed(session, actor, deed, now, act=str(act.id), parts=_told(wanted.pieces))
    return act


def decide(  # noqa: PLR0913, PLR0917  who decides what how
    session: Session, actor: Actor, act: QueueAct, verdict: str, reason: str, now: datetime
) -> None:
    """Write what became of an act."""
    session.add(
        QueueDecision(
            act_id=act.id,
            school_id=act.school_id,
            verdict=verdict,
            decided_by=person_of(actor),
            reason=reason.strip()[:MOST_REASON],
            at=now,
        )
    )
    session.flush()
    deed = Deed(act.school_id, f"queue.{act.kind}.{verdict}", "transfer", str(act.transfer_id), reason.strip())
    record_deed(session, actor, deed, now, act=str(act.id))


def pieces_of(session: Session, act: QueueAct) -> list[Piece]:
    """Return the parts of an assignment in the order in which they were written."""
    rows = session.exec(
        select(QueuePart)
        .where(QueuePart.school_id == act.school_id, QueuePart.act_id == act.id)
        .order_by(col(QueuePart.id))
    ).all()
    return [Piece(row.pupil_id, row.bill_id, row.amount) for row in rows]


def agreement_to(act: QueueAct, pupils: Collection[UUID]) -> Agreement:
    """Return what a second person agrees to in an act about some pupils."""
    return Agreement(act.school_id, {act.made_by}, pupils, "Người đề nghị không tự đồng ý. Hãy nhờ người thứ hai.")


def refuse_moved_on(session: Session, transfer: Transfer, act: QueueAct) -> None:
    """Raise ``Conflict`` when the transfer took a step since the act was made."""
    if seen_of(session, transfer.school_id, transfer.id).step != act.seen_step:
        raise Conflict("Giao dịch này đã sang bước khác sau khi có đề nghị. Hãy không đồng ý, rồi làm lại.")


def refuse_not_waiting(transfer: Transfer) -> None:
    """Raise ``Conflict`` unless the transfer waits for a person."""
    if transfer.state != "waiting":
        raise Conflict("Giao dịch này không còn chờ người xử lý. Hãy tải lại trang.", state=transfer.state)


def _refuse_strangers(session: Session, school_id: UUID, pieces: Sequence[Piece]) -> None:
    """Raise ``Refused`` for credit of a child that never was at the school."""
    without = {piece.pupil_id for piece in pieces if piece.bill_id is None}
    if not without:
        return
    known = session.exec(
        select(Enrolment.pupil_id).where(Enrolment.school_id == school_id, among(Enrolment.pupil_id, without))
    ).all()
    if without - set(known):
        raise Refused("Có em không phải học sinh của trường. Hãy chọn lại.")


def _told(pieces: Sequence[Piece]) -> list[dict[str, str | int | None]]:
    return [
        {"pupil": str(piece.pupil_id), "bill": str(piece.bill_id) if piece.bill_id else None, "dong": piece.amount.dong}
        for piece in pieces
    ]
