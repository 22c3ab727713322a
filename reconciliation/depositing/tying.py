"""Tying a deposit of cash to the bank's transfer, and taking that back: Dr suspense / Cr money in transit.

The transfer goes from *waiting* to *matched* as the school's own money: it pays nobody's bill. One person ties what a
rule suggests; anything else is asked for and agreed to by another (``asking``). Who deposited ties nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cash.depositing import IN_TRANSIT, find_deposit
from billing.cash.till_tables import CashDeposit, CashDepositEnd
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.ledger.accounts import SUSPENSE
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.till import hold_cash
from billing.money import Money
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.storage import new_id
from billing.visible import is_blank
from reconciliation.decided_elsewhere import refuse_decided_elsewhere
from reconciliation.depositing.suggesting import Brought, Came, fitting
from reconciliation.depositing.tables import CashDepositTie, CashTieEnd
from reconciliation.outgoing.own_money import NOT_OURS, OWN_TRANSFER, settle_as_own
from reconciliation.tables import Transfer, TransferReference

_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class OpenDeposit:
    """A deposit in transit with the money in that may be it, the likeliest first, each with its sign.

    ``others``: what waits on its account with its sum, too, and is no suggestion.
    """

    row: CashDeposit
    fits: tuple[tuple[Came, str], ...]
    others: tuple[Came, ...]


def refuse_depositor(session: Session, actor: Actor, deposit: CashDeposit) -> None:
    """Raise ``SamePerson`` for who brought the money to the bank: another says which transfer it is."""
    own_word = "Người nộp tiền không tự gắn lần nộp với giao dịch. Hãy nhờ người khác."
    second_person(session, actor, Agreement(deposit.school_id, {deposit.made_by}, NO_CHILD, own_word))


def tie_deposit(  # noqa: PLR0913, PLR0917  which deposit to which transfer, who says so
    session: Session, actor: Actor, school_id: UUID, deposit_id: UUID, transfer_id: UUID, now: datetime
) -> CashDepositTie:
    """Say that money in is a deposit, as a rule suggests.

    Raises ``Conflict`` when one of them is tied or settled meanwhile or others decide about it, ``Refused``
    when sum or account differ or no rule suggests it, ``SamePerson`` for who deposited, ``NotFound`` outside the
    school.
    """
    deposit, transfer = held_pair(session, school_id, deposit_id, transfer_id)
    refuse_depositor(session, actor, deposit)
    if not is_suggested(session, deposit, transfer):
        raise Refused(
            "Tiền vào này không được gợi ý cho lần nộp: nội dung có mã của một em, hoặc ngày không hợp. "
            "Hãy đề nghị gắn, kèm lý do, để người khác đồng ý."
        )
    return write_tie(session, actor, deposit, transfer, now)


def held_pair(session: Session, school_id: UUID, deposit_id: UUID, transfer_id: UUID) -> tuple[CashDeposit, Transfer]:
    """Hold a deposit and money in that may be tied; raises as ``tie_deposit``, whether a rule suggests it or not."""
    hold_cash(session, school_id)
    deposit = find_deposit(session, school_id, deposit_id)
    transfer = session.exec(
        select(Transfer).where(Transfer.school_id == school_id, Transfer.id == transfer_id).with_for_update()
    ).one_or_none()
    if transfer is None:
        raise NotFound("Không tìm thấy giao dịch này.", transfer=transfer_id)
    if not _is_open(session, deposit) or transfer.state != "waiting" or transfer.direction != "in":
        raise Conflict("Lần nộp hoặc giao dịch này không còn chờ. Hãy tải lại trang.", deposit=deposit_id)
    if (transfer.bank_account_id, transfer.amount) != (deposit.bank_account_id, deposit.amount):
        raise Refused("Tiền vào phải ở đúng tài khoản và bằng đúng số tiền đã nộp.")
    refuse_decided_elsewhere(session, transfer)
    return deposit, transfer


def is_suggested(session: Session, deposit: CashDeposit, transfer: Transfer) -> bool:
    """Say whether a rule suggests money in for a deposit."""
    came = _came(session, deposit.school_id, [deposit])
    return str(transfer.id) in {each.id for each, _ in fitting(_brought(deposit), came)}


def write_tie(
    session: Session, actor: Actor, deposit: CashDeposit, transfer: Transfer, now: datetime
) -> CashDepositTie:
    """Tie a deposit to money in; the caller holds both and has judged them."""
    school_id, tie_id = deposit.school_id, new_id()
    fact = Fact(school_id, "cash_deposit_tied", str(tie_id), transfer.value_date, deposit.slip)
    tie = CashDepositTie(
        id=tie_id,
        school_id=school_id,
        deposit_id=deposit.id,
        transfer_id=transfer.id,
        entry_id=post(session, fact, [Line(SUSPENSE, IN_TRANSIT, deposit.amount)], now),
        made_by=_person(actor),
        at=now,
    )
    session.add(tie)
    session.flush()
    settle_as_own(session, actor, transfer, OWN_TRANSFER, now)
    deed = Deed(school_id, "cash.tie_deposit", "cash_deposit", str(deposit.id))
    record_deed(session, actor, deed, now, amount=deposit.amount.dong, transfer=str(transfer.id))
    record_deed(session, actor, Deed(school_id, "cash.tie_deposit", "transfer", str(transfer.id)), now)
    return tie


def untie_deposit(  # noqa: PLR0913, PLR0917  which deposit, who says so, why
    session: Session, actor: Actor, school_id: UUID, deposit_id: UUID, reason: str, now: datetime
) -> None:
    """Take a tie back: the transfer waits again; raises ``Conflict`` when there is none."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do bỏ gắn.")
    hold_cash(session, school_id)
    tie = live_tie(session, school_id, deposit_id)
    if tie is None:
        raise Conflict("Lần nộp này không gắn với giao dịch nào. Hãy tải lại trang.", deposit=deposit_id)
    transfer = session.exec(
        select(Transfer).where(Transfer.school_id == school_id, Transfer.id == tie.transfer_id).with_for_update()
    ).one()
    fact = Fact(school_id, "cash_deposit_untied", str(tie.id), (now + _VIET_NAM).date(), reason.strip())
    session.add(
        CashTieEnd(
            tie_id=tie.id,
            school_id=school_id,
            reason=reason.strip(),
            entry_id=reverse(session, tie.entry_id, fact, now),
            made_by=_person(actor),
            at=now,
        )
    )
    session.flush()
    settle_as_own(session, actor, transfer, NOT_OURS, now)
    for kind, key in (("cash_deposit", deposit_id), ("transfer", transfer.id)):
        record_deed(session, actor, Deed(school_id, "cash.untie_deposit", kind, str(key), reason.strip()), now)


