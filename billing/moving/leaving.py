"""Leaving a school in one step: the end of everything after a day, corrections asked for, and the rest given back.

What was billed and not used comes off by corrections that another person approves. Then what is kept for the pupil
pays what is still open, and a refund is asked for over the rest. The debt that is left stays on its bills; nothing is
withheld from a child for it. A pupil is never deleted: bills and receipts go on naming it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.lowering import Off
from billing.bills.tables import Bill
from billing.credits.applying import apply_credit
from billing.credits.reading import credit_of, free_credit
from billing.credits.refunding import Wanted, ask_refund
from billing.errors import Conflict, NotFound, Refused
from billing.money import ZERO, Money, total
from billing.moving.ending import end_studies, find_enrolment, refuse_bad_day, refuse_began, reopen
from billing.moving.tables import LEAVING_STATES, NEVER_CAME, Leaving, LeavingReturn
from billing.moving.unused import UnusedBill, charges_now, rounds_touched, unused_bills
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.still_open import open_bills
from billing.people.tables import Enrolment
from billing.rounds.correcting import propose_leaving, reject_correction
from billing.rounds.drafting import person
from billing.rounds.tables import CorrectionDecision
from billing.vault import Vault
from billing.visible import is_blank

_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who leaves after which day, where to (``LEAVING_STATES``), and why.

    *never_came*: the day lies before the first one, and nothing was used. ``ruled``: what comes off lines of bills for
    which a contract has its own rule, also where that is nothing.
    """

    enrolment_id: UUID
    last_day: date
    state: str = "left"
    reason: str = ""
    ruled: Mapping[int, Off] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeavingPreview:
    """What leaving does: bills that fall, and what is open (``owed``) and kept (``kept``) before and after."""

    bills: tuple[UnusedBill, ...]
    owed: Money
    kept: Money
    off_rest: Money
    to_credit: Money

    @property
    def gives_back(self) -> Money:
        """What the family gets back in the end."""
        return max(self.kept + self.to_credit - (self.owed - self.off_rest), ZERO)

    @property
    def still_open(self) -> Money:
        """What is not paid in the end."""
        return max(self.owed - self.off_rest - self.kept - self.to_credit, ZERO)


def preview_leaving(session: Session, school_id: UUID, plan: Plan, now: datetime) -> LeavingPreview:
    """Return what leaving would do, and change nothing; raises what ``leave`` would raise about the day."""
    enrolment = _may_leave(session, school_id, plan, now)
    session.flush()
    trial = session.begin_nested()
    try:
        _, bills = _end(session, enrolment, plan, now)
    finally:
        trial.rollback()
    session.refresh(enrolment)
    return _preview(session, enrolment, bills)


def leave(session: Session, vault: Vault, actor: Actor, school_id: UUID, plan: Plan, now: datetime) -> Leaving:  # noqa: PLR0913, PLR0917  who leaves, who says so, when
    """End a pupil's time at the school, ask for the corrections and, if none is needed, for the refund.

    Raises ``Conflict`` for who left already, and while a locked round still has something to be given back;
    ``Refused`` without a reason or for a day that cannot be.
    """
    if is_blank(plan.reason):
        raise Refused("Hãy ghi lý do nghỉ học, ví dụ “Theo đơn của gia đình ngày 15/10/2025”.")
    enrolment = _may_leave(session, school_id, plan, now)
    ended, bills = _end(session, enrolment, plan, now)
    _refuse_locked(bills)
    why = f"Nghỉ học sau ngày {plan.last_day:%d/%m/%Y}: {plan.reason.strip()}"
    asked = [
        propose_leaving(session, actor, bill.bill_id, [line.unused for line in bill.lines], why, now) for bill in bills
    ]
    leaving = Leaving(
        school_id=school_id,
        enrolment_id=enrolment.id,
        last_day=plan.last_day,
        state=plan.state,
        reason=plan.reason.strip(),
        ended=ended,
        corrections=[str(each.id) for each in asked],
        made_by=person(actor),
        made_at=now,
    )
    session.add(leaving)
    session.flush()
    deed = Deed(school_id, "pupil.leave", "enrolment", str(enrolment.id), leaving.reason)
    record_deed(session, actor, deed, now, last_day=plan.last_day.isoformat(), state=plan.state, bills=len(bills))
    if not asked and free_credit(session, school_id, [enrolment.pupil_id]):
        settle_leaving(session, vault, actor, leaving, now)
    return leaving


