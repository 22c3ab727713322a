"""What families registered for: pupil by pupil or class by class, dated, with its evidence."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import col, or_, select
from starlette.responses import Response

from billing.fees import registering
from billing.fees.tables import FeeItem, OptIn
from service.api.calling import MAX_JSON_BYTES, Calling
from service.api.paging import Pages
from service.api.people import REFUSALS
from service.api.shapes import Answer, Body, Code, Count, Counted, Day, Page, Sought, Text

router = APIRouter(
    prefix="/api/v1/schools/{school}", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["registrations"]
)


class RegistrationOut(Answer):
    """A family's yes to an item from a day on."""

    id: int
    enrolment_id: UUID
    item: str
    quantity: int
    evidence: str
    valid_from: date
    valid_to: date | None


class RegistrationIn(Body):
    """One pupil's registration for one item."""

    enrolment_id: UUID
    item: Code
    valid_from: Day
    evidence: Text
    quantity: Count = 1
    valid_to: Day | None = None


class RegistrationsIn(Body):
    """Registrations that are all written, or none of them."""

    registrations: Annotated[list[RegistrationIn], Field(min_length=1, max_length=500)]


class ClassRegistrationIn(Body):
    """The registration of a whole class, or of those named of it, for one item."""

    item: Code
    valid_from: Day
    evidence: Text
    quantity: Count = 1
    valid_to: Day | None = None
    enrolment_ids: Annotated[frozenset[UUID], Field(max_length=500)] | None = None


class EndRegistrationsIn(Body):
    """Whose registration for an item ends after which day, and why; later ones are withdrawn."""

    item: Code
    enrolment_ids: Annotated[frozenset[UUID], Field(min_length=1, max_length=500)]
    last_day: Day
    reason: Text = ""


class Changed(Answer):
    """How many rows are new or different now."""

    changed: int


@router.get("/registrations")
def registrations(
    call: Calling,
    pages: Pages,
    item: Sought | None = None,
    enrolment_id: UUID | None = None,
    day: date | None = None,
) -> Page[RegistrationOut]:
    """List registrations that are not withdrawn: all of them, or those that hold on a day."""
    query = (
        select(OptIn, FeeItem.code)
        .join(FeeItem, col(FeeItem.id) == col(OptIn.item_id))
        .where(OptIn.school_id == call.school_id, col(OptIn.withdrawn_at).is_(None))
        .order_by(col(OptIn.id))
    )
    if item is not None:
        query = query.where(FeeItem.code == item)
    if enrolment_id is not None:
        query = query.where(OptIn.enrolment_id == enrolment_id)
    if day is not None:
        query = query.where(
            col(OptIn.valid_from) <= day, or_(col(OptIn.valid_to).is_(None), col(OptIn.valid_to) >= day)
        )
    if pages.after_number is not None:
        query = query.where(col(OptIn.id) > pages.after_number)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row[0].id, lambda row: _registration(row[0], row[1]))


@router.post("/registrations", status_code=201, response_model=Changed)
def register(call: Calling, body: RegistrationsIn) -> Response:
    """Register pupils for items; the same twice is harmless, another quantity or end takes the earlier one's place."""

    def make() -> Changed:
        wanted = [
            registering.Registration(
                each.enrolment_id, each.item, each.valid_from, each.evidence, each.quantity, each.valid_to
            )
            for each in body.registrations
        ]
        return Changed(changed=registering.register(call.session, call.school_id, call.actor, wanted, call.now))

    return call.create(make)


@router.post("/registrations/end")
def end(call: Calling, body: EndRegistrationsIn) -> Changed:
    """End registrations for an item after a day."""
    changed = registering.end_registrations(
        call.session,
        call.school_id,
        call.actor,
        body.item,
        body.enrolment_ids,
        body.last_day,
        call.now,
        body.reason,
    )
    return Changed(changed=changed)


@router.post("/classes/{class_id}/registrations", status_code=201, response_model=Counted)
def register_class(call: Calling, class_id: UUID, body: ClassRegistrationIn) -> Response:
    """Register a whole class, or those named of it, for an item."""

    def make() -> Counted:
        wanted = registering.ClassRegistration(
            class_id,
            body.item,
            body.valid_from,
            body.evidence,
            body.quantity,
            body.valid_to,
            enrolment_ids=body.enrolment_ids,
        )
        done = registering.register_class(call.session, call.school_id, call.actor, wanted, call.now)
        return Counted(new=done.new, changed=done.changed, unchanged=done.unchanged)

    return call.create(make)


def _registration(row: OptIn, item: str) -> RegistrationOut:
    return RegistrationOut(
        id=row.id or 0,
        enrolment_id=row.enrolment_id,
        item=item,
        quantity=row.quantity,
        evidence=row.evidence,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
