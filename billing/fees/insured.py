"""Health insurance in a round: its price from the dated parameters, and each pupil's months with all who pay for them.

A pupil's months stand in ``billing.cards``; here they become what the rules of charging know: a price a month, a
registration for so many units in the month of collection, and fixed sums of the State and the province. A school that
collects insurance from nobody in a period pays one query for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from billing.cards.reading import months_collected
from billing.errors import Refused
from billing.fees.catalogue import shipped_catalogue
from billing.fees.charges import PupilFacts, Registration, Schedule
from billing.fees.insurance import INSURANCE_ITEM, PROVINCE_PAYS, STATE_PAYS, InsuranceRule, month_of, rule_on
from billing.fees.insurance_tables import InsuranceParameters
from billing.fees.items import FeeItem, Payer, Price, Quantity, Reduction, Span, last_day
from billing.fees.schedule import item_of
from billing.fees.tables import FeeItem as FeeItemRow
from billing.money import Money
from billing.people.tables import School

_FLAT = f"{INSURANCE_ITEM}-"


@dataclass(frozen=True, slots=True)
class Insured:
    """What a period charges for insurance: prices by month, and by pupil the months with who pays for them."""

    prices: tuple[Price, ...] = ()
    registrations: Mapping[UUID, tuple[Registration, ...]] = field(default_factory=dict)
    reductions: Mapping[UUID, tuple[Reduction, ...]] = field(default_factory=dict)

    def priced(self, schedule: Schedule) -> Schedule:
        """Return a schedule with the prices of insurance beside its own.

        Raises ``Refused`` where one sum for everybody (``BHYT-3T`` …) is charged in the same month.
        """
        flat = [each for each in schedule.prices if each.item.code.startswith(_FLAT)]
        twice = next((each for each in flat for price in self.prices if each.valid.within(price.valid)), None)
        if twice is not None:
            raise Refused(
                f"Tháng này còn thu một mức chung “{twice.item.name}” cạnh BHYT theo từng em. Hãy dừng một trong hai.",
                item=twice.item.code,
            )
        return replace(schedule, prices=(*schedule.prices, *self.prices)) if self.prices else schedule

    def buying(self, pupil: PupilFacts) -> PupilFacts:
        """Return a pupil's facts with the months that are bought, and who pays for them."""
        bought = self.registrations.get(pupil.pupil_id)
        if bought is None:
            return pupil
        return replace(
            pupil,
            registrations=(*pupil.registrations, *bought),
            reductions=(*pupil.reductions, *self.reductions[pupil.pupil_id]),
        )


def read_insured(session: Session, school_id: UUID, days: Span) -> Insured:
    """Return what is collected for insurance within these days.

    Raises ``Refused`` when the school has not opened the item, or no parameters hold for a month of collection.
    """
    collected = months_collected(session, school_id, days.start, days.end or date.max)
    if not collected:
        return Insured()
    school = session.exec(select(School).where(School.id == school_id)).one()
    item = insurance_item(session, school_id)
    if item is None:
        raise Refused("Có học sinh mua BHYT trong kỳ này nhưng trường chưa mở khoản thu BHYT. Hãy mở ở trang BHYT.")
    rules = read_insurance_rules(session, school.province_id)
    months = sorted({month for by_month in collected.values() for month in by_month})
    return _insured(replace(item_of(item), opt_in=True), {month: rule_on(rules, month) for month in months}, collected)


def insurance_item(session: Session, school_id: UUID) -> FeeItemRow | None:
    """Return the item under which the school bills insurance by pupil, if it was opened."""
    return session.exec(
        select(FeeItemRow).where(FeeItemRow.school_id == school_id, FeeItemRow.code == INSURANCE_ITEM)
    ).one_or_none()


