"""Corrections of what is issued: one person asks, another decides; nothing issued is ever edited."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import col, select
from starlette.responses import Response

from billing.errors import HocphiError
from billing.money import Money
from billing.rounds import correcting
from billing.rounds.by_days import propose_attendance
from billing.rounds.tables import Correction, CorrectionDecision
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.paging import Pages
from service.api.people import REFUSALS, Named, named
from service.api.shapes import Answer, Body, Code, Number, Page, PositiveDong, Reason, Text

router = APIRouter(
    prefix="/api/v1/schools/{school}/corrections",
    max_body_size=MAX_JSON_BYTES,
    responses=REFUSALS,
    tags=["corrections"],
)

PLAN_NOTICES = "notifications.plan"
Kind = Literal["void", "replace", "credit", "price", "attendance"]
State = Literal["open", "approved", "rejected"]


class VoidIn(Body):
    """Take an unpaid bill back."""

    kind: Literal["void"]
    bill_id: UUID
    reason: Text


class ReplaceIn(Body):
    """Take an unpaid bill back and issue a newly calculated one in its place."""

    kind: Literal["replace"]
    bill_id: UUID
    reason: Text


class LoweringIn(Body):
    """By how much the family's share of one line falls, in đồng; ``line_id`` as the bill's full view gives it."""

    line_id: Number
    amount: PositiveDong


class CreditIn(Body):
    """Lower lines of one bill; what was paid already becomes the pupil's credit."""

    kind: Literal["credit"]
    bill_id: UUID
    lines: Annotated[list[LoweringIn], Field(min_length=1, max_length=100)]
    reason: Text


class PriceIn(Body):
    """Lower one item to a price in all bills of a round."""

    kind: Literal["price"]
    round_id: UUID
    item: Code
    price: PositiveDong
    reason: Text


class AttendanceIn(Body):
    """Lower a round's meals to the days attended, as far as classes are closed."""

    kind: Literal["attendance"]
    round_id: UUID


AskIn = Annotated[VoidIn | ReplaceIn | CreditIn | PriceIn | AttendanceIn, Field(discriminator="kind")]


class CorrectionOut(Answer):
    """What somebody asked for."""

    id: UUID
    kind: Kind
    round_id: UUID
    bill_id: UUID | None
    reason: str
    made_at: datetime
    made_by_me: bool
    state: State


class CorrectedBillOut(Answer):
    """What a correction does to one bill, in đồng: ``was - now = off_rest + to_credit``."""

    bill_id: UUID
    number: str
    pupil_id: UUID
    pupil: str
    was: int
    now: int
    off_rest: int
    to_credit: int
    new_due: int | None


class FullCorrection(CorrectionOut):
    """A correction, and (while it is open) what it would do now, or why it cannot be done any more."""

    bills: list[CorrectedBillOut]
    off_rest: int
    to_credit: int
    problem: str


@router.get("")
def corrections(call: Calling, pages: Pages, state: State | None = None) -> Page[CorrectionOut]:
    """List corrections, oldest first."""
    query = (
        select(Correction, CorrectionDecision)
        .outerjoin(CorrectionDecision, col(CorrectionDecision.correction_id) == col(Correction.id))
        .where(Correction.school_id == call.school_id)
        .order_by(col(Correction.id))
    )
    if state == "open":
        query = query.where(col(CorrectionDecision.correction_id).is_(None))
    elif state is not None:
        query = query.where(col(CorrectionDecision.approved).is_(state == "approved"))
    if pages.after_id is not None:
        query = query.where(col(Correction.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row[0].id, lambda row: CorrectionOut(**_facts(call, row[0], row[1])))


@router.post("", status_code=201, response_model=FullCorrection)
def ask(call: Calling, body: AskIn) -> Response:
    """Ask for a correction; another person decides."""
    return call.create(lambda: _full(call, _ask(call, body), None))


@router.get("/{correction_id}")
def correction(call: Calling, correction_id: UUID) -> FullCorrection:
    """Return a correction with what it would do, bill by bill."""
    found = correcting.find_correction(call.session, correction_id)
    return _full(call, found, call.session.get(CorrectionDecision, correction_id))


@router.post("/{correction_id}/approve")
def approve(call: Calling, correction_id: UUID) -> FullCorrection:
    """Carry a correction out, as another person than who asked; the answer says what was done."""
    found = correcting.find_correction(call.session, correction_id)
    key = call.opened.wiring.reference_key
    done = correcting.approve_correction(call.session, correction_id, call.actor, call.now, key)
    call.ring(PLAN_NOTICES)
    return _shown(call, found, call.session.get(CorrectionDecision, correction_id), done)


@router.post("/{correction_id}/reject")
def reject(call: Calling, correction_id: UUID, body: Reason) -> FullCorrection:
    """Say no, with a reason; whoever asked may take the request back this way, too."""
    correcting.reject_correction(call.session, correction_id, call.actor, call.now, body.reason)
    return correction(call, correction_id)


def _ask(call: Call, body: AskIn) -> Correction:
    session, actor, now = call.session, call.actor, call.now
    if isinstance(body, VoidIn | ReplaceIn):
        replace = isinstance(body, ReplaceIn)
        return correcting.propose_void(session, actor, body.bill_id, body.reason, now, replace=replace)
    if isinstance(body, CreditIn):
        lines = [correcting.Lowering(line.line_id, Money(line.amount)) for line in body.lines]
        return correcting.propose_credit(session, actor, body.bill_id, lines, body.reason, now)
    if isinstance(body, PriceIn):
        price = Money(body.price)
        return correcting.propose_price(session, actor, body.round_id, body.item, price, body.reason, now)
    return propose_attendance(session, actor, body.round_id, now)


def _facts(call: Call, row: Correction, decision: CorrectionDecision | None) -> dict[str, Any]:
    state = "open" if decision is None else "approved" if decision.approved else "rejected"
    return {
        "id": row.id,
        "kind": row.kind,
        "round_id": row.round_id,
        "bill_id": row.bill_id,
        "reason": row.reason,
        "made_at": row.made_at,
        "made_by_me": row.made_by == call.user_id,
        "state": state,
    }


def _full(call: Call, row: Correction, decision: CorrectionDecision | None) -> FullCorrection:
    if decision is not None:
        return _shown(call, row, decision, correcting.CorrectionPreview(()))
    try:
        return _shown(call, row, None, correcting.preview_correction(call.session, row.id))
    except HocphiError as problem:
        return _shown(call, row, None, correcting.CorrectionPreview(()), problem.message)


def _shown(
    call: Call,
    row: Correction,
    decision: CorrectionDecision | None,
    preview: correcting.CorrectionPreview,
    problem: str = "",
) -> FullCorrection:
    names = named(call, [bill.pupil_id for bill in preview.bills])
    return FullCorrection(
        **_facts(call, row, decision),
        bills=[_bill(bill, names.get(bill.pupil_id, Named())) for bill in preview.bills],
        off_rest=preview.off_rest.dong,
        to_credit=preview.to_credit.dong,
        problem=problem,
    )


def _bill(bill: correcting.CorrectedBill, name: Named) -> CorrectedBillOut:
    return CorrectedBillOut(
        bill_id=bill.bill_id,
        number=bill.number,
        pupil_id=bill.pupil_id,
        pupil=name.name,
        was=bill.was.dong,
        now=bill.now.dong,
        off_rest=bill.off_rest.dong,
        to_credit=bill.to_credit.dong,
        new_due=None if bill.new_due is None else bill.new_due.dong,
    )
