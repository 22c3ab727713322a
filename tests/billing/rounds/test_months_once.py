"""Two regular rounds never bill the same month: refused with the other's name and a way on, and by the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing.errors import Conflict
from billing.fees.items import Span
from billing.rounds.approving import approve_round, submit_round, withdraw_round
from billing.rounds.drafting import RoundPlan, SupplementaryPlan, draft_round, draft_supplementary
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from service.database import Database
from tests.billing.rounds.makers import as_school
from tests.factories.fees import OCTOBER, weekdays
from tests.factories.rounds import REFERENCE_KEY, BillingSchool, approved_round
from tests.factories.schools import SCHOOL_YEAR

HALF = Span(date(2025, 10, 16), date(2025, 10, 31))
AUTUMN = Span(date(2025, 9, 1), date(2025, 10, 31))
NOVEMBER = Span(date(2025, 11, 1), date(2025, 11, 30))


def plan(billing: BillingSchool, days: Span, code: str) -> RoundPlan:
    due = (days.end or days.start).replace(day=28)
    return RoundPlan(billing.id, SCHOOL_YEAR, code, f"Đợt {code}", days, weekdays(days), due)


def submitted(session: Session, billing: BillingSchool, days: Span, code: str, now: datetime) -> UUID:
    made = draft_round(session, billing.accountant, plan(billing, days, code), now)
    preview_round(session, made.id, billing.accountant, now)
    submit_round(session, made.id, billing.accountant, now)
    return made.id


def test_a_second_round_of_a_month_is_refused_with_the_first_ones_name_and_a_way_on(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with as_school(database, billing) as session:
        first = approved_round(session, billing, now)
        for number, days in enumerate((OCTOBER, HALF, AUTUMN)):
            with pytest.raises(Conflict, match=r"Đợt thu Đợt thu 2025-10 \(mã 2025-10\).*hủy nó") as refused:
                draft_round(session, billing.accountant, plan(billing, days, f"x{number}"), now)
            assert refused.value.facts["round"] == first
        issue_round(session, first, now, REFERENCE_KEY)
        with pytest.raises(Conflict, match="đợt bổ sung"):
            draft_round(session, billing.accountant, plan(billing, HALF, "x"), now)
        assert draft_round(session, billing.accountant, plan(billing, NOVEMBER, "2025-11"), now).state == "draft"
        late = SupplementaryPlan("2025-10-BS", "Bổ sung", date(2025, 10, 31))
        assert draft_supplementary(session, billing.accountant, first, late, now).kind == "supplementary"


def test_drafts_may_be_tried_beside_each_other_and_one_of_them_approved(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with as_school(database, billing) as session:
        one, other = (submitted(session, billing, days, code, now) for days, code in ((OCTOBER, "a"), (HALF, "b")))
        approve_round(session, one, billing.approver, now, confirm=True)
        with pytest.raises(Conflict, match="Đợt a"):
            approve_round(session, other, billing.approver, now, confirm=True)
        withdraw_round(session, one, billing.approver, now, "Tính lại theo nửa tháng")
        assert approve_round(session, other, billing.approver, now, confirm=True).state == "approved"
        again = replace(plan(billing, NOVEMBER, "c"), code="a-2")
        assert draft_round(session, billing.accountant, again, now).code == "a-2"


def test_the_database_refuses_as_well(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session:
        other = submitted(session, billing, HALF, "b", now)
        approved_round(session, billing, now)
    approve = text("UPDATE billing_rounds SET state = 'approved', approved_by = :by, approved_at = :at WHERE id = :id")
    with pytest.raises(IntegrityError, match="another regular round"), as_school(database, billing) as session:
        session.execute(approve, {"by": billing.approver.user_id, "at": now, "id": other})
