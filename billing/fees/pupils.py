"""What the rules need to know of a school's pupils in a period, read set-wise: ten queries for any number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, cast, exists, inspect
from sqlalchemy import select as columns  # SQLModel's knows no more than four
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, or_, select

from billing.attendance.reading import settled_absences
from billing.fees import tables
from billing.fees.charges import PupilFacts, Registration
from billing.fees.council_rates import is_foreign
from billing.fees.items import Level, Reduction, Span
from billing.fees.schedule import reduction_of
from billing.people.tables import ClassGroup, ClassPlacement, Contact, Enrolment, Guardianship, Pupil
from billing.storage import among

_NEVER: frozenset[date] = frozenset()
_NOBODY: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class BilledPupil:
    """A pupil with a class in the period: the facts for the rules, and the keys a bill needs.

    ``enrolment_id`` and ``class_id`` are the last ones in the period; ``earlier`` are the stays before, of who left and
    came back.
    """

    facts: PupilFacts
    enrolment_id: UUID
    class_id: UUID
    earlier: tuple[UUID, ...] = ()

    @property
    def stays(self) -> tuple[UUID, ...]:
        """All enrolments of the pupil in the period, in their order."""
        return (*self.earlier, self.enrolment_id)


@dataclass(frozen=True, slots=True)
class Roll:
    """A school's pupils in a period. Who has no class cannot be billed; who has no contact cannot be told.

    ``waiting_reductions``: pupils with a reduction in the period that nobody has approved yet, so it does not count.
    """

    pupils: tuple[BilledPupil, ...]
    without_class: tuple[UUID, ...]
    without_contact: frozenset[UUID]
    waiting_reductions: frozenset[UUID] = frozenset()


def read_roll(  # noqa: PLR0913  whose pupils, when, and which of their stays
    session: Session,
    school_id: UUID,
    school_year: str,
    days: Span,
    *,
    before: Collection[UUID] = (),
    apart: Collection[UUID] = (),
    contacts: bool = True,
    siblings: bool = True,
) -> Roll:
    """Return the pupils enrolled on any day of the period, by id; the class is the last one they have in it.

    The stays of who left and came back are taken together, without those ``apart``. Those that were billed ``before``
    are only looked at for what is not to be charged again; who has no other is left out. Without ``contacts`` nobody
    is looked up who could be told; without ``siblings`` their order is looked up only if a pupil's own reduction asks.
    """
    rows = session.execute(_enrolled(school_id, school_year, days)).all()
    groups = _groups(session, school_id)
    registrations = _registrations(session, school_id, days)
    otherwise = _paid_otherwise(session, school_id, days)
    reductions, waiting = _reductions(session, school_id, days)
    everybody = [row.pupil_id for row in rows]
    foreign = _foreign(session, school_id, school_year)
    ordered = siblings or any(one.from_sibling > 1 for some in reductions.values() for one in some)
    places = _sibling_places(session, everybody, days) if ordered else {}
    absent = settled_absences(session, school_id, days.start, days.end or date.max)
    pupils = []
    spans: dict[tuple[date, date | None], tuple[Span, ...]] = {}
    for key, enrolment, pupil, started_on, ended_on, class_id in rows:
        if class_id is None:
            continue
        group, level = groups[class_id]
        if (started_on, ended_on) not in spans:
            spans[started_on, ended_on] = (Span(started_on, ended_on),)
        facts = PupilFacts(
            pupil_id=pupil,
            level=level,
            grade=group.grade,
            class_name=group.code,
            enrolled=spans[started_on, ended_on],
            registrations=registrations.get(key, ()),
            reductions=reductions.get(key, ()),
            sibling_order=places.get(pupil, 1) if places else 1,
            citizen=not foreign or pupil not in foreign,
            absent=absent.get(enrolment, _NEVER) if absent else _NEVER,
            paid_otherwise=otherwise.get(enrolment, ()) if otherwise else (),
        )
        pupils.append(BilledPupil(facts, enrolment, group.id))
    several, settled = len({pupil.int for pupil in everybody}) < len(everybody), {*before, *apart}
    return Roll(
        pupils=tuple(_one_each(pupils, before, apart) if several or settled else pupils),
        without_class=tuple(row.pupil_id for row in rows if row.class_id is None and row.id not in settled),
        without_contact=frozenset(everybody) - _reachable(session, everybody, days) if contacts else _NOBODY,
        waiting_reductions=frozenset(row.pupil_id for row in rows if row.key in waiting) if waiting else _NOBODY,
    )


def _one_each(stays: Iterable[BilledPupil], before: Collection[UUID], apart: Collection[UUID]) -> Iterator[BilledPupil]:
    """Yield each pupil once, with the days of all its stays that are to be charged."""
    for _, group in groupby(stays, key=lambda each: each.facts.pupil_id):
        mine = [each for each in group if each.enrolment_id not in apart]
        charged = [each for each in mine if each.enrolment_id not in before]
        if len(mine) == 1 and charged:
            yield charged[0]
        elif charged:
            yield _joined([each for each in mine if each.enrolment_id in before], charged)


def _joined(billed: Sequence[BilledPupil], charged: Sequence[BilledPupil]) -> BilledPupil:
    """Return the stays of one pupil as one: a reduction or registration of a stay holds on the days of that stay.

    Those of a stay that was billed before take nothing off again; they tell what of an amount a month is used up.
    """
    every, last = [*billed, *charged], charged[-1]
    facts = replace(
        last.facts,
        enrolled=tuple(span for each in charged for span in each.facts.enrolled),
        before=tuple(span for each in billed for span in each.facts.enrolled),
        registrations=tuple(
            replace(row, days=days)
            for each in every
            for row in each.facts.registrations
            for span in each.facts.enrolled
            if (days := row.days.within(span))
        ),
        reductions=tuple(
            replace(row, valid=days)
            for each in every
            for row in each.facts.reductions
            for span in each.facts.enrolled
            if (days := row.valid.within(span))
        ),
        absent=frozenset().union(*(each.facts.absent for each in charged)),
        paid_otherwise=tuple(row for each in every for row in each.facts.paid_otherwise),
    )
    earlier = tuple(each.enrolment_id for each in every if each is not last)
    return BilledPupil(facts, last.enrolment_id, last.class_id, earlier)


def _meets(start: Mapped[date], end: Mapped[date | None], days: Span) -> ColumnElement[bool]:
    """Return the condition that a dated row has a day in common with these days."""
    not_over = or_(end.is_(None), end >= days.start)
    return not_over if days.end is None else (start <= days.end) & not_over


def _enrolled(school_id: UUID, school_year: str, days: Span) -> Select[Any]:
    """Return the query of who is enrolled in the period, by pupil and day, with the last class in it.

    Columns, not rows as objects: a province has two hundred thousand of them. ``key`` is the enrolment's id and
    ``class_id`` the class's as texts, by which Python looks things up much faster.
    """
    # Looked up by enrolment, not joined: a plan that is kept for every school took all for few and compared each
    # enrolment with each placement, from a worker's tenth school on.
    placed = (
        columns(col(ClassPlacement.class_id))
        .where(
            col(ClassPlacement.school_id) == school_id,
            col(ClassPlacement.enrolment_id) == Enrolment.id,
            _meets(col(ClassPlacement.valid_from), col(ClassPlacement.valid_to), days),
        )
        .order_by(col(ClassPlacement.valid_from).desc())
        .limit(1)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    query: Any = (
        columns(
            _key(Enrolment.id),
            col(Enrolment.id),
            col(Enrolment.pupil_id),
            col(Enrolment.started_on),
            col(Enrolment.ended_on),
            cast(placed, String).label("class_id"),
        )
        .where(
            col(Enrolment.school_id) == school_id,
            col(Enrolment.school_year) == school_year,
            col(Enrolment.state) != "never_came",
            _meets(col(Enrolment.started_on), col(Enrolment.ended_on), days),
        )
        .order_by(col(Enrolment.pupil_id), col(Enrolment.started_on))
    )
    enrolled: Select[Any] = query
    return enrolled


def _key(column: Any) -> ColumnElement[str]:  # noqa: ANN401  SQLModel types a column as its value
    """Return an id as the text that it is looked up by."""
    return cast(column, String).label("key")


def _groups(session: Session, school_id: UUID) -> dict[str, tuple[ClassGroup, Level]]:
    groups = session.exec(select(ClassGroup).where(ClassGroup.school_id == school_id)).all()
    return {str(group.id): (group, Level(group.level)) for group in groups}


def _foreign(session: Session, school_id: UUID, school_year: str) -> set[UUID]:
    """Return the pupils of another nationality; nearly all are Vietnamese, so few rows come."""
    rows = session.exec(
        select(Pupil.id, Pupil.nationality)
        .join(Enrolment, col(Enrolment.pupil_id) == col(Pupil.id))
        .where(Enrolment.school_id == school_id, Enrolment.school_year == school_year, Pupil.nationality != "Việt Nam"),
    ).all()
    return {pupil for pupil, nationality in rows if is_foreign(nationality)}


def _registrations(session: Session, school_id: UUID, days: Span) -> dict[str, tuple[Registration, ...]]:
    """Return the registrations by enrolment; families that registered for the same share the very same tuple."""
    rows = session.execute(
        columns(
            _key(tables.OptIn.enrolment_id),
            col(tables.FeeItem.code),
            col(tables.OptIn.valid_from),
            col(tables.OptIn.valid_to),
            col(tables.OptIn.quantity),
        )
        .join(tables.FeeItem, col(tables.FeeItem.id) == col(tables.OptIn.item_id))
        .where(
            col(tables.OptIn.school_id) == school_id,
            col(tables.OptIn.withdrawn_at).is_(None),
            _meets(col(tables.OptIn.valid_from), col(tables.OptIn.valid_to), days),
        )
        .order_by(col(tables.OptIn.id)),
    ).all()
    found: dict[str, tuple[Registration, ...]] = {}
    alike: dict[tuple[str, date, date | None, int], Registration] = {}  # most families register for the same
    shared: dict[tuple[int, ...], tuple[Registration, ...]] = {}
    for enrolment, *each in rows:
        key = tuple(each)
        one = alike.get(key)
        if one is None:
            one = alike[key] = Registration(key[0], Span(key[1], key[2]), key[3])
        mine = (*found.get(enrolment, ()), one)
        found[enrolment] = shared.setdefault(tuple(map(id, mine)), mine)
    return found


def _paid_otherwise(session: Session, school_id: UUID, days: Span) -> dict[UUID, tuple[Registration, ...]]:
    """Return the items that families pay another way in the period, by enrolment; few schools have any."""
    rows = session.exec(
        select(tables.OptOut, tables.FeeItem.code)
        .join(tables.FeeItem, col(tables.FeeItem.id) == col(tables.OptOut.item_id))
        .where(
            tables.OptOut.school_id == school_id,
            col(tables.OptOut.valid_to) >= days.start,
            col(tables.OptOut.valid_from) <= (days.end or date.max),
        )
        .order_by(col(tables.OptOut.id))
    ).all()
    found: dict[UUID, list[Registration]] = defaultdict(list)
    for row, code in rows:
        found[row.enrolment_id].append(Registration(code, Span(row.valid_from, row.valid_to)))
    return {enrolment: tuple(each) for enrolment, each in found.items()}


def _reductions(session: Session, school_id: UUID, days: Span) -> tuple[dict[str, tuple[Reduction, ...]], set[str]]:
    """Return the approved reductions by enrolment, and the enrolments that have others waiting for approval."""
    # Their columns, not objects: a school has hundreds, and an object of twenty columns takes long to make and to ask.
    rows: Any = session.execute(
        columns(*inspect(tables.Reduction).columns)
        .where(
            col(tables.Reduction.school_id) == school_id,
            col(tables.Reduction.enrolment_id).is_not(None),
            col(tables.Reduction.withdrawn_at).is_(None),
            _meets(col(tables.Reduction.valid_from), col(tables.Reduction.valid_to), days),
        )
        .order_by(col(tables.Reduction.id)),
    ).all()
    found: dict[str, list[Reduction]] = defaultdict(list)
    waiting = set()
    for row in rows:
        if row.approved_by is None:
            waiting.add(str(row.enrolment_id))
        else:
            found[str(row.enrolment_id)].append(reduction_of(row))
    return {enrolment: tuple(each) for enrolment, each in found.items()}, waiting


def _sibling_places(session: Session, pupil_ids: Sequence[UUID], days: Span) -> dict[UUID, int]:
    """Return the place of each pupil among the siblings at this school, oldest first; siblings share a guardian."""
    rows = session.exec(
        select(col(Guardianship.guardian_id), col(Guardianship.pupil_id), col(Pupil.birth_date))
        .join(Pupil, col(Pupil.id) == col(Guardianship.pupil_id))
        .where(
            among(Guardianship.pupil_id, pupil_ids),
            _meets(col(Guardianship.valid_from), col(Guardianship.valid_to), days),
        ),
    ).all()
    born = {pupil: birth_date for _, pupil, birth_date in rows}
    children: dict[UUID, list[UUID]] = defaultdict(list)
    for guardian, pupil, _ in rows:
        children[guardian].append(pupil)
    return {
        pupil: place
        for family in _families(children.values())
        for place, pupil in enumerate(sorted(family, key=lambda each: (born[each], each)), 1)
    }


def _families(groups: Iterable[Sequence[UUID]]) -> list[set[UUID]]:
    """Join groups that share a child: father's and mother's children are one family."""
    family_of: dict[UUID, set[UUID]] = {}
    for group in groups:
        joined = set(group).union(*(family_of.get(child, set()) for child in group))
        for child in joined:
            family_of[child] = joined
    return list({id(family): family for family in family_of.values()}.values())


def _reachable(session: Session, pupil_ids: Sequence[UUID], days: Span) -> set[UUID]:
    contact = exists().where(col(Contact.guardian_id) == col(Guardianship.guardian_id), col(Contact.valid_to).is_(None))
    rows = session.exec(
        select(Guardianship.pupil_id).where(
            among(Guardianship.pupil_id, pupil_ids),
            col(Guardianship.receives_notices).is_(True),
            _meets(col(Guardianship.valid_from), col(Guardianship.valid_to), days),
            contact,
        ),
    ).all()
    return set(rows)
