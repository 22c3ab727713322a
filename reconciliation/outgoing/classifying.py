"""Writing down what money out was for, and taking that back: each purpose takes its sum off 1388, once.

1388 holds money that left and is not explained. An approved payout to the insurer stands there already from the other
side, so its purpose needs no entry. Money to another account of the school meets the money in there on 1388, so that
neither is income or cost. Source of the accounts: Circular 107/2017 (facts in docs/money-out.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.cash.depositing import IN_TRANSIT
from billing.cash.withdrawing import find_withdrawal
from billing.claims.tables import Payout
from billing.credits.paying_out import approved_on, find_line, mark_sent, states_of
from billing.credits.refunding import REFUND_PAYABLE
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.tables import FeeItem
from billing.ledger.accounts import SUSPENSE, UNCLASSIFIED_OUT, open_account, open_treasury
from billing.ledger.posting import Fact, Line, post, reverse
from billing.ledger.tables import LedgerAccount
from billing.money import ZERO, Money, total
from billing.payments.writing_off import BANK_FEES
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.storage import new_id
from billing.visible import is_blank
from reconciliation.cards.booking import open_unclear
from reconciliation.decided_elsewhere import refuse_decided_elsewhere
from reconciliation.outgoing.going_back import move_refunded
from reconciliation.outgoing.kinds import KIND_NAMES, Tie
from reconciliation.outgoing.own_money import NOT_OURS, OWN_TRANSFER, settle_as_own
from reconciliation.outgoing.reading import rest_of, waiting_for_money
from reconciliation.outgoing.standing import wait_for_purposes
from reconciliation.outgoing.tables import MoneyOut, MoneyOutEnd
from reconciliation.tables import Transfer

SERVICE_COSTS = "154"
RETURNED = "payout_returned"
_VIET_NAM = timedelta(hours=7)
_COLUMNS = {
    Tie.INSURANCE: "insurance_payout_id",
    Tie.REFUND: "refund_line_id",
    Tie.SUPPORT: "payout_id",
    Tie.LEG: "leg_id",
    Tie.RETURNED: "leg_id",
    Tie.REVERSED: "leg_id",
    Tie.CARD: "card_act_id",
    Tie.CASH: "cash_withdrawal_id",
}


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose of money out: tied to what was approved (``tie``, ``tied_id``; its sum is that one's), or typed.

    Typed are *purchase* (item and document), *fee*, and *treasury* by a document where no bank tells of that account.
    """

    kind: str
    amount: Money = ZERO
    tie: Tie | None = None
    tied_id: UUID | None = None
    item_code: str | None = None
    document: str = ""
    reason: str = ""


def classify(  # noqa: PLR0913, PLR0917  which transfer, what for, who says so and when
    session: Session, actor: Actor, school_id: UUID, transfer_id: UUID, wanted: Sequence[Purpose], now: datetime
) -> list[MoneyOut]:
    """Write down what money out was for, all of the purposes or none.

    They may come to less than the transfer; the rest stays unexplained. Raises ``Refused`` for more than is left or an
    incomplete purpose, ``Conflict`` for what is tied already, ``SamePerson`` for who fetched the cash that it was,
    ``NotFound`` outside the school.
    """
    if actor.user_id is None:
        raise NotAllowed("Việc phân loại tiền ra phải do một người có tên làm.")
    if not wanted:
        raise Refused("Hãy chọn tiền ra này chi cho việc gì.")
    transfer = _held(session, school_id, transfer_id)
    sized = [_sized(session, transfer, each) for each in wanted]
    _refuse_own_withdrawal(session, actor, school_id, sized)
    left, whole = rest_of(session, transfer), total(each.amount for each in sized)
    if whole > left:
        raise Refused(f"Các mục đích cộng lại {whole}, nhiều hơn {left} chưa phân loại của giao dịch này.")
    return [_write(session, actor, transfer, each, now) for each in sized]


