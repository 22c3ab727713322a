"""Payouts tied to the bank's transfers that brought them: money that was income as card payments is not income twice.

By the rule only where the bank's memo names Stripe, sum and account are equal, the day fits, and there is one payout
and one transfer of that sum. By one person where memo or payer names Stripe; any other money is asked for by one and
agreed to by another (``cards.acting``), and so is undoing a tie. The transfer goes from *waiting* to *matched* and
pays nobody; undone, it waits again. Money that came late or less by what banks kept is a payout only for two.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import ColumnElement, or_, text
from sqlmodel import Session, col, select

from billing.errors import Conflict, NotFound
from billing.ledger.accounts import CARD_CLEARING, SUSPENSE, open_account
from billing.ledger.posting import Fact, Line, post, reverse
from billing.money import Money
from billing.payments.reference import exact, fold_memo
from billing.payments.writing_off import BANK_FEES
from billing.vault import Vault
from reconciliation.cards.booking import open_clearing
from reconciliation.cards.facts import VIETNAM, Kind
from reconciliation.cards.tables import CardAct, CardFact, CardPayoutEnd, CardPayoutTie
from reconciliation.decided_elsewhere import decided_elsewhere
from reconciliation.shortfalls.tables import HIGHEST
from reconciliation.tables import Match, Transfer
from reconciliation.transfers import PAYER_CONTEXT, step

CARD_PAYOUT = "card_payout"
UNTIED = "card_payout_untied"
_STRIPE = "STRIPE"
_EARLY, _LATE = timedelta(days=2), timedelta(days=10)
"""How far the bank's day may lie before and after the day that Stripe names; later only for two people."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A payout that no transfer is tied to, and waiting money in of its sum on its account."""

    payout: CardFact
    transfers: tuple[Transfer, ...]


def open_payouts(session: Session, school_id: UUID, *, hold: bool = False) -> list[Candidate]:
    """Return the payouts of a school that the bank has not brought yet, oldest first, with what may be them.

    ``hold`` locks that money, for whoever is about to tie it; a page that only shows it locks nothing.
    """
    payouts = _untied(session, school_id)
    return [Candidate(payout, tuple(_waiting_for(session, payout, hold=hold))) for payout in payouts]


def for_two(session: Session, payout: CardFact, *, hold: bool = False) -> list[Transfer]:
    """Return waiting money in that only two people may take for a payout: late, or less by what banks kept of it."""
    likely = (col(Transfer.amount) <= payout.amount, col(Transfer.amount) >= payout.amount - HIGHEST)
    return [each for each in _waiting(session, payout, *likely, hold=hold) if not is_plain(payout, each)]


def is_plain(payout: CardFact, transfer: Transfer) -> bool:
    """Tell whether money is of a payout's very sum and came about the day that Stripe named."""
    return transfer.amount == payout.amount and transfer.value_date <= payout.value_date + _LATE


def tie_by_rule(session: Session, school_id: UUID, now: datetime) -> int:
    """Tie what is beyond doubt; return how many. What two people untied once is never tied by the rule again."""
    hold_payouts(session, school_id)
    candidates = open_payouts(session, school_id, hold=True)
    sums = Counter((each.payout.bank_account_id, each.payout.amount) for each in candidates)
    tied = 0
    for each in candidates:
        alone = sums[each.payout.bank_account_id, each.payout.amount] == 1 and len(each.transfers) == 1
        if not alone or _STRIPE not in fold_memo(each.transfers[0].memo):
            continue
        if not _was_untied(session, school_id, each.payout.stripe_id, each.transfers[0].id):
            tie(session, each.payout, each.transfers[0], None, now)
            tied += 1
    return tied


def names_stripe(vault: Vault | None, transfer: Transfer) -> bool:
    """Tell whether the bank's memo or the payer's name speaks of Stripe."""
    if _STRIPE in fold_memo(transfer.memo):
        return True
    if vault is None or transfer.payer_sealed is None:
        return False
    try:
        told = json.loads(vault.open(transfer.payer_sealed, PAYER_CONTEXT))
    except (InvalidTag, ValueError):
        return False
    return _STRIPE in fold_memo(str(told.get("name") or ""))


