"""Items of an earlier round for pupils who came when it was over: who may be asked for what, and what was taken.

Nothing is charged of itself: each item waits for a person's choice (``LateChoice``), and what is taken is charged once,
by the next supplementary round of that earlier round. What a child paid at another school this school cannot see; so
whoever takes an item says whether it was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine, BillVoid
from billing.fees.charges import Charge, Period, Schedule
from billing.fees.charging import charge_all
from billing.fees.contracted import is_contracts
from billing.fees.insurance import is_insurance
from billing.fees.items import RARE_UNITS, Price, Span
from billing.fees.pupils import BilledPupil, Roll, read_roll
from billing.fees.tables import FeeItem
from billing.people.tables import Enrolment
from billing.rounds.late_items import as_if_there, only_these, open_items
from billing.rounds.tables import BillingRound, LateChoice

TAKEN = ("take", "take_again")
_NOBODY = Roll((), (), frozenset())


@dataclass(frozen=True, slots=True)
class Caught:
    """Pupils who came after a round, with facts as if they had been there, and what each is charged."""

    roll: Roll = _NOBODY
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class Latecomer:
    """A pupil who came after a round was over, and the prices that may be asked of it."""

    pupil: BilledPupil
    prices: tuple[Price, ...]


def catch_up(
    session: Session,
    billing_round: BillingRound,
    period: Period,
    schedule: Schedule,
    billed: Collection[UUID] | None,
) -> Caught:
    """Charge what was taken of a regular round for pupils who came after it; not who is ``billed``, nor who left.

    The round is that one or one that supplements it. ``billed`` None: all of them, for the bill that takes the place
    of another.
    """
    chosen_last = last_choices(session, billing_round.school_id, billing_round.base_round_id or billing_round.id)
    if not any(row.kind in TAKEN for row in chosen_last.values()):
        return Caught()
    roll, found = latecomers(session, billing_round, schedule, billed or (), left_too=billed is None)
    charges, pupils = [], []
    for each in found:
        codes = {code for code, row in choices_of(each.pupil, chosen_last).items() if row.kind in TAKEN}
        chosen = [price for price in each.prices if price.item.code in codes]
        if chosen:
            charges.append(charge_late(each.pupil, period, schedule, chosen))
            pupils.append(replace(each.pupil, facts=as_if_there(each.pupil.facts, period.days)))
    keys = {pupil.facts.pupil_id for pupil in pupils}
    narrowed = Roll(tuple(pupils), (), roll.without_contact & keys, roll.waiting_reductions & keys)
    return Caught(narrowed, tuple(charges))


def charge_late(pupil: BilledPupil, period: Period, schedule: Schedule, prices: Collection[Price]) -> Charge:
    """Return what these prices come to for a pupil who came when the period was over."""
    return next(charge_all([as_if_there(pupil.facts, period.days)], period, only_these(schedule, prices)))


def latecomers(
    session: Session,
    billing_round: BillingRound,
    schedule: Schedule,
    billed: Collection[UUID],
    *,
    left_too: bool = False,
) -> tuple[Roll, tuple[Latecomer, ...]]:
    """Return who came after a round's days and has something to be asked about, and the roll since then.

    Left out is who was there on one of its days, in whatever stay, who is ``billed`` for it, and (unless ``left_too``)
    whose last day is known: nothing of before the pupil came is asked of who leaves.
    """
    rare = [price for price in schedule.prices if price.item.unit in RARE_UNITS]
    if not rare or not _came_after(session, billing_round):
        return _NOBODY, ()
    since = Span(billing_round.period_to + timedelta(days=1))
    roll = read_roll(session, billing_round.school_id, billing_round.school_year, since)
    out = _were_there(session, billing_round).union(billed)
    closed = _billed_elsewhere(session, billing_round)
    never = _never_caught_up(session, billing_round.school_id)
    days = Span(billing_round.period_from, billing_round.period_to)
    found = []
    for pupil in roll.pupils:
        key = pupil.facts.pupil_id
        if key in out or (not left_too and all(span.end for span in pupil.facts.enrolled)):
            continue
        prices = open_items(pupil.facts, days, rare, never | closed.get(key, frozenset()))
        if prices:
            found.append(Latecomer(pupil, prices))
    return roll, tuple(found)


def last_choices(session: Session, school_id: UUID, base_round_id: UUID) -> dict[tuple[UUID, str], LateChoice]:
    """Return what was last chosen for items of a round, by enrolment and code of the item."""
    rows = session.exec(
        select(LateChoice, FeeItem.code)
        .join(FeeItem, (col(FeeItem.school_id) == LateChoice.school_id) & (col(FeeItem.id) == LateChoice.item_id))
        .where(LateChoice.school_id == school_id, LateChoice.round_id == base_round_id)
        .order_by(col(LateChoice.id))
    ).all()
    return {(row.enrolment_id, code): row for row, code in rows}


def choices_of(pupil: BilledPupil, chosen: Mapping[tuple[UUID, str], LateChoice]) -> dict[str, LateChoice]:
    """Return what was last chosen for a pupil, by code; who came back since may have been asked about in each stay."""
    found: dict[str, LateChoice] = {}
    for (enrolment, code), row in chosen.items():
        if enrolment in pupil.stays and (code not in found or (row.id or 0) > (found[code].id or 0)):
            found[code] = row
    return found


def _came_after(session: Session, billing_round: BillingRound) -> bool:
    late = select(Enrolment.id).where(
        Enrolment.school_id == billing_round.school_id,
        Enrolment.school_year == billing_round.school_year,
        Enrolment.state != "never_came",
        Enrolment.started_on > billing_round.period_to,
    )
    return session.exec(late.limit(1)).first() is not None


def _were_there(session: Session, billing_round: BillingRound) -> frozenset[UUID]:
    rows = session.exec(
        select(Enrolment.pupil_id).where(
            Enrolment.school_id == billing_round.school_id,
            Enrolment.school_year == billing_round.school_year,
            Enrolment.state != "never_came",
            Enrolment.started_on <= billing_round.period_to,
        )
    ).all()
    return frozenset(rows)


def _billed_elsewhere(session: Session, billing_round: BillingRound) -> dict[UUID, frozenset[str]]:
    """Return the items by the year or once that other rounds of the year billed to whoever came late, by pupil."""
    base = billing_round.base_round_id or billing_round.id
    rows = session.exec(
        select(Bill.pupil_id, BillLine.item_code)
        .join(BillLine, (col(BillLine.school_id) == Bill.school_id) & (col(BillLine.bill_id) == Bill.id))
        .join(BillingRound, (col(BillingRound.school_id) == Bill.school_id) & (col(BillingRound.id) == Bill.round_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == billing_round.school_id,
            BillingRound.school_year == billing_round.school_year,
            BillingRound.id != base,
            col(BillingRound.base_round_id).is_distinct_from(base),
            col(BillLine.unit).in_(("year", "once")),
            col(BillVoid.bill_id).is_(None),
        )
    ).all()
    found: dict[UUID, frozenset[str]] = {}
    for pupil, code in rows:
        found[pupil] = found.get(pupil, frozenset()) | {code}
    return found


def _never_caught_up(session: Session, school_id: UUID) -> frozenset[str]:
    """Return the codes of items that contracts alone charge, and of health insurance: no past month can be insured."""
    rows = session.exec(select(FeeItem).where(FeeItem.school_id == school_id)).all()
    return frozenset(row.code for row in rows if is_contracts(row) or is_insurance(row.code))