def take_back(  # noqa: PLR0913, PLR0917  as above
    session: Session,
    actor: Actor,
    school_id: UUID,
    purpose_id: UUID,
    reason: str,
    now: datetime,
    *,
    by_two: bool = False,
) -> MoneyOutEnd:
    """Take a purpose back by a reversing entry; its sum is unexplained again.

    Raises ``Conflict`` the second time, ``Refused`` for one *reversed* unless two people agreed to it (``by_two``).
    """
    if actor.user_id is None:
        raise NotAllowed("Việc phân loại tiền ra phải do một người có tên làm.")
    if is_blank(reason):
        raise Refused("Hãy ghi lý do hủy phân loại này.")
    wait_for_purposes(session, school_id)
    row = session.exec(select(MoneyOut).where(MoneyOut.school_id == school_id, MoneyOut.id == purpose_id)).one_or_none()
    if row is None:
        raise NotFound("Không tìm thấy phân loại này.", purpose=purpose_id)
    if session.exec(select(MoneyOutEnd).where(MoneyOutEnd.purpose_id == row.id)).one_or_none() is not None:
        raise Conflict("Phân loại này đã được hủy. Hãy tải lại trang.", purpose=purpose_id)
    if row.kind == "reversed" and not by_two:
        raise Refused("Ghi thu hồi do hai người hủy: một người đề nghị ở trang Tiền ra, người khác duyệt.")
    entry = None
    if row.entry_id is not None:
        fact = Fact(school_id, "money_out_undone", str(row.id), _today(now), reason.strip())
        entry = reverse(session, row.entry_id, fact, now)
    end = MoneyOutEnd(
        purpose_id=row.id, school_id=school_id, reason=reason.strip(), entry_id=entry, made_by=actor.user_id, at=now
    )
    session.add(end)
    session.flush()
    if row.leg_id is not None:
        settle_as_own(session, actor, _leg(session, school_id, row.leg_id), NOT_OURS, now)
    move_refunded(session, actor, row.refund_line_id, "refunding", "money_out_undone", now)
    deed = Deed(school_id, "money_out.take_back", "money_out", str(row.id), reason)
    record_deed(session, actor, deed, now, amount=row.amount.dong, kind=row.kind)
    return end


def _held(session: Session, school_id: UUID, transfer_id: UUID) -> Transfer:
    """Wait until nobody else classifies in the school, and return money out; raises ``NotFound`` or ``Refused``."""
    wait_for_purposes(session, school_id)
    transfer = session.exec(
        select(Transfer).where(Transfer.school_id == school_id, Transfer.id == transfer_id)
    ).one_or_none()
    if transfer is None:
        raise NotFound("Không tìm thấy giao dịch này.", transfer=transfer_id)
    if transfer.direction != "out" or transfer.state != "ignored_out":
        raise Refused("Giao dịch này không phải tiền ra khỏi tài khoản.", transfer=transfer_id)
    return transfer


def _sized(session: Session, transfer: Transfer, wanted: Purpose) -> Purpose:
    """Return a purpose with the sum of what it is tied to; raises when it cannot be this transfer's."""
    if wanted.tie is None:
        return _typed(session, transfer, wanted)
    if wanted.tie is Tie.RETURNED:
        return _brought_back(session, transfer, wanted)
    if wanted.tie is Tie.REVERSED:
        return _taken_by_bank(session, transfer, wanted)
    open_ = {each.key: each for each in waiting_for_money(session, transfer.school_id)}
    found = open_.get(f"{wanted.tie.value}:{wanted.tied_id}")
    if found is None:
        raise Conflict("Khoản đã chọn không còn chờ tiền ra: đã gắn với giao dịch khác, hoặc đã hủy. Hãy tải lại.")
    if not found.can_leave(str(transfer.bank_account_id)):
        raise Refused("Tiền mặt này rút từ tài khoản khác của trường.")
    if wanted.tie is Tie.LEG:
        leg = _leg(session, transfer.school_id, wanted.tied_id)
        if leg.bank_account_id == transfer.bank_account_id or leg.amount != rest_of(session, transfer):
            raise Refused("Tiền vào phải ở tài khoản khác của trường và bằng đúng số tiền ra.")
        refuse_decided_elsewhere(session, leg)
    return replace(wanted, amount=found.amount, reason=wanted.reason.strip() or found.words)


