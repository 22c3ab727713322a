"""What the pages of plans of collections and the public page ask of the house."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
from service.pages.plan_views import NewPlan, PlanPage, PlansPage, PublicFees, TypedDecision, TypedFile, TypedPlan
from service.pages.views import Download


class PlanDesk(Protocol):
    """Plans of collections, limited to ``place``; and what a school shows to everybody."""

    def plans(self, who: SignedIn, place: Place, now: datetime) -> PlansPage:
        """Return the plans of a school."""

    def require_plans(self, who: SignedIn, place: Place, day: str, now: datetime) -> None:
        """Let rounds from a day on collect planned items only; raises ``Refused`` once that day has come."""

    def new_plan(self, who: SignedIn, place: Place, now: datetime) -> NewPlan:
        """Return the form of a new version."""

    def draft_plan(self, who: SignedIn, place: Place, typed: TypedPlan, now: datetime) -> UUID:
        """Write a new version; raises ``Refused`` for what makes no sense, and then nothing is stored."""

    def plan(self, who: SignedIn, place: Place, plan_id: UUID, now: datetime) -> PlanPage:
        """Return one plan; raises ``NotFound``."""

    def add_plan_paper(  # noqa: PLR0913, PLR0917  which paper of which plan
        self, who: SignedIn, place: Place, plan_id: UUID, kind: str, file: TypedFile, now: datetime
    ) -> None:
        """Keep a file behind a draft; raises ``Refused`` for another kind of file."""

    def plan_paper(self, who: SignedIn, place: Place, plan_id: UUID, paper_id: UUID, now: datetime) -> Download:
        """Return a file of a plan, and record who opened it."""

    def submit_plan(self, who: SignedIn, place: Place, plan_id: UUID, now: datetime) -> None:
        """Hand a draft over for the decision."""

    def approve_plan(  # noqa: PLR0913, PLR0917  which plan, by which decision
        self, who: SignedIn, place: Place, plan_id: UUID, typed: TypedDecision, file: TypedFile, now: datetime
    ) -> None:
        """Enter the decision; raises ``SamePerson`` for the maker."""

    def return_plan(self, who: SignedIn, place: Place, plan_id: UUID, reason: str, now: datetime) -> None:
        """Return a plan with a reason."""

    def public_fees(self, school_code: str, now: datetime) -> PublicFees:
        """Return what a school shows to everybody; raises ``NotFound`` for an unknown code."""
