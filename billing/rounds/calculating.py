"""What a round would charge now: the same calculation for the preview and for the issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillVoid
from billing.errors import NotFound
from billing.fees.caps import CapVerdict
from billing.fees.charging import Charge, charge_all
from billing.fees.pupils import BilledPupil, Roll, read_roll
from billing.fees.schedule import judge_schedule, read_schedule
from billing.money import ZERO, Money
from billing.people.tables import School
from billing.rounds.drafting import period_of
from billing.rounds.tables import BillingRound


@dataclass(frozen=True, slots=True)
class Calculated:
    """The charges of a round, with what is needed to preview them and to write the bills."""

    charges: tuple[Charge, ...]
    pupils: Mapping[UUID, BilledPupil]
    roll: Roll
    verdicts: tuple[CapVerdict, ...]


def calculate(session: Session, billing_round: BillingRound) -> Calculated:
    """Charge all pupils of the school for the round's period; raises ``OverCap`` and the like, stores nothing."""
    school = session.exec(select(School).where(School.id == billing_round.school_id)).one_or_none()
    if school is None:
        raise NotFound("Không tìm thấy trường của đợt thu này.", school=billing_round.school_id)
    period = period_of(billing_round)
    schedule = read_schedule(session, school, period.days)
    verdicts = judge_schedule(session, school, schedule, period.days)
    roll = read_roll(session, school.id, billing_round.school_year, period.days)
    charges = tuple(charge_all((pupil.facts for pupil in roll.pupils), period, schedule))
    return Calculated(charges, {pupil.facts.pupil_id: pupil for pupil in roll.pupils}, roll, verdicts)


def last_dues(session: Session, billing_round: BillingRound) -> dict[UUID, Money]:
    """Return what each pupil's family owed for the school's last issued round; empty before the first one."""
    last = session.exec(
        select(BillingRound.id)
        .where(
            BillingRound.school_id == billing_round.school_id,
            BillingRound.state == "issued",
            BillingRound.id != billing_round.id,
        )
        .order_by(col(BillingRound.issued_at).desc())
        .limit(1),
    ).first()
    if last is None:
        return {}
    rows = session.exec(
        select(col(Bill.pupil_id), col(Bill.family_due))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(Bill.school_id == billing_round.school_id, Bill.round_id == last, col(BillVoid.bill_id).is_(None)),
    ).all()
    dues: dict[UUID, Money] = {}
    for pupil, due in rows:
        dues[pupil] = dues.get(pupil, ZERO) + due
    return dues
