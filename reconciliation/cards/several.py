"""A payout that the bank brought in several transfers, and several payouts in one: asked by one, agreed to by another.

All that belongs together is named in one act, and fits to the đồng: no bank's fee is taken for what is missing. Each
payout and transfer of it is tied with the smaller sum of the two; taken apart, all of them are (docs/decisions/0043).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import Conflict, NotFound, Refused
from billing.ledger.accounts import CARD_CLEARING, SUSPENSE
from billing.ledger.posting import Fact, Line, post
from billing.money import Money, total
from billing.people.kinship import refuse_own_family
from reconciliation.cards.booking import open_clearing
from reconciliation.cards.explaining import Wish, ask_act
from reconciliation.cards.payouts import CARD_PAYOUT, hold_payouts, note, open_payouts, waiting_near
from reconciliation.cards.tables import CardAct, CardActPart, CardFact, CardPayoutTie
from reconciliation.concerned import suggested_pupils
from reconciliation.tables import Transfer

MOST = 20
"""So many payouts or transfers in one act."""


def may_be_several(session: Session, school_id: UUID) -> list[Transfer]:
    """Return waiting money in that may be part of a payout, or several of them, over all accounts; nothing is held."""
    found: dict[UUID, Transfer] = {}
    for payouts in _by_account(_open(session, school_id, hold=False)).values():
        found |= {each.id: each for each in waiting_near(session, payouts)}
    return sorted(found.values(), key=lambda each: (each.value_date, each.id))


def ask_several(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session,
    actor: Actor,
    school_id: UUID,
    payout_ids: Collection[str],
    transfer_ids: Collection[UUID],
    reason: str,
    now: datetime,
) -> CardAct:
    """Ask to tie one payout to several transfers, or several payouts to one transfer.

    Raises ``Refused`` where sums do not fit to the đồng, ``NotFound``, ``Conflict``, ``OwnFamily``.
    """
    hold_payouts(session, school_id)
    payouts, transfers = _chosen(session, school_id, payout_ids, transfer_ids)
    for each in transfers:
        refuse_own_family(session, actor, school_id, suggested_pupils(session, each))
    subject = payouts[0].stripe_id if len(payouts) == 1 else str(transfers[0].id)
    act = ask_act(session, actor, Wish(school_id, "tie_several", subject), reason, now)
    for payout in payouts:
        for transfer in transfers:
            session.add(
                CardActPart(act_id=act.id, payout_id=payout.stripe_id, transfer_id=transfer.id, school_id=school_id)
            )
    session.flush()
    return act


def parts_of(session: Session, school_id: UUID, acts: Collection[UUID]) -> list[CardActPart]:
    """Return what acts are about."""
    query = select(CardActPart).where(CardActPart.school_id == school_id, col(CardActPart.act_id).in_(acts))
    return list(session.exec(query.order_by(col(CardActPart.payout_id), col(CardActPart.transfer_id))).all())


def tie_several(session: Session, act: CardAct, by: UUID, now: datetime) -> None:
    """Tie what an act names, agreed to by ``by``; raises ``Conflict`` where something of it is not as asked."""
    parts = parts_of(session, act.school_id, [act.id])
    payouts, transfers = _chosen(
        session, act.school_id, {part.payout_id for part in parts}, {part.transfer_id for part in parts}
    )
    for transfer in transfers:
        for payout in payouts:
            _tie(session, act, payout, transfer, by, now)
    for transfer in transfers:
        note(session, transfer, "matched", CARD_PAYOUT, [payout.stripe_id for payout in payouts], by, now)


def _tie(  # noqa: PLR0913, PLR0917  one row with its facts
    session: Session, act: CardAct, payout: CardFact, transfer: Transfer, by: UUID, now: datetime
) -> None:
    open_clearing(session, act.school_id)
    row = CardPayoutTie(
        school_id=act.school_id,
        payout_id=payout.stripe_id,
        transfer_id=transfer.id,
        entry_id=0,
        made_by=by,
        act_id=act.id,
        at=now,
    )
    fact = Fact(act.school_id, CARD_PAYOUT, str(row.id), transfer.value_date, payout.stripe_id)
    row.entry_id = post(session, fact, [Line(SUSPENSE, CARD_CLEARING, share(payout.amount, transfer.amount))], now)
    session.add(row)
    session.flush()


def share(payout: Money, transfer: Money) -> Money:
    """Return what of a payout a transfer brought, where several belong together: the smaller sum of the two."""
    return min(payout, transfer)


def _chosen(
    session: Session, school_id: UUID, payout_ids: Collection[str], transfer_ids: Collection[UUID]
) -> tuple[list[CardFact], list[Transfer]]:
    """Return what somebody chose, held; raises where it is not there any more, or does not belong together."""
    if min(len(payout_ids), len(transfer_ids)) != 1 or not 1 < max(len(payout_ids), len(transfer_ids)) <= MOST:
        raise Refused(
            f"Hãy chọn một khoản chi trả và từ hai đến {MOST} giao dịch tiền vào, hoặc từ hai đến {MOST} khoản chi trả "
            "và một giao dịch tiền vào."
        )
    payouts = [each for each in _open(session, school_id, hold=True) if each.stripe_id in payout_ids]
    if len(payouts) != len(payout_ids):
        raise NotFound("Có khoản chi trả thẻ không còn đó, hoặc đã gắn với tiền vào ngân hàng. Xin tải lại trang.")
    if len(_by_account(payouts)) != 1:
        raise Refused("Các khoản chi trả này về những tài khoản khác nhau.")
    transfers = [each for each in waiting_near(session, payouts, hold=True) if each.id in transfer_ids]
    if len(transfers) != len(transfer_ids):
        raise Conflict(
            "Có giao dịch không còn chờ, không thuộc tài khoản này, hoặc về trước khoản chi trả. Xin tải lại trang."
        )
    paid, came = total(each.amount for each in payouts), total(each.amount for each in transfers)
    if paid != came:
        raise Refused(f"Chi trả {paid}, tiền vào {came}: phải bằng nhau từng đồng mới gắn được.")
    return payouts, transfers


def _open(session: Session, school_id: UUID, *, hold: bool) -> list[CardFact]:
    return [each.payout for each in open_payouts(session, school_id, hold=hold)]


def _by_account(payouts: Sequence[CardFact]) -> dict[UUID, list[CardFact]]:
    found: dict[UUID, list[CardFact]] = {}
    for each in payouts:
        found.setdefault(each.bank_account_id, []).append(each)
    return found
