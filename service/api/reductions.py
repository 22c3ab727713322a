"""Reductions of pupils: one person enters, another approves. What for is read one at a time, and each look is kept."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import col, select
from starlette.responses import Response

from billing.audit.recording import Deed, record_deed
from billing.bills.reached import bills_reached
from billing.fees import reducing
from billing.fees.items import Group, Level, Ownership, Payer
from billing.fees.kinds import ReductionKind, shipped_kinds
from billing.fees.tables import Reduction
from billing.money import Money
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.items import EndIn
from service.api.paging import Pages
from service.api.people import REFUSALS
from service.api.shapes import Answer, Body, Code, Day, Page, PositiveDong, Reason, Text

router = APIRouter(
    prefix="/api/v1/schools/{school}", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["reductions"]
)

_ADVICE = (
    (
        "Các thông báo thu đã phát hành giữ nguyên. Muốn giảm, hãy đề nghị ghi giảm từng thông báo (POST /corrections,"
        " kind credit), hoặc thu hồi và tính lại (kind replace) khi chưa có tiền nộp; người khác duyệt."
    ),
    (
        "Issued bills stay as they are. To lower one, ask for a credit note (POST /corrections, kind credit), or"
        " replace it (kind replace) while nothing is paid on it; another person approves."
    ),
)
State = Literal["waiting", "approved", "withdrawn"]


class KindOut(Answer):
    """A kind of reduction that fits this school today; without ``percent`` the maker gives one, or an amount."""

    code: str
    name: str
    payer: Payer
    percent: int | None
    legal_basis: str
    evidence: str
    groups: list[Group]


class ReductionOut(Answer):
    """A reduction in a list: whose, when, where it stands. No kind, share or basis."""

    id: UUID
    enrolment_id: UUID
    valid_from: date
    valid_to: date | None
    state: State
    made_by_me: bool


class UnchangedOut(Answer):
    """An issued bill that a reduction reaches back to and does not change: its months (``2025-10``), where to see it.

    ``POST /corrections`` lowers it (kind ``credit``; ``replace`` while nothing is paid on it); another person approves.
    ``lowered``: it has a credit note already.
    """

    bill_id: UUID
    number: str
    months: list[str]
    page: str
    lowered: bool


class DecidedReduction(ReductionOut):
    """A reduction that was approved, and the issued bills that stay as they are; ``advice`` says what to do."""

    unchanged: list[UnchangedOut]
    advice: str | None


class FullReduction(DecidedReduction):
    """Everything on one reduction; that it was looked at is recorded."""

    kind: str
    title: str
    payer: Payer
    percent: int | None
    amount_a_month: int | None
    items: list[str]
    groups: list[Group]
    legal_basis: str
    evidence: str


class NewReductionIn(Body):
    """A reduction for one pupil; what is left out is what the kind says. ``amount_a_month`` needs just one item."""

    enrolment_id: UUID
    kind: Code
    valid_from: Day
    evidence: Text
    valid_to: Day | None = None
    percent: int | None = Field(default=None, ge=1, le=100, strict=True)
    amount_a_month: PositiveDong | None = None
    items: frozenset[Code] = frozenset()
    groups: frozenset[Group] = frozenset()
    legal_basis: Text = ""


@router.get("/reduction-kinds")
def kinds(call: Calling) -> list[KindOut]:
    """List the kinds that can be granted at this school today, with law and evidence."""
    school = call.school
    levels = frozenset(map(Level, school.levels))
    return [_kind(kind) for kind in shipped_kinds() if kind.fits(Ownership(school.kind), levels, call.today)]


@router.get("/reductions")
def reductions(
    call: Calling, pages: Pages, enrolment_id: UUID | None = None, state: State | None = None
) -> Page[ReductionOut]:
    """List pupils' reductions, oldest first."""
    query = (
        select(Reduction)
        .where(Reduction.school_id == call.school_id, col(Reduction.enrolment_id).is_not(None))
        .order_by(col(Reduction.id))
    )
    if enrolment_id is not None:
        query = query.where(Reduction.enrolment_id == enrolment_id)
    if state == "withdrawn":
        query = query.where(col(Reduction.withdrawn_at).is_not(None))
    elif state is not None:
        waits = col(Reduction.approved_by).is_(None) & col(Reduction.made_by).is_not(None)
        query = query.where(col(Reduction.withdrawn_at).is_(None), waits if state == "waiting" else ~waits)
    if pages.after_id is not None:
        query = query.where(col(Reduction.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row.id, lambda row: ReductionOut(**_facts(call, row)))


@router.post("/reductions", status_code=201, response_model=FullReduction)
def enter(call: Calling, body: NewReductionIn) -> Response:
    """Enter a reduction; it counts once another person has approved it."""

    def make() -> FullReduction:
        new = reducing.NewReduction(
            enrolment_id=body.enrolment_id,
            kind=body.kind,
            valid_from=body.valid_from,
            evidence=body.evidence,
            valid_to=body.valid_to,
            percent=body.percent,
            amount=None if body.amount_a_month is None else Money(body.amount_a_month),
            item_codes=body.items,
            groups=body.groups,
            legal_basis=body.legal_basis,
        )
        return _full(call, reducing.enter_reduction(call.session, call.school, new, call.actor, call.now))

    return call.create(make)


@router.get("/reductions/{reduction_id}")
def reduction(call: Calling, reduction_id: UUID) -> FullReduction:
    """Return everything on one reduction; the look is recorded."""
    row = reducing.find_reduction(call.session, call.school_id, reduction_id)
    deed = Deed(call.school_id, "reduction.look", "reduction", str(reduction_id))
    record_deed(call.session, call.actor, deed, call.now)
    return _full(call, row)


@router.post("/reductions/{reduction_id}/approve")
def approve(call: Calling, reduction_id: UUID) -> DecidedReduction:
    """Approve what another person entered; the answer names the issued months that it does not change."""
    row = reducing.approve_reduction(call.session, call.school_id, reduction_id, call.actor, call.now)
    return DecidedReduction(**_facts(call, row), **_reached(call, row))


@router.post("/reductions/{reduction_id}/withdraw")
def withdraw(call: Calling, reduction_id: UUID, body: Reason) -> ReductionOut:
    """Refuse what waits, or take back a mistake; with a reason."""
    row = reducing.withdraw_reduction(call.session, call.school_id, reduction_id, call.actor, call.now, body.reason)
    return ReductionOut(**_facts(call, row))


@router.post("/reductions/{reduction_id}/end")
def end(call: Calling, reduction_id: UUID, body: EndIn) -> ReductionOut:
    """End a reduction after a day; with a reason."""
    row = reducing.end_reduction(
        call.session, call.school_id, reduction_id, body.last_day, call.actor, call.now, body.reason
    )
    return ReductionOut(**_facts(call, row))


def _kind(kind: ReductionKind) -> KindOut:
    return KindOut(
        code=kind.code,
        name=kind.name,
        payer=kind.payer,
        percent=kind.percent,
        legal_basis=kind.legal_basis,
        evidence=kind.evidence,
        groups=sorted(kind.groups),
    )


def _facts(call: Call, row: Reduction) -> dict[str, Any]:
    return {
        "id": row.id,
        "enrolment_id": row.enrolment_id,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "state": _state(row),
        "made_by_me": row.made_by == call.user_id,
    }


def _reached(call: Call, row: Reduction) -> dict[str, Any]:
    bills = bills_reached(call.session, row)
    return {
        "unchanged": [
            UnchangedOut(
                bill_id=each.bill_id,
                number=each.number,
                months=list(each.months),
                page=f"/van-phong/dot-thu/{each.round_id}/hoc-sinh/{each.pupil_id}",
                lowered=each.lowered,
            )
            for each in bills
        ],
        "advice": _ADVICE[call.language == "en"] if bills else None,
    }


def _state(row: Reduction) -> State:
    if row.withdrawn_at is not None:
        return "withdrawn"
    return "waiting" if row.approved_by is None and row.made_by is not None else "approved"


def _full(call: Call, row: Reduction) -> FullReduction:
    return FullReduction(
        **_facts(call, row),
        **_reached(call, row),
        kind=row.reason_class,
        title=row.title,
        payer=Payer(row.payer),
        percent=row.percent,
        amount_a_month=None if row.amount is None else row.amount.dong,
        items=row.item_codes,
        groups=[Group(group) for group in row.item_groups],
        legal_basis=row.legal_basis,
        evidence=row.evidence,
    )