def candidate(session: Session, school_id: UUID, payout_id: str, transfer_id: UUID) -> tuple[CardFact, Transfer]:
    """Return a payout and the transfer that a person takes for it, held; raises ``NotFound`` or ``Conflict``."""
    payouts = open_payouts(session, school_id, hold=True)
    found = next((each for each in payouts if each.payout.stripe_id == payout_id), None)
    if found is None:
        raise NotFound("Khoản chi trả thẻ này không có, hoặc đã gắn với tiền vào ngân hàng.")
    likely = (*found.transfers, *for_two(session, found.payout, hold=True))
    transfer = next((each for each in likely if each.id == transfer_id), None)
    if transfer is None:
        raise Conflict("Giao dịch này không còn chờ, hoặc không đúng số tiền. Xin tải lại trang.")
    return found.payout, transfer


def tie(session: Session, payout: CardFact, transfer: Transfer, made_by: UUID | None, now: datetime) -> None:
    """Tie a payout to waiting money in that the caller holds; the database refuses a second tie of either.

    What the bank brought less is what banks kept: a fee of the school's, as on transfers from abroad.
    """
    open_clearing(session, payout.school_id)
    row = CardPayoutTie(
        school_id=payout.school_id,
        payout_id=payout.stripe_id,
        transfer_id=transfer.id,
        entry_id=0,
        made_by=made_by,
        at=now,
    )
    fact = Fact(payout.school_id, CARD_PAYOUT, str(row.id), transfer.value_date, payout.stripe_id)
    lines = [Line(SUSPENSE, CARD_CLEARING, transfer.amount)]
    if kept := payout.amount - transfer.amount:
        fees = open_account(session, payout.school_id, BANK_FEES, "Phí ngân hàng", "expense").code
        lines.append(Line(fees, CARD_CLEARING, kept))
    row.entry_id = post(session, fact, lines, now)
    session.add(row)
    session.flush()
    note(session, transfer, "matched", CARD_PAYOUT, [payout.stripe_id], made_by, now)


def untie(session: Session, act: CardAct, by: UUID, now: datetime) -> None:
    """Undo the tie that an act names, agreed to by ``by``: its entry is reversed today, the transfer waits again.

    Ties of several are undone together.
    """
    live = _live(session, act.school_id, act.subject)
    named = next((row for row in live if row.transfer_id == act.transfer_id), None)
    if named is None:
        raise Conflict("Khoản chi trả này không còn gắn với giao dịch ấy. Xin tải lại trang.")
    rows = [named] if named.act_id is None else _of_act(session, act.school_id, named.act_id)
    payouts: dict[UUID, list[str]] = {}
    for row in rows:
        fact = Fact(act.school_id, UNTIED, str(row.id), (now + VIETNAM).date(), act.reason)
        entry = reverse(session, row.entry_id, fact, now)
        session.add(CardPayoutEnd(tie_id=row.id, school_id=act.school_id, act_id=act.id, entry_id=entry, at=now))
        payouts.setdefault(row.transfer_id, []).append(row.payout_id)
    session.flush()
    transfers = session.exec(
        select(Transfer)
        .where(Transfer.school_id == act.school_id, col(Transfer.id).in_(payouts))
        .order_by(col(Transfer.id))
        .with_for_update()
    ).all()
    for transfer in transfers:
        note(session, transfer, "waiting", UNTIED, payouts[transfer.id], by, now)


def live_tie(session: Session, school_id: UUID, payout_id: str) -> CardPayoutTie | None:
    """Return the tie of a payout that stands; of several the first, for they are undone together."""
    return next(iter(_live(session, school_id, payout_id)), None)


def _live(session: Session, school_id: UUID, payout_id: str) -> Sequence[CardPayoutTie]:
    query = select(CardPayoutTie).where(
        CardPayoutTie.school_id == school_id, CardPayoutTie.payout_id == payout_id, stands()
    )
    return session.exec(query.order_by(col(CardPayoutTie.transfer_id))).all()


def _of_act(session: Session, school_id: UUID, act_id: UUID) -> Sequence[CardPayoutTie]:
    query = select(CardPayoutTie).where(CardPayoutTie.school_id == school_id, CardPayoutTie.act_id == act_id, stands())
    return session.exec(query.order_by(col(CardPayoutTie.payout_id), col(CardPayoutTie.transfer_id))).all()


def stands() -> ColumnElement[bool]:
    """Return the condition of a tie that was not undone."""
    return ~select(CardPayoutEnd.tie_id).where(CardPayoutEnd.tie_id == CardPayoutTie.id).exists()


