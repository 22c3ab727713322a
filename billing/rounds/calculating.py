"""What a round would charge now: the same calculation for the preview and for the issue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlmodel import Session, col, select

from billing.attendance.reading import days_off
from billing.bills.instalments import Share, shares_from, split_due
from billing.bills.tables import Bill, BillVoid
from billing.errors import NotFound, Refused
from billing.fees.caps import CapVerdict
from billing.fees.charges import Charge, Period
from billing.fees.charging import charge_all, split_by_account
from billing.fees.insured import read_insured
from billing.fees.items import Span
from billing.fees.preview import digest_of
from billing.fees.pupils import BilledPupil, Roll, read_roll
from billing.fees.schedule import judge_schedule, read_schedule
from billing.money import ZERO, Money
from billing.people.tables import School
from billing.plans.checking import refuse_unplanned
from billing.rounds.billed_already import at_lowered, items_on_bills, left_to_bill, lowered_prices
from billing.rounds.catching_up import Caught, catch_up, last_choices
from billing.rounds.drafting import find_round, period_of
from billing.rounds.tables import ISSUED_STATES, BillingRound
from billing.rounds.turns import Turns, turns_of

_NOBODY: frozenset[UUID] = frozenset()
# One instant transfer takes less (NAPAS); a larger bill is paid in instalments.
TOO_LARGE = Money(500_000_000)


@dataclass(frozen=True, slots=True)
class Calculated:
    """The charges of a round, with what is needed to preview them and to write the bills."""

    charges: tuple[Charge, ...]
    pupils: Mapping[UUID, BilledPupil]
    roll: Roll
    verdicts: tuple[CapVerdict, ...]

    def of_pupils(self) -> Iterator[tuple[Charge, BilledPupil]]:
        """Yield each charge with its pupil."""
        return ((charge, self.pupils[charge.pupil_id]) for charge in self.charges)


def calculate(  # noqa: PLR0913  a round, and whom and what of it
    session: Session,
    billing_round: BillingRound,
    *,
    only: Collection[UUID] | None = None,
    again: bool = False,
    besides: UUID | None = None,
    contacts: bool = True,
) -> Calculated:
    """Charge the round's pupils for its period; raises ``OverCap``, ``NotPlanned`` and the like; stores nothing.

    An opening round is ``Refused``: what a former program handed over follows from no price of ours; so is a round of
    deposits, which follow from the contract.

    A supplementary round charges who has no live bill in its base round, and who was billed there, left and came
    back, from the return on; and who came when the base round was over, for what a person took of it
    (``catching_up``). Who is billed already is charged for what the family registered for since, at the prices to which
    the base round was lowered (``billed_already``). ``only`` narrows it to some pupils;
    ``again`` charges them although they are billed: all of it, or, where ``besides`` names a bill whose place another
    takes, all that no other bill names. ``contacts``: also see who cannot be told, which only a preview says.
    """
    if billing_round.kind == "opening":
        raise Refused(
            "Đợt thu đầu kỳ nhận từ phần mềm cũ nên không tính lại được. Hãy ghi giảm từng khoản cho đúng.",
            round=billing_round.id,
        )
    if billing_round.kind == "deposit":
        raise Refused(
            "Đợt thu tiền giữ chỗ theo hợp đồng nên không tính lại được. Hãy làm ở trang Hợp đồng.",
            round=billing_round.id,
        )
    school = school_of(session, billing_round)
    period = without_days_off(session, billing_round)
    schedule = read_schedule(session, school, period.days)
    verdicts = judge_schedule(session, school, schedule, period.days)
    turns = turns_of(session, billing_round, again=again)
    roll = _roll(session, billing_round, period.days, turns, contacts=contacts, siblings=schedule.by_siblings())
    late, billed, supplements = Caught(), _NOBODY, billing_round.base_round_id is not None
    if billing_round.base_round_id is not None:
        schedule = at_lowered(schedule, lowered_prices(session, school.id, billing_round.base_round_id))
        billed = billed_pupils(session, billing_round.school_id, billing_round.base_round_id)
        late = catch_up(session, billing_round, period, schedule, None if again else billed)
    wanted = [pupil for pupil in roll.pupils if only is None or pupil.facts.pupil_id in only]
    insured = read_insured(session, school.id, period.days)  # its price is the law's: there is nothing to judge
    usual = charge_all((insured.buying(pupil.facts) for pupil in wanted), period, insured.priced(schedule))
    if besides or (supplements and not again):
        several = turns.pupils  # each of their stays has a bill of its own
        keys = (each.enrolment_id if each.facts.pupil_id in several else each.facts.pupil_id for each in wanted)
        billed_items = items_on_bills(session, billing_round, only, besides)
        usual = left_to_bill(zip(usual, keys, strict=True), billed_items, instead=again)
    charges = (*usual, *(each for each in late.charges if only is None or each.pupil_id in only))
    if not again:
        roll = _without(roll, billed - turns.pupils - {charge.pupil_id for charge in charges})
    roll = _with(roll, late.roll)
    pupils = {pupil.facts.pupil_id: pupil for pupil in roll.pupils}
    refuse_unplanned(session, school, billing_round.school_year, charges, pupils)
    _refuse_too_large(charges, shares_from(billing_round.instalments))
    return Calculated(charges, pupils, roll, verdicts)


def without_days_off(session: Session, billing_round: BillingRound) -> Period:
    """Return the round's period; on a day off of the whole school nobody eats, whenever it was entered."""
    off = days_off(session, billing_round.school_id, billing_round.period_from, billing_round.period_to)
    planned = period_of(billing_round)
    return replace(planned, meal_days=planned.meal_days - off.keys())


