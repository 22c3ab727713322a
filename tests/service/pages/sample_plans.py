"""The part of the sample desk that answers the pages of plans of collections and the public page."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.plan_views import (
    NewPlan,
    PaperRow,
    PlanLine,
    PlanPage,
    PlanRow,
    PlansPage,
    PublicFees,
    PublicItem,
    PublicPrice,
    PublicReduction,
    StepRow,
    TypedDecision,
    TypedFile,
    TypedPlan,
)
from service.pages.views import Download

PLAN_ID = uuid.UUID(int=91)
_DAY = date(2025, 9, 20)
_MOMENT = datetime(2025, 9, 20, 3, tzinfo=UTC)
ROW = PlanRow(str(PLAN_ID), "2025-2026", 1, "submitted", 1, Money(9_600_000), _DAY, "Lê Thị Thu")
_LINE = PlanLine(
    "TIENAN", "Tiền ăn bán trú", "ngày ăn", Money(32_000), 30, 10, "Giá chợ", "Thực phẩm", Money(9_600_000)
)
_PAPER = PaperRow(str(uuid.UUID(int=92)), "minutes", "biên bản.pdf", 20_480, "ab" * 32, _MOMENT)
_STEP = StepRow("submitted", "Lê Thị Thu", _MOMENT, "", "", None, "", "", None)
PLAN = PlanPage(
    ROW, date(2025, 9, 14), "Hội trường", 310, 320, (_LINE,), (_PAPER,), (_STEP,), own=False, today=_DAY,
    year_starts=date(2025, 9, 1),
)  # fmt: skip
PUBLIC = PublicFees(
    code="75990001", school="Trường Tiểu học Tân Lập", address="Phường Đồng Xoài", phone="0271 3870 123",
    school_year="2025-2026", day=_DAY,
    items=(PublicItem(
        "Tiền ăn bán trú", "Khoản thu thỏa thuận",
        (PublicPrice(Money(32_000), "ngày ăn", "", date(2025, 9, 1), None),), "NQ 08/2025", voluntary=True,
        decision="Số 12/QĐ-UBND ngày 01/09/2025 (UBND phường)",
        planned=("32.000 đ/ngày ăn (tiểu học, khối 1, 2)", "35.000 đ/ngày ăn (khối 3, 4, 5)")),),
    reductions=(PublicReduction("Hộ nghèo", "Nhà nước", "100%", "NĐ 238/2025"),),
)  # fmt: skip


class SamplePlans:
    """Frozen plans of a school; remembers what was done."""

    done: list[tuple[str, str]]

    def plans(self, who: SignedIn, place: Place, now: datetime) -> PlansPage:
        del who, place, now
        return PlansPage((ROW,), public=True, required_from=None, fixed=False, today=_DAY)

    def require_plans(self, who: SignedIn, place: Place, day: str, now: datetime) -> None:
        del place, day, now
        self.done.append(("require plans", who.login))

    def new_plan(self, who: SignedIn, place: Place, now: datetime) -> NewPlan:
        del who, place, now
        return NewPlan(("2025-2026", "2026-2027"), 2, (_LINE,), _DAY)

    def draft_plan(self, who: SignedIn, place: Place, typed: TypedPlan, now: datetime) -> uuid.UUID:
        del place, typed, now
        self.done.append(("draft plan", who.login))
        return PLAN_ID

    def plan(self, who: SignedIn, place: Place, plan_id: uuid.UUID, now: datetime) -> PlanPage:
        del who, place, plan_id, now
        return PLAN

    def add_plan_paper(  # noqa: PLR0913, PLR0917  as the desk promises
        self, who: SignedIn, place: Place, plan_id: uuid.UUID, kind: str, file: TypedFile, now: datetime
    ) -> None:
        del place, plan_id, kind, file, now
        self.done.append(("plan paper", who.login))

    def plan_paper(
        self, who: SignedIn, place: Place, plan_id: uuid.UUID, paper_id: uuid.UUID, now: datetime
    ) -> Download:
        del who, place, plan_id, paper_id, now
        return Download(b"%PDF-", "application/pdf", "biên bản.pdf")

    def submit_plan(self, who: SignedIn, place: Place, plan_id: uuid.UUID, now: datetime) -> None:
        del place, plan_id, now
        self.done.append(("submit plan", who.login))

    def approve_plan(  # noqa: PLR0913, PLR0917  as the desk promises
        self, who: SignedIn, place: Place, plan_id: uuid.UUID, typed: TypedDecision, file: TypedFile, now: datetime
    ) -> None:
        del place, plan_id, typed, file, now
        self.done.append(("approve plan", who.login))

    def return_plan(self, who: SignedIn, place: Place, plan_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, plan_id, reason, now
        self.done.append(("return plan", who.login))

    def public_fees(self, school_code: str, now: datetime) -> PublicFees:
        del school_code, now
        return PUBLIC
