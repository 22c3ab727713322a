"""What a person does about payouts and Stripe's own movements: alone where it is plain, else asked and agreed to.

Alone: money of the sum, about the day, that names Stripe is a payout. By two: other money as a payout, undoing a tie,
and saying what other money of Stripe's is (``cards.explaining``; docs/decisions/0027, 0030).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.vault import Vault
from billing.visible import is_blank
from reconciliation.cards.explaining import MOST_REASON, Wish, ask_act, explain, open_with, refuse_clear
from reconciliation.cards.page_acts import carry_out_end, pupil_of_page
from reconciliation.cards.payouts import candidate, hold_payouts, is_plain, live_tie, names_stripe, tie, untie
from reconciliation.cards.several import parts_of, tie_several
from reconciliation.cards.tables import CardAct, CardActDecision
from reconciliation.concerned import suggested_pupils
from reconciliation.tables import Transfer


def tie_payout(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session,
    vault: Vault | None,
    actor: Actor,
    school_id: UUID,
    payout_id: str,
    transfer_id: UUID,
    reason: str,
    now: datetime,
) -> CardAct | None:
    """Tie a payout to the transfer that a person saw to be it; return what waits for another person, if anything does.

    Raises ``NotFound``, ``Conflict``, ``OwnFamily``, and ``Refused`` without a reason where neither memo nor payer
    names Stripe, or the money came late or less.
    """
    hold_payouts(session, school_id)
    payout, transfer = candidate(session, school_id, payout_id, transfer_id)
    refuse_own_family(session, actor, school_id, suggested_pupils(session, transfer))
    if is_plain(payout, transfer) and names_stripe(vault, transfer):
        tie(session, payout, transfer, person_of(actor), now)
        deed = Deed(school_id, "card.payout.tie", "transfer", str(transfer_id))
        record_deed(session, actor, deed, now, payout=payout_id, amount=payout.amount.dong)
        return None
    if is_blank(reason):
        raise Refused(
            "Giao dịch này không nhắc đến Stripe, về muộn hoặc về thiếu. Hãy ghi vì sao đây là khoản chi trả; người "
            "thứ hai sẽ đọc."
        )
    return ask_act(session, actor, Wish(school_id, "tie", payout_id, transfer_id), reason, now)


def ask_untie(  # noqa: PLR0913, PLR0917  as above
    session: Session, actor: Actor, school_id: UUID, payout_id: str, reason: str, now: datetime
) -> CardAct:
    """Ask that a tie be undone; raises ``NotFound``, ``Refused`` without a reason, ``Conflict`` while one is open."""
    hold_payouts(session, school_id)
    row = live_tie(session, school_id, payout_id)
    if row is None:
        raise NotFound("Khoản chi trả này không gắn với giao dịch nào.")
    return ask_act(session, actor, Wish(school_id, "untie", payout_id, row.transfer_id), reason, now)


def decide_act(  # noqa: PLR0913  as above
    session: Session, actor: Actor, school_id: UUID, act_id: UUID, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    """Agree, which carries it out, or say no; whoever asked may only take it back.

    Raises ``SamePerson``, ``OwnFamily``, ``NotFound``, and ``Conflict`` when it was decided or nothing is as asked.
    """
    hold_payouts(session, school_id)
    act = session.exec(select(CardAct).where(CardAct.school_id == school_id, CardAct.id == act_id)).one_or_none()
    if act is None:
        raise NotFound("Không có đề nghị này.")
    if session.get(CardActDecision, act_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định. Xin tải lại trang.")
    if approved:
        own_word = "Người đề nghị không tự duyệt được. Xin nhờ người duyệt khác."
        second_person(session, actor, Agreement(school_id, {act.asked_by}, _about(session, act), own_word))
    elif is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt.")
    decision = CardActDecision(
        act_id=act_id,
        school_id=school_id,
        approved=approved,
        decided_by=person_of(actor),
        reason=reason.strip()[:MOST_REASON],
        at=now,
    )
    session.add(decision)
    session.flush()
    if approved:
        _carry_out(session, act, person_of(actor), now)
    word = "approve" if approved else "refuse"
    record_deed(session, actor, Deed(school_id, f"card.{act.kind}.{word}", "card_act", str(act_id), reason), now)


def _carry_out(session: Session, act: CardAct, by: UUID, now: datetime) -> None:
    if act.kind == "untie":
        untie(session, act, by, now)
    elif act.kind == "explain":
        explain(session, act, now)
    elif act.kind == "opening":
        open_with(session, act, now)
    elif act.kind == "tie_several":
        tie_several(session, act, by, now)
    elif act.kind == "end_page":
        carry_out_end(session, act, now)
    elif act.kind == "top_up":
        refuse_clear(session, act)
    elif act.transfer_id is not None:
        payout, transfer = candidate(session, act.school_id, act.subject, act.transfer_id)
        tie(session, payout, transfer, by, now)


def _about(session: Session, act: CardAct) -> set[UUID]:
    """Return the pupils that an act is about: whose the money of a tie may be, and whose page is ended."""
    if act.kind == "end_page":
        return {pupil_of_page(session, act.school_id, act.subject)}
    parts = {part.transfer_id for part in parts_of(session, act.school_id, [act.id])}
    wanted = {act.transfer_id} if act.kind == "tie" else parts
    query = select(Transfer).where(Transfer.school_id == act.school_id, col(Transfer.id).in_(wanted))
    return {pupil for transfer in session.exec(query).all() for pupil in suggested_pupils(session, transfer)}
