"""Billing rounds: made, calculated, looked through, handed on, approved, issued, locked. Two people, one digest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import col, select
from starlette.responses import Response

from billing.bills.instalments import Share, shares_from
from billing.fees.items import Span
from billing.rounds import approving, drafting, locking, previewing
from billing.rounds.calculating import late_arrivals
from billing.rounds.tables import ISSUED_STATES, BillingRound
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.paging import Pages
from service.api.people import REFUSALS
from service.api.shapes import Answer, Body, Code, Day, Name, Page, Reason, Yes
from service.jobs.rounds import ask_again, ask_to_issue, trouble_of

router = APIRouter(
    prefix="/api/v1/schools/{school}/rounds", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["rounds"]
)

T = TypeVar("T")

ISSUE_ROUNDS = "billing.issue_rounds"
State = Literal["draft", "previewed", "submitted", "approved", "issued", "locked", "withdrawn"]


class ShareOut(Answer):
    """A part into which every bill of the round is split."""

    due_on: date
    percent: int


class Totals(Answer):
    """Gross, and who carries it, in đồng; gross = family + state + school + donor."""

    pupils: int
    gross: int
    family: int
    state: int
    school: int
    donor: int


class ItemTotals(Answer):
    """One item over all pupils; ``account`` is the bank account's id."""

    code: str
    name: str
    account: str
    quantity: int
    totals: Totals


class DifferenceOut(Answer):
    """How families' dues differ from the last round, in đồng; pupils one by one: ``…/differences``."""

    was: int
    now: int
    new: int
    gone: int
    changed: int


class Shown(Answer):
    """What was calculated last; ``digest`` names exactly these charges, and is what is submitted and approved."""

    digest: str
    totals: Totals
    bills: int
    covered: int
    items: list[ItemTotals]
    difference: DifferenceOut
    questions: list[str]
    oddities: int


class RoundOut(Answer):
    """A round in a list."""

    id: UUID
    code: str
    name: str
    school_year: str
    kind: Literal["regular", "supplementary", "opening", "deposit"]
    base_round_id: UUID | None
    state: State
    period_from: date
    period_to: date
    due_on: date
    family_total: int | None
    made_by_me: bool
    issued_at: datetime | None


class FullRound(RoundOut):
    """A round with what it will do (or did). ``trouble``: why an approved one could not be issued yet."""

    meal_days: list[date]
    instalments: list[ShareOut]
    preview: Shown | None
    trouble: str
    late_pupils: int


class ShareIn(Body):
    """A part of every bill; the last one is due on the round's own day."""

    due_on: Day
    percent: Annotated[int, Field(strict=True, ge=1, le=100)]


class NewRoundIn(Body):
    """A round for the days from ``period_from`` to ``period_to``; ``meal_days`` are those on which meals are served."""

    school_year: Annotated[str, Field(pattern=r"^\d{4}-\d{4}$")]
    code: Annotated[Code, Field(max_length=20)]
    name: Name
    period_from: Day
    period_to: Day
    due_on: Day
    meal_days: Annotated[frozenset[Day], Field(max_length=366)] = frozenset()
    instalments: Annotated[tuple[ShareIn, ...], Field(max_length=12)] = ()


class SupplementaryIn(Body):
    """A round for who has no bill in an issued one; days, meals and prices are those of that round."""

    code: Annotated[Code, Field(max_length=20)]
    name: Name
    due_on: Day


class DigestIn(Body):
    """The digest of what was shown."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ApproveIn(DigestIn):
    """The digest, and a yes to the preview's questions where there are any."""

    agree: Yes = False


class OddityOut(Answer):
    """One thing to look at."""

    kind: str
    text: str
    pupil_id: UUID | None
    item: str | None


class PupilDifference(Answer):
    """A pupil whose family's due is new, gone or different, in đồng."""

    pupil_id: UUID
    kind: Literal["new", "gone", "changed"]
    was: int | None
    now: int | None


