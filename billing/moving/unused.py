"""What of the bills of a pupil who leaves was not used: each issued round is reckoned again, with the end and without.

Meals come off by days (the rule that settles a month, with what is known of absences), everything else by what the
same calculation charges less when the pupil's time ends (the part-month rule of its price; months not begun cost
nothing). A price or a reduction that was changed since the bill makes no difference (``fallen``); a price that is gone
is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.bills.lowering import BilledLine, Off, billed_at_most, to_quantity, to_used
from billing.bills.tables import Bill, BillLine, BillVoid
from billing.fees.charges import Charge
from billing.fees.insurance import is_insurance
from billing.fees.items import Payer, Unit
from billing.money import Money, total
from billing.moving.fallen import Shares, fallen
from billing.people.tables import Enrolment
from billing.rounds.calculating import calculate
from billing.rounds.correcting import Unused
from billing.rounds.lowering import billed_lines
from billing.rounds.still_priced import refuse_unpriced
from billing.rounds.tables import ISSUED_STATES, BillingRound, Correction
from billing.rounds.unused import BilledMeals, units_used

Charges = dict[UUID, Charge | None]
"""What a pupil is charged in each round; nothing where the pupil is not there at all."""


@dataclass(frozen=True, slots=True)
class UnusedLine:
    """A line of a bill: what it still comes to for the family, and what of it was not used."""

    item_name: str
    counted: Money
    unused: Unused

    @property
    def off(self) -> Off:
        """What it falls by."""
        return self.unused.off


@dataclass(frozen=True, slots=True)
class UnusedBill:
    """A bill of which not everything was used; ``locked``: its round takes no correction now."""

    bill_id: UUID
    number: str
    round_name: str
    locked: bool
    lines: tuple[UnusedLine, ...]

    @property
    def family(self) -> Money:
        """What the family's part of it falls by."""
        return total(line.off.family for line in self.lines)


def rounds_touched(
    session: Session, enrolment: Enrolment, last_day: date, ruled: Collection[int] = ()
) -> list[BillingRound]:
    """Return the issued rounds of the pupil's bills whose period goes on after the day, oldest first.

    Also those of lines that have a rule of their own (``ruled``), whenever they were billed.
    """
    billed = (
        select(Bill.round_id)
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == enrolment.school_id,
            Bill.pupil_id == enrolment.pupil_id,
            col(Bill.enrolment_id).is_not(None),  # the deposit of a contract is none of it
            col(BillVoid.bill_id).is_(None),
        )
    )
    of_lines = (
        select(Bill.round_id)
        .join(BillLine, (col(BillLine.school_id) == col(Bill.school_id)) & (col(BillLine.bill_id) == col(Bill.id)))
        .where(Bill.school_id == enrolment.school_id, col(BillLine.id).in_(list(ruled)))
    )
    query = select(BillingRound).where(
        BillingRound.school_id == enrolment.school_id,
        BillingRound.school_year == enrolment.school_year,
        col(BillingRound.state).in_(ISSUED_STATES),
        BillingRound.kind != "opening",  # what a former program handed over is calculated by nobody
        or_(col(BillingRound.period_to) > last_day, col(BillingRound.id).in_(of_lines)),
        col(BillingRound.id).in_(billed),
    )
    return list(session.exec(query.order_by(col(BillingRound.period_from), col(BillingRound.id))).all())


def charges_now(session: Session, rounds: Sequence[BillingRound], pupil_id: UUID) -> Charges:
    """Return what the pupil would be charged in each round as things stand."""
    found: Charges = {}
    for each in rounds:
        charges = calculate(session, each, only={pupil_id}, again=True).charges
        found[each.id] = charges[0] if charges else None
    return found


def unused_bills(  # noqa: PLR0913, PLR0917  one pupil with and without the end
    session: Session,
    rounds: Sequence[BillingRound],
    pupil_id: UUID,
    before: Charges,
    after: Charges,
    ruled: Mapping[int, Off],
) -> list[UnusedBill]:
    """Return the pupil's bills of these rounds with what falls of their lines; bills that stay are left out.

    Lines that are ``ruled`` fall by what is given there, whatever the calculation says.
    """
    found = []
    for each in rounds:
        bills = _bills(session, each, pupil_id)
        rows, lines = _lines(session, each, bills)
        free = {line: row for line, row in rows.items() if line not in ruled}
        refuse_unpriced(session, each, [row for row in free.values() if not is_insurance(row.item_code)])
        used = _meals_used(free, pupil_id, after[each.id])
        unused = _unused(free, lines, used, before[each.id], after[each.id])
        unused |= {line: Unused(ruled[line]) for line in rows.keys() & ruled.keys() if ruled[line]}
        for bill in bills:
            fallen = tuple(
                UnusedLine(row.item_name, lines[line].family_share - lines[line].family_off, unused[line])
                for line, row in rows.items()
                if row.bill_id == bill.id and line in unused
            )
            if fallen:
                found.append(UnusedBill(bill.id, bill.number, each.name, each.state == "locked", fallen))
    return found


