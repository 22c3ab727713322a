"""The end of earlier school years of a pupil who begins a new one at the same school."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import Session, col, or_, select

from billing.people.tables import ClassPlacement, Enrolment

_ONE_DAY = timedelta(days=1)


def complete_earlier(session: Session, new: Enrolment, today: date) -> None:
    """End the earlier years in which the pupil of a new enrolment still studies, the day before it begins.

    Until that day is over the pupil studies in the earlier year; from then on that year is completed, by the promotion
    of the school year if not here.
    """
    last_day = new.started_on - _ONE_DAY
    earlier = session.exec(
        select(Enrolment).where(
            Enrolment.school_id == new.school_id,
            Enrolment.pupil_id == new.pupil_id,
            Enrolment.school_year < new.school_year,
            Enrolment.state == "studying",
        )
    ).all()
    for enrolment in earlier:
        enrolment.ended_on = max(min(enrolment.ended_on or last_day, last_day), enrolment.started_on)
        if enrolment.ended_on < today:
            enrolment.state = "completed"
        session.add(enrolment)
    over = or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) > last_day)
    for placement in session.exec(
        select(ClassPlacement).where(
            ClassPlacement.school_id == new.school_id,
            col(ClassPlacement.enrolment_id).in_([each.id for each in earlier]),
            over,
        )
    ).all():
        placement.valid_to = max(last_day, placement.valid_from)
        session.add(placement)
    session.flush()
