"""What the school asks the State for: lists worked out, handed on, approved, sent; and the money that came."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import col, select
from starlette.responses import Response

from billing.claims import booking, claiming
from billing.claims.tables import StateClaim, StateClaimLine, StatePayment
from billing.errors import NotFound
from billing.fees.council_rates import RateKind
from billing.money import Money
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.paging import Pages
from service.api.people import REFUSALS
from service.api.rounds import DigestIn
from service.api.shapes import Answer, Body, Day, Name, Page, PositiveDong, Reason

router = APIRouter(
    prefix="/api/v1/schools/{school}/claims", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["claims"]
)

BudgetCode = Annotated[str, Field(max_length=10, pattern=r"^[0-9]*$")]
Way = Literal["treasury", "cash", "families"]


class NewClaimIn(Body):
    """A list for one instalment; without months, the usual ones of the instalment."""

    kind: RateKind
    school_year: Annotated[str, Field(pattern=r"^\d{4}-\d{4}$")]
    instalment: Annotated[int, Field(strict=True, ge=1, le=2)]
    first_month: Day | None = None
    last_month: Day | None = None
    chapter_code: BudgetCode = ""
    category_code: BudgetCode = ""
    economic_code: BudgetCode = ""


class ClaimOut(Answer):
    """A list; ``number`` above 0 corrects the first one of its instalment. ``total`` in đồng."""

    id: UUID
    kind: RateKind
    school_year: str
    instalment: int
    number: int
    first_month: date
    last_month: date
    state: str
    pupils: int
    total: int | None
    digest: str | None
    made_by_me: bool
    sent_at: datetime | None


class CameOut(Answer):
    """What an approved list asked for, and what came of it, in đồng."""

    to_school: int
    to_families: int
    paid_school: int
    paid_families: int


class PaymentOut(Answer):
    """Money that came on a list, in đồng."""

    id: UUID
    amount: int
    paid_on: date
    way: Way
    document: str


class FullClaim(ClaimOut):
    """A list with what came of it."""

    chapter_code: str
    category_code: str
    economic_code: str
    came: CameOut | None
    payments: list[PaymentOut]


class ClaimLineOut(Answer):
    """A pupil's month of an approved list, in đồng. What for is not said here: it stands in the workbook."""

    pupil_id: UUID
    enrolment_id: UUID
    month: date
    class_name: str
    rate: int
    previous: int
    amount: int
    payee: str


class PaymentIn(Body):
    """Money that came: to the Treasury deposit, in cash, or paid by the authority to families."""

    amount: PositiveDong
    paid_on: Day
    way: Way
    document: Name


@router.get("")
def claims(call: Calling, pages: Pages) -> Page[ClaimOut]:
    """List the lists, oldest first."""
    query = select(StateClaim).where(StateClaim.school_id == call.school_id).order_by(col(StateClaim.id))
    if pages.after_id is not None:
        query = query.where(col(StateClaim.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row.id, lambda row: ClaimOut(**_facts(call, row)))


@router.post("", status_code=201, response_model=FullClaim)
def draft(call: Calling, body: NewClaimIn) -> Response:
    """Write down a list and work it out."""

    def make() -> FullClaim:
        plan = claiming.ClaimPlan(school_id=call.school_id, **body.model_dump())
        claim = claiming.draft_claim(call.session, call.actor, plan, call.now)
        claiming.calculate_claim(call.session, claim.id, call.actor, call.now)
        return _full(call, claiming.find_claim(call.session, claim.id))

    return call.create(make)


@router.get("/{claim_id}")
def claim(call: Calling, claim_id: UUID) -> FullClaim:
    """Return one list."""
    return _full(call, claiming.find_claim(call.session, claim_id))


@router.get("/{claim_id}/lines")
def lines(call: Calling, pages: Pages, claim_id: UUID) -> Page[ClaimLineOut]:
    """List what an approved list asks for, month by month."""
    claiming.find_claim(call.session, claim_id)
    query = (
        select(StateClaimLine)
        .where(StateClaimLine.school_id == call.school_id, StateClaimLine.claim_id == claim_id)
        .order_by(col(StateClaimLine.id))
    )
    if pages.after_number is not None:
        query = query.where(col(StateClaimLine.id) > pages.after_number)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row.id, _line)


