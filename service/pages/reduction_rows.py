"""Reductions of pupils, in the shapes of the pages. Kind and basis are read one at a time, and each look is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.reached import ReachedBill, bills_reached
from billing.errors import NotFound
from billing.fees.items import GROUP_NAMES, Group, Level, Ownership, Payer
from billing.fees.kinds import ReductionKind, shipped_kinds
from billing.fees.reducing import NewReduction, enter_reduction, find_reduction
from billing.fees.tables import FeeItem, Reduction
from billing.people.names import search_key, sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode, School
from service.access.tables import User
from service.pages.fee_views import (
    KindChoice,
    PupilHit,
    ReductionForm,
    ReductionList,
    ReductionPage,
    ReductionRow,
    TypedReduction,
    UnchangedBill,
)
from service.pages.item_rows import running_year
from service.pages.typed import read_id, read_money, read_percent, school_day

MOST_HITS = 30
MOST_ROWS = 200
PAYER_NAMES = {
    Payer.FAMILY: "gia đình",
    Payer.STATE: "Nhà nước",
    Payer.SCHOOL: "nhà trường",
    Payer.DONOR: "nhà tài trợ",
}
_BY_KIND = ""


def reduction_list(session: Session, school_id: UUID, viewer: UUID, words: str, today: date) -> ReductionList:
    """Return what waits for approval (oldest first) and what was decided (newest first); words find the pupil."""
    rows = session.execute(
        _joined().where(col(Reduction.school_id) == school_id).order_by(col(Reduction.id).desc())
    ).all()
    classes = _classes(session, school_id, today)
    made = [_row(reduction, pupil, maker, classes, viewer, today) for reduction, pupil, maker in rows]
    wanted = search_key(words).split()
    found = [row for row in made if all(word in search_key(f"{row.pupil} {row.class_name}") for word in wanted)]
    return ReductionList(
        waiting=tuple(row for row in reversed(found) if row.state == "waiting"),
        others=tuple(row for row in found if row.state != "waiting")[:MOST_ROWS],
        words=words,
    )


def reduction_page(session: Session, school_id: UUID, reduction_id: UUID, actor: Actor, now: datetime) -> ReductionPage:
    """Return everything on one reduction, and write down who looked at it."""
    today = school_day(now)
    row = find_reduction(session, school_id, reduction_id)
    found = session.execute(_joined().where(col(Reduction.id) == reduction_id)).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy miễn giảm này của một học sinh.")
    deed = Deed(school_id, "reduction.look", "reduction", str(reduction_id))
    record_deed(session, actor, deed, now)
    names = _item_names(session, school_id)
    approver = session.get(User, row.approved_by) if row.approved_by else None
    viewer = actor.user_id or UUID(int=0)
    return ReductionPage(
        row=_row(found[0], found[1], found[2], _classes(session, school_id, today), viewer, today),
        title=row.title,
        share=f"{row.percent} %" if row.amount is None else f"{row.amount} mỗi tháng",
        covers=tuple(
            [GROUP_NAMES[Group(group)] for group in row.item_groups]
            + [names.get(code, code) for code in row.item_codes]
        ),
        payer=PAYER_NAMES[Payer(row.payer)],
        legal_basis=row.legal_basis,
        evidence=row.evidence,
        approver=approver.full_name if approver else "",
        unchanged=tuple(_unchanged(each) for each in bills_reached(session, row)),
    )


def _unchanged(bill: ReachedBill) -> UnchangedBill:
    months = ", ".join(f"{month[5:]}/{month[:4]}" for month in bill.months)
    where = f"/van-phong/dot-thu/{bill.round_id}/hoc-sinh/{bill.pupil_id}"
    return UnchangedBill(bill.number, months, where, bill.lowered)


def pupil_hits(session: Session, school_id: UUID, words: str, today: date) -> tuple[PupilHit, ...]:
    """Return the pupils whose name, code or class holds all the words, in the order of class lists."""
    wanted = search_key(words).split()
    if not wanted:
        return ()
    hits = [
        hit
        for hit in _pupils(session, school_id, today)
        if all(word in search_key(f"{hit.name} {hit.code} {hit.class_name}") for word in wanted)
    ]
    hits.sort(key=lambda hit: (hit.class_name, sort_key(hit.name)))
    return tuple(hits[:MOST_HITS])


def reduction_form(session: Session, school_id: UUID, enrolment_id: UUID, today: date) -> ReductionForm:
    """Return the form of a new reduction for one pupil; raises ``NotFound``."""
    pupil = next(iter(_pupils(session, school_id, today, enrolment_id)), None)
    if pupil is None:
        raise NotFound("Không tìm thấy học sinh này ở trường. Xin tìm lại theo tên, mã hoặc lớp.")
    school = session.get_one(School, school_id)
    levels = frozenset(map(Level, school.levels))
    kinds = [kind for kind in shipped_kinds() if kind.fits(Ownership(school.kind), levels, today)]
    return ReductionForm(
        pupil=pupil,
        kinds=tuple(_kind(kind) for kind in kinds),
        items=tuple(_item_names(session, school_id).items()),
        first=today.replace(day=1),
    )


def take_reduction(session: Session, school_id: UUID, actor: Actor, typed: TypedReduction, now: datetime) -> UUID:
    """Enter a reduction as it was typed; it waits for another person. Returns its id."""
    new = NewReduction(
        enrolment_id=read_id(typed.enrolment_id),
        kind=typed.kind,
        valid_from=typed.first,
        evidence=typed.evidence,
        valid_to=typed.last,
        percent=read_percent(typed.percent),
        amount=read_money(typed.amount) if typed.amount.strip() else None,
        item_codes=frozenset({typed.item} - {_BY_KIND}),
        legal_basis=typed.legal_basis,
    )
    return enter_reduction(session, session.get_one(School, school_id), new, actor, now).id


def _joined() -> Any:  # noqa: ANN401  the types of a select are longer than the function
    return (
        select(Reduction, Pupil, User)
        .join(Enrolment, col(Enrolment.id) == col(Reduction.enrolment_id))
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .outerjoin(User, col(User.id) == col(Reduction.made_by))
    )


def _row(  # noqa: PLR0913, PLR0917  a row of the query above, and what it is seen by
    reduction: Reduction, pupil: Pupil, maker: User | None, classes: Mapping[UUID, str], viewer: UUID, today: date
) -> ReductionRow:
    enrolment = reduction.enrolment_id or UUID(int=0)
    return ReductionRow(
        reduction_id=str(reduction.id),
        pupil=pupil.full_name,
        class_name=classes.get(enrolment, ""),
        first=reduction.valid_from,
        last=reduction.valid_to,
        state=_state(reduction, today),
        maker=maker.full_name if maker else "",
        own=reduction.made_by == viewer,
    )


def _state(row: Reduction, today: date) -> str:
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.approved_by is None and row.made_by is not None:
        return "waiting"
    if row.valid_to is not None and row.valid_to < today:
        return "ended"
    return "coming" if row.valid_from > today else "live"


def _kind(kind: ReductionKind) -> KindChoice:
    return KindChoice(kind.code, kind.name, kind.legal_basis, PAYER_NAMES[kind.payer], kind.percent, kind.evidence)


def _item_names(session: Session, school_id: UUID) -> dict[str, str]:
    rows = session.exec(
        select(col(FeeItem.code), col(FeeItem.legal_name))
        .where(FeeItem.school_id == school_id, FeeItem.item_group != Group.DONATION.value)
        .order_by(col(FeeItem.position))
    ).all()
    return dict(rows)


def _classes(session: Session, school_id: UUID, today: date) -> dict[UUID, str]:
    """Return the class of each enrolment: the one of today, else the last one."""
    rows = session.exec(
        select(col(ClassPlacement.enrolment_id), col(ClassGroup.code))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(ClassPlacement.school_id == school_id, col(ClassPlacement.valid_from) <= today)
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    return dict(rows)


def _pupils(session: Session, school_id: UUID, today: date, enrolment_id: UUID | None = None) -> list[PupilHit]:
    code = (
        select(col(PupilCode.pupil_id), func.max(PupilCode.code).label("code"))
        .group_by(col(PupilCode.pupil_id))
        .subquery()
    )
    wanted: list[ColumnElement[bool]] = [
        col(Enrolment.school_id) == school_id,
        col(Enrolment.school_year) == running_year(session, school_id, today),
        or_(col(Enrolment.ended_on).is_(None), col(Enrolment.ended_on) >= today),
    ]
    if enrolment_id is not None:
        wanted.append(col(Enrolment.id) == enrolment_id)
    rows = session.execute(
        select(Enrolment, Pupil, func.coalesce(code.c.code, ""))
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .outerjoin(code, code.c.pupil_id == Enrolment.pupil_id)
        .where(*wanted)
    ).all()
    classes = _classes(session, school_id, date.max)
    return [
        PupilHit(str(enrolment.id), pupil.full_name, number, classes.get(enrolment.id, ""), pupil.birth_date)
        for enrolment, pupil, number in rows
    ]
