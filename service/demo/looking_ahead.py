"""What comes next at the story's first school, as the office's previews show it: nothing is settled, nobody leaves.

Meals by attended days and next month's leftover, what a child that left today would get back, and what a new year
would take over. The office carries each out by hand; the story stops before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing.attendance.closing import close_month
from billing.attendance.days import local_day
from billing.attendance.reading import classes_in, members_on
from billing.audit.recording import Actor
from billing.errors import Refused
from billing.money import ZERO, Money
from billing.moving.leaving import LeavingPreview, Plan, preview_leaving
from billing.newyear.opening import opening_now
from billing.newyear.years import year_after
from billing.rounds.by_days import preview_attendance
from service.database import Scope
from service.demo.billing_stage import SEPTEMBER, round_of, school_id_of
from service.demo.moving_in import staff_of
from service.demo.schools import SCHOOL_YEAR, DemoSchool
from service.demo.stage import Stage

_MOST_LOOKED_AT = 12


def look_ahead(stage: Stage) -> list[str]:
    """Close September's attendance of the ticked class and return what the previews say, line by line."""
    school = stage.schools[0]
    school_id = school_id_of(stage, school)
    with stage.wiring.database.transaction(Scope.of(school_id)) as session:
        return [f"Tiếp theo ở {school.name} (xem trước, chưa ghi gì):", *_lines(session, stage, school)]


def _lines(session: Session, stage: Stage, school: DemoSchool) -> Iterator[str]:
    school_id, now = school_id_of(stage, school), stage.wiring.clock()
    office: Actor = staff_of(session, school).accountant
    group = classes_in(session, school_id, SEPTEMBER.first)[0]
    close_month(session, school_id, office, group.id, SEPTEMBER.first, now)
    yield f"  Chốt tháng 9 lớp {group.code}: {_meals(session, school_id, office, now)}"
    left = _who_gets_most(session, stage, school)
    if left is not None:
        yield f"  Một em lớp {group.code} nghỉ học từ hôm nay: trả lại {left.gives_back}"
    ahead = opening_now(session, school_id, year_after(SCHOOL_YEAR))
    yield (
        f"  Sang năm học mới: {ahead.pupils} em, còn phải nộp {ahead.due}, tiền tồn {ahead.credit},"
        " chuyển nguyên sau khi hai người ký"
    )


def _meals(session: Session, school_id: UUID, office: Actor, now: datetime) -> str:
    """Say what settling September's meals by the days attended would take off."""
    billed = round_of(session, school_id, SEPTEMBER)
    try:
        found = preview_attendance(session, office, billed.id, now) if billed else None
    except Refused:  # nobody who eats at school was away in time
        found = None
    if found is None:
        return "không em nào vắng có báo trước, không có gì để trừ"
    return (
        f"{len(found.bills)} em vắng có báo trước; bớt {found.off_rest} chưa nộp, {found.to_credit} thành tiền tồn"
        " trừ vào tháng sau"
    )


def _who_gets_most(session: Session, stage: Stage, school: DemoSchool) -> LeavingPreview | None:
    """Return the preview of the child, among the first of the class, that would get most back."""
    school_id, now = school_id_of(stage, school), stage.wiring.clock()
    today = local_day(now)
    group = classes_in(session, school_id, SEPTEMBER.first)[0]
    members = members_on(session, school_id, group.id, today)[:_MOST_LOOKED_AT]
    plans = (Plan(each.enrolment_id, today - timedelta(days=1), reason="Xem trước") for each in members)
    previews = [preview_leaving(session, school_id, plan, now) for plan in plans]
    most = max(previews, key=_back, default=None)
    return most if most is not None and _back(most) > ZERO else None


def _back(preview: LeavingPreview) -> Money:
    return preview.gives_back
