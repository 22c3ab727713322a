"""Entering the numbers that a bank gave out: one person brings the list, another agrees, then they can be assigned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.payments.number_tables import NumberList, NumberListDecision
from billing.payments.numbers import read_numbers
from billing.payments.tables import VirtualAccount
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.visible import is_blank


def enter_numbers(  # noqa: PLR0913, PLR0917  which account, what was pasted, by which paper, who and when
    session: Session, actor: Actor, account: BankAccount, pasted: str, note: str, now: datetime
) -> NumberList:
    """Write down a list of numbers of an account; nothing can be assigned before another person agreed.

    Raises ``BadRows`` with every line that is wrong, stands twice, is a number of the school's accounts, or was entered
    before; ``Refused`` without a note.
    """
    if is_blank(note):
        raise Refused("Hãy ghi danh sách này từ văn bản hay thư nào của ngân hàng.")
    numbers = read_numbers(pasted, _known(session, account.school_id))
    made = NumberList(
        school_id=account.school_id,
        bank_account_id=account.id,
        numbers=list(numbers),
        note=note.strip()[:300],
        made_by=_person(actor),
        made_at=now,
    )
    session.add(made)
    session.flush()
    deed = Deed(account.school_id, "numbers.enter", "number_list", str(made.id), made.note)
    record_deed(session, actor, deed, now, count=len(numbers))
    return made


def approve_numbers(session: Session, actor: Actor, school_id: UUID, list_id: UUID, now: datetime) -> int:
    """Agree to a list: its numbers are in the pool. Return how many; raises ``SamePerson`` or ``Conflict``."""
    found = _undecided(session, school_id, list_id)
    own_word = "Người nhập danh sách không tự duyệt được. Xin nhờ người duyệt khác."
    second_person(session, actor, Agreement(school_id, {found.made_by}, NO_CHILD, own_word))
    taken = sorted(set(found.numbers) & _known(session, school_id, but=list_id))
    if taken:
        raise Conflict(f"Số {taken[0]} đã có trong hệ thống từ danh sách khác. Hãy từ chối danh sách này.")
    _decide(session, actor, found, now, approved=True)
    session.add_all(
        VirtualAccount(school_id=school_id, bank_account_id=found.bank_account_id, number=number, list_id=found.id)
        for number in found.numbers
    )
    session.flush()
    return len(found.numbers)


def refuse_numbers(  # noqa: PLR0913, PLR0917  which list, why, who says so and when
    session: Session, actor: Actor, school_id: UUID, list_id: UUID, reason: str, now: datetime
) -> None:
    """Say no, or take one's own back; no number of the list is in the pool."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không nhận danh sách này.")
    _decide(session, actor, _undecided(session, school_id, list_id), now, approved=False, reason=reason.strip())


def open_lists(session: Session, school_id: UUID) -> Sequence[NumberList]:
    """Return the lists that nobody decided, oldest first."""
    return session.exec(
        select(NumberList)
        .outerjoin(NumberListDecision, col(NumberListDecision.list_id) == NumberList.id)
        .where(NumberList.school_id == school_id, col(NumberListDecision.list_id).is_(None))
        .order_by(col(NumberList.made_at), col(NumberList.id))
    ).all()


def _known(session: Session, school_id: UUID, but: UUID | None = None) -> set[str]:
    """Return the numbers that stand already: of accounts, in the pool, and in lists that wait (but one)."""
    own = session.exec(select(BankAccount.number).where(BankAccount.school_id == school_id)).all()
    given = session.exec(select(VirtualAccount.number).where(VirtualAccount.school_id == school_id)).all()
    waiting = (number for each in open_lists(session, school_id) if each.id != but for number in each.numbers)
    return {*own, *given, *waiting}


def _undecided(session: Session, school_id: UUID, list_id: UUID) -> NumberList:
    found = session.exec(
        select(NumberList).where(NumberList.school_id == school_id, NumberList.id == list_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không có danh sách này.", list=list_id)
    if session.get(NumberListDecision, list_id) is not None:
        raise Conflict("Danh sách này đã được quyết định. Hãy tải lại trang.")
    return found


def _decide(  # noqa: PLR0913  one decision with its facts
    session: Session, actor: Actor, found: NumberList, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        NumberListDecision(
            list_id=found.id,
            school_id=found.school_id,
            approved=approved,
            decided_by=_person(actor),
            reason=reason[:300],
            at=now,
        )
    )
    session.flush()
    action = "numbers.approve" if approved else "numbers.refuse"
    record_deed(session, actor, Deed(found.school_id, action, "number_list", str(found.id), reason), now)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Danh sách số tài khoản phải do một người có tên nhập và duyệt.")
    return actor.user_id
