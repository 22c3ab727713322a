"""The end of a pupil's time at a school: enrolment, class and registrations end after a day, and open again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.errors import Conflict, NotFound, Refused
from billing.fees.tables import OptIn
from billing.people.tables import ClassPlacement, Enrolment


def find_enrolment(session: Session, school_id: UUID, enrolment_id: UUID) -> Enrolment:
    """Return an enrolment of the school; raises ``NotFound`` for any other."""
    found = session.exec(
        select(Enrolment).where(Enrolment.school_id == school_id, Enrolment.id == enrolment_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Trường không có học sinh này.", enrolment=enrolment_id)
    return found


def refuse_bad_day(enrolment: Enrolment, last_day: date, today: date) -> None:
    """Raise ``Conflict`` for who left already, ``Refused`` for a last day before the first one or after today."""
    if enrolment.state != "studying":
        raise Conflict("Em này đã được ghi là không còn học ở trường.", enrolment=enrolment.id)
    if last_day < enrolment.started_on:
        raise Refused(f"Ngày học cuối không được trước ngày vào học {enrolment.started_on:%d/%m/%Y}.")
    if last_day > today:
        raise Refused("Ngày học cuối không được sau hôm nay. Hãy ghi khi em đã nghỉ.")


def refuse_began(enrolment: Enrolment, told_on: date, today: date) -> None:
    """Raise ``Conflict`` for who left already, ``Refused`` for a day from the first one on or after today."""
    if enrolment.state != "studying":
        raise Conflict("Em này đã được ghi là không còn học ở trường.", enrolment=enrolment.id)
    if told_on >= enrolment.started_on:
        raise Refused(f"Em đã vào học từ {enrolment.started_on:%d/%m/%Y}. Hãy ghi ngày học cuối.")
    if told_on > today:
        raise Refused("Ngày gia đình báo không được sau hôm nay.")


def end_studies(session: Session, enrolment: Enrolment, last_day: date, state: str, now: datetime) -> dict[str, Any]:
    """End enrolment, class and registrations after a day; return what ended, so that ``reopen`` can undo it.

    A class that began later keeps its first day, for a placement is never taken away; a registration that would begin
    later is withdrawn.
    """
    placements = _placements(session, enrolment, last_day)
    opt_ins = _opt_ins(session, enrolment, last_day)
    ended: dict[str, Any] = {
        "ended_on": _text(enrolment.ended_on),
        "placements": [[each.id, _text(each.valid_to)] for each in placements],
        "opt_ins": [[each.id, _text(each.valid_to)] for each in opt_ins if each.valid_from <= last_day],
        "withdrawn": [each.id for each in opt_ins if each.valid_from > last_day],
    }
    for placement in placements:
        placement.valid_to = max(last_day, placement.valid_from)
    for opt_in in opt_ins:
        if opt_in.valid_from > last_day:
            opt_in.withdrawn_at = now
        else:
            opt_in.valid_to = last_day
    enrolment.state, enrolment.ended_on = state, last_day
    session.add_all([enrolment, *placements, *opt_ins])
    session.flush()
    return ended


def reopen(session: Session, enrolment: Enrolment, ended: dict[str, Any]) -> None:
    """Open again what ``end_studies`` ended; a registration that was withdrawn is written anew."""
    placements, opt_ins = dict(ended["placements"]), dict(ended["opt_ins"])
    of_placements = select(ClassPlacement).where(
        ClassPlacement.school_id == enrolment.school_id, col(ClassPlacement.id).in_(placements)
    )
    for placement in session.exec(of_placements).all():
        placement.valid_to = _day(placements[placement.id])
        session.add(placement)
    of_opt_ins = select(OptIn).where(
        OptIn.school_id == enrolment.school_id, col(OptIn.id).in_([*opt_ins, *ended["withdrawn"]])
    )
    for opt_in in session.exec(of_opt_ins).all():
        if opt_in.id in opt_ins:
            opt_in.valid_to = _day(opt_ins[opt_in.id])
            session.add(opt_in)
        else:
            session.add(OptIn(**opt_in.model_dump(exclude={"id", "withdrawn_at"})))
    enrolment.state, enrolment.ended_on = "studying", _day(ended["ended_on"])
    session.add(enrolment)
    session.flush()


def _placements(session: Session, enrolment: Enrolment, last_day: date) -> list[ClassPlacement]:
    over = or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) > last_day)
    query = select(ClassPlacement).where(
        ClassPlacement.school_id == enrolment.school_id, ClassPlacement.enrolment_id == enrolment.id, over
    )
    return list(session.exec(query.order_by(col(ClassPlacement.id))).all())


def _opt_ins(session: Session, enrolment: Enrolment, last_day: date) -> list[OptIn]:
    over = or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) > last_day)
    query = select(OptIn).where(
        OptIn.school_id == enrolment.school_id,
        OptIn.enrolment_id == enrolment.id,
        col(OptIn.withdrawn_at).is_(None),
        over,
    )
    return list(session.exec(query.order_by(col(OptIn.id))).all())


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
