"""Whether another source told of a movement before: the same account, direction and sum around a day, told as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from billing.money import Money
from billing.payments.reference import fold_memo
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.base import STATEMENT, NormalisedTransfer
from reconciliation.lists.base import LIST
from reconciliation.pairing import DAY_APART, TELLING_LENGTH, Told, pair, told
from reconciliation.tables import Feed, InboxMessage, Transfer, TransferStep

ON_STATEMENT = "on_statement "  # the step of a duplicate; behind it the transfer that a statement brought


@dataclass(frozen=True, slots=True)
class Equal:
    """What movements have in common that may be one: the account, the direction and the sum."""

    school_id: UUID
    account_id: UUID
    direction: str
    amount: Money

    @classmethod
    def of(cls, transfer: Transfer) -> Equal:
        """Return that of a stored transfer."""
        return cls(transfer.school_id, transfer.bank_account_id, transfer.direction, transfer.amount)


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


def refuse_second_number(session: Session, read: NormalisedTransfer, money: Equal, day: date, *, listed: bool) -> None:
    """Refuse a list's row that is a callback's movement under another id, and a callback that is a list's row.

    List and callback of a provider number movements alike, as far as it says. Where it does not, everything but the
    id is equal, the bank's own number too: that is one movement, and it is not written twice. Raises
    ``CallbackUnreadable``.
    """
    number = fold_memo(read.bank_reference or "")
    if len(number) < TELLING_LENGTH:
        return
    numbered = _numbered(session, read, money, day, number)
    if any(each.provider_id == read.provider_id for each in numbered):
        return
    for each in numbered:
        same = (each.value_date, fold_memo(each.memo)) == (day, fold_memo(read.memo))
        if same and _is_listed(session, each) != listed:
            raise CallbackUnreadable(
                f"Danh sách và tin báo của {read.provider} đánh số khác nhau: {read.provider_id} và {each.provider_id} "
                "là cùng một giao dịch. Đóng kênh danh sách và báo quản trị hệ thống",
                transfer_id=str(each.id),
            )


def _numbered(session: Session, read: NormalisedTransfer, money: Equal, day: date, number: str) -> Sequence[Transfer]:
    """Return the provider's transfers of this money that have the bank's number or this id, found by index alone.

    On a school's account hundreds of families pay the same sum on one day: to look at each would take longer with
    every one.
    """
    return session.exec(
        _of_money(money, day, DAY_APART).where(
            Transfer.provider == read.provider,
            or_(col(Transfer.bank_number) == number, col(Transfer.provider_id) == read.provider_id),
        )
    ).all()


def _is_listed(session: Session, transfer: Transfer) -> bool:
    """Tell whether a provider's list, asked by us, was the first to tell of a transfer."""
    scheme = session.exec(
        select(Feed.scheme)
        .join(InboxMessage, col(InboxMessage.feed_id) == col(Feed.id))
        .where(Feed.school_id == transfer.school_id, InboxMessage.id == transfer.inbox_id)
    ).one()
    return scheme == LIST


def on_statement(session: Session, money: Equal, says: Told) -> UUID | None:
    """Return the transfer of a statement that a callback is about, if no other callback was about it before."""
    born = session.exec(
        _of_money(money, says.day, DAY_APART).where(Transfer.provider == STATEMENT, Transfer.state != "duplicate")
    ).all()
    if not born:
        return None
    claimed = _claimed(session, money, says.day)
    free = [each for each in born if str(each.id) not in claimed]
    pairs = pair([says], [told_by(each) for each in free])
    return free[pairs[0]].id if pairs else None


def _claimed(session: Session, money: Equal, day: date) -> set[str]:
    """Return the ids, as text, of transfers of statements that callbacks around a day were about."""
    about = _of_money(money, day, 2 * DAY_APART).where(Transfer.provider != STATEMENT, Transfer.state == "duplicate")
    steps = session.exec(
        select(TransferStep.reason).where(
            TransferStep.school_id == money.school_id,
            col(TransferStep.transfer_id).in_([each.id for each in session.exec(about).all()]),
            TransferStep.to_state == "duplicate",
            col(TransferStep.reason).startswith(ON_STATEMENT),
        ),
    ).all()
    return {reason.removeprefix(ON_STATEMENT) for reason in steps}


def _of_money(money: Equal, day: date, within: timedelta) -> SelectOfScalar[Transfer]:
    """Return the query for the transfers of equal money around a day, the earliest first."""
    return (
        select(Transfer)
        .where(
            Transfer.school_id == money.school_id,
            Transfer.bank_account_id == money.account_id,
            Transfer.direction == money.direction,
            Transfer.amount == money.amount,
            Transfer.value_date >= day - within,
            Transfer.value_date <= day + within,
        )
        .order_by(col(Transfer.occurred_at), col(Transfer.id))
    )
