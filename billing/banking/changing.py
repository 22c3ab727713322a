"""Asking for a bank account, agreeing to it, and stopping it before it is in force.

Whoever can put another account into the bills has all the money of a school (demand S-50), so two people and a day of
notice stand before it: one asks, another agrees, and within the wait anybody of the office may stop it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.documents.payment_qr import read_memo_code
from billing.errors import Conflict, NotFound, Refused
from billing.events.recording import ACCOUNT_APPROVED, ACCOUNT_ASKED, ACCOUNT_WITHDRAWN, record_event
from billing.ledger.account_tables import AccountApproval, AccountChange, AccountOpening, AccountWithdrawal
from billing.ledger.tables import NOTICE_ABILITIES, BankAccount
from billing.payments.reference import drop_marks
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.visible import is_blank

LEAST_WAIT = timedelta(hours=24)
_BIN = re.compile(r"[0-9]{6}")
_NUMBER = re.compile(r"[0-9A-Za-z]{4,19}")
_HOLDER = re.compile(r"[A-Z0-9][A-Z0-9 .,&()/-]{1,99}")


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """An account as somebody asks for it; ``replaces_id``: the one in whose place it shall stand, if any."""

    bank_bin: str
    number: str
    holder: str
    told_by: str
    reason: str
    only_virtual: bool = False
    can_qr: bool = True
    memo_code: str = ""
    replaces_id: UUID | None = None


def ask_account(session: Session, actor: Actor, school_id: UUID, wanted: WantedAccount, now: datetime) -> AccountChange:
    """Ask for an account. Raises ``Refused`` for data that cannot be an account's, ``Conflict`` for a second asking."""
    _one_at_a_time(session, school_id)
    bank_bin, number = wanted.bank_bin.strip(), re.sub(r"[\s.-]", "", wanted.number)
    holder = " ".join(drop_marks(unicodedata.normalize("NFC", wanted.holder)).upper().split())
    _refuse_bad(bank_bin, number, holder, wanted)
    memo_code = read_memo_code(wanted.memo_code)
    _refuse_known(session, school_id, bank_bin, number, holder)
    _refuse_pending(session, school_id, bank_bin, number, wanted.replaces_id)
    row = AccountChange(
        school_id=school_id,
        replaces_id=wanted.replaces_id,
        bank_bin=bank_bin,
        number=number,
        holder=holder,
        told_by=wanted.told_by,
        only_virtual=wanted.only_virtual,
        can_qr=wanted.can_qr,
        memo_code=memo_code,
        reason=wanted.reason.strip(),
        asked_by=_person(actor),
        asked_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, actor, row, "account.ask", row.reason, now)
    record_event(session, school_id, ACCOUNT_ASKED, row.id, now)
    return row


def approve_account(  # noqa: PLR0913, PLR0917  who agrees to what, and how long is waited
    session: Session, actor: Actor, school_id: UUID, change_id: UUID, wait: timedelta, now: datetime
) -> AccountApproval:
    """Agree to an account; it is in force after the wait, never less than 24 hours.

    Raises ``SamePerson`` for who asked, ``Conflict`` for what is agreed to or stopped already.
    """
    row = _change(session, school_id, change_id)
    own_word = "Người đề nghị đổi tài khoản không tự đồng ý được. Hãy nhờ người khác có quyền duyệt."
    second_person(session, actor, Agreement(school_id, {row.asked_by}, NO_CHILD, own_word))
    if approval_of(session, school_id, change_id) is not None:
        raise Conflict("Đề nghị này đã có người đồng ý.")
    approval = AccountApproval(
        change_id=row.id,
        school_id=school_id,
        approved_by=_person(actor),
        at=now,
        in_force_at=now + max(wait, LEAST_WAIT),
    )
    session.add(approval)
    session.flush()
    _note(session, actor, row, "account.approve", "", now)
    record_event(session, school_id, ACCOUNT_APPROVED, row.id, now)
    return approval