def _refuse_own_withdrawal(session: Session, actor: Actor, school_id: UUID, wanted: Sequence[Purpose]) -> None:
    """Raise ``SamePerson`` for who wrote down that cash was fetched, and would say alone that the bank paid it."""
    tied = [each.tied_id for each in wanted if each.tie is Tie.CASH and each.tied_id is not None]
    if not tied:
        return
    fetched = {find_withdrawal(session, school_id, each).made_by for each in tied}
    own_word = "Người rút tiền về quỹ không tự gắn với giao dịch của ngân hàng. Hãy nhờ người khác."
    second_person(session, actor, Agreement(school_id, fetched, NO_CHILD, own_word))


def _brought_back(session: Session, transfer: Transfer, wanted: Purpose) -> Purpose:
    """Return the purpose of what the bank brought back: money in that waits, not before it left."""
    leg = _leg(session, transfer.school_id, wanted.tied_id)
    if leg.direction != "in" or leg.state != "waiting" or leg.value_date < transfer.value_date:
        raise Conflict("Tiền vào đã chọn không còn chờ, hoặc vào trước khi tiền này ra. Hãy tải lại trang.")
    refuse_decided_elsewhere(session, leg)
    return replace(wanted, amount=leg.amount, reason=wanted.reason.strip() or KIND_NAMES["returned"])


def _taken_by_bank(session: Session, transfer: Transfer, wanted: Purpose) -> Purpose:
    """Return the purpose of what the bank took back: money in that is *reversed* already, which two people decide."""
    leg = _leg(session, transfer.school_id, wanted.tied_id)
    if leg.state != "reversed":
        raise Conflict("Tiền vào này chưa được ghi là bị thu hồi: hai người phải ghi ở trang Tiền ra.")
    return replace(wanted, amount=leg.amount)


def _typed(session: Session, transfer: Transfer, wanted: Purpose) -> Purpose:
    """Return a typed purpose, tidied; raises ``Refused`` when something is missing."""
    if wanted.kind not in {"purchase", "fee", "treasury"}:
        raise Refused("Hãy chọn khoản đã duyệt mà giao dịch này chi trả.", kind=wanted.kind)
    if wanted.amount <= ZERO:
        raise Refused("Số tiền phải lớn hơn 0 đ.")
    document = wanted.document.strip()
    if wanted.kind != "fee" and not document:
        raise Refused("Hãy ghi số chứng từ: hóa đơn mua, hoặc giấy nộp tiền vào Kho bạc.")
    if wanted.kind == "treasury" and _told_elsewhere(session, transfer):
        raise Refused("Trường còn tài khoản khác có sao kê: hãy chọn tiền vào ở đó, không ghi bằng chứng từ.")
    reason = wanted.reason.strip() or document or KIND_NAMES[wanted.kind]
    return replace(wanted, document="" if wanted.kind == "fee" else document, reason=reason)


def _told_elsewhere(session: Session, transfer: Transfer) -> bool:
    """Tell whether a bank tells of another account of the school: the money in will come, or came, there."""
    other = select(Transfer.id).where(
        Transfer.school_id == transfer.school_id, Transfer.bank_account_id != transfer.bank_account_id
    )
    return session.exec(other.limit(1)).first() is not None


def _write(session: Session, actor: Actor, transfer: Transfer, purpose: Purpose, now: datetime) -> MoneyOut:
    if actor.user_id is None:
        raise NotAllowed("Việc phân loại tiền ra phải do một người có tên làm.")
    purpose_id = new_id()
    row = MoneyOut(
        id=purpose_id,
        school_id=transfer.school_id,
        transfer_id=transfer.id,
        kind=purpose.kind,
        amount=purpose.amount,
        item_code=purpose.item_code,
        document=purpose.document,
        reason=purpose.reason,
        made_by=actor.user_id,
        at=now,
    )
    if purpose.tie is not None:
        setattr(row, _COLUMNS[purpose.tie], purpose.tied_id)
    _say_sent(session, actor, transfer, row, now)
    debit = _debit(session, transfer.school_id, row)
    if debit is not None:
        fact = Fact(
            transfer.school_id, "money_out", str(purpose_id), _day_of(session, transfer, row, now), purpose.reason
        )
        row.entry_id = post(session, fact, [debit], now)
    session.add(row)
    session.flush()
    if row.leg_id is not None and row.kind != "reversed":
        rule = RETURNED if row.kind == "returned" else OWN_TRANSFER
        settle_as_own(session, actor, _leg(session, transfer.school_id, row.leg_id), rule, now)
    move_refunded(session, actor, row.refund_line_id, "refunded", "money_out", now)
    deed = Deed(transfer.school_id, "money_out.classify", "money_out", str(purpose_id), purpose.reason)
    record_deed(session, actor, deed, now, amount=row.amount.dong, kind=row.kind, transfer=str(transfer.id))
    return row


