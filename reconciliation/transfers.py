"""Writing a transfer: the row, its first state, and its entry in the book, so that bank = book from the start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.ledger.accounts import SUSPENSE, UNCLASSIFIED_OUT, UNCLASSIFIED_OUT_NAME, bank_code, open_account
from billing.ledger.posting import Fact, Line, post
from billing.ledger.tables import BankAccount
from billing.payments import reference
from billing.payments.reference import fold_memo
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.differences.telling import note_telling
from reconciliation.errors import CallbackUnreadable, StepNotAllowed
from reconciliation.feeds.base import STATEMENT, NormalisedTransfer
from reconciliation.lists.base import LIST
from reconciliation.matching import Direction
from reconciliation.pairing import DAY_APART, TELLING_LENGTH, Told, pair, told
from reconciliation.payers import kind_of_payer
from reconciliation.plausible import implausible
from reconciliation.tables import (
    ALLOWED_STEPS,
    Feed,
    InboxMessage,
    Transfer,
    TransferReference,
    TransferStep,
)

PAYER_CONTEXT = "transfers.payer"
LISTED = "listed"  # the step of held money that the provider's own list tells of too
ON_STATEMENT = "on_statement "  # the step of a duplicate; behind it the transfer that a statement brought
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
    alike = _alike(session, origin, read, value_day(read, origin), DAY_APART) if read.provider != STATEMENT else ()
    _refuse_second_number(session, origin, read, alike)
    on_statement = _on_statement(session, origin, read, alike)
    if on_statement is not None:
        values["state"] = "duplicate"
    written: UUID | None = session.execute(
        insert(Transfer).values(values).on_conflict_do_nothing().returning(col(Transfer.id)),
    ).scalar_one_or_none()
    if written is None:
        known = _demand_same(session, origin, read)
        note_telling(session, known, origin.inbox_id, now)
        if origin.listed and known.state == "held":
            step(session, known, "new", LISTED, now)
        return None
    session.add(
        TransferStep(
            school_id=origin.account.school_id,
            transfer_id=written,
            to_state=str(values["state"]),
            reason="received" if on_statement is None else f"{ON_STATEMENT}{on_statement}",
            at=now,
        ),
    )
    if on_statement is None:
        _name_requests(session, origin.account.school_id, written, read)
        _post(session, origin, written, read, now)
    return written


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
    state = "held" if origin.held else "new"
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
        "payer_sealed": vault.seal(payer, PAYER_CONTEXT) if known else None,
        "payer_blind": vault.blind(read.payer_account, PAYER_CONTEXT) if read.payer_account else None,
        "payer_kind": kind_of_payer(read.payer_name, read.payer_account, read.memo).value,
        "occurred_at": read.time,
        "value_date": value_day(read, origin),
        "recorded_at": now,
        "state": "ignored_out" if read.direction is Direction.OUT else state,
    }


def lock_account(session: Session, account_id: UUID) -> None:
    """Let one transaction at a time compare feeds of an account; take several in the order of their ids."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('transfers ' || :account, 0))"),
        {"account": str(account_id)},
    )


def told_by(transfer: Transfer, booked_on: date | None = None) -> Told:
    """Return what a transfer tells of its movement; ``booked_on`` is the day on which a statement shows it, if any."""
    if transfer.provider == STATEMENT:
        booked_on = transfer.value_date
    return told(
        booked_on or transfer.value_date,
        transfer.occurred_at,
        transfer.memo,
        transfer.bank_reference,
        booked=booked_on is not None,
        held=transfer.state == "held",
    )


