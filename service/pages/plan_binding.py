"""The desk of the pages of plans of collections on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import select

from billing.errors import NotFound, Refused
from billing.people.tables import School
from billing.plans.checking import require_plans
from billing.plans.papers import read_paper
from billing.plans.planning import (
    Decision,
    add_paper,
    approve_plan,
    draft_plan,
    open_paper,
    return_plan,
    submit_plan,
)
from service.access.roles import Actor, Place, SignedIn
from service.database import EVERYTHING, Scope, use_scope
from service.pages import plan_rows, public_rows
from service.pages.plan_views import NewPlan, PlanPage, PlansPage, PublicFees, TypedDecision, TypedFile, TypedPlan
from service.pages.typed import read_day, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin


class PlanRows(RowsWithin):
    """Plans of collections and the public page, answered from rows."""

    def plans(self, who: SignedIn, place: Place, now: datetime) -> PlansPage:
        """Return the plans of a school."""
        del who
        return plan_rows.plans_page(self._within(place), place.id, school_day(now))

    def require_plans(self, who: SignedIn, place: Place, day: str, now: datetime) -> None:
        """Let rounds from a day on collect planned items only."""
        session, first = self._within(place), read_day(day)
        if first is None:
            raise Refused("Hãy chọn ngày bắt đầu bắt buộc kế hoạch thu.")
        require_plans(session, session.get_one(School, place.id), first, self._actor(who, Actor.APPROVER), now)

    def new_plan(self, who: SignedIn, place: Place, now: datetime) -> NewPlan:
        """Return the form of a new version."""
        del who
        return plan_rows.new_plan(self._within(place), place.id, school_day(now))

    def draft_plan(self, who: SignedIn, place: Place, typed: TypedPlan, now: datetime) -> UUID:
        """Write a new version."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        year = plan_rows.year_typed(typed, school_day(now))
        meeting, estimates = plan_rows.meeting_of(typed), plan_rows.estimates_of(typed)
        return draft_plan(session, place.id, year, meeting, estimates, actor, now).id

    def plan(self, who: SignedIn, place: Place, plan_id: UUID, now: datetime) -> PlanPage:
        """Return one plan."""
        return plan_rows.plan_page(self._within(place), place.id, plan_id, who.user_id, school_day(now))

    def add_plan_paper(  # noqa: PLR0913, PLR0917  which paper of which plan
        self, who: SignedIn, place: Place, plan_id: UUID, kind: str, file: TypedFile, now: datetime
    ) -> None:
        """Keep a file behind a draft."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        add_paper(session, place.id, plan_id, kind, read_paper(file.name, file.content), actor, now)

    def plan_paper(self, who: SignedIn, place: Place, plan_id: UUID, paper_id: UUID, now: datetime) -> Download:
        """Return a file of a plan, and record who opened it."""
        paper = open_paper(self._within(place), place.id, plan_id, paper_id, self._looks(who, place), now)
        return Download(paper.content, paper.media_type, paper.name)

    def submit_plan(self, who: SignedIn, place: Place, plan_id: UUID, now: datetime) -> None:
        """Hand a draft over for the decision."""
        submit_plan(self._within(place), place.id, plan_id, self._actor(who, Actor.ACCOUNTANT), now)

    def approve_plan(  # noqa: PLR0913, PLR0917  which plan, by which decision
        self, who: SignedIn, place: Place, plan_id: UUID, typed: TypedDecision, file: TypedFile, now: datetime
    ) -> None:
        """Enter the decision."""
        day, first = read_day(typed.day), read_day(typed.valid_from)
        if day is None or first is None:
            raise Refused("Hãy ghi ngày quyết định và ngày bắt đầu áp dụng kế hoạch thu.")
        decision = Decision(typed.number, day, typed.signer, typed.authority, first)
        paper = read_paper(file.name, file.content)
        session, actor = self._within(place), self._actor(who, Actor.APPROVER)
        approve_plan(session, place.id, plan_id, decision, paper, actor, now)

    def return_plan(self, who: SignedIn, place: Place, plan_id: UUID, reason: str, now: datetime) -> None:
        """Return a plan with a reason."""
        return_plan(self._within(place), place.id, plan_id, reason, self._actor(who, Actor.APPROVER), now)

    def public_fees(self, school_code: str, now: datetime) -> PublicFees:
        """Return what a school shows to everybody: found by its code, then nothing but that school is seen."""
        use_scope(self._session, EVERYTHING)
        school_id = self._session.exec(select(School.id).where(School.code == school_code)).one_or_none()
        use_scope(self._session, Scope() if school_id is None else Scope.of(school_id))
        if school_id is None:
            raise NotFound("Không có trường mang mã này.")
        return public_rows.public_fees(self._session, school_id, school_day(now))