def withdraw_account(  # noqa: PLR0913, PLR0917  who stops what, and why
    session: Session, actor: Actor, school_id: UUID, change_id: UUID, reason: str, now: datetime
) -> None:
    """Stop a change, agreed to or not, as long as it is not in force; raises ``Refused`` without a reason."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do dừng việc đổi tài khoản.")
    row = _change(session, school_id, change_id)
    approval = approval_of(session, school_id, change_id)
    if approval is not None and approval.in_force_at <= now:
        raise Conflict("Tài khoản này đã có hiệu lực nên không dừng được nữa. Hãy đề nghị một tài khoản thay cho nó.")
    stopped = AccountWithdrawal(
        change_id=row.id, school_id=school_id, made_by=_person(actor), reason=reason.strip(), at=now
    )
    session.add(stopped)
    session.flush()
    _note(session, actor, row, "account.withdraw", stopped.reason, now)
    record_event(session, school_id, ACCOUNT_WITHDRAWN, row.id, now)


def approval_of(session: Session, school_id: UUID, change_id: UUID) -> AccountApproval | None:
    """Return the yes to a change, if there is one."""
    query = select(AccountApproval).where(
        AccountApproval.school_id == school_id, AccountApproval.change_id == change_id
    )
    return session.exec(query).one_or_none()


def _one_at_a_time(session: Session, school_id: UUID) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"accounts {school_id}"})


def _refuse_bad(bank_bin: str, number: str, holder: str, wanted: WantedAccount) -> None:
    if _BIN.fullmatch(bank_bin) is None:
        raise Refused("Mã ngân hàng (BIN) gồm đúng 6 chữ số, ví dụ 970436 là Vietcombank.")
    if _NUMBER.fullmatch(number) is None:
        raise Refused("Số tài khoản gồm 4 đến 19 chữ số hoặc chữ không dấu.")
    if _HOLDER.fullmatch(holder) is None:
        raise Refused("Hãy ghi tên tài khoản đúng như hiện trên app ngân hàng, ví dụ TRUONG TIEU HOC HOA MAI.")
    if wanted.told_by not in NOTICE_ABILITIES:
        raise Refused("Hãy chọn ngân hàng báo tiền ngay, hay chỉ có sao kê.")
    if is_blank(wanted.reason):
        raise Refused("Hãy ghi lý do, ví dụ số thông báo của ngân hàng hoặc Kho bạc.")


def _refuse_known(session: Session, school_id: UUID, bank_bin: str, number: str, holder: str) -> None:
    """Refuse an account in use, and an earlier one under another name: what families compare is never rewritten."""
    known = earlier_account(session, school_id, bank_bin, number)
    if known is None:
        return
    if known.closed_on is None:
        raise Conflict(f"Trường đã có tài khoản {number} ở ngân hàng này.")
    if known.holder != holder:
        raise Refused(
            f"Trường đã dùng tài khoản {number} với tên {known.holder}. Dùng lại thì giữ đúng tên đó; ngân hàng đã đổi "
            "tên tài khoản thì hãy xin ngân hàng một số khác."
        )


def earlier_account(session: Session, school_id: UUID, bank_bin: str, number: str) -> BankAccount | None:
    """Return the school's account of this number, in use or left."""
    return session.exec(
        select(BankAccount).where(
            BankAccount.school_id == school_id, BankAccount.bank_bin == bank_bin, BankAccount.number == number
        )
    ).one_or_none()


def _refuse_pending(session: Session, school_id: UUID, bank_bin: str, number: str, replaces_id: UUID | None) -> None:
    """Refuse a second change of one account, of the same number, and of an account that is replaced already."""
    if replaces_id is not None:
        old = session.exec(
            select(BankAccount).where(BankAccount.school_id == school_id, BankAccount.id == replaces_id)
        ).one_or_none()
        if old is None:
            raise NotFound("Trường không có tài khoản cần thay này.")
        if old.closed_on is not None:
            raise Conflict("Tài khoản này đã được thay hoặc đã đóng.")
    for other in pending_changes(session, school_id):
        same = (other.bank_bin, other.number) == (bank_bin, number)
        if same or (replaces_id is not None and other.replaces_id == replaces_id):
            raise Conflict("Đã có một đề nghị đổi tài khoản này. Hãy dừng đề nghị đó trước khi lập đề nghị mới.")


def pending_changes(session: Session, school_id: UUID) -> list[AccountChange]:
    """Return what was asked for and is neither stopped nor in force, oldest first."""
    query = (
        select(AccountChange)
        .outerjoin(AccountWithdrawal, col(AccountWithdrawal.change_id) == col(AccountChange.id))
        .outerjoin(AccountOpening, col(AccountOpening.change_id) == col(AccountChange.id))
        .where(
            AccountChange.school_id == school_id,
            col(AccountWithdrawal.change_id).is_(None),
            col(AccountOpening.change_id).is_(None),
        )
        .order_by(col(AccountChange.asked_at), col(AccountChange.id))
    )
    return list(session.exec(query).all())


def _change(session: Session, school_id: UUID, change_id: UUID) -> AccountChange:
    """Return a change that is neither stopped nor in force; two who decide it at once wait for one another here."""
    _one_at_a_time(session, school_id)
    row = next((each for each in pending_changes(session, school_id) if each.id == change_id), None)
    if row is not None:
        return row
    query = select(AccountChange.id).where(AccountChange.school_id == school_id, AccountChange.id == change_id)
    if session.exec(query).first() is None:
        raise NotFound("Không có đề nghị đổi tài khoản này.")
    raise Conflict("Đề nghị này đã dừng hoặc tài khoản đã có hiệu lực.")


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ValueError("a person decides about accounts")
    return actor.user_id


def _note(  # noqa: PLR0913, PLR0917  one deed
    session: Session, actor: Actor, row: AccountChange, action: str, reason: str, now: datetime
) -> None:
    deed = Deed(row.school_id, action, "account_change", str(row.id), reason)
    replaces = str(row.replaces_id) if row.replaces_id else None
    record_deed(
        session, actor, deed, now, bank_bin=row.bank_bin, number=row.number, holder=row.holder, replaces=replaces
    )
