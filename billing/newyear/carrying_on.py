"""What goes on for pupils in the new year: approved reductions by their own dates, and registrations by choice.

A reduction that the same decision grants beyond the border is written for the new enrolment with the same maker and
approver, since nothing of the decision changes; one that ends with last year has to be entered anew. A school's rule
that ends with last year is proposed one year on and waits for another person. Agreed items are asked anew unless the
accountant carries those over whose evidence holds on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.fees import tables
from billing.fees.reducing import go_on_for, person, values_of
from billing.fees.registering import Registration, take_registrations
from billing.newyear.classes import one_year_at_a_time, step_done
from billing.newyear.years import a_year_on, days_of, year_before
from billing.people.tables import Enrolment


@dataclass(frozen=True, slots=True)
class Moving:
    """A pupil with an enrolment in both years: from where to where something is carried, from its first new day."""

    old: UUID
    new: UUID
    first_day: date


@dataclass(frozen=True, slots=True)
class OptInGroup:
    """The registrations of one agreed item that could be carried over: how many have evidence, how many are over."""

    code: str
    name: str
    with_evidence: int
    without: int
    carried: int


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What can go on: pupils' reductions, those that are over, school rules to re-date, registrations by item."""

    reductions: int
    reductions_done: int
    ended: int
    rules: tuple[str, ...]
    opt_ins: tuple[OptInGroup, ...]


@dataclass(frozen=True, slots=True)
class WentOn:
    """How many were written."""

    reductions: int
    rules: int
    registrations: int


def preview_going_on(session: Session, school_id: UUID, school_year: str) -> GoingOn:
    """Return what can go on into a year; changes nothing."""
    pairs = {each.old: each for each in _moving(session, school_id, school_year)}
    rows = _approved(session, school_id, pairs)
    done = _copied(session, school_id, pairs.values())
    on = [row for row in rows if _holds(row, pairs)]
    missing = [row for row in on if _mark(row, pairs[_of(row)].new) not in done]
    return GoingOn(
        reductions=len(missing),
        reductions_done=len(on) - len(missing),
        ended=len(rows) - len(on),
        rules=tuple(row.title for row in _ending_rules(session, school_id, school_year)),
        opt_ins=tuple(_groups(session, school_id, pairs)),
    )


def carry_on(  # noqa: PLR0913, PLR0917  where, into which year, which items, by whom
    session: Session, school_id: UUID, school_year: str, items: Collection[str], actor: Actor, now: datetime
) -> WentOn:
    """Write the reductions and rules that go on, and the registrations (with evidence) of the items named.

    Doing it twice adds nothing. Raises ``NotFound`` for an item that the school does not have.
    """
    one_year_at_a_time(session, school_id)
    pairs = {each.old: each for each in _moving(session, school_id, school_year)}
    done = _copied(session, school_id, pairs.values())
    new = [
        go_on_for(row, pairs[_of(row)].new, pairs[_of(row)].first_day)
        for row in _approved(session, school_id, pairs)
        if _holds(row, pairs) and _mark(row, pairs[_of(row)].new) not in done
    ]
    rules = [_a_year_on(row, actor) for row in _ending_rules(session, school_id, school_year)]
    session.add_all([*new, *rules])
    session.flush()
    for row in [*new, *rules]:
        deed = Deed(school_id, "year.carry_reduction", "reduction", str(row.id), row.legal_basis)
        record_deed(session, actor, deed, now, made_by=str(row.made_by), approved_by=str(row.approved_by))
    registrations = [
        Registration(pairs[row.enrolment_id].new, code, pairs[row.enrolment_id].first_day, _evidence(row, school_year),
                     row.quantity)
        for row, code in _opt_ins(session, school_id, pairs)
        if code in items and row.evidence.strip()
    ]  # fmt: skip
    wrote = take_registrations(session, school_id, registrations, now) if registrations else None
    went = WentOn(len(new), len(rules), wrote.new if wrote else 0)
    if went.reductions or went.rules or went.registrations:
        counts = {"reductions": went.reductions, "rules": went.rules, "registrations": went.registrations}
        step_done(session, actor, school_id, school_year, "carrying_on", now, items=sorted(items), **counts)
    return went


def _moving(session: Session, school_id: UUID, school_year: str) -> list[Moving]:
    def of(year: str) -> dict[UUID, Enrolment]:
        query = select(Enrolment).where(Enrolment.school_id == school_id, Enrolment.school_year == year)
        return {each.pupil_id: each for each in session.exec(query.order_by(col(Enrolment.started_on))).all()}

    old, new = of(year_before(school_year)), of(school_year)
    return [Moving(old[pupil].id, new[pupil].id, new[pupil].started_on) for pupil in old.keys() & new.keys()]


def _of(row: tables.Reduction) -> UUID:
    return row.enrolment_id or UUID(int=0)