def refuse_tied_deposit(session: Session, school_id: UUID, deposit_id: UUID) -> None:
    """Raise ``Conflict`` while the bank's transfer is tied to a deposit: said in words before the database refuses."""
    if live_tie(session, school_id, deposit_id) is not None:
        raise Conflict("Ngân hàng đã nhận khoản này. Bỏ gắn với giao dịch trước, rồi mới rút lại lần nộp.")


def live_tie(session: Session, school_id: UUID, deposit_id: UUID) -> CashDepositTie | None:
    """Return the tie of a deposit that was not taken back."""
    return session.exec(
        select(CashDepositTie).where(
            CashDepositTie.school_id == school_id, CashDepositTie.deposit_id == deposit_id, _live()
        )
    ).one_or_none()


def open_deposits(session: Session, school_id: UUID) -> list[OpenDeposit]:
    """Return the deposits in transit, oldest first, with the money in that may be them."""
    rows = session.exec(
        select(CashDeposit)
        .outerjoin(CashDepositEnd, col(CashDepositEnd.deposit_id) == CashDeposit.id)
        .where(
            CashDeposit.school_id == school_id,
            col(CashDepositEnd.deposit_id).is_(None),
            ~exists().where(col(CashDepositTie.deposit_id) == col(CashDeposit.id), _live()),
        )
        .order_by(col(CashDeposit.at), col(CashDeposit.id))
    ).all()
    came = _came(session, school_id, rows)
    return [_open(row, came) for row in rows]


def _open(row: CashDeposit, came: Sequence[Came]) -> OpenDeposit:
    brought = _brought(row)
    fits = fitting(brought, came)
    suggested = {each.id for each, _ in fits}
    others = [each for each in came if each.account == brought.account and each.amount == brought.amount]
    return OpenDeposit(row, tuple(fits), tuple(each for each in others if each.id not in suggested))


def deposited(session: Session, school_id: UUID) -> dict[UUID, Money]:
    """Return the money in that was the school's own cash, by transfer."""
    rows = session.exec(
        select(CashDepositTie.transfer_id, col(CashDeposit.amount))
        .join(CashDeposit, col(CashDeposit.id) == col(CashDepositTie.deposit_id))
        .where(CashDepositTie.school_id == school_id, _live())
    ).all()
    return dict(rows)


def deposited_by(session: Session, school_id: UUID) -> dict[UUID, str]:
    """Return, by deposit, the bank's number of the transfer that it is tied to."""
    rows = session.exec(
        select(CashDepositTie.deposit_id, Transfer.bank_reference, Transfer.provider_id)
        .join(Transfer, col(Transfer.id) == col(CashDepositTie.transfer_id))
        .where(CashDepositTie.school_id == school_id, _live())
    ).all()
    return {deposit: number or told for deposit, number, told in rows}


def _live() -> ColumnElement[bool]:
    return ~exists().where(
        col(CashTieEnd.school_id) == col(CashDepositTie.school_id), col(CashTieEnd.tie_id) == col(CashDepositTie.id)
    )


def _is_open(session: Session, deposit: CashDeposit) -> bool:
    ended = session.get(CashDepositEnd, deposit.id) is not None
    return not ended and live_tie(session, deposit.school_id, deposit.id) is None


def _came(session: Session, school_id: UUID, deposits: Sequence[CashDeposit]) -> list[Came]:
    """Return waiting money in on the accounts and of the sums of these deposits."""
    named = col(Transfer.virtual_account).is_not(None) | exists().where(
        col(TransferReference.school_id) == col(Transfer.school_id),
        col(TransferReference.transfer_id) == col(Transfer.id),
    )
    rows = session.exec(
        select(Transfer, named).where(
            Transfer.school_id == school_id,
            Transfer.direction == "in",
            Transfer.state == "waiting",
            col(Transfer.amount).in_({row.amount for row in deposits}),
        )
    ).all()
    return [
        Came(
            str(row.id), str(row.bank_account_id), row.amount, row.value_date, row.memo,
            row.bank_reference or row.provider_id, bool(is_named),
        )
        for row, is_named in rows
    ]  # fmt: skip


def _brought(row: CashDeposit) -> Brought:
    return Brought(str(row.id), str(row.bank_account_id), row.amount, (row.at + _VIET_NAM).date(), row.slip)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên làm.")
    return actor.user_id
