"""Payouts tied to the bank's transfers that brought them: money that was income as card payments is not income twice.

By the rule only where the bank's memo names Stripe, sum and account are equal, the day fits, and there is one payout
and one transfer of that sum; else by a person. The transfer goes from *waiting* to *matched* and pays nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound
from billing.ledger.accounts import CARD_CLEARING, SUSPENSE
from billing.ledger.posting import Fact, Line, post
from billing.money import Money
from billing.payments.reference import exact, fold_memo
from reconciliation.cards.booking import open_clearing
from reconciliation.cards.facts import Kind
from reconciliation.cards.tables import CardFact, CardPayoutTie
from reconciliation.decided_elsewhere import decided_elsewhere
from reconciliation.tables import Match, Transfer
from reconciliation.transfers import step

CARD_PAYOUT = "card_payout"
_EARLY, _LATE = timedelta(days=2), timedelta(days=10)
"""How far the bank's day may lie before and after the day that Stripe names."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A payout that no transfer is tied to, and waiting money in of its sum on its account."""

    payout: CardFact
    transfers: tuple[Transfer, ...]


def open_payouts(session: Session, school_id: UUID) -> list[Candidate]:
    """Return the payouts of a school that the bank has not brought yet, oldest first, with what may be them."""
    payouts = _untied(session, school_id)
    return [Candidate(payout, tuple(_waiting_for(session, payout))) for payout in payouts]


def tie_by_rule(session: Session, school_id: UUID, now: datetime) -> int:
    """Tie what is beyond doubt; return how many."""
    _hold(session, school_id)
    candidates = open_payouts(session, school_id)
    sums = Counter((each.payout.bank_account_id, each.payout.amount) for each in candidates)
    tied = 0
    for each in candidates:
        alone = sums[each.payout.bank_account_id, each.payout.amount] == 1 and len(each.transfers) == 1
        if alone and "STRIPE" in fold_memo(each.transfers[0].memo):
            _tie(session, each.payout, each.transfers[0], None, now)
            tied += 1
    return tied


def tie_payout(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, payout_id: str, transfer_id: UUID, now: datetime
) -> None:
    """Tie a payout to the transfer that a person saw to be it; raises ``NotFound`` or ``Conflict``."""
    _hold(session, school_id)
    found = next((each for each in open_payouts(session, school_id) if each.payout.stripe_id == payout_id), None)
    if found is None:
        raise NotFound("Khoản chi trả thẻ này không có, hoặc đã gắn với tiền vào ngân hàng.")
    transfer = next((each for each in found.transfers if each.id == transfer_id), None)
    if transfer is None:
        raise Conflict("Giao dịch này không còn chờ, hoặc không đúng số tiền. Xin tải lại trang.")
    _tie(session, found.payout, transfer, actor.user_id, now)
    deed = Deed(school_id, "card.payout.tie", "transfer", str(transfer_id))
    record_deed(session, actor, deed, now, payout=payout_id, amount=found.payout.amount.dong)


def tied_transfers(session: Session, school_id: UUID) -> dict[UUID, Money]:
    """Return the transfers of a school that are payouts of card money, with their sums."""
    rows = session.exec(
        select(col(Transfer.id), col(Transfer.amount))
        .join(CardPayoutTie, col(CardPayoutTie.transfer_id) == col(Transfer.id))
        .where(Transfer.school_id == school_id, CardPayoutTie.school_id == school_id)
    ).all()
    return dict(rows)


def _tie(session: Session, payout: CardFact, transfer: Transfer, made_by: UUID | None, now: datetime) -> None:
    open_clearing(session, payout.school_id)
    fact = Fact(payout.school_id, CARD_PAYOUT, str(transfer.id), transfer.value_date, payout.stripe_id)
    entry = post(session, fact, [Line(SUSPENSE, CARD_CLEARING, payout.amount)], now)
    session.add(
        CardPayoutTie(
            school_id=payout.school_id,
            payout_id=payout.stripe_id,
            transfer_id=transfer.id,
            entry_id=entry,
            made_by=made_by,
            at=now,
        )
    )
    session.flush()
    session.add(
        Match(
            school_id=payout.school_id,
            transfer_id=transfer.id,
            outcome="matched",
            evidence={"rule": CARD_PAYOUT, "notes": [{"payout": payout.stripe_id}], "bills": [], "credit": 0},
            made_by=made_by,
            at=now,
        )
    )
    step(session, transfer, "matched", CARD_PAYOUT, now, made_by)


def _untied(session: Session, school_id: UUID) -> Sequence[CardFact]:
    """Return payouts that stand and are tied to nothing."""
    tied = select(CardPayoutTie.payout_id).where(
        CardPayoutTie.school_id == CardFact.school_id, CardPayoutTie.payout_id == CardFact.stripe_id
    )
    failed = select(CardFact.stripe_id).where(
        CardFact.school_id == school_id, CardFact.kind == Kind.PAYOUT_FAILED.value
    )
    return session.exec(
        select(CardFact)
        .where(
            CardFact.school_id == school_id,
            CardFact.kind == Kind.PAYOUT.value,
            ~tied.exists(),
            col(CardFact.stripe_id).not_in(failed),
        )
        .order_by(col(CardFact.value_date), col(CardFact.id))
    ).all()


def _waiting_for(session: Session, payout: CardFact) -> list[Transfer]:
    """Return waiting money in that may be a payout: no reference of ours in its memo, nobody decides about it."""
    found = session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == payout.school_id,
            Transfer.bank_account_id == payout.bank_account_id,
            Transfer.direction == "in",
            Transfer.state == "waiting",
            Transfer.amount == payout.amount,
            Transfer.value_date >= payout.value_date - _EARLY,
            Transfer.value_date <= payout.value_date + _LATE,
        )
        .order_by(col(Transfer.value_date), col(Transfer.id))
        .with_for_update()
    ).all()
    return [each for each in found if not exact(each.memo) and not decided_elsewhere(session, each)]


def _hold(session: Session, school_id: UUID) -> None:
    name = {"name": f"card payouts {school_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
