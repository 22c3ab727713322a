"""Writing a transfer: the row, its first state, and its entry in the book, so that bank = book from the start.

Held money out alone has no entry: a mere key may say that money left, and only the bank's own word takes it off 112.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.ledger.accounts import SUSPENSE, UNCLASSIFIED_OUT, UNCLASSIFIED_OUT_NAME, bank_code, open_account
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.tables import BankAccount, JournalEntry
from billing.money import Money
from billing.payments import reference
from billing.payments.reference import fold_memo
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.differences.telling import note_telling
from reconciliation.errors import CallbackUnreadable, StepNotAllowed
from reconciliation.feeds.base import STATEMENT, NormalisedTransfer
from reconciliation.matching import Direction
from reconciliation.pairing import told
from reconciliation.payers import kind_of_payer
from reconciliation.plausible import implausible
from reconciliation.tables import (
    ALLOWED_STEPS,
    Transfer,
    TransferReference,
    TransferStep,
)
from reconciliation.told_before import ON_STATEMENT, Equal, on_statement, refuse_second_number, told_by

PAYER_CONTEXT = "transfers.payer"
LISTED = "listed"  # the step of held money that the provider's own list tells of too
ON_LINE = "line_of_statement"  # the step of held money whose own line a statement shows
_ENTRY = {Direction.IN: "transfer_received", Direction.OUT: "transfer_sent"}
_VIETNAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a transfer comes from: the account, the inbox message, and whether it has to be held.

    ``listed`` is what the provider told us when we asked, which lets held money of the same id and sum go.
    """

    account: BankAccount
    inbox_id: int
    held: bool = False
    value_date: date | None = None
    listed: bool = False


def write_transfer(
    session: Session, vault: Vault, origin: Origin, read: NormalisedTransfer, now: datetime
) -> UUID | None:
    """Write a transfer once; return its id, or None when the provider told us of it before.

    A callback about money that a statement told us of first is kept as *duplicate*, whose step names the transfer of
    the statement, and posts nothing. Raises ``CallbackUnreadable`` when the same id comes with other money: nothing is
    ever overwritten.
    """
    values = _values(vault, origin, read, now)
    shown = _shown_before(session, origin, read) if read.provider != STATEMENT else None
    if shown is not None:
        values["state"] = "duplicate"
    written: UUID | None = session.execute(
        insert(Transfer).values(values).on_conflict_do_nothing().returning(col(Transfer.id)),
    ).scalar_one_or_none()
    if written is None:
        known = _demand_same(session, origin, read)
        note_telling(session, known, origin.inbox_id, now)
        if origin.listed and known.state == "held":
            let_go(session, known, LISTED, now)
        return None
    session.add(
        TransferStep(
            school_id=origin.account.school_id,
            transfer_id=written,
            to_state=str(values["state"]),
            reason="received" if shown is None else f"{ON_STATEMENT}{shown}",
            at=now,
        ),
    )
    if shown is None:
        _name_requests(session, origin.account.school_id, written, read)
    if shown is None and (read.direction is Direction.IN or not origin.held):
        fact = Fact(origin.account.school_id, _ENTRY[read.direction], str(written), value_day(read, origin))
        _post(session, origin.account, fact, read.amount, now)
    return written


def let_go(session: Session, held: Transfer, reason: str, now: datetime, made_by: UUID | None = None) -> None:
    """Let held money go: money in waits to be settled, money out is booked now.

    A statement may have told of the movement in words that did not speak for held money, which joins nothing by less
    than the bank's number; believed, it is compared again, so that what two sources tell is not in the book twice.
    """
    step(session, held, "new", reason, now, made_by)
    shown = on_statement(session, Equal.of(held), told_by(held)) if reason != ON_LINE else None
    if shown is not None:
        step(session, held, "duplicate", f"{ON_STATEMENT}{shown}", now)
        undo_entry(session, held, "transfer_known", "Sao kê đã ghi giao dịch này", now)
    elif held.direction == Direction.OUT.value:
        account = session.exec(
            select(BankAccount).where(BankAccount.school_id == held.school_id, BankAccount.id == held.bank_account_id)
        ).one()
        fact = Fact(held.school_id, _ENTRY[Direction.OUT], str(held.id), held.value_date)
        _post(session, account, fact, held.amount, now)
        step(session, held, "ignored_out", reason, now, made_by)


def undo_entry(session: Session, transfer: Transfer, kind: str, why: str, now: datetime) -> None:
    """Take a transfer out of the book, on the bank's day, since on that day the bank had no such money.

    Held money out never was in the book: nothing is written then.
    """
    entry = session.exec(
        select(JournalEntry.id).where(
            JournalEntry.school_id == transfer.school_id,
            JournalEntry.kind == _ENTRY[Direction(transfer.direction)],
            JournalEntry.source_id == str(transfer.id),
        )
    ).one_or_none()
    if entry is not None:
        reverse(session, entry, Fact(transfer.school_id, kind, str(transfer.id), transfer.value_date, why), now)


