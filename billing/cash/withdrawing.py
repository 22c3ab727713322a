"""Bringing cash back to the till, so that refunds and support can be paid out of it: from a bank or the Treasury.

What comes from a bank stands on money in transit (113), from the other side, until the bank's own transfer out is tied
to it where transfers are known (``reconciliation/outgoing``); no bank tells of the Treasury, whose paper is the proof.
Source of the accounts: Circular 107/2017 (Dr 111 / Cr 112, by 113 while the bank has not told of it).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cash.depositing import IN_TRANSIT, refuse_account
from billing.cash.keeping import refuse_not_keeping
from billing.cash.spelling import folded
from billing.cash.till_tables import CashWithdrawal, CashWithdrawalEnd
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.accounts import CASH, open_account, open_treasury
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.till import hold_cash, refuse_short
from billing.money import ZERO, Money
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.storage import new_id
from billing.visible import is_blank

MOST = Money(10_000_000_000)  # far above what a school's till holds: a slip of the pen has more digits
_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Cash fetched from an account, None for the Treasury; the number of its paper and the key of the form."""

    account_id: UUID | None
    amount: Money
    slip: str
    form: UUID


def withdraw_cash(session: Session, actor: Actor, school_id: UUID, fetched: Fetched, now: datetime) -> CashWithdrawal:
    """Store cash that came back to the till; the same form again returns the first.

    Raises ``Refused`` for a sum that cannot be or without a paper, ``Conflict`` for a form that stored something else
    or a paper that stands for another withdrawal, ``NotFound`` for an account of another school, ``NotAllowed`` for
    who does not keep the till.
    """
    hold_cash(session, school_id)
    before = session.exec(
        select(CashWithdrawal).where(CashWithdrawal.school_id == school_id, CashWithdrawal.form == fetched.form)
    ).one_or_none()
    if before is not None:
        return _same(before, fetched)
    refuse_not_keeping(session, school_id, actor.user_id, now)
    slip = fetched.slip.strip()
    if not slip:
        raise Refused("Hãy ghi số giấy rút tiền (séc, giấy lĩnh tiền mặt).")
    if not ZERO < fetched.amount <= MOST:
        raise Refused(f"Số tiền rút phải từ 1 đ đến {MOST}.")
    if fetched.account_id is not None:
        refuse_account(session, school_id, fetched.account_id)
    _refuse_slip_again(session, school_id, fetched)
    withdrawal_id = new_id()
    fact = Fact(school_id, "cash_withdrawal", str(withdrawal_id), (now + _VIET_NAM).date(), slip)
    row = CashWithdrawal(
        id=withdrawal_id,
        school_id=school_id,
        form=fetched.form,
        bank_account_id=fetched.account_id,
        amount=fetched.amount,
        slip=slip,
        entry_id=post(session, fact, [Line(CASH, _out_of(session, school_id, fetched), fetched.amount)], now),
        made_by=_person(actor),
        at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(school_id, "cash.withdraw", "cash_withdrawal", str(row.id))
    record_deed(session, actor, deed, now, amount=row.amount.dong)
    return row


def take_back_withdrawal(  # noqa: PLR0913, PLR0917  who takes what back, why
    session: Session, actor: Actor, school_id: UUID, withdrawal_id: UUID, reason: str, now: datetime
) -> None:
    """Take back a withdrawal that was written down wrongly: the till holds so much less.

    Raises ``SamePerson`` for who stored it, ``Conflict`` the second time, ``Refused`` where the till holds less. Who
    knows transfers looks first whether money out is tied to it; the database refuses it then.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do rút lại lần rút tiền này.")
    hold_cash(session, school_id)
    row = find_withdrawal(session, school_id, withdrawal_id)
    own_word = "Người rút tiền không tự rút lại việc đã ghi. Hãy nhờ người khác."
    second_person(session, actor, Agreement(school_id, {row.made_by}, NO_CHILD, own_word))
    if session.get(CashWithdrawalEnd, withdrawal_id) is not None:
        raise Conflict("Lần rút tiền này đã được rút lại. Hãy tải lại trang.", withdrawal=withdrawal_id)
    refuse_short(session, school_id, row.amount)
    fact = Fact(school_id, "cash_withdrawal_undone", str(row.id), (now + _VIET_NAM).date(), reason.strip())
    session.add(
        CashWithdrawalEnd(
            withdrawal_id=row.id,
            school_id=school_id,
            reason=reason.strip(),
            entry_id=reverse(session, row.entry_id, fact, now),
            made_by=_person(actor),
            at=now,
        )
    )
    session.flush()
    deed = Deed(school_id, "cash.take_back_withdrawal", "cash_withdrawal", str(row.id), reason.strip())
    record_deed(session, actor, deed, now, amount=row.amount.dong)


def find_withdrawal(session: Session, school_id: UUID, withdrawal_id: UUID) -> CashWithdrawal:
    """Return a withdrawal; raises ``NotFound`` outside the school."""
    found = session.exec(
        select(CashWithdrawal).where(CashWithdrawal.school_id == school_id, CashWithdrawal.id == withdrawal_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy lần rút tiền này.", withdrawal=withdrawal_id)
    return found


def _out_of(session: Session, school_id: UUID, fetched: Fetched) -> str:
    """Return the account that the cash came from, opened if it is missing."""
    if fetched.account_id is None:
        return open_treasury(session, school_id)
    return open_account(session, school_id, IN_TRANSIT, "Tiền đang chuyển", "clearing").code


def _same(before: CashWithdrawal, fetched: Fetched) -> CashWithdrawal:
    """Return the withdrawal that a form stored before; anything else under its key is another matter."""
    wanted = (fetched.account_id, fetched.amount, fetched.slip.strip())
    if (before.bank_account_id, before.amount, before.slip) != wanted:
        raise Conflict(
            f"Trang này đã ghi một lần rút khác: {before.amount}, giấy {before.slip}. Hãy mở lại trang rồi ghi.",
            form=fetched.form,
        )
    return before


def _refuse_slip_again(session: Session, school_id: UUID, fetched: Fetched) -> None:
    """Raise ``Conflict`` while the paper stands for a withdrawal from this account, however it is spelled."""
    live = session.exec(
        select(CashWithdrawal)
        .outerjoin(CashWithdrawalEnd, col(CashWithdrawalEnd.withdrawal_id) == CashWithdrawal.id)
        .where(
            CashWithdrawal.school_id == school_id,
            col(CashWithdrawal.bank_account_id).is_not_distinct_from(fetched.account_id),
            col(CashWithdrawalEnd.withdrawal_id).is_(None),
        )
        .order_by(col(CashWithdrawal.at))
    ).all()
    first = next((row for row in live if folded(row.slip) == folded(fetched.slip)), None)
    if first is not None:
        raise Conflict(
            f"Giấy {first.slip} đã ghi cho lần rút {first.amount} ngày {first.at + _VIET_NAM:%d/%m/%Y} ở đây. "
            "Hãy xem lại số giấy.",
            withdrawal=first.id,
        )


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc rút tiền phải do một người có tên làm.")
    return actor.user_id
