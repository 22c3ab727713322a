"""Bringing counted cash to the bank: it leaves the till for money in transit (113) until the bank's transfer is there.

Which transfer that is, a person says where transfers are known (``reconciliation/depositing``); it is no income then
and no family's payment. Source of the account: Circular 107/2017, 113 "tiền đang chuyển".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cash.counting import open_count, standing_count
from billing.cash.keeping import refuse_not_keeping
from billing.cash.spelling import folded
from billing.cash.till_tables import CashDeposit, CashDepositEnd
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.accounts import CASH, open_account
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.tables import BankAccount
from billing.ledger.till import hold_cash, in_the_till
from billing.money import ZERO, Money, total
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.storage import new_id
from billing.visible import is_blank

IN_TRANSIT = "113"
_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Cash brought to an account, with the number of the bank's paper and the key of the form."""

    account_id: UUID
    amount: Money
    slip: str
    form: UUID


def deposit_cash(session: Session, actor: Actor, school_id: UUID, brought: Brought, now: datetime) -> CashDeposit:
    """Store a deposit of what was counted last; the same form again returns the first.

    Raises ``Refused`` without a count that stands, for more than was counted or is in the till, without a paper;
    ``Conflict`` for a form that stored something else, or a paper that stands for another deposit on this account;
    ``NotFound`` for an account of another school, ``NotAllowed`` for who does not keep the till.
    """
    hold_cash(session, school_id)
    before = session.exec(
        select(CashDeposit).where(CashDeposit.school_id == school_id, CashDeposit.form == brought.form)
    ).one_or_none()
    if before is not None:
        return _same(before, brought)
    refuse_not_keeping(session, school_id, actor.user_id, now)
    if is_blank(brought.slip):
        raise Refused("Hãy ghi số giấy nộp tiền của ngân hàng.")
    refuse_account(session, school_id, brought.account_id)
    _refuse_slip_again(session, school_id, brought)
    count, left = depositable(session, school_id)
    if count is None:
        raise Refused("Chưa có lần kiểm quỹ nào còn hiệu lực. Hãy kiểm quỹ trước, rồi nộp tiền đã đếm.")
    if not ZERO < brought.amount <= left:
        raise Refused(f"Số tiền nộp phải từ 1 đ đến {left} (đã đếm và còn trong quỹ).")
    open_account(session, school_id, IN_TRANSIT, "Tiền đang chuyển", "clearing")
    deposit_id = new_id()
    fact = Fact(school_id, "cash_deposit", str(deposit_id), (now + _VIET_NAM).date(), brought.slip.strip())
    row = CashDeposit(
        id=deposit_id,
        school_id=school_id,
        form=brought.form,
        count_id=count,
        bank_account_id=brought.account_id,
        amount=brought.amount,
        slip=brought.slip.strip(),
        entry_id=post(session, fact, [Line(IN_TRANSIT, CASH, brought.amount)], now),
        made_by=_person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    record_deed(
        session, actor, Deed(school_id, "cash.deposit", "cash_deposit", str(row.id)), now, amount=row.amount.dong
    )
    return row


def depositable(session: Session, school_id: UUID) -> tuple[UUID | None, Money]:
    """Return the count that a deposit is of, and how much of it may still be deposited."""
    if open_count(session, school_id) is not None:
        return None, ZERO
    count = standing_count(session, school_id)
    if count is None:
        return None, ZERO
    brought = session.exec(
        select(col(CashDeposit.amount))
        .outerjoin(CashDepositEnd, col(CashDepositEnd.deposit_id) == CashDeposit.id)
        .where(
            CashDeposit.school_id == school_id,
            CashDeposit.count_id == count.id,
            col(CashDepositEnd.deposit_id).is_(None),
        )
    ).all()
    left = min(count.counted - total(brought), in_the_till(session, school_id))
    return count.id, max(left, ZERO)


def find_deposit(session: Session, school_id: UUID, deposit_id: UUID) -> CashDeposit:
    """Return a deposit; raises ``NotFound`` outside the school."""
    found = session.exec(
        select(CashDeposit).where(CashDeposit.school_id == school_id, CashDeposit.id == deposit_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy lần nộp tiền này.", deposit=deposit_id)
    return found


def take_back_deposit(  # noqa: PLR0913, PLR0917  who takes what back, why
    session: Session, actor: Actor, school_id: UUID, deposit_id: UUID, reason: str, now: datetime
) -> None:
    """Put a deposit back into the till that never reached the bank.

    Raises ``SamePerson`` for who stored it, ``Conflict`` the second time. Who knows transfers looks first whether the
    bank has booked it; the database refuses it then.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do rút lại lần nộp này.")
    hold_cash(session, school_id)
    row = find_deposit(session, school_id, deposit_id)
    own_word = "Người nộp tiền không tự rút lại lần nộp. Hãy nhờ người khác."
    second_person(session, actor, Agreement(school_id, {row.made_by}, NO_CHILD, own_word))
    if session.get(CashDepositEnd, deposit_id) is not None:
        raise Conflict("Lần nộp này đã được rút lại. Hãy tải lại trang.", deposit=deposit_id)
    fact = Fact(school_id, "cash_deposit_undone", str(row.id), (now + _VIET_NAM).date(), reason.strip())
    session.add(
        CashDepositEnd(
            deposit_id=row.id,
            school_id=school_id,
            reason=reason.strip(),
            entry_id=reverse(session, row.entry_id, fact, now),
            made_by=_person(actor),
            at=now,
        )
    )
    session.flush()
    deed = Deed(school_id, "cash.take_back_deposit", "cash_deposit", str(row.id), reason.strip())
    record_deed(session, actor, deed, now, amount=row.amount.dong)


def _same(before: CashDeposit, brought: Brought) -> CashDeposit:
    """Return the deposit that a form stored before; anything else under its key is another matter."""
    wanted = (brought.account_id, brought.amount, brought.slip.strip())
    if (before.bank_account_id, before.amount, before.slip) != wanted:
        raise Conflict(
            f"Trang này đã ghi một lần nộp khác: {before.amount}, giấy {before.slip}. Hãy mở lại trang rồi ghi.",
            form=brought.form,
        )
    return before


def _refuse_slip_again(session: Session, school_id: UUID, brought: Brought) -> None:
    """Raise ``Conflict`` while the bank's paper stands for a deposit on this account, however it is spelled."""
    live = session.exec(
        select(CashDeposit)
        .outerjoin(CashDepositEnd, col(CashDepositEnd.deposit_id) == CashDeposit.id)
        .where(
            CashDeposit.school_id == school_id,
            CashDeposit.bank_account_id == brought.account_id,
            col(CashDepositEnd.deposit_id).is_(None),
        )
        .order_by(col(CashDeposit.at))
    ).all()
    first = next((row for row in live if folded(row.slip) == folded(brought.slip)), None)
    if first is not None:
        raise Conflict(
            f"Giấy nộp tiền {first.slip} đã ghi cho lần nộp {first.amount} ngày "
            f"{first.at + _VIET_NAM:%d/%m/%Y} vào tài khoản này. Hãy xem lại số giấy.",
            deposit=first.id,
        )


def refuse_account(session: Session, school_id: UUID, account_id: UUID) -> None:
    """Raise ``NotFound`` for a bank account of another school."""
    known = select(BankAccount.id).where(BankAccount.school_id == school_id, BankAccount.id == account_id)
    if session.exec(known).one_or_none() is None:
        raise NotFound("Trường không có tài khoản ngân hàng này.", account=account_id)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc nộp tiền phải do một người có tên làm.")
    return actor.user_id