def settle_leaving(session: Session, vault: Vault, actor: Actor, leaving: Leaving, now: datetime) -> UUID | None:
    """Let what is kept pay what is still open, and ask for a refund of the rest; return the request, if there is one.

    Raises ``Conflict`` while a correction waits or after the leaving was taken back, ``Refused`` when nothing is kept.
    It can be done again when more is given back later, say for days that were absent before the last one.
    """
    school_id = leaving.school_id
    _refuse_returned(session, leaving)
    _refuse_come_back(session, leaving, "Tiền tồn của em dùng cho đợt thu sau, hoặc đề nghị hoàn ở trang Tiền tồn.")
    if waiting := corrections_waiting(session, leaving):
        raise Conflict(f"Còn {len(waiting)} đề nghị ghi giảm chờ người khác duyệt. Duyệt xong mới tính tiền trả lại.")
    pupil = find_enrolment(session, school_id, leaving.enrolment_id).pupil_id
    if not free_credit(session, school_id, [pupil]):
        raise Refused("Không còn tiền nào giữ cho em để trả lại.")
    why = f"Quyết toán khi nghỉ học sau ngày {leaving.last_day:%d/%m/%Y}"
    if open_bills(session, school_id, [pupil]):
        apply_credit(session, actor, school_id, [pupil], why, now, freely=True)
    wanted = [Wanted(key[0], key[1], amount) for key, amount in _in_order(free_credit(session, school_id, [pupil]))]
    return ask_refund(session, vault, actor, school_id, wanted, why, now).id if wanted else None


def take_back_leaving(session: Session, actor: Actor, leaving: Leaving, reason: str, now: datetime) -> None:
    """Let a pupil go on as if it had not left; its corrections that wait are rejected.

    Raises ``Conflict`` when one was approved already, ``Refused`` without a reason.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do rút lại.")
    _refuse_returned(session, leaving)
    decided = _decisions(session, leaving)
    if any(decided.values()):
        raise Conflict(
            "Đã có đề nghị ghi giảm được duyệt nên không rút lại được."
            " Em đi học lại thì ghi Nhập học lại từ ngày em về."
        )
    _refuse_come_back(session, leaving, "Không rút lại lần nghỉ trước được nữa.")
    enrolment = find_enrolment(session, leaving.school_id, leaving.enrolment_id)
    for each in corrections_waiting(session, leaving):
        reject_correction(session, each, actor, now, f"Rút lại việc nghỉ học: {reason.strip()}")
    reopen(session, enrolment, leaving.ended)
    session.add(
        LeavingReturn(
            leaving_id=leaving.id, school_id=leaving.school_id, reason=reason.strip(), made_by=person(actor), at=now
        )
    )
    session.flush()
    deed = Deed(leaving.school_id, "pupil.take_back_leaving", "enrolment", str(enrolment.id), reason.strip())
    record_deed(session, actor, deed, now, last_day=leaving.last_day.isoformat())


def find_leaving(session: Session, school_id: UUID, leaving_id: UUID) -> Leaving:
    """Return a leaving of the school; raises ``NotFound`` for any other."""
    found = session.exec(select(Leaving).where(Leaving.school_id == school_id, Leaving.id == leaving_id)).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy lần nghỉ học này.", leaving=leaving_id)
    return found


def returned(session: Session, leaving: Leaving) -> LeavingReturn | None:
    """Return that a leaving was taken back, if it was."""
    return session.exec(select(LeavingReturn).where(LeavingReturn.leaving_id == leaving.id)).one_or_none()


def came_back(session: Session, leaving: Leaving) -> Enrolment | None:
    """Return the next stay of a leaver in the same school year, if there is one."""
    left = find_enrolment(session, leaving.school_id, leaving.enrolment_id)
    return session.exec(
        select(Enrolment)
        .where(
            Enrolment.school_id == left.school_id,
            Enrolment.pupil_id == left.pupil_id,
            Enrolment.school_year == left.school_year,
            Enrolment.started_on > left.started_on,
        )
        .order_by(col(Enrolment.started_on))
        .limit(1)
    ).first()


def corrections_waiting(session: Session, leaving: Leaving) -> list[UUID]:
    """Return the corrections of a leaving that nobody has decided yet."""
    decided = _decisions(session, leaving)
    return [each for each in map(UUID, leaving.corrections) if each not in decided]


def balance_now(session: Session, school_id: UUID, pupil_id: UUID) -> tuple[Money, Money]:
    """Return what is open on a pupil's bills, and what is kept for it."""
    owed = total(each.rest for each in open_bills(session, school_id, [pupil_id]))
    return owed, total(credit_of(session, school_id, [pupil_id]).values())


