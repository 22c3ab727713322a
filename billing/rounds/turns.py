"""Which stays of a pupil a round charges: who left, was billed, and came back in the same year pays for the rest only.

A bill names the last stay that it charges. A round and its supplements are one family: each stay is charged in one of
them (docs/decisions/0025).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, func, or_, select

from billing.bills.tables import Bill, BillVoid
from billing.people.tables import Enrolment
from billing.rounds.tables import BillingRound


@dataclass(frozen=True, slots=True)
class Turns:
    """The pupils who have several stays in the year; their stays ``before`` and ``apart`` are not this round's.

    ``before``: billed in the family of the round, earlier ones. ``apart``: later ones, which another round of it bills.
    """

    pupils: frozenset[UUID] = frozenset()
    before: frozenset[UUID] = frozenset()
    apart: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class _Stay:
    id: UUID
    began: date


def turns_of(session: Session, billing_round: BillingRound, *, again: bool = False) -> Turns:
    """Return whose stays a round charges now; ``again``: those that its own bills charge, where there are any."""
    stays = _several(session, billing_round)
    if not stays:
        return Turns()
    own, others = _billed(session, billing_round, stays)
    before: set[UUID] = set()
    apart: set[UUID] = set()
    for pupil, mine in stays.items():
        began = {stay.id: stay.began for stay in mine}
        here = {began[each] for each in own[pupil] if each in began}
        there = {began[each] for each in others[pupil] if each in began}
        top = max(here) if again and here else date.max
        until = max((day for day in there | (set() if again else here) if day < top), default=date.min)
        before |= {stay.id for stay in mine if stay.began <= until}
        apart |= {stay.id for stay in mine if stay.began > top}
    return Turns(frozenset(stays), frozenset(before), frozenset(apart))


def _several(session: Session, billing_round: BillingRound) -> dict[UUID, list[_Stay]]:
    """Return the stays of the pupils who have several in the year; few schools have any."""
    of_year = (
        Enrolment.school_id == billing_round.school_id,
        Enrolment.school_year == billing_round.school_year,
        Enrolment.state != "never_came",
    )
    several = select(Enrolment.pupil_id).where(*of_year).group_by(col(Enrolment.pupil_id)).having(func.count() > 1)
    rows = session.exec(
        select(Enrolment.pupil_id, Enrolment.id, col(Enrolment.started_on))
        .where(*of_year, col(Enrolment.pupil_id).in_(several))
        .order_by(col(Enrolment.started_on))
    ).all()
    found: dict[UUID, list[_Stay]] = defaultdict(list)
    for pupil, key, began in rows:
        found[pupil].append(_Stay(key, began))
    return dict(found)


def _billed(
    session: Session, billing_round: BillingRound, pupils: Iterable[UUID]
) -> tuple[dict[UUID, set[UUID]], dict[UUID, set[UUID]]]:
    """Return the stays that live bills name, by pupil: those of this round, and those of the others of its family."""
    base = billing_round.base_round_id or billing_round.id
    rows = session.exec(
        select(Bill.pupil_id, Bill.enrolment_id, Bill.round_id)
        .join(BillingRound, (col(BillingRound.school_id) == Bill.school_id) & (col(BillingRound.id) == Bill.round_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == billing_round.school_id,
            or_(col(BillingRound.id) == base, col(BillingRound.base_round_id) == base),
            col(Bill.pupil_id).in_(list(pupils)),
            col(BillVoid.bill_id).is_(None),
        )
    ).all()
    own: dict[UUID, set[UUID]] = defaultdict(set)
    others: dict[UUID, set[UUID]] = defaultdict(set)
    for pupil, enrolment, round_id in rows:
        if enrolment is not None:
            (own if round_id == billing_round.id else others)[pupil].add(enrolment)
    return own, others
