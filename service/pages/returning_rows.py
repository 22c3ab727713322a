"""The pages of transfers that go back to their payer, from rows of one school."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.credits.payee import SHOWN as DIGITS
from billing.credits.tables import RefundDecision, RefundLine, RefundStep
from billing.ledger.tables import BankAccount
from billing.money import total
from billing.payments.banks import all_banks
from billing.people.names import sort_key
from billing.people.tables import Pupil
from billing.storage import among
from billing.vault import Vault
from reconciliation.concerned import suggested_pupils
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.returning.asking import waiting_transfer
from reconciliation.returning.payees import paying_account
from reconciliation.tables import Transfer
from service.pages.returning_views import AskBackPage, GoingBackPage, GoingBackRow

SHOWN = 200
MOST_CHOICES = 20
_STATES = ("waiting", "refunding", "refunded")


def going_back_page(session: Session, school_id: UUID, today: date) -> GoingBackPage:
    """Return transfers that wait or go back, oldest first, those that went back last."""
    rows = session.exec(
        select(Transfer, BankAccount)
        .join(BankAccount, col(BankAccount.id) == col(Transfer.bank_account_id))
        .where(Transfer.school_id == school_id, Transfer.direction == "in", col(Transfer.state).in_(_STATES))
        .order_by(col(Transfer.state).desc(), col(Transfer.value_date), col(Transfer.id))
    ).all()
    asked = _requests(session, school_id, [transfer.id for transfer, _ in rows])
    shown = [_row(transfer, account, asked, today) for transfer, account in rows[:SHOWN]]
    waiting = total(row.amount for row in shown if row.state == "waiting")
    return GoingBackPage(tuple(shown), max(len(rows) - SHOWN, 0), waiting)


def ask_back_page(session: Session, vault: Vault, school_id: UUID, transfer_id: UUID, today: date) -> AskBackPage:
    """Return one waiting transfer, and where it may go back to."""
    transfer = waiting_transfer(session, school_id, transfer_id)
    account = session.get_one(BankAccount, transfer.bank_account_id)
    paying = paying_account(session, vault, transfer)
    return AskBackPage(
        row=_row(transfer, account, _requests(session, school_id, [transfer.id]), today),
        payer=f"…{paying.account[-DIGITS:]} · {paying.name}" if paying.account else "",
        against=paying.against,
        suggested=_suggested(session, transfer),
        banks=bank_choices(),
    )


def bank_choices() -> tuple[tuple[str, str], ...]:
    """Return BIN and short name of every bank, by name."""
    return tuple((bank.bin, bank.short_name) for bank in sorted(all_banks(), key=lambda bank: bank.short_name))


def transfer_words(session: Session, school_id: UUID, lines: list[RefundLine]) -> dict[UUID, str]:
    """Return what a line of a transfer is called, by transfer: its day and memo."""
    wanted = [line.transfer_id for line in lines if line.transfer_id is not None]
    rows = session.exec(select(Transfer).where(Transfer.school_id == school_id, among(Transfer.id, wanted))).all()
    return {row.id: f"Giao dịch {row.value_date:%d/%m/%Y} · {row.memo or '—'}" for row in rows}


def tied_days(session: Session, school_id: UUID, lines: list[RefundLine]) -> dict[UUID, date]:
    """Return the bank's day of the money out that is tied to a line, by line."""
    rows = session.exec(
        select(col(MoneyOut.refund_line_id), col(Transfer.value_date))
        .join(Transfer, col(Transfer.id) == MoneyOut.transfer_id)
        .where(MoneyOut.school_id == school_id, among(MoneyOut.refund_line_id, [line.id for line in lines]), live())
    ).all()
    return {line: day for line, day in rows if line is not None}


def brought(session: Session, line: RefundLine, since: date) -> tuple[tuple[str, str], ...]:
    """Return money in that waits and may be a line's own, brought back: of the very sum and account, not before."""
    left = (
        select(Transfer.bank_account_id)
        .join(MoneyOut, (col(MoneyOut.school_id) == Transfer.school_id) & (col(MoneyOut.transfer_id) == Transfer.id))
        .where(MoneyOut.school_id == line.school_id, MoneyOut.refund_line_id == line.id, live())
    )
    rows = session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == line.school_id,
            Transfer.direction == "in",
            Transfer.state == "waiting",
            Transfer.amount == line.amount,
            Transfer.value_date >= since,
            col(Transfer.bank_account_id).in_(left),
        )
        .order_by(col(Transfer.value_date), col(Transfer.id))
        .limit(MOST_CHOICES)
    ).all()
    return tuple((str(row.id), f"{row.value_date:%d/%m/%Y} · {row.memo or '—'}") for row in rows)


def _suggested(session: Session, transfer: Transfer) -> tuple[str, ...]:
    """Return the names of the pupils whom the matcher suggests for a transfer."""
    rows = session.exec(select(Pupil.full_name).where(among(Pupil.id, suggested_pupils(session, transfer)))).all()
    return tuple(sorted(rows, key=sort_key))


def _requests(session: Session, school_id: UUID, transfers: list[UUID]) -> Mapping[UUID, tuple[UUID, bool]]:
    """Return the standing request of transfers, and whether it is approved."""
    taken = select(RefundStep.id).where(
        RefundStep.school_id == RefundLine.school_id,
        RefundStep.line_id == RefundLine.id,
        RefundStep.kind == "taken_back",
    )
    rows = session.exec(
        select(col(RefundLine.transfer_id), RefundLine.refund_id, RefundDecision.approved)
        .outerjoin(RefundDecision, col(RefundDecision.refund_id) == RefundLine.refund_id)
        .where(
            RefundLine.school_id == school_id,
            among(RefundLine.transfer_id, transfers),
            col(RefundDecision.approved).is_not(False),
            ~taken.exists(),
        )
    ).all()
    return {transfer: (refund, bool(approved)) for transfer, refund, approved in rows if transfer is not None}


def _row(
    transfer: Transfer, account: BankAccount, asked: Mapping[UUID, tuple[UUID, bool]], today: date
) -> GoingBackRow:
    refund = asked.get(transfer.id)
    return GoingBackRow(
        transfer_id=str(transfer.id),
        day=transfer.value_date,
        amount=transfer.amount,
        memo=transfer.memo,
        account=f"…{account.number[-DIGITS:]}",
        state="asked" if refund and transfer.state == "waiting" else transfer.state,
        days=(today - transfer.value_date).days,
        refund_id=str(refund[0]) if refund else "",
    )
