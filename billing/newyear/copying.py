"""Last year's prices in the new year: shown with caps and rise first, then written, each once.

Items go on by themselves; what was stopped stays stopped. A price that is there already is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import BadRows, HocphiError, RowProblem
from billing.fees import tables
from billing.fees.items import Price
from billing.fees.pricing import NewPrice, add_price
from billing.fees.schedule import judge_prices, price_of
from billing.money import Money
from billing.newyear.classes import one_year_at_a_time, step_done
from billing.newyear.price_runs import Audience, Carried, audience_of, carried_prices, raised
from billing.newyear.years import days_of, first_school_day, year_before
from billing.people.tables import School


@dataclass(frozen=True, slots=True)
class CarriedRow:
    """A price as it would go on: ``state`` is *new*, *there* (written already), *goes_on* or *refused*.

    ``said``: how it stands against the caps of the new year, in words; for a refused one, why.
    """

    carried: Carried
    amount: Money
    state: str
    said: str = ""

    @property
    def was(self) -> Money:
        """What it cost last year."""
        return self.carried.price.amount

    @property
    def rise(self) -> int:
        """By how many whole percent it rises (or falls)."""
        return round((self.amount.dong - self.was.dong) * 100 / self.was.dong) if self.was else 0


def preview_prices(
    session: Session, school: School, school_year: str, amounts: Mapping[str, Money], percent: int = 0
) -> list[CarriedRow]:
    """Return what would go on, at the amounts given by key, else raised by a share; changes nothing."""
    items, live = _live(session, school.id)
    known = [price_of(row, items[row.item_id]) for row in live if row.item_id in items]
    first_day = first_school_day(school_year)
    starts = {(audience_of(price), price.valid.start): price.amount for price in known}
    carried = carried_prices(known, days_of(year_before(school_year)), first_day)
    return [_row(session, school, each, amounts.get(each.key, raised(each.price.amount, percent)), starts)
            for each in carried]  # fmt: skip


def copy_prices(  # noqa: PLR0913, PLR0917  where, when, at what amounts, by whom
    session: Session, school: School, school_year: str, amounts: Mapping[str, Money], actor: Actor, now: datetime
) -> int:
    """Write the prices of the rows whose keys are given and return how many are new; the same twice adds nothing.

    Raises ``BadRows`` with every price that the caps or the catalogue refuse; then nothing is written.
    """
    one_year_at_a_time(session, school.id)
    rows = [row for row in preview_prices(session, school, school_year, amounts) if row.carried.key in amounts]
    wanted = [row for row in rows if row.state in ("new", "refused")]
    with session.begin_nested():
        _write(session, school, wanted, actor, now)
    if wanted:
        step_done(session, actor, school.id, school_year, "prices", now, new=len(wanted))
    return len(wanted)


def _write(session: Session, school: School, wanted: Sequence[CarriedRow], actor: Actor, now: datetime) -> None:
    problems = []
    for line, row in enumerate(wanted, start=1):
        try:
            with session.begin_nested():
                add_price(session, school, row.carried.price.item.code, _new(row.carried.at(row.amount)), actor, now)
        except HocphiError as error:
            name = row.carried.price.item.name
            problems.append(RowProblem(line, name, error.message, "Sửa mức thu của khoản này rồi ghi lại."))
    if problems:
        raise BadRows(f"Có {len(problems)} mức thu không ghi được; chưa lưu gì cả. {problems[0].reason}", problems)


def _live(session: Session, school_id: UUID) -> tuple[dict[UUID, tables.FeeItem], list[tables.FeePrice]]:
    """Return the items that are not stopped, by id, and all live prices."""
    items = session.exec(
        select(tables.FeeItem).where(tables.FeeItem.school_id == school_id, col(tables.FeeItem.valid_to).is_(None))
    ).all()
    prices = session.exec(
        select(tables.FeePrice)
        .where(tables.FeePrice.school_id == school_id, col(tables.FeePrice.withdrawn_at).is_(None))
        .order_by(col(tables.FeePrice.id))
    ).all()
    return {item.id: item for item in items}, list(prices)


def _row(
    session: Session, school: School, carried: Carried, amount: Money, starts: Mapping[tuple[Audience, date], Money]
) -> CarriedRow:
    there = starts.get((audience_of(carried.price), carried.days.start))
    if there is not None and (not carried.goes_on or there == carried.price.amount):
        return CarriedRow(carried, there, "there")
    if carried.goes_on and amount == carried.price.amount:
        return CarriedRow(carried, amount, "goes_on")
    try:
        verdicts = judge_prices(session, school, [carried.at(amount)])
    except HocphiError as error:
        return CarriedRow(carried, amount, "refused", error.message)
    return CarriedRow(carried, amount, "new", " ".join(dict.fromkeys(each.reason for each in verdicts)))


def _new(price: Price) -> NewPrice:
    return NewPrice(
        amount=price.amount,
        valid_from=price.valid.start,
        valid_to=price.valid.end,
        quantity=price.quantity,
        count=price.count,
        levels=price.levels,
        grades=price.grades,
        classes=price.classes,
        part_month=price.part_month,
    )