def _bills(session: Session, billing_round: BillingRound, pupil_id: UUID) -> Sequence[Bill]:
    return session.exec(
        select(Bill)
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == billing_round.school_id,
            Bill.round_id == billing_round.id,
            Bill.pupil_id == pupil_id,
            col(BillVoid.bill_id).is_(None),
        )
        .order_by(col(Bill.number))
    ).all()


def _lines(
    session: Session, billing_round: BillingRound, bills: Sequence[Bill]
) -> tuple[dict[int, BillLine], dict[int, BilledLine]]:
    """Return the lines of bills in their order, as rows, and with what came off them before."""
    query = select(BillLine).where(
        BillLine.school_id == billing_round.school_id, col(BillLine.bill_id).in_([bill.id for bill in bills])
    )
    rows = {row.id or 0: row for row in session.exec(query.order_by(col(BillLine.id))).all()}
    # A correction that is never stored says whose lines are meant.
    of = Correction(
        school_id=billing_round.school_id, round_id=billing_round.id, kind="leaving", reason="-",
        made_by=billing_round.made_by, made_at=billing_round.made_at,
    )  # fmt: skip
    return rows, {line.line_id: line for _, line in billed_lines(session, of, lines=list(rows))}


def _meals_used(rows: Mapping[int, BillLine], pupil_id: UUID, after: Charge | None) -> dict[int, int]:
    """Return the units used of each line of meals of which not all were."""
    meals = [
        BilledMeals(line, (pupil_id, row.item_code), row.unit_price, row.quantity)
        for line, row in rows.items()
        if row.unit == Unit.MEAL_DAY.value
    ]
    return units_used(meals, {(pupil_id, item): prices for item, prices in _meals(after).items()})


def _unused(
    rows: Mapping[int, BillLine],
    lines: Mapping[int, BilledLine],
    used: Mapping[int, int],
    before: Charge | None,
    after: Charge | None,
) -> dict[int, Unused]:
    found = {line: Unused(to_quantity(lines[line], units), units) for line, units in used.items()}
    was, now = _shares(before), _shares(after)
    for item, today in was.items():
        of_item = [lines[line] for line, row in rows.items() if row.item_code == item]
        family = total(line.family_share - line.unused for line in of_item)
        state = total(line.by_state - line.unused_state for line in of_item)
        found |= _dealt(of_item, *fallen(family, state, today, now.get(item, Shares())))
    return {line: unused for line, unused in found.items() if unused.off}


def _dealt(lines: Sequence[BilledLine], family: Money, state: Money) -> Iterable[tuple[int, Unused]]:
    """Deal what an item falls by over its lines as they were billed, the last one first."""
    dealt = []
    for line in reversed(lines):
        of_billed = billed_at_most(line, family, state)
        family, state = family - of_billed.family, state - of_billed.state
        dealt.append((line.line_id, Unused(to_used(line, of_billed.family, of_billed.state), of_billed=of_billed)))
    return dealt


def _meals(charge: Charge | None) -> dict[str, dict[Money, int]]:
    found: dict[str, dict[Money, int]] = defaultdict(lambda: defaultdict(int))
    for line in charge.lines if charge else ():
        if line.item.unit is Unit.MEAL_DAY:
            found[line.item.code][line.unit_price] += line.quantity
    return found


def _shares(charge: Charge | None) -> dict[str, Shares]:
    """Return, by item that is not a meal, what it comes to and what the family and the State carry."""
    found: dict[str, Shares] = {}
    for line in charge.lines if charge else ():
        if line.item.unit is not Unit.MEAL_DAY:
            gross, family, state = found.get(line.item.code, Shares())
            found[line.item.code] = Shares(
                gross + line.gross, family + line.family_share, state + line.share(Payer.STATE)
            )
    return found