def _may_leave(session: Session, school_id: UUID, plan: Plan, now: datetime) -> Enrolment:
    if plan.state not in LEAVING_STATES:
        raise Refused("Hãy chọn thôi học, chuyển trường, bảo lưu hoặc tốt nghiệp.")
    enrolment = find_enrolment(session, school_id, plan.enrolment_id)
    today = (now + _VIET_NAM).date()
    if plan.state == NEVER_CAME:
        refuse_began(enrolment, plan.last_day, today)
    else:
        refuse_bad_day(enrolment, plan.last_day, today)
    return enrolment


def _end(
    session: Session, enrolment: Enrolment, plan: Plan, now: datetime
) -> tuple[dict[str, object], list[UnusedBill]]:
    rounds = rounds_touched(session, enrolment, plan.last_day, plan.ruled)
    before = charges_now(session, rounds, enrolment.pupil_id)
    ended = end_studies(session, enrolment, max(plan.last_day, enrolment.started_on), plan.state, now)
    after = charges_now(session, rounds, enrolment.pupil_id)
    return ended, unused_bills(session, rounds, enrolment.pupil_id, before, after, plan.ruled)


def _balances(session: Session, school_id: UUID, bills: Sequence[UnusedBill]) -> dict[UUID, BillBalance]:
    ids = [bill.bill_id for bill in bills]
    found = bill_balances(session, col(Bill.school_id) == school_id, col(Bill.id).in_(ids))
    return {each.bill_id: each for each in found}


def _preview(session: Session, enrolment: Enrolment, bills: Sequence[UnusedBill]) -> LeavingPreview:
    owed, kept = balance_now(session, enrolment.school_id, enrolment.pupil_id)
    balances = _balances(session, enrolment.school_id, bills)
    falls = [(balances[bill.bill_id], max(bill.family - balances[bill.bill_id].written_off, ZERO)) for bill in bills]
    off_rest = total(min(family, balance.rest) for balance, family in falls)
    return LeavingPreview(tuple(bills), owed, kept, off_rest, total(family for _, family in falls) - off_rest)


def _refuse_locked(bills: Sequence[UnusedBill]) -> None:
    locked = sorted({bill.round_name for bill in bills if bill.locked})
    if locked:
        raise Conflict(
            f"Đợt thu {', '.join(locked)} đã khóa mà còn tiền em chưa dùng. Hãy nhờ mở khóa đợt thu rồi làm lại."
        )


def _refuse_returned(session: Session, leaving: Leaving) -> None:
    if returned(session, leaving) is not None:
        raise Conflict("Lần nghỉ học này đã được rút lại; em đang học bình thường.")


def _refuse_come_back(session: Session, leaving: Leaving, remedy: str) -> None:
    again = came_back(session, leaving)
    if again is not None:
        raise Conflict(f"Em đã nhập học lại từ {again.started_on:%d/%m/%Y}. {remedy}")


def _decisions(session: Session, leaving: Leaving) -> dict[UUID, bool]:
    rows = session.exec(
        select(CorrectionDecision.correction_id, CorrectionDecision.approved).where(
            CorrectionDecision.school_id == leaving.school_id,
            col(CorrectionDecision.correction_id).in_(list(map(UUID, leaving.corrections))),
        )
    ).all()
    return dict(rows)


def _in_order(kept: dict[tuple[UUID, str | None], Money]) -> list[tuple[tuple[UUID, str | None], Money]]:
    return sorted(kept.items(), key=lambda each: each[0][1] or "")