def load_insurance_rules(session: Session, province_id: UUID, rules: Sequence[InsuranceRule]) -> None:
    """Store a province's own parameters; harmless when they are there.

    Raises ``Refused`` where others of the province hold on the same day: end those first, or load from a later day.
    """
    own = _own(session, province_id)
    new = [rule for rule in rules if rule not in own]
    for place, rule in enumerate(new):
        if any(rule.valid.within(other.valid) for other in (*own, *new[:place])):
            raise Refused(
                f"Tham số BHYT từ {rule.valid.start:%d/%m/%Y} chồng ngày với tham số đã có. Hãy sửa ngày hiệu lực."
            )
    rows = [
        {
            "authority_id": province_id,
            "base_wage": rule.base_wage,
            "rate_permille": rule.rate_permille,
            "state_percent": rule.state_percent,
            "province_percent": rule.province_percent,
            "legal_basis": rule.legal_basis,
            "province_basis": rule.province_basis,
            "valid_from": rule.valid.start,
            "valid_to": rule.valid.end,
        }
        for rule in new
    ]
    if rows:
        session.execute(insert(InsuranceParameters).on_conflict_do_nothing(), rows)


def read_insurance_rules(session: Session, province_id: UUID) -> tuple[InsuranceRule, ...]:
    """Return a province's own parameters, and the national ones for the days that it says nothing about."""
    own = _own(session, province_id)
    return (*own, *(part for rule in _national() for part in _uncovered(rule, own)))


def _own(session: Session, province_id: UUID) -> tuple[InsuranceRule, ...]:
    rows = session.exec(select(InsuranceParameters).where(InsuranceParameters.authority_id == province_id)).all()
    return tuple(map(_rule, rows))


@cache
def _national() -> tuple[InsuranceRule, ...]:
    return shipped_catalogue("national").insurance


def _uncovered(rule: InsuranceRule, own: Sequence[InsuranceRule]) -> list[InsuranceRule]:
    """Cut the days that the province's own parameters hold out of a national rule."""
    left = [rule.valid]
    for other in own:
        left = [part for span in left for part in span.without(other.valid)]
    return [replace(rule, valid=span) for span in left]


def _rule(row: InsuranceParameters) -> InsuranceRule:
    return InsuranceRule(
        row.base_wage,
        row.rate_permille,
        row.state_percent,
        row.legal_basis,
        Span(row.valid_from, row.valid_to),
        row.province_percent,
        row.province_basis,
    )


def _insured(
    item: FeeItem, rules: Mapping[date, InsuranceRule], collected: Mapping[UUID, Mapping[date, int]]
) -> Insured:
    prices = tuple(
        Price(item, month_of(rule).gross, _month(month), Quantity.REGISTERED) for month, rule in rules.items()
    )
    # Pupils who buy alike share the same objects, so that they share one calculation, too.
    alike: dict[tuple[date, int], tuple[Registration, tuple[Reduction, ...]]] = {}
    registrations: dict[UUID, tuple[Registration, ...]] = {}
    reductions: dict[UUID, tuple[Reduction, ...]] = {}
    for pupil, by_month in collected.items():
        for key in sorted(by_month.items()):
            if key not in alike:
                month, months = key
                alike[key] = (
                    Registration(item.code, _month(month), months),
                    tuple(_paid_by_others(rules[month], month, months)),
                )
        bought = [alike[key] for key in sorted(by_month.items())]
        registrations[pupil] = tuple(registration for registration, _ in bought)
        reductions[pupil] = tuple(each for _, shares in bought for each in shares)
    return Insured(prices, registrations, reductions)


def _paid_by_others(rule: InsuranceRule, month: date, months: int) -> list[Reduction]:
    shares = month_of(rule).times(months)
    of = (
        ("NN", STATE_PAYS, shares.state, rule.legal_basis),
        ("TINH", PROVINCE_PAYS, shares.province, rule.province_basis),
    )
    when = f"{month:%Y-%m}-{months}"
    return [
        _fixed(f"{INSURANCE_ITEM}-{key}-{when}", title, amount, basis, month)
        for key, title, amount, basis in of
        if amount
    ]


def _fixed(key: str, title: str, amount: Money, basis: str, month: date) -> Reduction:
    return Reduction(
        id=key,
        title=title,
        payer=Payer.STATE,
        valid=_month(month),
        legal_basis=basis,
        amount=amount,
        items=frozenset({INSURANCE_ITEM}),
    )


def _month(first: date) -> Span:
    return Span(first, last_day(first))
