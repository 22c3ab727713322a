"""Meals by attended day: what of an issued round was not used, as a correction that another person approves.

Each pupil's meals are reckoned again with what is known now: absences of closed months, days off, an earlier leaving, a
registration that ended. What was billed beyond that comes off the bill, or is the pupil's credit (docs/decisions/0011).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.attendance.closing import class_months
from billing.attendance.days import first_of, last_of
from billing.audit.recording import Actor
from billing.bills.tables import Bill, BillLine, BillVoid
from billing.errors import Conflict, Refused
from billing.fees.charges import Charge
from billing.fees.items import Unit
from billing.money import Money
from billing.people.tables import ClassGroup
from billing.rounds.calculating import calculate
from billing.rounds.correcting import Asked, CorrectionPreview, ask, preview_asked
from billing.rounds.drafting import find_round
from billing.rounds.still_priced import refuse_unpriced
from billing.rounds.tables import ISSUED_STATES, BillingRound, Correction
from billing.rounds.unused import BilledMeals, Meals, units_used

REASON = "Quyết toán tiền ăn theo ngày ăn thực tế"


@dataclass(frozen=True, slots=True)
class OpenClass:
    """A class whose month is not closed yet: its absences do not count so far."""

    group: ClassGroup
    month: date


@dataclass(frozen=True, slots=True)
class MealsUsed:
    """A pupil's meals in a round: how many were billed, and how many of them were used."""

    billed: int
    used: int


def open_classes(session: Session, round_id: UUID) -> list[OpenClass]:
    """Return the classes of the round's months that are not closed, month by month."""
    billing_round = find_round(session, round_id)
    return [
        OpenClass(each.group, month)
        for month in _months(billing_round)
        for each in class_months(session, billing_round.school_id, month)
        if each.closed is None
    ]


def preview_attendance(session: Session, actor: Actor, round_id: UUID, now: datetime) -> CorrectionPreview:
    """Return what settling the round's meals would do now; raises what ``propose_attendance`` would raise."""
    return preview_asked(session, actor, _asked(session, round_id), now)


def meals_of_round(session: Session, round_id: UUID) -> dict[UUID, MealsUsed]:
    """Return by pupil how many meals the round billed, and how many of them were used as far as classes are closed."""
    billing_round = find_round(session, round_id)
    billed = _billed_meals(session, billing_round)
    used = _used(session, billing_round, billed)
    found: dict[UUID, MealsUsed] = {}
    for line in billed:
        before = found.get(line.of[0], MealsUsed(0, 0))
        eaten = used.get(line.line_id, line.quantity)
        found[line.of[0]] = MealsUsed(before.billed + line.quantity, before.used + eaten)
    return found


def propose_attendance(session: Session, actor: Actor, round_id: UUID, now: datetime) -> Correction:
    """Ask for the round's meals to be lowered to the days attended, as far as classes are closed.

    Raises ``Conflict`` for a round that is not issued or is locked, ``Refused`` when nothing is left over (any more).
    """
    # Lines that an earlier settling lowered already fall by nothing; when all of them are such, ask() says so.
    return ask(session, actor, _asked(session, round_id), REASON, now)


def _asked(session: Session, round_id: UUID) -> Asked:
    billing_round = find_round(session, round_id)
    if billing_round.state not in ISSUED_STATES:
        raise Conflict("Đợt thu chưa phát hành nên chưa có tiền ăn để quyết toán.", state=billing_round.state)
    used = _used(session, billing_round, _billed_meals(session, billing_round))
    if not used:
        raise Refused("Mọi suất ăn đã thu trong đợt này đều đã dùng hết; không có gì để quyết toán.")
    content = {"lines": [{"line": line, "used": units} for line, units in sorted(used.items())]}
    return Asked(billing_round.school_id, round_id, "attendance", content)


def _used(session: Session, billing_round: BillingRound, meals: Sequence[BilledMeals]) -> dict[int, int]:
    """Return, by bill line, the units that were used of meals of which not all were."""
    if not meals:
        return {}
    charges = calculate(session, billing_round, again=True).charges
    return units_used(meals, {key: units for charge in charges for key, units in _meals_of(charge)})


def _meals_of(charge: Charge) -> Iterator[tuple[Meals, dict[Money, int]]]:
    found: dict[str, dict[Money, int]] = defaultdict(lambda: defaultdict(int))
    for line in charge.lines:
        if line.item.unit is Unit.MEAL_DAY:
            found[line.item.code][line.unit_price] += line.quantity
    for item, units in found.items():
        yield (charge.pupil_id, item), dict(units)


def _billed_meals(session: Session, billing_round: BillingRound) -> Sequence[BilledMeals]:
    """Return the meals on the round's live bills; raises ``Refused`` when days of them have no price any more."""
    rows = session.exec(
        select(BillLine, col(Bill.pupil_id))
        .join(Bill, (col(Bill.school_id) == BillLine.school_id) & (col(Bill.id) == BillLine.bill_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == Bill.id)
        .where(
            Bill.school_id == billing_round.school_id,
            Bill.round_id == billing_round.id,
            BillLine.unit == Unit.MEAL_DAY.value,
            col(BillVoid.bill_id).is_(None),
        )
        .order_by(col(BillLine.id))
    ).all()
    refuse_unpriced(session, billing_round, (row for row, _ in rows))
    return [BilledMeals(row.id or 0, (pupil, row.item_code), row.unit_price, row.quantity) for row, pupil in rows]


def _months(billing_round: BillingRound) -> Iterator[date]:
    month = first_of(billing_round.period_from)
    while month <= billing_round.period_to:
        yield month
        month = date.fromordinal(last_of(month).toordinal() + 1)