def step(  # noqa: PLR0913, PLR0917  what, whereto, why, when and by whom
    session: Session, transfer: Transfer, to_state: str, reason: str, now: datetime, made_by: UUID | None = None
) -> None:
    """Move a transfer to another state and write down why (and who); raises ``StepNotAllowed``."""
    if (transfer.state, to_state) not in ALLOWED_STEPS:
        raise StepNotAllowed(
            f"Giao dịch đang ở trạng thái {transfer.state}, không thể chuyển sang {to_state}",
            transfer_id=str(transfer.id),
        )
    session.add(
        TransferStep(
            school_id=transfer.school_id,
            transfer_id=transfer.id,
            from_state=transfer.state,
            to_state=to_state,
            reason=reason,
            made_by=made_by,
            at=now,
        ),
    )
    transfer.state = to_state
    session.add(transfer)
    session.flush()


def _name_requests(session: Session, school_id: UUID, transfer_id: UUID, read: NormalisedTransfer) -> None:
    """Keep which references the memo of money in holds, so that a family's page finds it without reading memos."""
    named = reference.exact(read.memo) if read.direction is Direction.IN else ()
    session.add_all(
        TransferReference(school_id=school_id, reference=each, transfer_id=transfer_id, alone=len(named) == 1)
        for each in named
    )


def value_day(read: NormalisedTransfer, origin: Origin) -> date:
    """Return the day the bank booked it: told by a statement, else the day of its moment in Viet Nam."""
    return origin.value_date or (read.time + _VIETNAM).date()


def refuse_implausible(origin: Origin, read: NormalisedTransfer, now: datetime) -> None:
    """Refuse a sum or day that cannot be: the message is put aside, and a statement can still bring the money."""
    reason = implausible(read.amount, value_day(read, origin), now)
    if reason is not None:
        raise CallbackUnreadable(reason, provider_id=read.provider_id)


def _values(vault: Vault, origin: Origin, read: NormalisedTransfer, now: datetime) -> dict[str, object]:
    payer = json.dumps({"account": read.payer_account, "name": read.payer_name}, ensure_ascii=False)
    known = read.payer_account is not None or read.payer_name is not None
    state = "ignored_out" if read.direction is Direction.OUT else "new"
    return {
        "id": new_id(),
        "school_id": origin.account.school_id,
        "bank_account_id": origin.account.id,
        "inbox_id": origin.inbox_id,
        "provider": read.provider,
        "provider_id": read.provider_id,
        "direction": read.direction.value,
        "amount": read.amount,
        "memo": read.memo,
        "virtual_account": read.virtual_account,
        "bank_reference": read.bank_reference,
        "bank_number": fold_memo(read.bank_reference or "") or None,
        "payer_sealed": vault.seal(payer, PAYER_CONTEXT) if known else None,
        "payer_blind": vault.blind(read.payer_account, PAYER_CONTEXT) if read.payer_account else None,
        "payer_kind": kind_of_payer(read.payer_name, read.payer_account, read.memo).value,
        "occurred_at": read.time,
        "value_date": value_day(read, origin),
        "recorded_at": now,
        "state": "held" if origin.held else state,
    }


def lock_account(session: Session, account_id: UUID) -> None:
    """Let one transaction at a time compare feeds of an account; take several in the order of their ids."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('transfers ' || :account, 0))"),
        {"account": str(account_id)},
    )


def _demand_same(session: Session, origin: Origin, read: NormalisedTransfer) -> Transfer:
    """Return what we know under this id; a list may leave out the virtual account, a callback tells it every time."""
    known = session.exec(
        select(Transfer)
        .where(
            Transfer.provider == read.provider,
            Transfer.bank_account_id == origin.account.id,
            Transfer.provider_id == read.provider_id,
        )
        .with_for_update(),
    ).one()
    left_out = origin.listed and None in {known.virtual_account, read.virtual_account}
    same_place = left_out or known.virtual_account == read.virtual_account
    if (known.amount, known.direction) != (read.amount, read.direction.value) or not same_place:
        raise CallbackUnreadable(
            f"Mã giao dịch {read.provider_id} đã có với số tiền, chiều hoặc tài khoản khác",
            transfer_id=str(known.id),
        )
    return known


def _post(session: Session, account: BankAccount, fact: Fact, amount: Money, now: datetime) -> None:
    """Post money in to suspense; money out to its clearing account, to be classified by a person."""
    if fact.kind == _ENTRY[Direction.IN]:
        line = Line(bank_code(account), SUSPENSE, amount)
    else:
        open_account(session, account.school_id, UNCLASSIFIED_OUT, UNCLASSIFIED_OUT_NAME, "clearing")
        line = Line(UNCLASSIFIED_OUT, bank_code(account), amount)
    post(session, fact, [line], now)


def _shown_before(session: Session, origin: Origin, read: NormalisedTransfer) -> UUID | None:
    """Return the transfer by which a statement showed this movement before; raises ``CallbackUnreadable``."""
    day = value_day(read, origin)
    money = Equal(origin.account.school_id, origin.account.id, read.direction.value, read.amount)
    refuse_second_number(session, read, money, day, listed=origin.listed)
    says = told(day, read.time, read.memo, read.bank_reference, booked=False, held=origin.held)
    return on_statement(session, money, says)
