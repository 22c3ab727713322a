"""The stage of bills: a round of every school, drafted and submitted by one person, approved by another, issued."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import Session, select

from billing.fees.items import Span
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.drafting import RoundPlan, draft_round
from billing.rounds.previewing import preview_round
from billing.rounds.tables import BillingRound
from service.database import Scope
from service.demo.moving_in import Staff, school_row, staff_of
from service.demo.schools import SCHOOL_YEAR, DemoSchool
from service.demo.stage import Stage
from service.jobs.rounds import ask_to_issue

_ISSUE_SECONDS = 300.0
_LOOK_SECONDS = 0.2
_SATURDAY = 5
NATIONAL_DAY = date(2025, 9, 2)


@dataclass(frozen=True, slots=True)
class Month:
    """A month's round: its code and name, first and last day, and when families should have paid."""

    code: str
    name: str
    first: date
    last: date
    due_on: date

    @property
    def meal_days(self) -> frozenset[date]:
        """Return the school days on which the kitchen cooks: Monday to Friday, no holiday."""
        days = (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))
        return frozenset(day for day in days if day.weekday() < _SATURDAY and day > NATIONAL_DAY)


SEPTEMBER = Month("2025-09", "Thu tháng 9/2025", date(2025, 9, 1), date(2025, 9, 30), date(2025, 9, 20))
OCTOBER = Month("2025-10", "Thu tháng 10/2025", date(2025, 10, 1), date(2025, 10, 31), date(2025, 10, 20))


def bill_month(stage: Stage, month: Month) -> None:
    """Take the month's round of every school as far as issued bills; each step is a transaction of its own."""
    schools = {school.code: school_id_of(stage, school) for school in stage.schools}
    with stage.progress(f"{month.name}: lập, duyệt", len(schools)) as bar:
        for school in stage.schools:
            _bring_to_issue(stage, school, schools[school.code], month)
            bar.update()
    with stage.progress(f"{month.name}: phát hành", len(schools)) as bar:
        for school_id in schools.values():
            _wait_until_issued(stage, school_id, month)
            bar.update()


def round_of(session: Session, school_id: UUID, month: Month) -> BillingRound | None:
    """Return the month's round of a school."""
    return session.exec(
        select(BillingRound).where(
            BillingRound.school_id == school_id,
            BillingRound.school_year == SCHOOL_YEAR,
            BillingRound.code == month.code,
        )
    ).one_or_none()


def school_id_of(stage: Stage, school: DemoSchool) -> UUID:
    """Return the id of a school of the story."""
    with stage.wiring.database.transaction(Scope(all_schools=True)) as session:
        return school_row(session, school).id


def _bring_to_issue(stage: Stage, school: DemoSchool, school_id: UUID, month: Month) -> None:
    """Do the next step until the round waits for the worker; where it stands is read anew each time."""
    for _ in range(len(("draft", "preview", "submit", "approve", "issue")) + 1):
        with stage.wiring.database.transaction(Scope.of(school_id)) as session:
            if not _next_step(session, stage, school, school_id, month):
                break
    stage.wiring.ring("billing.issue_rounds")


def _next_step(session: Session, stage: Stage, school: DemoSchool, school_id: UUID, month: Month) -> bool:
    now = stage.wiring.clock()
    staff: Staff = staff_of(session, school)
    found = round_of(session, school_id, month)
    if found is None:
        plan = RoundPlan(
            school_id, SCHOOL_YEAR, month.code, month.name, Span(month.first, month.last), month.meal_days, month.due_on
        )
        draft_round(session, staff.accountant, plan, now)
    elif found.state == "draft":
        preview_round(session, found.id, staff.accountant, now)
    elif found.state == "previewed":
        submit_round(session, found.id, staff.accountant, now)
    elif found.state == "submitted":
        approve_round(session, found.id, staff.approver, now, confirm=True)
    elif found.state == "approved":
        ask_to_issue(session, found, now)
        return False
    else:
        return False
    return True


def _wait_until_issued(stage: Stage, school_id: UUID, month: Month) -> None:
    deadline = time.monotonic() + _ISSUE_SECONDS
    while time.monotonic() < deadline:
        with stage.wiring.database.transaction(Scope.of(school_id)) as session:
            found = round_of(session, school_id, month)
            if found is not None and found.state == "issued":
                return
        time.sleep(_LOOK_SECONDS)
    raise TimeoutError(f"Đợt thu {month.code} chưa phát hành sau {_ISSUE_SECONDS:.0f} giây")
