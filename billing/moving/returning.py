"""The return of a pupil to the same school in the same school year: a new stay, from a day on (docs/decisions/0025).

What was billed, given back or paid out of the first stay stays as it is; rounds charge from the return on. Reductions
that another person approved go on for the days they still hold; registrations only as far as the family says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.fees.caps import school_year
from billing.fees.contracted import is_by_contract
from billing.fees.reducing import go_on_for
from billing.fees.registering import Registration, take_registrations
from billing.fees.tables import FeeItem, OptIn, Reduction
from billing.moving.ending import find_enrolment
from billing.moving.leaving import came_back, corrections_waiting, find_leaving, returned
from billing.moving.tables import Leaving
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil
from billing.visible import is_blank


@dataclass(frozen=True, slots=True)
class ReturnPlan:
    """Who comes back after which leaving, into which class, from which day on, and why.

    ``items``: the codes of the agreed items for which the pupil is registered again.
    """

    leaving_id: UUID
    class_id: UUID
    first_day: date
    reason: str
    items: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Before:
    """An agreed item for which the pupil was registered when it left."""

    code: str
    name: str
    quantity: int


def come_back(session: Session, actor: Actor, school_id: UUID, plan: ReturnPlan, now: datetime) -> Enrolment:
    """Begin a new stay of a leaver in one step: enrolment, class, approved reductions and the registrations named.

    Raises ``Conflict`` while corrections of the leaving wait for approval, after it was taken back, or for who studies
    here; ``Refused`` without a reason, for a day within the first stay or outside its year, or for an item that was
    not registered; ``NotFound`` for a class of another year.
    """
    if is_blank(plan.reason):
        raise Refused("Hãy ghi lý do nhập học lại, ví dụ “Theo đơn của gia đình”.")
    leaving = find_leaving(session, school_id, plan.leaving_id)
    left = find_enrolment(session, school_id, leaving.enrolment_id)
    _refuse_early(session, leaving, left)
    _refuse_day(left, plan.first_day)
    group = _class(session, left, plan.class_id)
    again = registered_before(session, leaving)
    if not plan.items <= {each.code for each in again}:
        raise Refused("Có khoản em chưa từng đăng ký trước khi nghỉ. Hãy tải lại trang rồi chọn lại.")
    made = _begin(session, left, group, plan.first_day)
    evidence = f"Nhập học lại {plan.first_day:%d/%m/%Y}: {plan.reason.strip()}"
    wanted = [
        Registration(made.id, each.code, plan.first_day, evidence, each.quantity)
        for each in again
        if each.code in plan.items
    ]
    if wanted:
        take_registrations(session, school_id, wanted, now)
    kept = [go_on_for(row, made.id, plan.first_day) for row in _reductions(session, left, plan.first_day)]
    session.add_all(kept)
    session.flush()
    deed = Deed(school_id, "pupil.come_back", "enrolment", str(made.id), plan.reason.strip())
    record_deed(
        session, actor, deed, now, leaving=str(leaving.id), first_day=plan.first_day.isoformat(), to=group.code,
        items=sorted(plan.items), reductions=[str(row.id) for row in kept],
    )  # fmt: skip
    return made


def registered_before(session: Session, leaving: Leaving) -> list[Before]:
    """Return what ended for a pupil when it left, by item; what a contract had written comes by a contract only."""
    ended = [key for key, _ in leaving.ended["opt_ins"]]
    rows = session.exec(
        select(OptIn, FeeItem)
        .join(FeeItem, col(FeeItem.id) == col(OptIn.item_id))
        .where(OptIn.school_id == leaving.school_id, col(OptIn.id).in_([*ended, *leaving.ended["withdrawn"]]))
        .order_by(col(FeeItem.position), col(OptIn.valid_from))
    ).all()
    found = {
        item.code: Before(item.code, item.legal_name, row.quantity)
        for row, item in rows
        if not is_by_contract(item, row) and item.valid_to is None
    }
    return list(found.values())


def _refuse_early(session: Session, leaving: Leaving, left: Enrolment) -> None:
    if returned(session, leaving) is not None or left.state == "studying":
        raise Conflict("Em đang học bình thường, không cần nhập học lại.")
    if came_back(session, leaving) is not None:
        raise Conflict("Em đã nhập học lại sau lần nghỉ này.")
    if waiting := corrections_waiting(session, leaving):
        raise Conflict(
            f"Còn {len(waiting)} đề nghị ghi giảm của lần nghỉ chờ người khác duyệt. Duyệt xong mới ghi nhập học lại,"
            " để không khoản nào bị tính hai lần; nếu em chưa từng nghỉ, hãy rút lại việc nghỉ học."
        )
    studies = session.exec(
        select(Enrolment.id).where(
            Enrolment.school_id == left.school_id, Enrolment.pupil_id == left.pupil_id, Enrolment.state == "studying"
        )
    ).first()
    if studies is not None:
        raise Conflict("Em đang học ở trường trong một năm học khác.")


def _refuse_day(left: Enrolment, first_day: date) -> None:
    if left.ended_on is None or first_day <= left.ended_on:
        until = f" {left.ended_on:%d/%m/%Y}" if left.ended_on else ""
        raise Refused(f"Ngày nhập học lại phải sau ngày học cuối{until}.")
    if not school_year(left.started_on).holds(first_day):
        raise Refused(
            f"Ngày nhập học lại phải trong năm học {left.school_year}. Năm học khác thì ghi danh năm học mới."
        )


def _class(session: Session, left: Enrolment, class_id: UUID) -> ClassGroup:
    group = session.exec(
        select(ClassGroup).where(
            ClassGroup.school_id == left.school_id,
            ClassGroup.id == class_id,
            ClassGroup.school_year == left.school_year,
        )
    ).one_or_none()
    if group is None:
        raise NotFound("Trường không có lớp này trong năm học của em.", class_id=class_id)
    return group


def _begin(session: Session, left: Enrolment, group: ClassGroup, first_day: date) -> Enrolment:
    born = session.get_one(Pupil, left.pupil_id).birth_date
    made = Enrolment(
        school_id=left.school_id,
        pupil_id=left.pupil_id,
        school_year=left.school_year,
        started_on=first_day,
        stated_birth_date=born,
    )
    session.add(made)
    session.flush()
    session.add(ClassPlacement(school_id=left.school_id, enrolment_id=made.id, class_id=group.id, valid_from=first_day))
    session.flush()
    return made


def _reductions(session: Session, left: Enrolment, first_day: date) -> Sequence[Reduction]:
    """Return the approved reductions of the first stay that still hold on the day of the return or begin later."""
    return session.exec(
        select(Reduction)
        .where(
            Reduction.school_id == left.school_id,
            Reduction.enrolment_id == left.id,
            col(Reduction.withdrawn_at).is_(None),
            col(Reduction.approved_by).is_not(None),
            or_(col(Reduction.valid_to).is_(None), col(Reduction.valid_to) >= first_day),
        )
        .order_by(col(Reduction.id))
    ).all()