@router.get("")
def rounds(call: Calling, pages: Pages, state: State | None = None) -> Page[RoundOut]:
    """List the rounds, oldest first."""
    query = select(BillingRound).where(BillingRound.school_id == call.school_id).order_by(col(BillingRound.id))
    if state is not None:
        query = query.where(BillingRound.state == state)
    if pages.after_id is not None:
        query = query.where(col(BillingRound.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row.id, lambda row: RoundOut(**_facts(call, row)))


@router.post("", status_code=201, response_model=FullRound)
def draft(call: Calling, body: NewRoundIn) -> Response:
    """Write down a round; calculate it with ``…/preview``."""

    def make() -> FullRound:
        plan = drafting.RoundPlan(
            school_id=call.school_id,
            school_year=body.school_year,
            code=body.code,
            name=body.name,
            days=Span(body.period_from, body.period_to),
            meal_days=body.meal_days,
            due_on=body.due_on,
            instalments=tuple(Share(each.due_on, each.percent) for each in body.instalments),
        )
        return _full(call, drafting.draft_round(call.session, call.actor, plan, call.now))

    return call.create(make)


@router.get("/{round_id}")
def billing_round(call: Calling, round_id: UUID) -> FullRound:
    """Return a round: its state, totals by payer and item, differences, questions, troubles."""
    return _full(call, drafting.find_round(call.session, round_id))


@router.post("/{round_id}/supplementary", status_code=201, response_model=FullRound)
def supplement(call: Calling, round_id: UUID, body: SupplementaryIn) -> Response:
    """Write down a round for who has no bill in this issued one."""

    def make() -> FullRound:
        plan = drafting.SupplementaryPlan(body.code, body.name, body.due_on)
        return _full(call, drafting.draft_supplementary(call.session, call.actor, round_id, plan, call.now))

    return call.create(make)


@router.post("/{round_id}/preview")
def preview(call: Calling, round_id: UUID) -> FullRound:
    """Calculate a round anew and keep what it will do; an earlier submission or approval falls away."""
    previewing.preview_round(call.session, round_id, call.actor, call.now)
    return _full(call, drafting.find_round(call.session, round_id))


@router.get("/{round_id}/oddities")
def oddities(call: Calling, pages: Pages, round_id: UUID) -> Page[OddityOut]:
    """List what the last calculation found odd."""
    kept = drafting.find_round(call.session, round_id).preview.get("oddities", [])
    found = [
        OddityOut(kind=each["kind"], text=each["text"], pupil_id=each["pupil"], item=each["item"]) for each in kept
    ]
    return _slice(pages, found)


@router.get("/{round_id}/differences")
def differences(call: Calling, pages: Pages, round_id: UUID) -> Page[PupilDifference]:
    """List the pupils who are new, gone, or charged otherwise than in the last round, as calculated last."""
    kept = drafting.find_round(call.session, round_id).preview.get("difference", {})
    found = [PupilDifference(pupil_id=each, kind="new", was=None, now=None) for each in kept.get("new", [])]
    found += [PupilDifference(pupil_id=each, kind="gone", was=None, now=None) for each in kept.get("gone", [])]
    found += [
        PupilDifference(pupil_id=each["pupil"], kind="changed", was=each["was"], now=each["now"])
        for each in kept.get("changed", [])
    ]
    return _slice(pages, found)


@router.post("/{round_id}/submit")
def submit(call: Calling, round_id: UUID, body: DigestIn) -> FullRound:
    """Hand a round to the approver, exactly as it was shown."""
    return _full(call, approving.submit_round(call.session, round_id, call.actor, call.now, shown=body.digest))


@router.post("/{round_id}/approve")
def approve(call: Calling, round_id: UUID, body: ApproveIn) -> FullRound:
    """Approve a round, exactly as it was shown, as another person; its bills are then issued by themselves."""
    approved = approving.approve_round(
        call.session, round_id, call.actor, call.now, confirm=body.agree, shown=body.digest
    )
    ask_to_issue(call.session, approved, call.now)
    call.ring(ISSUE_ROUNDS)
    return _full(call, approved)


@router.post("/{round_id}/issue")
def issue(call: Calling, round_id: UUID) -> FullRound:
    """Try again to issue an approved round with a ``trouble``; otherwise approving is enough."""
    found = drafting.find_round(call.session, round_id)
    ask_again(call.session, found, call.now)
    call.ring(ISSUE_ROUNDS)
    return _full(call, found)


@router.post("/{round_id}/withdraw")
def withdraw(call: Calling, round_id: UUID, body: Reason) -> FullRound:
    """Give a round up before it is issued; with a reason."""
    return _full(call, approving.withdraw_round(call.session, round_id, call.actor, call.now, body.reason))


@router.post("/{round_id}/lock")
def lock(call: Calling, round_id: UUID) -> FullRound:
    """Lock an issued round: nothing of it is corrected any more."""
    return _full(call, locking.lock_round(call.session, round_id, call.actor, call.now))


@router.post("/{round_id}/unlock")
def unlock(call: Calling, round_id: UUID, body: Reason) -> FullRound:
    """Open a locked round again, as another person than who locked it; with a reason."""
    return _full(call, locking.unlock_round(call.session, round_id, call.actor, call.now, body.reason))


def _facts(call: Call, row: BillingRound) -> dict[str, Any]:
    total = row.family_total
    return {
        "id": row.id,
        "code": row.code,
        "name": row.name,
        "school_year": row.school_year,
        "kind": row.kind,
        "base_round_id": row.base_round_id,
        "state": row.state,
        "period_from": row.period_from,
        "period_to": row.period_to,
        "due_on": row.due_on,
        "family_total": None if total is None else total.dong,
        "made_by_me": row.made_by == call.user_id,
        "issued_at": row.issued_at,
    }


def _full(call: Call, row: BillingRound) -> FullRound:
    regular = row.state in ISSUED_STATES and row.base_round_id is None
    return FullRound(
        **_facts(call, row),
        meal_days=row.meal_days,
        instalments=[ShareOut(due_on=share.due_on, percent=share.percent) for share in shares_from(row.instalments)],
        preview=_shown(row) if row.preview else None,
        trouble=trouble_of(call.session, row.id) if row.state == "approved" else "",
        late_pupils=len(late_arrivals(call.session, row.id)) if regular else 0,
    )


def _shown(row: BillingRound) -> Shown:
    kept = row.preview
    difference = kept["difference"]
    return Shown(
        digest=kept["digest"],
        totals=Totals(**kept["totals"]),
        bills=kept["bills"],
        covered=kept["covered"],
        items=[ItemTotals(**{**item, "totals": Totals(**item["totals"])}) for item in kept["items"]],
        difference=DifferenceOut(
            was=difference["was"],
            now=difference["now"],
            new=len(difference["new"]),
            gone=len(difference["gone"]),
            changed=len(difference["changed"]),
        ),
        questions=previewing.open_questions(row),
        oddities=len(kept["oddities"]),
    )


def _slice(pages: Pages, found: list[T]) -> Page[T]:
    """Return a page of what was kept by the last calculation, in its order; the cursor counts."""
    start = pages.after_number or 0
    numbered = list(enumerate(found[start : start + pages.limit + 1], start=start + 1))
    return pages.page(numbered, lambda each: each[0], lambda each: each[1])
