"""The plan of a school of the demonstration: whole, approved, and enough for its rounds."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import select

from billing.plans.papers import read_paper
from billing.plans.reading import approvals, plans_of
from billing.plans.tables import PlanPaper
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.demo.planning_stage import plan_collections
from tests.factories.rounds import issued_round, make_billing_school, register
from tests.factories.schools import SCHOOL_YEAR

NOW = datetime(2025, 9, 8, 1, tzinfo=UTC)


def test_a_public_school_gets_a_plan_that_its_rounds_need(database: Database, vault: Vault) -> None:
    with database.transaction(EVERYTHING) as session:
        public = make_billing_school(session, vault, pupils=1)
        private = make_billing_school(session, vault, pupils=1, catalogue="private-school")
        for each in (public, private):
            plan_collections(session, each.school, each.accountant, each.approver, NOW)
        register(session, public.pupils[0], "BANTRU", "TIENAN")
        assert public.school.plans_required_from is not None
        assert private.school.plans_required_from is None
        assert plans_of(session, private.id) == []
        assert issued_round(session, public, NOW).bills
        assert len(approvals(session, public.id, SCHOOL_YEAR)) == 1
        papers = session.exec(select(PlanPaper)).all()
        assert {paper.kind for paper in papers} == {"minutes", "decision"}
        assert all(read_paper(paper.name, paper.content).media_type == "application/pdf" for paper in papers)