def _refuse_too_large(charges: Sequence[Charge], shares: Sequence[Share]) -> None:
    """Raise ``Refused`` for a bill (or a part of one) that no single transfer can pay."""
    first: dict[int, Charge] = {}  # pupils with the same facts share one tuple of lines; one of them tells for all
    for charge in charges:
        first.setdefault(id(charge.lines), charge)
    for charge in first.values():
        if charge.family_due < TOO_LARGE:
            continue
        for part in split_by_account(charge).values():
            at_once = max((each.amount for each in split_due(part.family_due, shares)), default=part.family_due)
            if at_once >= TOO_LARGE:
                raise Refused(
                    f"Có học sinh phải nộp {at_once} một lần, từ {TOO_LARGE} trở lên vượt hạn mức một lần chuyển khoản."
                    " Hãy chia đợt thu thành nhiều đợt nộp, mỗi đợt dưới mức đó.",
                    pupil=charge.pupil_id,
                )


def school_of(session: Session, billing_round: BillingRound) -> School:
    """Return the school of a round; raises ``NotFound`` outside what the caller may see."""
    school = session.exec(select(School).where(School.id == billing_round.school_id)).one_or_none()
    if school is None:
        raise NotFound("Không tìm thấy trường của đợt thu này.", school=billing_round.school_id)
    return school


def billed_pupils(session: Session, school_id: UUID, base_round_id: UUID) -> frozenset[UUID]:
    """Return who has a live bill in a round or in a round that supplements it."""
    family = select(BillingRound.id).where(
        BillingRound.school_id == school_id,
        (col(BillingRound.id) == base_round_id) | (col(BillingRound.base_round_id) == base_round_id),
    )
    rows = session.exec(
        select(Bill.pupil_id)
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(Bill.school_id == school_id, col(Bill.round_id).in_(family), col(BillVoid.bill_id).is_(None)),
    ).all()
    return frozenset(rows)


def late_arrivals(session: Session, base_round_id: UUID) -> tuple[UUID, ...]:
    """Return the pupils of an issued round's period who have no live bill in it and a class to be billed in.

    So has who was billed, left and came back within the period: nothing charges the days from the return on yet; and
    who came after the period, where a person took an item of it.
    """
    base = find_round(session, base_round_id)
    turns = turns_of(session, base)
    roll = _roll(session, base, period_of(base).days, turns)
    every = billed_pupils(session, base.school_id, base.id)
    billed = every - turns.pupils
    taken = _taken(session, base, every)
    found = (each.facts.pupil_id for each in roll.pupils if each.facts.pupil_id not in billed)
    return (*found, *taken)


def _taken(session: Session, base: BillingRound, billed: frozenset[UUID]) -> tuple[UUID, ...]:
    """Return who came after a round's period and is to be billed for what was taken of it."""
    if base.kind != "regular" or not last_choices(session, base.school_id, base.id):
        return ()
    period = period_of(base)
    schedule = read_schedule(session, school_of(session, base), period.days)
    return tuple(each.pupil_id for each in catch_up(session, base, period, schedule, billed).charges)


def _roll(  # noqa: PLR0913  the round with its days and stays, and what is looked up besides
    session: Session,
    billing_round: BillingRound,
    days: Span,
    turns: Turns,
    *,
    contacts: bool = False,
    siblings: bool = False,
) -> Roll:
    school_id, year = billing_round.school_id, billing_round.school_year
    before, apart = turns.before, turns.apart
    return read_roll(session, school_id, year, days, before=before, apart=apart, contacts=contacts, siblings=siblings)


def _without(roll: Roll, billed: frozenset[UUID]) -> Roll:
    return replace(
        roll,
        pupils=tuple(pupil for pupil in roll.pupils if pupil.facts.pupil_id not in billed),
        without_class=tuple(pupil for pupil in roll.without_class if pupil not in billed),
        waiting_reductions=roll.waiting_reductions - billed,
    )


def _with(roll: Roll, late: Roll) -> Roll:
    if not late.pupils:
        return roll
    return replace(
        roll,
        pupils=(*roll.pupils, *late.pupils),
        without_contact=roll.without_contact | late.without_contact,
        waiting_reductions=roll.waiting_reductions | late.waiting_reductions,
    )


def round_digest(charges: Sequence[Charge], billing_round: BillingRound) -> str:
    """Return the SHA-256 (hex) of all that the round would write: the charges, and how their sums are split."""
    digest = digest_of(charges)
    if not billing_round.instalments:
        return digest
    split = json.dumps(billing_round.instalments, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{digest}\n{split}".encode()).hexdigest()


def last_dues(session: Session, billing_round: BillingRound) -> dict[UUID, Money]:
    """Return what each pupil's family owed for the school's last issued round of the same kind.

    As issued: credit notes are no part of it, bills taken back are left out. Empty before the first round.
    """
    last = session.exec(
        select(BillingRound.id)
        .where(
            BillingRound.school_id == billing_round.school_id,
            BillingRound.kind == billing_round.kind,
            col(BillingRound.state).in_(ISSUED_STATES),
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
