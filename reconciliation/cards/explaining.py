"""Saying what money of Stripe's is that no payment, fee or payout tells: asked by one, agreed to by another.

A movement is a cost, or the school's own money: that one waits on the page of money out for the transfer by which it
left the bank, and both meet on 1388T. What Stripe held before its feeds were opened is written once as an opening
(docs/decisions/0030, 0034).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from billing.ledger.accounts import CARD_CLEARING
from billing.ledger.posting import Fact, Line, post
from billing.money import ZERO, Money
from billing.visible import is_blank
from reconciliation.cards.balances import balances
from reconciliation.cards.booking import open_before, open_clearing, open_fees, open_unclear
from reconciliation.cards.facts import VIETNAM, Kind
from reconciliation.cards.payouts import hold_payouts
from reconciliation.cards.tables import CardAct, CardActDecision, CardFact, CardOpening
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.standing import wait_for_purposes
from reconciliation.outgoing.tables import MoneyOut

MOST_REASON = 300
_UNCLEAR = (Kind.MOVED_OUT.value, Kind.MOVED_IN.value)
_OF_MOVEMENTS = ("explain", "top_up")


@dataclass(frozen=True, slots=True)
class Wish:
    """What one person asks for: of which school, what, about what at Stripe (an opening: about which account)."""

    school_id: UUID
    kind: str
    subject: str
    transfer_id: UUID | None = None
    amount: Money | None = None


def ask_explain(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, movement_id: str, reason: str, now: datetime
) -> CardAct:
    """Ask to take a movement of Stripe's that nobody could read for a cost (or for one that came back)."""
    hold_payouts(session, school_id)
    _unclear_one(session, school_id, movement_id)
    return ask_act(session, actor, Wish(school_id, "explain", movement_id), reason, now)


def ask_top_up(  # noqa: PLR0913, PLR0917  as above
    session: Session, actor: Actor, school_id: UUID, movement_id: str, reason: str, now: datetime
) -> CardAct:
    """Ask to take money that came to Stripe for the school's own; raises ``Conflict`` where two said so before."""
    hold_payouts(session, school_id)
    if _unclear_one(session, school_id, movement_id).kind != Kind.MOVED_IN.value:
        raise Refused("Chỉ tiền vào Stripe mới có thể là tiền trường tự nạp.")
    if movement_id in topped_up(session, school_id):
        raise Conflict("Biến động này đã được nhận là tiền trường nạp; hãy gắn với tiền ra ở trang Tiền ra.")
    return ask_act(session, actor, Wish(school_id, "top_up", movement_id), reason, now)


def ask_opening(  # noqa: PLR0913, PLR0917  as above
    session: Session, actor: Actor, school_id: UUID, account_id: UUID, reason: str, now: datetime
) -> CardAct:
    """Ask to take what Stripe holds beside all that is known for what was there before its feeds were opened."""
    hold_payouts(session, school_id)
    amount = _difference(session, school_id, str(account_id))
    if not amount:
        raise NotFound("Số dư Stripe của tài khoản này không lệch.")
    return ask_act(session, actor, Wish(school_id, "opening", str(account_id), amount=amount), reason, now)


def ask_act(session: Session, actor: Actor, wish: Wish, reason: str, now: datetime) -> CardAct:
    """Write down what waits for another person; raises ``Refused`` without a reason, ``Conflict`` while one is open."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do; người thứ hai sẽ đọc.")
    kinds = _OF_MOVEMENTS if wish.kind in _OF_MOVEMENTS else (wish.kind,)
    same = select(CardAct.id).where(
        CardAct.school_id == wish.school_id,
        CardAct.subject == wish.subject,
        col(CardAct.kind).in_(kinds),
        ~_decided(),
    )
    if session.exec(same).first() is not None:
        raise Conflict("Đã có đề nghị về khoản này, đang chờ người khác duyệt.")
    act = CardAct(
        school_id=wish.school_id,
        kind=wish.kind,
        subject=wish.subject,
        transfer_id=wish.transfer_id,
        amount=wish.amount,
        reason=reason.strip()[:MOST_REASON],
        asked_by=person_of(actor),
        asked_at=now,
    )
    session.add(act)
    session.flush()
    record_deed(session, actor, Deed(wish.school_id, f"card.{act.kind}.ask", "card_act", str(act.id), reason), now)
    return act


def open_card_acts(session: Session, school_id: UUID) -> list[CardAct]:
    """Return what waits for a second person, oldest first."""
    query = select(CardAct).where(CardAct.school_id == school_id, ~_decided())
    return list(session.exec(query.order_by(col(CardAct.asked_at), col(CardAct.id))).all())


def unclear(session: Session, school_id: UUID) -> list[CardFact]:
    """Return the movements of Stripe's balance that nobody could read and two people have not explained yet.

    The school's own money is one of them until the bank's money out is tied to it.
    """
    about = (CardAct.school_id == CardFact.school_id, CardAct.subject == CardFact.stripe_id)
    explained = select(CardAct.id).where(*about, CardAct.kind == "explain", _agreed())
    met = _met().where(*about)
    query = select(CardFact).where(
        CardFact.school_id == school_id,
        col(CardFact.kind).in_(_UNCLEAR),
        ~explained.exists(),
        ~met.exists(),
    )
    return list(session.exec(query.order_by(col(CardFact.id))).all())


def topped_up(session: Session, school_id: UUID) -> frozenset[str]:
    """Return the movements that two people took for the school's own money."""
    query = select(CardAct.subject).where(CardAct.school_id == school_id, CardAct.kind == "top_up", _agreed())
    return frozenset(session.exec(query).all())


