"""What the rules of claims need to know of a school's pupils, read set-wise, with their months at other schools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.claims.months import Billed, ClaimRules, Grant, Known, Learner, MonthRight, Stay, days_of, year_of
from billing.claims.tables import Entitlement, StateClaimLine
from billing.errors import NotFound
from billing.fees.charges import PUBLIC_TUITION, ChargeLine, Period, Schedule
from billing.fees.charging import charge_all
from billing.fees.council_rates import RateKind
from billing.fees.items import Group, Payer, Reduction, Span
from billing.fees.placing import read_places
from billing.fees.pupils import BilledPupil, read_roll
from billing.fees.schedule import read_schedule
from billing.fees.support import is_support, months_within, payee_on, read_choices, read_rates, supported_items
from billing.money import Money, total
from billing.people.tables import School

FOREIGN = "Không thuộc diện được Nhà nước chi trả: quốc tịch nước ngoài. Hãy xem lại quốc tịch trong hồ sơ."
PRIVATE_TITLE = "Học sinh trường ngoài công lập"


@dataclass(frozen=True, slots=True)
class Read:
    """All that a claim is worked out from; ``without_class`` cannot be claimed for: their level is not known."""

    rules: ClaimRules
    learners: tuple[Learner, ...]
    known: tuple[Known, ...]
    without_class: tuple[UUID, ...]


def read_claim_facts(  # noqa: PLR0913, PLR0917  what names a claim
    session: Session, school_id: UUID, kind: RateKind, school_year: str, first_month: date, last_month: date
) -> Read:
    """Read pupils, grants, rates, prices and earlier claims of a school for the months of a claim."""
    school = session.exec(select(School).where(School.id == school_id)).one_or_none()
    if school is None:
        raise NotFound("Không tìm thấy trường này.", school=school_id)
    days = Span(year_of(school_year).start, days_of(last_month).end)
    choices = read_choices(session, school.id)
    rules = ClaimRules(
        kind=kind,
        school=school.id,
        places=read_places(session, school.id),
        school_year=school_year,
        first_month=first_month,
        last_month=last_month,
        rates=read_rates(session, school.province_id),
        payees={month: payee_on(choices, month) for month in months_within(days)},
    )
    roll = read_roll(session, school.id, school_year, days)
    ours = _our_lines(session, rules)
    pupils = [pupil.facts.pupil_id for pupil in roll.pupils]
    stays = _stays_elsewhere(session, rules, pupils, days)
    learners = _learners(session, rules, roll.pupils, stays, _states_part(read_schedule(session, school, days)), days)
    everybody = sorted({*pupils, *(pupil for pupil, _ in ours)})
    return Read(rules, learners, _known(session, rules, everybody, ours), roll.without_class)


@dataclass(frozen=True, slots=True)
class _Tuition:
    """What a pupil's bills hold of tuition, by month: the item's price for the support, and reductions by law."""

    prices: dict[date, Money] = field(default_factory=dict)
    billed: dict[date, Billed] = field(default_factory=dict)


_NO_TUITION = _Tuition()


def _learners(  # noqa: PLR0913, PLR0917  each is one thing that was read
    session: Session,
    rules: ClaimRules,
    roll: Sequence[BilledPupil],
    stays: Mapping[UUID, list[Stay]],
    schedule: Schedule,
    days: Span,
) -> tuple[Learner, ...]:
    tuition = _tuition(roll, schedule, days) if rules.kind is RateKind.SUPPORT else {}
    entitled = _entitled(session, rules.school) if rules.kind is RateKind.LEARNING else {}
    codes = frozenset(price.item.code for price in schedule.prices)
    made = []
    for pupil in roll:
        facts, here = pupil.facts, pupil.facts.pupil_id
        own = tuition.get(here, _NO_TUITION)
        made.append(
            Learner(
                pupil_id=here,
                enrolment_id=pupil.enrolment_id,
                level=facts.level,
                class_name=facts.class_name,
                stays=(*(Stay(rules.school, span) for span in facts.enrolled), *stays.get(here, ())),
                grants=_grants(
                    rules.kind,
                    [reduction for reduction in facts.reductions if _of_tuition(reduction, codes)],
                    [grant for stay in pupil.stays for grant in entitled.get(stay, ())],
                ),
                tuition=own.prices,
                barred="" if facts.citizen or rules.kind is RateKind.LEARNING else FOREIGN,
                billed=own.billed,
            )
        )
    return tuple(made)


def _grants(kind: RateKind, reductions: Sequence[Reduction], entitled: Sequence[Grant]) -> tuple[Grant, ...]:
    """Return why the State pays for a pupil, by the kind of claim."""
    if kind is RateKind.LEARNING:
        return tuple(entitled)
    title = PUBLIC_TUITION.title if kind is RateKind.TUITION else PRIVATE_TITLE
    everybody = Grant(title, PUBLIC_TUITION.legal_basis, 100, PUBLIC_TUITION.valid)
    if kind is RateKind.SUPPORT:
        return (everybody,)
    own = [
        Grant(reduction.title, reduction.legal_basis, reduction.percent, reduction.valid)
        for reduction in reductions
        if reduction.percent is not None
    ]
    return (everybody, *own)


def _states_part(schedule: Schedule) -> Schedule:
    """Return what of a schedule makes the State's share of tuition: its prices, and the State's own reductions."""
    prices = tuple(price for price in schedule.prices if price.item.group is Group.TUITION)
    codes = frozenset(price.item.code for price in prices)
    return Schedule(schedule.ownership, prices, tuple(each for each in schedule.reductions if _of_tuition(each, codes)))


def _of_tuition(reduction: Reduction, codes: frozenset[str]) -> bool:
    """Tell whether a reduction is the State's and takes something off tuition, as a group or by an item's code."""
    return reduction.payer is Payer.STATE and (Group.TUITION in reduction.groups or bool(reduction.items & codes))


def _tuition(roll: Sequence[BilledPupil], schedule: Schedule, days: Span) -> dict[UUID, _Tuition]:
    """Return each pupil's tuition by month as a bill charges it, with what it takes off by law in the State's name."""
    codes = frozenset(price.item.code for price in schedule.prices)
    pupils = [
        replace(each.facts, reductions=tuple(one for one in each.facts.reductions if _of_tuition(one, codes)))
        for each in roll
    ]
    supported = {level: supported_items(schedule.prices, level) for level in {pupil.level for pupil in pupils}}
    found: dict[UUID, _Tuition] = defaultdict(_Tuition)
    for month in months_within(days):
        period = Period(f"{month:%Y-%m}", f"Tháng {month:%m/%Y}", days_of(month))
        for pupil, charge in zip(pupils, charge_all(pupils, period, schedule), strict=True):
            for line in charge.lines:
                if line.item.code in supported[pupil.level]:
                    found[pupil.pupil_id].prices[month] = line.gross
            billed = _billed(charge.lines)
            if billed is not None:
                found[pupil.pupil_id].billed[month] = billed
    return found


def _billed(lines: Sequence[ChargeLine]) -> Billed | None:
    """Return what the tuition of a month holds of reductions by law; None where it is the support alone, or nothing."""
    applied = [each for line in lines for each in line.reductions]
    by_law = [each for each in applied if not is_support(each.reduction)]
    if not by_law:
        return None
    most = max(by_law, key=lambda each: each.amount).reduction
    taken = total(each.amount for each in applied)
    return Billed(total(line.gross for line in lines), taken, most.title, most.legal_basis)


def _entitled(session: Session, school_id: UUID) -> dict[UUID, list[Grant]]:
    rows = session.exec(
        select(Entitlement).where(
            Entitlement.school_id == school_id,
            col(Entitlement.approved_at).is_not(None),
            col(Entitlement.withdrawn_at).is_(None),
        )
    ).all()
    found: dict[UUID, list[Grant]] = defaultdict(list)
    for row in rows:
        found[row.enrolment_id].append(Grant(row.title, row.legal_basis, 100, Span(row.valid_from, row.valid_to)))
    return found


def _stays_elsewhere(session: Session, rules: ClaimRules, pupils: Sequence[UUID], days: Span) -> dict[UUID, list[Stay]]:
    rows = session.execute(
        text("SELECT * FROM stays_elsewhere(:pupils, :here, :first, :last)"),
        {"pupils": list(pupils), "here": rules.school, "first": days.start, "last": days.end},
    ).all()
    found: dict[UUID, list[Stay]] = defaultdict(list)
    for pupil, school, start, end in rows:
        found[pupil].append(Stay(school, Span(start, end)))
    return found


def _our_lines(session: Session, rules: ClaimRules) -> dict[tuple[UUID, date], StateClaimLine]:
    """Return the last line we wrote for each pupil and month of the school year."""
    learning = StateClaimLine.kind == RateKind.LEARNING.value
    rows = session.exec(
        select(StateClaimLine)
        .where(
            StateClaimLine.school_id == rules.school,
            StateClaimLine.school_year == rules.school_year,
            learning if rules.kind is RateKind.LEARNING else StateClaimLine.kind != RateKind.LEARNING.value,
        )
        .order_by(col(StateClaimLine.revision))
    ).all()
    return {(row.pupil_id, row.month): row for row in rows}  # the last revision wins


def _known(
    session: Session,
    rules: ClaimRules,
    pupils: Sequence[UUID],
    ours: Mapping[tuple[UUID, date], StateClaimLine],
) -> tuple[Known, ...]:
    year = year_of(rules.school_year)
    rows = session.execute(
        text("SELECT * FROM months_claimed(:pupils, :kind, :here, :first, :last)"),
        {
            "pupils": list(pupils),
            "kind": rules.kind.value,
            "here": rules.school,
            "first": year.start,
            "last": year.end,
        },
    ).all()
    return tuple(
        Known(pupil, month, revision, Money(amount), right_of(ours[pupil, month]) if mine else None)
        for pupil, month, revision, amount, mine in rows
    )


def right_of(row: StateClaimLine) -> MonthRight:
    """Return a stored line as the rules take it."""
    return MonthRight(
        pupil_id=row.pupil_id,
        enrolment_id=row.enrolment_id,
        month=row.month,
        rate=row.rate,
        amount=row.amount,
        months_cap=row.months_cap,
        payee=row.payee,
        class_name=row.class_name,
        title=row.title,
        legal_basis=row.legal_basis,
    )
