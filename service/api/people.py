"""Who and what a school has: the caller itself, bank accounts, classes, pupils."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import col, or_, select

from billing.ledger.tables import BankAccount
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode
from service.api.calling import MAX_JSON_BYTES, Call, Calling
from service.api.paging import Pages
from service.api.shapes import Answer, ErrorAnswer, Page, Sought

REFUSALS: dict[int | str, dict[str, Any]] = {422: {"model": ErrorAnswer}, "4XX": {"model": ErrorAnswer}}

own_router = APIRouter(prefix="/api/v1", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["caller"])
router = APIRouter(prefix="/api/v1/schools/{school}", max_body_size=MAX_JSON_BYTES, responses=REFUSALS, tags=["school"])


@dataclass(frozen=True, slots=True)
class Named:
    """Name and newest code of a pupil."""

    name: str = ""
    code: str = ""


class SchoolOut(Answer):
    """A school."""

    code: str
    name: str
    kind: Literal["public", "private"]
    levels: list[str]


class Myself(Answer):
    """In whose name a token acts, where, and until when."""

    name: str
    school: SchoolOut
    roles: list[str]
    token: str
    read_only: bool
    expires_at: datetime


class AccountOut(Answer):
    """A bank account of the school that items can pay into; of its number only the end."""

    id: UUID
    bank_bin: str
    number_ends: str
    holder: str


class ClassOut(Answer):
    """A class of a school year."""

    id: UUID
    code: str
    grade: int
    level: str
    school_year: str


class PupilOut(Answer):
    """A pupil in a school year; ``class_code`` is that of the day asked for, else of the last one."""

    enrolment_id: UUID
    pupil_id: UUID
    code: str
    name: str
    class_code: str
    school_year: str
    state: str
    started_on: date
    ended_on: date | None


@own_router.get("/me")
def myself(call: Calling) -> Myself:
    """Tell in whose name this token acts."""
    bearer, school = call.bearer, call.school
    return Myself(
        name=bearer.who.name,
        school=SchoolOut(code=school.code, name=school.name, kind=school.kind, levels=school.levels),  # type: ignore[arg-type]  # the database knows only the two words
        roles=sorted(bearer.who.roles_in(bearer.place)),
        token=bearer.name,
        read_only=bearer.read_only,
        expires_at=bearer.expires_at,
    )


@router.get("/accounts")
def accounts(call: Calling, pages: Pages) -> Page[AccountOut]:
    """List the school's bank accounts."""
    query = select(BankAccount).where(BankAccount.school_id == call.school_id).order_by(col(BankAccount.id))
    if pages.after_id is not None:
        query = query.where(col(BankAccount.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(
        rows,
        lambda row: row.id,
        lambda row: AccountOut(id=row.id, bank_bin=row.bank_bin, number_ends=row.number[-4:], holder=row.holder),
    )


@router.get("/classes")
def classes(call: Calling, pages: Pages, school_year: Sought | None = None) -> Page[ClassOut]:
    """List classes, of all school years or of one such as ``2025-2026``."""
    query = select(ClassGroup).where(ClassGroup.school_id == call.school_id).order_by(col(ClassGroup.id))
    if school_year is not None:
        query = query.where(ClassGroup.school_year == school_year)
    if pages.after_id is not None:
        query = query.where(col(ClassGroup.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    return pages.page(rows, lambda row: row.id, class_out)


def class_out(row: ClassGroup) -> ClassOut:
    """Return a class as the API shows it."""
    return ClassOut(id=row.id, code=row.code, grade=row.grade, level=row.level, school_year=row.school_year)


@router.get("/pupils")
def pupils(
    call: Calling,
    pages: Pages,
    school_year: Sought | None = None,
    class_id: UUID | None = None,
    day: date | None = None,
) -> Page[PupilOut]:
    """List pupils by enrolment: of a school year, or of one class on a day (today without one)."""
    on = day or call.today
    query = (
        select(Enrolment, Pupil)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .where(Enrolment.school_id == call.school_id)
        .order_by(col(Enrolment.id))
    )
    if school_year is not None:
        query = query.where(Enrolment.school_year == school_year)
    if class_id is not None:
        inside = select(ClassPlacement.enrolment_id).where(
            ClassPlacement.school_id == call.school_id,
            ClassPlacement.class_id == class_id,
            ClassPlacement.valid_from <= on,
            or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) >= on),
        )
        query = query.where(col(Enrolment.id).in_(inside))
    if pages.after_id is not None:
        query = query.where(col(Enrolment.id) > pages.after_id)
    rows = call.session.exec(query.limit(pages.limit + 1)).all()
    codes = _codes(call, [pupil.id for _, pupil in rows])
    places = _classes(call, [enrolment.id for enrolment, _ in rows], on)
    return pages.page(
        rows,
        lambda row: row[0].id,
        lambda row: _pupil(row[0], row[1], codes.get(row[1].id, ""), places.get(row[0].id, "")),
    )


def _pupil(enrolment: Enrolment, pupil: Pupil, code: str, class_code: str) -> PupilOut:
    return PupilOut(
        enrolment_id=enrolment.id,
        pupil_id=pupil.id,
        code=code,
        name=pupil.full_name,
        class_code=class_code,
        school_year=enrolment.school_year,
        state=enrolment.state,
        started_on=enrolment.started_on,
        ended_on=enrolment.ended_on,
    )


def named(call: Call, pupil_ids: Collection[UUID]) -> dict[UUID, Named]:
    """Return names and codes of pupils."""
    names = call.session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupil_ids))).all()
    codes = _codes(call, pupil_ids)
    return {pupil_id: Named(name, codes.get(pupil_id, "")) for pupil_id, name in names}


def _codes(call: Call, pupil_ids: Collection[UUID]) -> dict[UUID, str]:
    rows = call.session.exec(
        select(col(PupilCode.pupil_id), col(PupilCode.code))
        .where(col(PupilCode.pupil_id).in_(pupil_ids), PupilCode.kind == "moet")
        .order_by(col(PupilCode.valid_from), col(PupilCode.id))
    ).all()
    return dict(rows)


def _classes(call: Call, enrolment_ids: Collection[UUID], on: date) -> dict[UUID, str]:
    rows = call.session.exec(
        select(col(ClassPlacement.enrolment_id), col(ClassGroup.code))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            ClassPlacement.school_id == call.school_id,
            col(ClassPlacement.enrolment_id).in_(enrolment_ids),
            ClassPlacement.valid_from <= on,
        )
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    return dict(rows)