def _live() -> Sequence[ColumnElement[bool]]:
    """Return the conditions that a reduction counts: not withdrawn, and approved or of a loaded catalogue."""
    approved = or_(col(tables.Reduction.made_by).is_(None), col(tables.Reduction.approved_by).is_not(None))
    return col(tables.Reduction.withdrawn_at).is_(None), approved


def _approved(session: Session, school_id: UUID, pairs: Collection[UUID]) -> list[tables.Reduction]:
    query = select(tables.Reduction).where(
        tables.Reduction.school_id == school_id, col(tables.Reduction.enrolment_id).in_(list(pairs)), *_live()
    )
    return list(session.exec(query.order_by(col(tables.Reduction.id))).all())


def _holds(row: tables.Reduction, pairs: dict[UUID, Moving]) -> bool:
    return row.valid_to is None or row.valid_to >= pairs[_of(row)].first_day


def _mark(row: tables.Reduction, enrolment_id: UUID) -> tuple[object, ...]:
    """Return by what a copy is known again: whose, what, and until when."""
    what = tuple(row.item_codes), tuple(row.item_groups), row.percent, row.amount
    return enrolment_id, row.reason_class, row.legal_basis, *what, row.valid_to


def _copied(session: Session, school_id: UUID, pairs: Collection[Moving]) -> set[tuple[object, ...]]:
    query = select(tables.Reduction).where(
        tables.Reduction.school_id == school_id,
        col(tables.Reduction.enrolment_id).in_([each.new for each in pairs]),
    )
    return {_mark(row, _of(row)) for row in session.exec(query).all()}


def _ending_rules(session: Session, school_id: UUID, school_year: str) -> list[tables.Reduction]:
    """Return the school's rules that end with last year and have no successor yet."""
    last_year = days_of(year_before(school_year))
    rules = session.exec(
        select(tables.Reduction)
        .where(
            tables.Reduction.school_id == school_id,
            col(tables.Reduction.enrolment_id).is_(None),
            col(tables.Reduction.withdrawn_at).is_(None),
        )
        .order_by(col(tables.Reduction.id))
    ).all()
    newest = {(row.reason_class, row.title): row for row in sorted(rules, key=lambda each: each.valid_from)}
    return [
        row
        for row in newest.values()
        if row.valid_to is not None
        and last_year.holds(row.valid_to)
        and (row.made_by is None or row.approved_by is not None)
    ]


def _a_year_on(row: tables.Reduction, actor: Actor) -> tables.Reduction:
    values = values_of(row, "valid_from", "valid_to", "made_by", "approved_by")
    ends = a_year_on(row.valid_to) if row.valid_to else None
    return tables.Reduction(**values, valid_from=a_year_on(row.valid_from), valid_to=ends, made_by=person(actor))


def _opt_ins(session: Session, school_id: UUID, pairs: Collection[UUID]) -> Sequence[tuple[tables.OptIn, str]]:
    """Return the registrations that held at the end of last year, the newest of each pupil and item."""
    rows = session.exec(
        select(tables.OptIn, tables.FeeItem.code)
        .join(tables.FeeItem, col(tables.FeeItem.id) == col(tables.OptIn.item_id))
        .where(
            tables.OptIn.school_id == school_id,
            col(tables.OptIn.enrolment_id).in_(list(pairs)),
            col(tables.OptIn.withdrawn_at).is_(None),
            col(tables.OptIn.valid_to).is_(None),
            col(tables.FeeItem.valid_to).is_(None),
        )
        .order_by(col(tables.OptIn.valid_from))
    ).all()
    newest = {(row.enrolment_id, code): (row, code) for row, code in rows}
    return list(newest.values())


def _groups(session: Session, school_id: UUID, pairs: dict[UUID, Moving]) -> list[OptInGroup]:
    names = dict(
        session.exec(
            select(tables.FeeItem.code, tables.FeeItem.legal_name).where(tables.FeeItem.school_id == school_id)
        ).all()
    )
    new = {each.new: each.old for each in pairs.values()}
    held = {
        (new[enrolment], code)
        for enrolment, code in session.exec(
            select(tables.OptIn.enrolment_id, tables.FeeItem.code)
            .join(tables.FeeItem, col(tables.FeeItem.id) == col(tables.OptIn.item_id))
            .where(col(tables.OptIn.enrolment_id).in_(list(new)), col(tables.OptIn.withdrawn_at).is_(None))
        ).all()
    }
    by_code: dict[str, list[bool | None]] = {}
    for row, code in _opt_ins(session, school_id, pairs):
        evidence = None if (row.enrolment_id, code) in held else bool(row.evidence.strip())
        by_code.setdefault(code, []).append(evidence)
    return [
        OptInGroup(code, names[code], each.count(True), each.count(False), each.count(None))
        for code, each in sorted(by_code.items())
    ]


def _evidence(row: tables.OptIn, school_year: str) -> str:
    return f"Chuyển tiếp từ năm học {year_before(school_year)}: {row.evidence.strip()}"[:500]
