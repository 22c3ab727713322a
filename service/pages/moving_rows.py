"""The pages of pupils who move, from rows of one school."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.contracts.reading import left_by_contract
from billing.credits.choosing import class_of_pupils
from billing.credits.reading import asked_back, free_credit
from billing.documents.filling import pupil_codes
from billing.errors import HocphiError, Refused
from billing.money import total
from billing.moving.ending import find_enrolment
from billing.moving.graduating import last_classes
from billing.moving.leaving import (
    LeavingPreview,
    Plan,
    balance_now,
    came_back,
    corrections_waiting,
    find_leaving,
    preview_leaving,
)
from billing.moving.returning import registered_before
from billing.moving.tables import Leaving, LeavingReturn
from billing.people.tables import ClassGroup, Enrolment, Pupil
from billing.rounds.calculating import late_arrivals
from billing.rounds.choosing_late import late_pupils
from billing.rounds.tables import ISSUED_STATES, BillingRound, Correction, CorrectionDecision
from service.access.tables import User
from service.pages.fee_views import PupilHit
from service.pages.moving_views import (
    AskedCorrection,
    FallRow,
    GraduateRow,
    LastClassRow,
    LeavingPage,
    LeavingPlan,
    LeavingRow,
    MoverPage,
    MovingPage,
    TypedLeaving,
)
from service.pages.reduction_rows import pupil_hits
from service.pages.typed import read_day, read_id, school_day

_SHOWN = 100


def moving_page(session: Session, school_id: UUID, words: str, today: date) -> MovingPage:
    """Return the pupils that the words find, and the newest leavings."""
    rows = session.exec(
        select(Leaving).where(Leaving.school_id == school_id).order_by(col(Leaving.made_at).desc()).limit(_SHOWN)
    ).all()
    hits = pupil_hits(session, school_id, words, today)
    return MovingPage(words, hits, tuple(_row(session, each) for each in rows))


def plan_of(typed: TypedLeaving) -> Plan:
    """Return what is meant; raises ``Refused`` without a day."""
    last_day = read_day(typed.last_day)
    if last_day is None:
        raise Refused("Hãy chọn ngày học cuối.")
    return Plan(read_id(typed.enrolment_id), last_day, typed.state, typed.reason)


def mover_page(
    session: Session, school_id: UUID, enrolment_id: UUID, typed: TypedLeaving | None, now: datetime
) -> MoverPage:
    """Return one pupil; a plan that cannot be is told as a problem on the page."""
    enrolment = find_enrolment(session, school_id, enrolment_id)
    hit, studies = _hit(session, enrolment, school_day(now)), enrolment.state == "studying"
    classes = tuple(_classes(session, enrolment))
    plan, problem = None, ""
    if typed is not None:
        try:
            wanted = plan_of(typed)
            plan = _plan(typed, wanted.last_day, preview_leaving(session, school_id, wanted, now))
        except HocphiError as error:
            problem = error.message
    missed = missed_rounds(session, enrolment) if studies else ()
    over = rounds_over(session, enrolment) if studies else ()
    return MoverPage(hit, studies, school_day(now), classes, plan, problem, missed, over)


def missed_rounds(session: Session, enrolment: Enrolment) -> tuple[tuple[str, str], ...]:
    """Return the issued rounds of a pupil's time at the school in which it has no bill, oldest first: (id, name).

    Their page makes the supplementary round that bills who came late.
    """
    rounds = session.exec(
        select(BillingRound)
        .where(
            BillingRound.school_id == enrolment.school_id,
            BillingRound.school_year == enrolment.school_year,
            BillingRound.kind == "regular",
            col(BillingRound.state).in_(ISSUED_STATES),
            BillingRound.period_to >= enrolment.started_on,
        )
        .order_by(col(BillingRound.period_from))
    ).all()
    return tuple((str(each.id), each.name) for each in rounds if enrolment.pupil_id in late_arrivals(session, each.id))


def rounds_over(session: Session, enrolment: Enrolment) -> tuple[tuple[str, str], ...]:
    """Return the issued rounds that were over when a pupil came and have items to choose for it: (id, name)."""
    rounds = session.exec(
        select(BillingRound)
        .where(
            BillingRound.school_id == enrolment.school_id,
            BillingRound.school_year == enrolment.school_year,
            BillingRound.kind == "regular",
            col(BillingRound.state).in_(ISSUED_STATES),
            BillingRound.period_to < enrolment.started_on,
        )
        .order_by(col(BillingRound.period_from))
    ).all()
    return tuple(
        (str(each.id), each.name)
        for each in rounds
        if any(late.enrolment_id == enrolment.id for late in late_pupils(session, each.id))
    )


def leaving_page(session: Session, school_id: UUID, leaving_id: UUID, today: date) -> LeavingPage:
    """Return one leaving with its corrections and what is open and kept now, and what a return would ask for."""
    leaving = find_leaving(session, school_id, leaving_id)
    left = find_enrolment(session, school_id, leaving.enrolment_id)
    row, pupil, again = _row(session, leaving), left.pupil_id, came_back(session, leaving)
    may_return = row.stands == "done" and not left_by_contract(session, school_id, left.id)
    asked = tuple(_corrections(session, leaving))
    maker = session.get(User, leaving.made_by)
    owed, kept = balance_now(session, school_id, pupil)
    return LeavingPage(
        row=row,
        pupil_id=str(pupil),
        reason=leaving.reason,
        maker=maker.full_name if maker else "",
        corrections=asked,
        owed=owed,
        kept=kept,
        asked=total(asked_back(session, school_id, [pupil]).values()),
        can_settle=row.stands == "done" and bool(free_credit(session, school_id, [pupil])),
        can_return=row.stands in ("waiting", "done") and all(each.stands != "approved" for each in asked),
        today=today,
        classes=tuple(_classes(session, left)) if may_return else (),
        items=tuple((each.code, each.name) for each in registered_before(session, leaving)) if may_return else (),
        again=(str(again.id), again.started_on) if again is not None else None,
    )


def last_class_rows(session: Session, school_id: UUID, today: date) -> tuple[LastClassRow, ...]:
    """Return the classes of last grades with what is kept for their pupils."""
    return tuple(
        LastClassRow(
            str(each.group.id),
            each.group.code,
            each.free,
            tuple(GraduateRow(pupil.name, pupil.free, pupil.open) for pupil in each.pupils),
        )
        for each in last_classes(session, school_id, today)
    )


def _hit(session: Session, enrolment: Enrolment, today: date) -> PupilHit:
    pupil = session.get_one(Pupil, enrolment.pupil_id)
    group = class_of_pupils(session, enrolment.school_id, today).get(pupil.id)
    code = pupil_codes(session, [pupil.id]).get(pupil.id, "")
    return PupilHit(str(enrolment.id), pupil.full_name, code, group.code if group else "", pupil.birth_date)


def _classes(session: Session, enrolment: Enrolment) -> Iterator[tuple[str, str]]:
    query = select(ClassGroup).where(
        ClassGroup.school_id == enrolment.school_id, ClassGroup.school_year == enrolment.school_year
    )
    for group in session.exec(query.order_by(col(ClassGroup.grade), col(ClassGroup.code))).all():
        yield str(group.id), group.code


def _plan(typed: TypedLeaving, last_day: date, preview: LeavingPreview) -> LeavingPlan:
    falls = tuple(
        FallRow(bill.number, bill.round_name, bill.locked, line.item_name, line.counted, line.off.family)
        for bill in preview.bills
        for line in bill.lines
        if line.off.family
    )
    return LeavingPlan(
        typed,
        last_day,
        falls,
        preview.owed,
        preview.kept,
        preview.off_rest,
        preview.to_credit,
        preview.gives_back,
        preview.still_open,
    )


def _row(session: Session, leaving: Leaving) -> LeavingRow:
    enrolment = find_enrolment(session, leaving.school_id, leaving.enrolment_id)
    pupil = session.get_one(Pupil, enrolment.pupil_id)
    if session.get(LeavingReturn, leaving.id) is not None:
        stands = "taken_back"
    elif came_back(session, leaving) is not None:
        stands = "came_back"
    else:
        stands = "waiting" if corrections_waiting(session, leaving) else "done"
    return LeavingRow(str(leaving.id), pupil.full_name, leaving.state, leaving.last_day, stands)


def _corrections(session: Session, leaving: Leaving) -> Iterator[AskedCorrection]:
    ids = list(map(UUID, leaving.corrections))
    query = (
        select(Correction, col(Bill.number), CorrectionDecision)
        .join(Bill, (col(Bill.school_id) == Correction.school_id) & (col(Bill.id) == Correction.bill_id))
        .outerjoin(CorrectionDecision, col(CorrectionDecision.correction_id) == Correction.id)
        .where(Correction.school_id == leaving.school_id, col(Correction.id).in_(ids))
        .order_by(col(Bill.number))
    )
    for correction, number, decision in session.exec(query).all():
        yield AskedCorrection(str(correction.id), number, _stands(decision))


def _stands(decision: CorrectionDecision | None) -> str:
    if decision is None:
        return "waiting"
    return "approved" if decision.approved else "rejected"
