"""Learning-cost support: rights of pupils (one person enters, another approves) and what was handed to families."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import col, select
from starlette.responses import Response

from billing.audit.recording import Deed, record_deed
from billing.claims import claiming, entitling, paying_out
from billing.claims.tables import Entitlement
from billing.errors import NotFound
from reconciliation.outgoing.standing import refuse_tied
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.items import EndIn
from service.api.paging import Pages
from service.api.people import REFUSALS
from service.api.reductions import State
from service.api.shapes import Answer, Body, Code, Day, Name, Page, Reason, Text

router = APIRouter(prefix="/api/v1/schools/{school}", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["claims"])


class RightOut(Answer):
    """A right in a list: whose, when, where it stands. No class or paper."""

    id: UUID
    enrolment_id: UUID
    valid_from: date
    valid_to: date | None
    state: State
    made_by_me: bool


class FullRight(RightOut):
    """Everything on one right; that it was looked at is recorded."""

    kind: str
    title: str
    legal_basis: str
    evidence: str


class NewRightIn(Body):
    """A right to learning-cost support: the class by its code, and the paper that proves it."""

    enrolment_id: UUID
    kind: Code
    evidence: Text
    valid_from: Day
    valid_to: Day | None = None


class PayoutOut(Answer):
    """What an approved list owes one pupil's family, in đồng, and how it was handed over.

    ``too_much``: what of it a later list took back, to be taken from the family; undoing the payout and paying anew
    rights it.
    """

    pupil_id: UUID
    class_name: str
    months: int
    amount: int
    too_much: int
    payout_id: UUID | None
    received_by: str | None
    received_on: date | None
    way: Literal["cash", "transfer"] | None


class PayoutIn(Body):
    """Who received the money for a pupil, on which day, and how."""

    pupil_id: UUID
    received_by: Name
    received_on: Day
    way: Literal["cash", "transfer"]


@router.get("/entitlements")
def entitlements(call: Calling, pages: Pages) -> Page[RightOut]:
    """List the rights of pupils, oldest first."""
    query = select(Entitlement).where(Entitlement.school_id == call.school_id).order_by(col(Entitlement.id))
    if pages.after_id is not None:
        query = query.where(col(Entitlement.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row.id, lambda row: RightOut(**_facts(call, row)))


@router.post("/entitlements", status_code=201, response_model=FullRight)
def enter(call: Calling, body: NewRightIn) -> Response:
    """Enter a right; it counts once another person has approved it."""

    def make() -> FullRight:
        new = entitling.NewEntitlement(body.enrolment_id, body.kind, body.evidence, body.valid_from, body.valid_to)
        return _full(call, entitling.entitle(call.session, call.school_id, call.actor, new, call.now))

    return call.create(make)


@router.get("/entitlements/{entitlement_id}")
def entitlement(call: Calling, entitlement_id: UUID) -> FullRight:
    """Return everything on one right; the look is recorded."""
    row = entitling.find_entitlement(call.session, entitlement_id)
    deed = Deed(call.school_id, "entitlement.look", "entitlement", str(entitlement_id))
    record_deed(call.session, call.actor, deed, call.now)
    return _full(call, row)


@router.post("/entitlements/{entitlement_id}/approve")
def approve(call: Calling, entitlement_id: UUID) -> RightOut:
    """Approve what another person entered."""
    row = entitling.approve_entitlement(call.session, entitlement_id, call.actor, call.now)
    return RightOut(**_facts(call, row))


@router.post("/entitlements/{entitlement_id}/end")
def end(call: Calling, entitlement_id: UUID, body: EndIn) -> RightOut:
    """End a right after a day, or drop one that nobody has approved; with a reason."""
    row = entitling.end_entitlement(call.session, entitlement_id, call.actor, body.last_day, body.reason, call.now)
    return RightOut(**_facts(call, row))


@router.get("/claims/{claim_id}/payouts")
def payouts(call: Calling, claim_id: UUID) -> list[PayoutOut]:
    """List what an approved list owes to families, by class, and what was handed over."""
    return [_payout(row) for row in paying_out.payout_list(call.session, claiming.find_claim(call.session, claim_id))]


@router.post("/claims/{claim_id}/payouts", status_code=201, response_model=PayoutOut)
def pay_out(call: Calling, claim_id: UUID, body: PayoutIn) -> Response:
    """Write down that a family received its support, in full; once."""

    def make() -> PayoutOut:
        claim = claiming.find_claim(call.session, claim_id)
        signed = paying_out.Signature(body.received_by, body.received_on, body.way)
        paying_out.pay_out(call.session, claim, body.pupil_id, call.actor, signed, call.now)
        rows = paying_out.payout_list(call.session, claim)
        return _payout(next(row for row in rows if row.pupil_id == body.pupil_id))

    return call.create(make)


@router.post("/claims/{claim_id}/payouts/{payout_id}/undo")
def undo_payout(call: Calling, claim_id: UUID, payout_id: UUID, body: Reason) -> list[PayoutOut]:
    """Take back a payout that was written down wrongly; with a reason."""
    claim = claiming.find_claim(call.session, claim_id)
    rows = paying_out.payout_list(call.session, claim)
    if payout_id not in {row.payout.id for row in rows if row.payout}:
        raise NotFound("Không tìm thấy lần chi trả này trong danh sách.", payout=payout_id)
    refuse_tied(call.session, claim.school_id, payout_id)
    paying_out.undo_payout(call.session, payout_id, call.actor, body.reason, call.now)
    return [_payout(row) for row in paying_out.payout_list(call.session, claim)]


def _facts(call: Call, row: Entitlement) -> dict[str, Any]:
    state: State = "withdrawn" if row.withdrawn_at else "approved" if row.approved_by else "waiting"
    return {
        "id": row.id,
        "enrolment_id": row.enrolment_id,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "state": state,
        "made_by_me": row.made_by == call.user_id,
    }


def _full(call: Call, row: Entitlement) -> FullRight:
    return FullRight(
        **_facts(call, row),
        kind=row.class_code,
        title=row.title,
        legal_basis=row.legal_basis,
        evidence=row.evidence,
    )


def _payout(row: paying_out.PayoutRow) -> PayoutOut:
    paid = row.payout
    return PayoutOut(
        pupil_id=row.pupil_id,
        class_name=row.class_name,
        months=row.months,
        amount=row.amount.dong,
        too_much=row.too_much.dong,
        payout_id=paid.id if paid else None,
        received_by=paid.received_by if paid else None,
        received_on=paid.received_on if paid else None,
        way=paid.way if paid else None,  # type: ignore[arg-type]  # the database knows only these words
    )
