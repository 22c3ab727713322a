"""Registrations of one school, in the shapes of the pages: items across, classes down, pupil by pupil."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor
from billing.errors import NotFound, Refused
from billing.fees.item_rows import find_item
from billing.fees.registering import ClassRegistration, class_members, end_registrations, register_class
from billing.fees.tables import FeeItem, FeePrice, OptIn
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, PupilCode
from service.pages.fee_views import (
    EndedOptIns,
    NewOptIns,
    OptInClass,
    OptInClassPage,
    OptInItem,
    OptInPupil,
    OptInsPage,
)
from service.pages.item_rows import price_unit, running_year
from service.pages.typed import read_id


def opt_ins_page(session: Session, school_id: UUID, day: date) -> OptInsPage:
    """Return how many pupils of each class are registered for each item on a day."""
    items = opt_in_items(session, school_id, day)
    members = _members(session, school_id, day)
    holding = _holding(session, school_id, day)
    classes = session.exec(
        select(ClassGroup)
        .where(ClassGroup.school_id == school_id, ClassGroup.school_year == running_year(session, school_id, day))
        .order_by(col(ClassGroup.grade), col(ClassGroup.code))
    ).all()
    return OptInsPage(
        day=day,
        items=tuple(_item(session, item, day, len(holding[item.id] & _all(members))) for item in items),
        classes=tuple(
            OptInClass(
                str(group.id),
                group.code,
                len(members[group.id]),
                tuple(len(holding[item.id] & members[group.id]) for item in items),
            )
            for group in classes
        ),
    )


def opt_in_class_page(session: Session, school_id: UUID, code: str, class_id: UUID, day: date) -> OptInClassPage:
    """Return the pupils of a class with their registration for one item; raises ``NotFound``."""
    item = find_item(session, school_id, code)
    group = session.exec(
        select(ClassGroup).where(ClassGroup.school_id == school_id, ClassGroup.id == class_id)
    ).one_or_none()
    if group is None:
        raise NotFound("Trường không có lớp này.")
    members = class_members(session, school_id, class_id, day, code)
    codes = _codes(session, [member.pupil_id for member in members])
    pupils = tuple(
        OptInPupil(
            str(member.enrolment_id),
            member.full_name,
            codes.get(member.pupil_id, ""),
            *(
                (member.registration.valid_from, member.registration.valid_to, member.registration.quantity)
                if member.registration
                else (None, None, 0)
            ),
        )
        for member in members
    )
    held = sum(pupil.since is not None for pupil in pupils)
    return OptInClassPage(day, _item(session, item, day, held), str(class_id), group.code, pupils)


def take_classes(session: Session, school_id: UUID, actor: Actor, wanted: NewOptIns, now: datetime) -> int:
    """Register whole classes, or the ticked pupils of one, for items; return how many were new or changed."""
    if not wanted.classes or not wanted.items:
        raise Refused("Chưa chọn gì. Xin đánh dấu ít nhất một khoản thu và một lớp, rồi bấm “Đăng ký”.")
    chosen = None if wanted.enrolments is None else frozenset(map(read_id, wanted.enrolments))
    if chosen is not None and not chosen:
        raise Refused("Chưa chọn học sinh nào. Xin đánh dấu học sinh rồi bấm lại.")
    changed = 0
    for class_id in map(read_id, wanted.classes):
        for code in wanted.items:
            one = ClassRegistration(
                class_id, code, wanted.first, wanted.evidence, wanted.quantity, enrolment_ids=chosen
            )
            done = register_class(session, school_id, actor, one, now)
            changed += done.new + done.changed
    return changed


def end_pupils(session: Session, school_id: UUID, actor: Actor, ended: EndedOptIns, now: datetime) -> int:
    """End the registrations of ticked pupils for one item after a day; return how many changed."""
    if not ended.enrolments:
        raise Refused("Chưa chọn học sinh nào. Xin đánh dấu học sinh rồi bấm lại.")
    ids = list(map(read_id, ended.enrolments))
    return end_registrations(session, school_id, actor, ended.item, ids, ended.last, now, ended.reason)


def opt_in_items(session: Session, school_id: UUID, day: date) -> list[FeeItem]:
    """Return the items that are charged by registration and not ended before a day."""
    rows = session.exec(
        select(FeeItem)
        .where(
            FeeItem.school_id == school_id,
            col(FeeItem.opt_in),
            or_(col(FeeItem.valid_to).is_(None), col(FeeItem.valid_to) >= day),
        )
        .order_by(col(FeeItem.position), col(FeeItem.code))
    ).all()
    return list(rows)


def _item(session: Session, item: FeeItem, day: date, pupils: int) -> OptInItem:
    return OptInItem(item.code, item.legal_name, said_price(session, item, day), pupils)


def said_price(session: Session, item: FeeItem, day: date) -> str:
    """Return an item's prices on a day in words, the lowest first; empty without one."""
    prices = session.exec(
        select(FeePrice)
        .where(
            FeePrice.school_id == item.school_id,
            FeePrice.item_id == item.id,
            col(FeePrice.withdrawn_at).is_(None),
            _on(col(FeePrice.valid_from), col(FeePrice.valid_to), day),
        )
        .order_by(col(FeePrice.amount))
    ).all()
    return ", ".join(f"{price.amount}/{price_unit(price.quantity_rule, price.quantity, item.unit)}" for price in prices)


def _members(session: Session, school_id: UUID, day: date) -> defaultdict[UUID, set[UUID]]:
    """Return the enrolments of each class on a day."""
    rows = session.exec(
        select(col(ClassPlacement.class_id), col(ClassPlacement.enrolment_id))
        .join(Enrolment, col(Enrolment.id) == col(ClassPlacement.enrolment_id))
        .where(
            ClassPlacement.school_id == school_id,
            _on(col(ClassPlacement.valid_from), col(ClassPlacement.valid_to), day),
            or_(col(Enrolment.ended_on).is_(None), col(Enrolment.ended_on) >= day),
        )
    ).all()
    return _grouped(rows)


def _holding(session: Session, school_id: UUID, day: date) -> defaultdict[UUID, set[UUID]]:
    """Return the enrolments registered for each item on a day."""
    rows = session.exec(
        select(col(OptIn.item_id), col(OptIn.enrolment_id)).where(
            OptIn.school_id == school_id,
            col(OptIn.withdrawn_at).is_(None),
            _on(col(OptIn.valid_from), col(OptIn.valid_to), day),
        )
    ).all()
    return _grouped(rows)


def _grouped(pairs: Collection[tuple[UUID, UUID]]) -> defaultdict[UUID, set[UUID]]:
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for key, value in pairs:
        found[key].add(value)
    return found


def _all(groups: dict[UUID, set[UUID]]) -> set[UUID]:
    return set().union(*groups.values())


def _on(first: Mapped[date], last: Mapped[date | None], day: date) -> ColumnElement[bool]:
    return (first <= day) & or_(last.is_(None), last >= day)


def _codes(session: Session, pupil_ids: Collection[UUID]) -> dict[UUID, str]:
    rows = session.exec(
        select(col(PupilCode.pupil_id), col(PupilCode.code))
        .where(col(PupilCode.pupil_id).in_(pupil_ids))
        .order_by(col(PupilCode.valid_from), col(PupilCode.id))
    ).all()
    return dict(rows)