def _say_sent(session: Session, actor: Actor, transfer: Transfer, row: MoneyOut, now: datetime) -> None:
    """Write down that a refund was sent, where the bank's word comes before the accountant's."""
    if row.refund_line_id is None:
        return
    line = find_line(session, row.refund_line_id)
    if states_of(session, line.school_id, [line.id])[line.id].word == "approved":
        mark_sent(session, line.id, actor, _day_of(session, transfer, row, now), now)


def _day_of(session: Session, transfer: Transfer, row: MoneyOut, now: datetime) -> date:
    """Return the day on which a purpose is booked: the bank's; for a refund not before it was approved.

    Money that left before somebody approved was not owed on the bank's day, and stays unexplained until then.
    """
    if row.refund_line_id is None:
        return transfer.value_date
    approved = approved_on(session, find_line(session, row.refund_line_id))
    return max(min(transfer.value_date, _today(now)), approved)


def _debit(session: Session, school_id: UUID, row: MoneyOut) -> Line | None:
    """Return the line that takes a purpose off 1388; None for the insurer's, whose payout did so."""
    if row.kind == "insurance":
        return None
    if row.refund_line_id is not None:
        line = find_line(session, row.refund_line_id)
        return Line(REFUND_PAYABLE, UNCLASSIFIED_OUT, row.amount, line.pupil_id, line.item_code)
    if row.cash_withdrawal_id is not None:
        return Line(IN_TRANSIT, UNCLASSIFIED_OUT, row.amount)
    paid = None
    if row.payout_id is not None:
        # The payout took it off the Treasury deposit; the bank says that it left another account.
        paid = session.exec(select(Payout.pupil_id).where(Payout.id == row.payout_id)).one()
    return Line(_account_of(session, school_id, row), UNCLASSIFIED_OUT, row.amount, paid, row.item_code)


def _account_of(session: Session, school_id: UUID, row: MoneyOut) -> str:
    """Return the account that a purpose is booked on, opened if it is missing."""
    if row.leg_id is not None:
        return SUSPENSE
    if row.card_act_id is not None:
        return open_unclear(session, school_id)
    if row.kind in {"treasury", "refund"}:
        return open_treasury(session, school_id)
    if row.kind == "fee":
        return open_account(session, school_id, BANK_FEES, "Phí ngân hàng", "expense").code
    return _account_of_item(session, school_id, row.item_code)


def _account_of_item(session: Session, school_id: UUID, item_code: str | None) -> str:
    """Return what a purchase for an item is booked on: what is held for it, or the costs of the service."""
    item = session.exec(select(FeeItem).where(FeeItem.school_id == school_id, FeeItem.code == item_code)).one_or_none()
    if item is None:
        raise Refused("Hãy chọn khoản thu mà lần mua này chi cho.", item=item_code)
    account = session.exec(
        select(LedgerAccount).where(LedgerAccount.school_id == school_id, LedgerAccount.code == item.revenue_account)
    ).one_or_none()
    if account is not None and account.kind == "pass_through":
        return account.code
    return open_account(session, school_id, SERVICE_COSTS, "Chi phí dịch vụ", "expense").code


def _leg(session: Session, school_id: UUID, leg_id: UUID | None) -> Transfer:
    """Hold money in, so that nobody settles it meanwhile."""
    query = select(Transfer).where(Transfer.school_id == school_id, Transfer.id == leg_id)
    return session.exec(query.with_for_update()).one()


def _today(now: datetime) -> date:
    return (now + _VIET_NAM).date()
