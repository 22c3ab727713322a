"""What one person asked for about a school's cards and another decides, as the office's page shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from reconciliation.cards.explaining import open_card_acts, unclear
from reconciliation.cards.facts import Kind
from reconciliation.cards.several import parts_of
from reconciliation.cards.tables import CardAct, CardActPart, CardCheckout, CardFact, CardSession
from reconciliation.reports.filling import account_name
from reconciliation.tables import Transfer
from service.pages.card_payment_rows import names_of
from service.pages.card_views import ActRow, Asked


def act_rows(session: Session, school_id: UUID, user_id: UUID, accounts: Mapping[UUID, str]) -> tuple[ActRow, ...]:
    """Return what waits for a second person, oldest first; ``accounts`` are our own by name."""
    acts = open_card_acts(session, school_id)
    names = names_of(session, [act.asked_by for act in acts])
    known = _Known(session, school_id, acts, accounts)
    rows = []
    for act in acts:
        amount, words = known.about(act)
        asked = Asked(str(act.id), names[act.asked_by], act.asked_at, act.reason, act.asked_by == user_id)
        subject = "" if act.kind in {"opening", "tie_several"} else act.subject
        rows.append(ActRow(act.kind, subject, amount, words, asked))
    return tuple(rows)


class _Known:
    """What acts are about, read together."""

    def __init__(
        self, session: Session, school_id: UUID, acts: Collection[CardAct], accounts: Mapping[UUID, str]
    ) -> None:
        self._parts: dict[UUID, list[CardActPart]] = {act.id: [] for act in acts}
        for part in parts_of(session, school_id, [act.id for act in acts]):
            self._parts[part.act_id].append(part)
        parts = [part for found in self._parts.values() for part in found]
        wanted = {act.transfer_id for act in acts} | {part.transfer_id for part in parts}
        transfers = select(Transfer).where(Transfer.school_id == school_id, col(Transfer.id).in_(wanted - {None}))
        self._transfers = {transfer.id: transfer for transfer in session.exec(transfers).all()}
        self._payouts = paid_out(session, school_id, [act.subject for act in acts] + [part.payout_id for part in parts])
        self._moved = {fact.stripe_id: fact for fact in unclear(session, school_id)}
        self._pages = _page_sums(session, school_id, [act.subject for act in acts if act.kind == "end_page"])
        self._accounts = {str(key): name for key, name in accounts.items()}

    def about(self, act: CardAct) -> tuple[Money, str]:
        """Return the sum of an act, and in words what it is about."""
        if act.kind == "tie_several":
            return self._several(act)
        if act.transfer_id:
            return self._of_transfer(act, self._transfers[act.transfer_id])
        if fact := self._moved.get(act.subject):
            return signed(fact), fact.note
        return self._pages.get(act.subject) or act.amount or ZERO, self._accounts.get(act.subject, "")

    def _of_transfer(self, act: CardAct, transfer: Transfer) -> tuple[Money, str]:
        words, amount = _words(transfer), transfer.amount
        whole = self._payouts.get(act.subject, amount)
        if act.kind == "tie" and whole > amount:
            words += f" · Stripe: {whole}, phí ngân hàng: {whole - amount}"
        return amount, words

    def _several(self, act: CardAct) -> tuple[Money, str]:
        payouts = sorted({part.payout_id for part in self._parts[act.id]})
        transfers = [self._transfers[key] for key in {part.transfer_id: None for part in self._parts[act.id]}]
        left = " + ".join(f"{key}: {self._payouts[key]}" for key in payouts)
        right = " + ".join(f"{_words(each)}: {each.amount}" for each in transfers)
        return total(self._payouts[key] for key in payouts), f"{left} = {right}"


def _words(transfer: Transfer) -> str:
    return f"{transfer.value_date:%d/%m/%Y} · {transfer.memo or '—'}"


def _page_sums(session: Session, school_id: UUID, pages: Collection[str]) -> dict[str, Money]:
    query = (
        select(col(CardSession.session_id), col(CardCheckout.amount))
        .join(CardCheckout, col(CardCheckout.id) == col(CardSession.checkout_id))
        .where(CardSession.school_id == school_id, col(CardSession.session_id).in_(pages))
    )
    return dict(session.exec(query).all())


def paid_out(session: Session, school_id: UUID, payout_ids: Collection[str]) -> dict[str, Money]:
    """Return the sums of payouts, by Stripe's id."""
    query = select(col(CardFact.stripe_id), col(CardFact.amount)).where(
        CardFact.school_id == school_id, CardFact.kind == Kind.PAYOUT.value, col(CardFact.stripe_id).in_(payout_ids)
    )
    return dict(session.exec(query).all())


def signed(fact: CardFact) -> Money:
    """Return the sum of a movement, below 0 where Stripe took it."""
    return -fact.amount if fact.kind == Kind.MOVED_OUT.value else fact.amount


def accounts_of(session: Session, school_id: UUID) -> dict[UUID, str]:
    """Return the names of a school's accounts."""
    rows = session.exec(select(BankAccount).where(BankAccount.school_id == school_id)).all()
    return {row.id: account_name(row) for row in rows}
