"""A leaver's unused meals come off once, whatever else is settled while the leaving waits for its approval."""

from __future__ import annotations

from uuid import UUID

import pytest

from billing.errors import Refused
from billing.money import Money
from billing.rounds.by_days import propose_attendance
from billing.rounds.correcting import approve_correction, find_correction, propose_price
from tests.billing.credits.credit_world import MEAL, School
from tests.billing.moving.test_leaving import LATER, approve, go, plan, sums
from tests.factories.rounds import REFERENCE_KEY

EATEN = 11  # meal days up to 15 October


def test_meals_settled_by_days_while_a_leaving_waits_come_off_once(school: School) -> None:
    with school.open() as session:
        october = school.bill(session, 10)
        leaving = go(school, session, plan(school))
        asked = propose_attendance(session, school.billing.accountant, school.rounds[10], LATER)
        approve_correction(session, asked.id, school.billing.approver, LATER, REFERENCE_KEY)
        for each in leaving.corrections:
            correction = find_correction(session, UUID(each))
            if correction.bill_id == october.bill_id:
                with pytest.raises(Refused, match="Không có thông báo thu nào được giảm"):
                    approve_correction(session, correction.id, school.billing.approver, LATER, REFERENCE_KEY)
        assert school.bill(session, 10).due == october.due - 12 * MEAL
        assert school.kept(session) == {"TIENAN": 12 * MEAL.dong}


def test_a_lower_price_holds_for_the_meals_that_a_leaver_ate(school: School) -> None:
    with school.open() as session:
        october = school.bill(session, 10).due
        approve(school, session, go(school, session, plan(school)))
        cheaper = MEAL - Money(2_000)
        asked = propose_price(
            session, school.billing.accountant, school.rounds[10], "TIENAN", cheaper, "Giảm giá", LATER
        )
        approve_correction(session, asked.id, school.billing.approver, LATER, REFERENCE_KEY)
        assert sums(school, session).counts == october - 23 * MEAL + EATEN * cheaper
