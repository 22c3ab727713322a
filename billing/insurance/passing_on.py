"""Passing money on to the insurer: the accountant enters a payout, another person approves, and then the book says so.

An approved payout moves money from what is held for the insurer (3381) to money out that waits for the bank's own word
(1388). The bank's outgoing transfer is posted from 1388 by the feed, so both together leave nothing there, whichever
comes first, and what 1388 holds is the list of differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.insurance import INSURANCE_ITEM
from billing.fees.insured import insurance_item
from billing.insurance.listing import find_list
from billing.insurance.tables import InsuranceList, InsurancePayout, InsurancePayoutStep
from billing.insurance.tying import tie
from billing.ledger.accounts import UNCLASSIFIED_OUT, UNCLASSIFIED_OUT_NAME, open_account
from billing.ledger.posting import Fact, Line, post, reverse
from billing.money import ZERO, Money
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from billing.visible import is_blank

_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class NewPayout:
    """What was paid to the insurer for a list, on which day, under which number of the bank."""

    list_id: UUID
    amount: Money
    paid_on: date
    bank_reference: str


@dataclass(frozen=True, slots=True)
class PayoutState:
    """A payout and where it stands: *asked*, *approved*, *rejected* or *undone*."""

    payout: InsurancePayout
    number: int
    steps: tuple[InsurancePayoutStep, ...]

    @property
    def word(self) -> str:
        """The one word for it."""
        kinds = {step.kind for step in self.steps}
        return next((kind for kind in ("undone", "rejected", "approved") if kind in kinds), "asked")


def enter_payout(session: Session, actor: Actor, school_id: UUID, new: NewPayout, now: datetime) -> InsurancePayout:
    """Write down what was paid to the insurer; it counts once another person approves it.

    Raises ``Refused`` for a day to come, without the bank's number, or beyond what is held, and ``Conflict`` for a
    number of the bank that another payout bears which stands or waits: one transfer counts once.
    """
    _wait(session, school_id)
    sent = find_list(session, school_id, new.list_id)
    if new.paid_on > (now + _VIET_NAM).date():
        raise Refused(f"Ngày {new.paid_on:%d/%m/%Y} chưa đến. Hãy ghi ngày đã chuyển tiền.")
    if is_blank(new.bank_reference):
        raise Refused("Hãy ghi số tham chiếu của ngân hàng trên lệnh chuyển tiền.")
    _refuse_twice(session, school_id, new.bank_reference)
    _refuse_beyond(session, school_id, sent.year, new.amount)
    made = InsurancePayout(
        school_id=school_id,
        list_id=sent.id,
        amount=new.amount,
        paid_on=new.paid_on,
        bank_reference=new.bank_reference.strip(),
        made_by=_person(actor),
        made_at=now,
    )
    session.add(made)
    session.flush()
    deed = Deed(school_id, "insurance.enter_payout", "insurance_payout", str(made.id))
    record_deed(session, actor, deed, now, amount=made.amount.dong, list=str(sent.id))
    return made


def approve_payout(session: Session, school_id: UUID, payout_id: UUID, actor: Actor, now: datetime) -> None:
    """Approve a payout: the book holds so much less for the insurer.

    Raises ``SamePerson`` for whoever entered it, ``Conflict`` when it was decided already or another payout bears the
    same number of the bank, ``Refused`` when it is more than is held.
    """
    state = _alone(session, school_id, payout_id)
    payout = state.payout
    if state.word != "asked":
        raise Conflict("Lần chuyển tiền này đã được quyết định. Hãy tải lại trang.", payout=payout_id)
    own_word = "Người lập không được tự duyệt lần chuyển tiền BHYT. Hãy nhờ người duyệt khác."
    second_person(session, actor, Agreement(school_id, {payout.made_by}, NO_CHILD, own_word))
    _refuse_twice(session, school_id, payout.bank_reference, but=payout.id)
    _refuse_beyond(session, school_id, find_list(session, school_id, payout.list_id).year, payout.amount)
    item = insurance_item(session, school_id)
    if item is None:
        raise NotFound("Trường chưa mở khoản thu BHYT.")
    open_account(session, school_id, UNCLASSIFIED_OUT, UNCLASSIFIED_OUT_NAME, "clearing")
    fact = Fact(school_id, "insurance_passed_on", str(payout.id), payout.paid_on, payout.bank_reference)
    moved = Line(item.revenue_account, UNCLASSIFIED_OUT, payout.amount, item_code=INSURANCE_ITEM)
    _step(session, state, "approved", actor, now, entry=post(session, fact, [moved], now))


def reject_payout(  # noqa: PLR0913, PLR0917  a deed, its reason and moment
    session: Session, school_id: UUID, payout_id: UUID, actor: Actor, reason: str, now: datetime
) -> None:
    """Say no, with a reason; whoever entered it may take it back this way, too."""
    state = _alone(session, school_id, payout_id)
    if state.word != "asked":
        raise Conflict("Lần chuyển tiền này đã được quyết định. Hãy tải lại trang.", payout=payout_id)
    _step(session, state, "rejected", actor, now, reason=_given(reason))


def undo_payout(  # noqa: PLR0913, PLR0917  as above
    session: Session, school_id: UUID, payout_id: UUID, actor: Actor, reason: str, now: datetime
) -> None:
    """Undo an approved payout by a reversing entry: the bank did not carry it out, or the sum was wrong."""
    state = _alone(session, school_id, payout_id)
    if state.word != "approved":
        raise Conflict("Chỉ hủy được lần chuyển tiền đã duyệt. Hãy tải lại trang.", payout=payout_id)
    own_word = "Người lập không được tự hủy lần chuyển tiền đã duyệt. Hãy nhờ người duyệt khác."
    second_person(session, actor, Agreement(school_id, {state.payout.made_by}, NO_CHILD, own_word))
    why = _given(reason)
    entry = next(step.entry_id for step in state.steps if step.kind == "approved")
    fact = Fact(school_id, "insurance_passed_on_undone", str(payout_id), (now + _VIET_NAM).date(), why)
    _step(session, state, "undone", actor, now, reason=why, entry=reverse(session, entry or 0, fact, now))


def payouts_of(session: Session, school_id: UUID, year: int) -> list[PayoutState]:
    """Return the payouts for lists of a year, the newest first."""
    rows = session.exec(
        select(InsurancePayout, col(InsuranceList.number))
        .join(InsuranceList, col(InsuranceList.id) == col(InsurancePayout.list_id))
        .where(InsurancePayout.school_id == school_id, InsuranceList.year == year)
        .order_by(col(InsurancePayout.made_at).desc(), col(InsurancePayout.id).desc())
    ).all()
    return [PayoutState(row, number, _steps(session, row)) for row, number in rows]


def _steps(session: Session, payout: InsurancePayout) -> tuple[InsurancePayoutStep, ...]:
    query = select(InsurancePayoutStep).where(
        InsurancePayoutStep.school_id == payout.school_id, InsurancePayoutStep.payout_id == payout.id
    )
    return tuple(session.exec(query.order_by(col(InsurancePayoutStep.at))).all())


def _wait(session: Session, school_id: UUID) -> None:
    """Wait until nobody else enters or decides about payouts of the school."""
    name = {"name": f"insurance payouts {school_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)


def _alone(session: Session, school_id: UUID, payout_id: UUID) -> PayoutState:
    """Wait until nobody else decides about the school's payouts, and return one; raises ``NotFound``."""
    _wait(session, school_id)
    found = session.exec(
        select(InsurancePayout).where(InsurancePayout.school_id == school_id, InsurancePayout.id == payout_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy lần chuyển tiền BHYT này.", payout=payout_id)
    return PayoutState(found, 0, _steps(session, found))


def _refuse_twice(session: Session, school_id: UUID, reference: str, but: UUID | None = None) -> None:
    """Raise ``Conflict`` where a payout, neither rejected nor undone, bears this number, however it was typed."""
    ended = select(InsurancePayoutStep.payout_id).where(
        InsurancePayoutStep.school_id == school_id, col(InsurancePayoutStep.kind).in_(("rejected", "undone"))
    )
    standing = session.exec(
        select(InsurancePayout).where(
            InsurancePayout.school_id == school_id,
            col(InsurancePayout.id).is_distinct_from(but),
            col(InsurancePayout.id).not_in(ended),
        )
    ).all()
    for other in standing:
        if _bare(other.bank_reference) == _bare(reference):
            raise Conflict(
                f"Số tham chiếu {other.bank_reference} đã ghi cho lần chuyển {other.amount} ngày"
                f" {other.paid_on:%d/%m/%Y}. Nếu lần đó ghi sai, hãy từ chối hoặc hủy nó trước; nếu là lần chuyển"
                " khác, hãy ghi đúng số của nó.",
                payout=other.id,
            )


def _bare(reference: str) -> str:
    return "".join(reference.split()).upper()


def _refuse_beyond(session: Session, school_id: UUID, year: int, amount: Money) -> None:
    held = tie(session, school_id, year).held_in_book
    if not ZERO < amount <= held:
        raise Refused(f"Số tiền chuyển cơ quan bảo hiểm phải từ 1 đ đến {max(held, ZERO)} (số trường đang giữ hộ).")


def _step(  # noqa: PLR0913  one row of evidence
    session: Session,
    state: PayoutState,
    kind: str,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    entry: int | None = None,
) -> None:
    payout = state.payout
    session.add(
        InsurancePayoutStep(
            payout_id=payout.id,
            kind=kind,
            school_id=payout.school_id,
            reason=reason,
            entry_id=entry,
            made_by=_person(actor),
            at=now,
        )
    )
    session.flush()
    deed = Deed(payout.school_id, f"insurance.payout_{kind}", "insurance_payout", str(payout.id), reason)
    record_deed(session, actor, deed, now, amount=payout.amount.dong)


def _given(reason: str) -> str:
    if is_blank(reason):
        raise Refused("Hãy ghi lý do.")
    return reason.strip()


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc chuyển tiền BHYT phải do một người có tên làm.")
    return actor.user_id