def recent_ties(session: Session, school_id: UUID, since: date) -> list[tuple[CardPayoutTie, Transfer, bool]]:
    """Return the ties that stand whose money came since a day, and those of any day whose payout failed afterwards.

    The third value tells which failed: those come first, then the newest.
    """
    failed = (
        select(col(CardFact.id))
        .where(
            CardFact.school_id == CardPayoutTie.school_id,
            CardFact.kind == Kind.PAYOUT_FAILED.value,
            CardFact.stripe_id == CardPayoutTie.payout_id,
        )
        .exists()
    )
    rows = session.exec(
        select(CardPayoutTie, Transfer, failed)
        .join(Transfer, col(Transfer.id) == col(CardPayoutTie.transfer_id))
        .where(CardPayoutTie.school_id == school_id, or_(col(Transfer.value_date) >= since, failed), stands())
        .order_by(failed.desc(), col(Transfer.value_date).desc(), col(CardPayoutTie.at).desc())
    ).all()
    return list(rows)


def tied_transfers(session: Session, school_id: UUID) -> dict[UUID, Money]:
    """Return the transfers of a school that are payouts of card money, with their sums."""
    rows = session.exec(
        select(col(CardPayoutTie.transfer_id), col(Transfer.amount))
        .join(Transfer, col(Transfer.id) == col(CardPayoutTie.transfer_id))
        .where(CardPayoutTie.school_id == school_id, stands())
    ).all()
    return dict(rows)


def hold_payouts(session: Session, school_id: UUID) -> None:
    """Let one transaction at a time decide about the payouts of a school; the database's own guard waits for it too."""
    name = {"name": f"card payouts {school_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)


def note(  # noqa: PLR0913, PLR0917  what moved, whereto, why, by whom
    session: Session,
    transfer: Transfer,
    state: str,
    rule: str,
    payouts: Sequence[str],
    made_by: UUID | None,
    now: datetime,
) -> None:
    """Move a transfer, with the payouts that it brought, or brought no more, as its evidence."""
    session.add(
        Match(
            school_id=transfer.school_id,
            transfer_id=transfer.id,
            outcome="matched" if state == "matched" else "unmatched",
            evidence={"rule": rule, "notes": [{"payout": each} for each in payouts], "bills": [], "credit": 0},
            made_by=made_by,
            at=now,
        )
    )
    step(session, transfer, state, rule, now, made_by)


def waiting_near(session: Session, payouts: Sequence[CardFact], *, hold: bool = False) -> list[Transfer]:
    """Return waiting money in of whatever sum that may be some payouts of one account, from the first's day on."""
    first = min(payouts, key=lambda each: each.value_date)
    return _waiting(session, first, hold=hold)


def _was_untied(session: Session, school_id: UUID, payout_id: str, transfer_id: UUID) -> bool:
    query = select(CardPayoutTie.id).where(
        CardPayoutTie.school_id == school_id,
        CardPayoutTie.payout_id == payout_id,
        CardPayoutTie.transfer_id == transfer_id,
    )
    return session.exec(query.limit(1)).first() is not None


def _untied(session: Session, school_id: UUID) -> Sequence[CardFact]:
    """Return payouts that stand and are tied to nothing."""
    tied = select(CardPayoutTie.payout_id).where(
        CardPayoutTie.school_id == CardFact.school_id, CardPayoutTie.payout_id == CardFact.stripe_id, stands()
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


def _waiting_for(session: Session, payout: CardFact, *, hold: bool) -> list[Transfer]:
    """Return waiting money in that is plain: of the payout's sum, about its day."""
    plain = (col(Transfer.amount) == payout.amount, col(Transfer.value_date) <= payout.value_date + _LATE)
    return _waiting(session, payout, *plain, hold=hold)


def _waiting(session: Session, payout: CardFact, *likely: ColumnElement[bool], hold: bool) -> list[Transfer]:
    """Return waiting money in on a payout's account: no reference of ours in it, nobody decides about it."""
    query = (
        select(Transfer)
        .where(
            Transfer.school_id == payout.school_id,
            Transfer.bank_account_id == payout.bank_account_id,
            Transfer.direction == "in",
            Transfer.state == "waiting",
            Transfer.value_date >= payout.value_date - _EARLY,
            *likely,
        )
        .order_by(col(Transfer.id))
    )
    found = session.exec(query.with_for_update() if hold else query).all()
    free = [each for each in found if not exact(each.memo) and not decided_elsewhere(session, each)]
    return sorted(free, key=lambda each: (each.value_date, each.id))