def refuse_clear(session: Session, act: CardAct) -> None:
    """Raise ``Conflict`` where the movement that an act is about was explained meanwhile, or is tied to money out."""
    wait_for_purposes(session, act.school_id)
    if all(each.stripe_id != act.subject for each in unclear(session, act.school_id)):
        raise Conflict("Biến động này đã được giải thích, hoặc đã gắn với tiền ra. Xin tải lại trang.")


def explain(session: Session, act: CardAct, now: datetime) -> None:
    """Take a movement off the account of what is not clear, onto the costs; ``Conflict`` for one that is tied."""
    wait_for_purposes(session, act.school_id)
    met = _met().where(CardAct.school_id == act.school_id, CardAct.subject == act.subject)
    if session.exec(met.limit(1)).first() is not None:
        raise Conflict("Biến động này đã gắn với tiền ra. Hãy hủy phân loại ở trang Tiền ra trước.")
    fact = session.exec(
        select(CardFact).where(
            CardFact.school_id == act.school_id,
            CardFact.stripe_id == act.subject,
            col(CardFact.kind).in_(_UNCLEAR),
        )
    ).one()
    costs, unclear_code = open_fees(session, act.school_id), open_unclear(session, act.school_id)
    out = fact.kind == Kind.MOVED_OUT.value
    debit, credit = (costs, unclear_code) if out else (unclear_code, costs)
    about = Fact(act.school_id, "card_explained", fact.stripe_id, (now + VIETNAM).date(), act.reason)
    post(session, about, [Line(debit, credit, fact.amount)], now)


def open_with(session: Session, act: CardAct, now: datetime) -> None:
    """Write down what Stripe held before; raises ``Conflict`` where the difference is not what was asked for."""
    amount = act.amount or ZERO
    if _difference(session, act.school_id, act.subject) != amount:
        raise Conflict("Số lệch đã đổi từ khi đề nghị. Hãy không duyệt, xem lại rồi đề nghị lại.")
    open_clearing(session, act.school_id)
    before = open_before(session, act.school_id)
    debit, credit = (CARD_CLEARING, before) if amount > ZERO else (before, CARD_CLEARING)
    about = Fact(act.school_id, "card_opening", str(act.id), (now + VIETNAM).date(), act.reason)
    entry = post(session, about, [Line(debit, credit, amount if amount > ZERO else -amount)], now)
    row = CardOpening(
        act_id=act.id,
        school_id=act.school_id,
        bank_account_id=UUID(act.subject),
        amount=amount,
        entry_id=entry,
        at=now,
    )
    session.add(row)
    session.flush()


def _difference(session: Session, school_id: UUID, account_id: str) -> Money:
    """Return what Stripe held beside all that was known when it was last asked about an account."""
    found = (each.difference for each in balances(session, school_id) if str(each.account_id) == account_id)
    return next(found, ZERO)


def _unclear_one(session: Session, school_id: UUID, movement_id: str) -> CardFact:
    found = next((each for each in unclear(session, school_id) if each.stripe_id == movement_id), None)
    if found is None:
        raise NotFound("Biến động này không có, hoặc đã được giải thích.")
    return found


def _decided() -> ColumnElement[bool]:
    return select(CardActDecision.act_id).where(CardActDecision.act_id == CardAct.id).exists()


def _met() -> SelectOfScalar[UUID]:
    """Return the acts whose own money met the bank's money out."""
    tied = (col(MoneyOut.school_id) == CardAct.school_id) & (col(MoneyOut.card_act_id) == CardAct.id)
    return select(CardAct.id).join(MoneyOut, tied).where(live())


def _agreed() -> ColumnElement[bool]:
    yes = select(CardActDecision.act_id).where(
        CardActDecision.act_id == CardAct.id, col(CardActDecision.approved).is_(True)
    )
    return yes.exists()