@router.post("/{claim_id}/calculate")
def calculate(call: Calling, claim_id: UUID) -> FullClaim:
    """Work a list out anew; an earlier submission falls away with it."""
    claiming.calculate_claim(call.session, claim_id, call.actor, call.now)
    return _full(call, claiming.find_claim(call.session, claim_id))


@router.post("/{claim_id}/submit")
def submit(call: Calling, claim_id: UUID, body: DigestIn) -> FullClaim:
    """Hand a list to the approver, exactly as it was shown."""
    return _full(call, claiming.submit_claim(call.session, claim_id, body.digest, call.actor, call.now))


@router.post("/{claim_id}/approve")
def approve(call: Calling, claim_id: UUID, body: DigestIn) -> FullClaim:
    """Approve a list, exactly as it was shown, as another person."""
    return _full(call, claiming.approve_claim(call.session, claim_id, body.digest, call.actor, call.now))


@router.post("/{claim_id}/send")
def send(call: Calling, claim_id: UUID) -> FullClaim:
    """Note that the list went to the authority."""
    return _full(call, claiming.send_claim(call.session, claim_id, call.actor, call.now))


@router.post("/{claim_id}/withdraw")
def withdraw(call: Calling, claim_id: UUID, body: Reason) -> FullClaim:
    """Give a list up before it is approved; with a reason."""
    return _full(call, claiming.withdraw_claim(call.session, claim_id, call.actor, call.now, body.reason))


@router.post("/{claim_id}/payments", status_code=201, response_model=FullClaim)
def record_payment(call: Calling, claim_id: UUID, body: PaymentIn) -> Response:
    """Write down money that came on a list."""

    def make() -> FullClaim:
        found = claiming.find_claim(call.session, claim_id)
        new = booking.NewPayment(Money(body.amount), body.paid_on, body.way, body.document)
        booking.record_payment(call.session, found, call.actor, new, call.now)
        return _full(call, found)

    return call.create(make)


@router.post("/{claim_id}/payments/{payment_id}/undo")
def undo_payment(call: Calling, claim_id: UUID, payment_id: UUID, body: Reason) -> FullClaim:
    """Take back money that was written down wrongly; with a reason."""
    found = claiming.find_claim(call.session, claim_id)
    if payment_id not in {payment.id for payment in booking.payments_of(call.session, found)}:
        raise NotFound("Không tìm thấy khoản tiền về này trong danh sách.")
    booking.undo_payment(call.session, payment_id, call.actor, body.reason, call.now)
    return _full(call, found)


def _facts(call: Call, row: StateClaim) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": RateKind(row.kind),
        "school_year": row.school_year,
        "instalment": row.instalment,
        "number": row.number,
        "first_month": row.first_month,
        "last_month": row.last_month,
        "state": row.state,
        "pupils": row.pupils,
        "total": None if row.total is None else row.total.dong,
        "digest": None if row.digest is None else row.digest.hex(),
        "made_by_me": row.made_by == call.user_id,
        "sent_at": row.sent_at,
    }


def _full(call: Call, row: StateClaim) -> FullClaim:
    came = booking.standing_of(call.session, row) if row.approved_at else None
    return FullClaim(
        **_facts(call, row),
        chapter_code=row.chapter_code,
        category_code=row.category_code,
        economic_code=row.economic_code,
        came=_came(came) if came else None,
        payments=[_payment(payment) for payment in booking.payments_of(call.session, row)],
    )


def _came(came: booking.Standing) -> CameOut:
    return CameOut(
        to_school=came.to_school.dong,
        to_families=came.to_families.dong,
        paid_school=came.paid_school.dong,
        paid_families=came.paid_families.dong,
    )


def _payment(row: StatePayment) -> PaymentOut:
    return PaymentOut(
        id=row.id,
        amount=row.amount.dong,
        paid_on=row.paid_on,
        way=row.way,  # type: ignore[arg-type]  # the database knows only these words
        document=row.document,
    )


def _line(row: StateClaimLine) -> ClaimLineOut:
    return ClaimLineOut(
        pupil_id=row.pupil_id,
        enrolment_id=row.enrolment_id,
        month=row.month,
        class_name=row.class_name,
        rate=row.rate.dong,
        previous=row.previous.dong,
        amount=row.amount.dong,
        payee=row.payee,
    )