def _refuse_second_number(
    session: Session, origin: Origin, read: NormalisedTransfer, alike: Sequence[Transfer]
) -> None:
    """Refuse a list's row that is a callback's movement under another id, and a callback that is a list's row.

    List and callback of a provider number movements alike, as far as it says. Where it does not, everything but the
    id is equal, the bank's own number too: that is one movement, and it is not written twice. Raises
    ``CallbackUnreadable``.
    """
    number, day = fold_memo(read.bank_reference or ""), value_day(read, origin)
    if len(number) < TELLING_LENGTH or any(each.provider_id == read.provider_id for each in alike):
        return
    for each in alike:
        same = (each.provider, each.value_date, fold_memo(each.memo)) == (read.provider, day, fold_memo(read.memo))
        if same and fold_memo(each.bank_reference or "") == number and _is_listed(session, each) != origin.listed:
            raise CallbackUnreadable(
                f"Danh sách và tin báo của {read.provider} đánh số khác nhau: {read.provider_id} và {each.provider_id} "
                "là cùng một giao dịch. Đóng kênh danh sách và báo quản trị hệ thống",
                transfer_id=str(each.id),
            )


def _is_listed(session: Session, transfer: Transfer) -> bool:
    """Tell whether a provider's list, asked by us, was the first to tell of a transfer."""
    scheme = session.exec(
        select(Feed.scheme)
        .join(InboxMessage, col(InboxMessage.feed_id) == col(Feed.id))
        .where(Feed.school_id == transfer.school_id, InboxMessage.id == transfer.inbox_id)
    ).one()
    return scheme == LIST


def _on_statement(session: Session, origin: Origin, read: NormalisedTransfer, alike: Sequence[Transfer]) -> UUID | None:
    """Return the transfer of a statement that a callback is about, if no other callback was about it before."""
    if read.provider == STATEMENT:
        return None
    day = value_day(read, origin)
    born = [each for each in alike if each.provider == STATEMENT and each.state != "duplicate"]
    if not born:
        return None
    claimed = _claimed(session, origin, read, day)
    free = [each for each in born if str(each.id) not in claimed]
    callback = told(day, read.time, read.memo, read.bank_reference, booked=False, held=origin.held)
    pairs = pair([callback], [told_by(each) for each in free])
    return free[pairs[0]].id if pairs else None


def _claimed(session: Session, origin: Origin, read: NormalisedTransfer, day: date) -> set[str]:
    """Return the ids, as text, of transfers of statements that callbacks around a day were about."""
    duplicates = [
        each.id
        for each in _alike(session, origin, read, day, 2 * DAY_APART)
        if each.provider != STATEMENT and each.state == "duplicate"
    ]
    steps = session.exec(
        select(TransferStep.reason).where(
            TransferStep.school_id == origin.account.school_id,
            col(TransferStep.transfer_id).in_(duplicates),
            TransferStep.to_state == "duplicate",
            col(TransferStep.reason).startswith(ON_STATEMENT),
        ),
    ).all()
    return {reason.removeprefix(ON_STATEMENT) for reason in steps}


def _alike(
    session: Session, origin: Origin, read: NormalisedTransfer, day: date, within: timedelta
) -> Sequence[Transfer]:
    """Return the account's transfers of equal money around a day, the earliest first."""
    return session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == origin.account.school_id,
            Transfer.bank_account_id == origin.account.id,
            Transfer.direction == read.direction.value,
            Transfer.amount == read.amount,
            Transfer.value_date >= day - within,
            Transfer.value_date <= day + within,
        )
        .order_by(col(Transfer.occurred_at), col(Transfer.id)),
    ).all()


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


def _post(session: Session, origin: Origin, transfer_id: UUID, read: NormalisedTransfer, now: datetime) -> None:
    """Post money in to suspense; money out to its clearing account, to be classified by a person."""
    account = origin.account
    if read.direction is Direction.IN:
        kind, line = "transfer_received", Line(bank_code(account), SUSPENSE, read.amount)
    else:
        open_account(session, account.school_id, UNCLASSIFIED_OUT, UNCLASSIFIED_OUT_NAME, "clearing")
        kind, line = "transfer_sent", Line(UNCLASSIFIED_OUT, bank_code(account), read.amount)
    post(session, Fact(account.school_id, kind, str(transfer_id), value_day(read, origin)), [line], now)
