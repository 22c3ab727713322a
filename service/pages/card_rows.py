"""The pages of card payments from rows of one school."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.accounts import CARD_CLEARING
from billing.ledger.balances import trial_balance
from billing.ledger.tables import BankAccount
from billing.money import ZERO
from billing.vault import Vault
from reconciliation.cards.balances import balances
from reconciliation.cards.checking_out import LEAST, MOST
from reconciliation.cards.explaining import open_card_acts, topped_up, unclear
from reconciliation.cards.payouts import for_two, is_plain, names_stripe, open_payouts, recent_ties
from reconciliation.cards.several import may_be_several, parts_of, share
from reconciliation.cards.switching import card_feeds, is_switched_on, open_switch, takes_cards
from reconciliation.cards.tables import CardFact
from reconciliation.feeds.stripe import SCHEME
from reconciliation.lists.base import LIST
from reconciliation.reports.filling import account_name
from reconciliation.tables import Transfer
from service.pages.card_act_rows import accounts_of, act_rows, paid_out, signed
from service.pages.card_payment_rows import disputes, names_of, payments, refunds, unbooked, unheard_pages
from service.pages.card_views import (
    Asked,
    BalanceRow,
    CardPage,
    MovementRow,
    PartChoice,
    PayoutRow,
    SwitchRow,
    TiedRow,
    TransferChoice,
)
from service.pages.family_rows import Opened
from service.pages.typed import school_day
from service.pages.views import PAYABLE

_TIES_SHOWN = timedelta(days=45)


def may_pay_by_card(session: Session, opened: Opened) -> bool:
    """Tell whether a family is offered cards: something is asked for, nothing is on its way, the school takes them."""
    request = opened.request
    return (
        opened.state in PAYABLE
        and not opened.received.on_the_way
        and LEAST <= opened.asked <= MOST
        and takes_cards(session, request.school_id, request.bank_account_id)
    )


def card_page(  # noqa: PLR0913, PLR0917  a page with all it shows
    session: Session, vault: Vault | None, school_id: UUID, user_id: UUID, before: int, now: datetime
) -> CardPage:
    """Return the cards of a school, the payments from behind ``before`` on."""
    day = school_day(now)
    shown, older = payments(session, school_id, before, day)
    return CardPage(
        switches=_switches(session, school_id, user_id),
        payments=shown,
        refunds=refunds(session, school_id, user_id, now),
        disputes=disputes(session, school_id),
        payouts=_payouts(session, vault, school_id),
        parts=tuple(
            PartChoice(str(each.id), each.amount, each.value_date, each.memo)
            for each in may_be_several(session, school_id)
        ),
        in_transit=trial_balance(session, school_id).get(CARD_CLEARING, ZERO),
        unbooked=unbooked(session, school_id, day),
        unheard=unheard_pages(session, school_id, now),
        tied=_tied(session, school_id, day),
        acts=act_rows(session, school_id, user_id, accounts_of(session, school_id)),
        movements=_movements(session, school_id),
        balances=_balances(session, school_id),
        before=before,
        older=older,
    )


def _switches(session: Session, school_id: UUID, user_id: UUID) -> tuple[SwitchRow, ...]:
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id, col(BankAccount.closed_on).is_(None))
        .order_by(col(BankAccount.bank_bin), col(BankAccount.number))
    ).all()
    rows = []
    for account in accounts:
        asked, feeds = open_switch(session, school_id, account.id), card_feeds(session, school_id, account.id)
        row = None
        if asked is not None:
            maker = names_of(session, [asked.asked_by])[asked.asked_by]
            row = Asked(str(asked.id), maker, asked.asked_at, asked.reason, asked.asked_by == user_id)
        rows.append(
            SwitchRow(
                account_id=str(account.id),
                account=account_name(account),
                on=is_switched_on(session, school_id, account.id),
                hooks=SCHEME in feeds,
                api=LIST in feeds,
                asked=row,
                asked_on=bool(asked and asked.turned_on),
            )
        )
    return tuple(rows)


def _payouts(session: Session, vault: Vault | None, school_id: UUID) -> tuple[PayoutRow, ...]:
    acts = open_card_acts(session, school_id)
    asked = {act.subject for act in acts if act.kind == "tie"}
    asked |= {part.payout_id for part in parts_of(session, school_id, [act.id for act in acts])}
    return tuple(
        PayoutRow(
            each.payout.stripe_id,
            each.payout.amount,
            each.payout.value_date,
            tuple(_choice(vault, each.payout, one) for one in (*each.transfers, *for_two(session, each.payout))),
            each.payout.stripe_id in asked,
        )
        for each in open_payouts(session, school_id)
    )


def _choice(vault: Vault | None, payout: CardFact, one: Transfer) -> TransferChoice:
    less = payout.amount - one.amount
    late = not less and not is_plain(payout, one)
    return TransferChoice(str(one.id), one.value_date, one.memo, names_stripe(vault, one), late, less)


def _tied(session: Session, school_id: UUID, day: date) -> tuple[TiedRow, ...]:
    """Return the payouts of the last weeks that the bank brought, and all that failed: each can be undone by two."""
    ties = recent_ties(session, school_id, day - _TIES_SHOWN)
    paid = paid_out(session, school_id, [tie.payout_id for tie, _, _ in ties if tie.act_id])
    return tuple(
        TiedRow(
            tie.payout_id,
            share(paid[tie.payout_id], transfer.amount) if tie.act_id else transfer.amount,
            transfer.value_date,
            transfer.memo,
            tie.made_by is None,
            failed,
            several=tie.act_id is not None,
        )
        for tie, transfer, failed in ties
    )


def _movements(session: Session, school_id: UUID) -> tuple[MovementRow, ...]:
    asked = {act.subject for act in open_card_acts(session, school_id) if act.kind in {"explain", "top_up"}}
    ours = topped_up(session, school_id)
    return tuple(
        MovementRow(fact.stripe_id, signed(fact), fact.value_date, fact.note, fact.stripe_id in ours)
        for fact in unclear(session, school_id)
        if fact.stripe_id not in asked
    )


def _balances(session: Session, school_id: UUID) -> tuple[BalanceRow, ...]:
    accounts = accounts_of(session, school_id)
    asked = {act.subject for act in open_card_acts(session, school_id) if act.kind == "opening"}
    return tuple(
        BalanceRow(
            str(each.account_id),
            accounts[each.account_id],
            each.at,
            each.told,
            each.difference,
            str(each.account_id) in asked,
            each.others.upper(),
        )
        for each in balances(session, school_id)
    )


def order_name(reference: str) -> str:
    """Return what stands on Stripe's page and receipt: the reference, and nobody's name."""
    return f"Học phí {reference}"
