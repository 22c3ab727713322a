"""A school's fee schedule in the database: filled from a catalogue, read for the rules, judged against the caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.audit.recording import SYSTEM, Actor, Deed, record_deed
from billing.errors import Refused
from billing.fees import tables
from billing.fees.cap_rows import load_shipped_caps, read_rules
from billing.fees.caps import EVERYWHERE, CapVerdict, Place, check_schedule, school_year
from billing.fees.catalogue import Catalogue
from billing.fees.charges import Schedule
from billing.fees.earning import open_earning
from billing.fees.items import (
    CarryOver,
    FeeItem,
    Group,
    Level,
    Ownership,
    PartMonth,
    Payer,
    Price,
    Quantity,
    Reduction,
    Span,
    Unit,
)
from billing.fees.kinds import prepaid_kinds
from billing.fees.naming import item_code, one_line
from billing.fees.places import Located, cut_by_place
from billing.fees.placing import read_places
from billing.fees.state_tuition import refuse_other_tuition
from billing.fees.support import read_rates, support_reductions
from billing.people.tables import School


def load_catalogue(  # noqa: PLR0913  what is loaded, where to, by whom
    session: Session,
    school: School,
    catalogue: Catalogue,
    accounts: Mapping[str, UUID],
    now: datetime,
    *,
    actor: Actor = SYSTEM,
) -> tuple[CapVerdict, ...]:
    """Give a school the items, prices and general reductions of a catalogue.

    ``accounts``: the catalogue's account keys to the school's bank accounts. Each price is judged on every day
    against the shipped caps and those of the province: ``OverCap``, ``Prohibited`` or ``NotComparable`` refuse the
    whole catalogue. Returns the verdicts (some may need the approver's yes). An item the school has already is
    refused: prices change by new rows, not by loading again.
    """
    for area in {EVERYWHERE, *(each.area for each in read_places(session, school.id))}:
        load_shipped_caps(session, school.province_id, area)
    verdicts = judge_prices(session, school, catalogue.prices)
    known = set(session.exec(select(tables.FeeItem.code).where(tables.FeeItem.school_id == school.id)).all())
    again = sorted(known & {item.code for item in catalogue.items})
    if again:
        raise Refused(f"Trường đã có các khoản thu: {', '.join(again)}. Hãy sửa từng khoản thay vì nạp lại.")
    ids = {
        item.code: _add_item(session, school, item, accounts, position, _first_day(catalogue, item))
        for position, item in enumerate(catalogue.items)
    }
    session.add_all(price_row(school.id, ids[price.item.code], price) for price in catalogue.prices)
    session.add_all(_reduction_row(school.id, reduction) for reduction in catalogue.reductions)
    session.flush()
    deed = Deed(school.id, "fees.load", "school", str(school.id))
    prices = {price.item.code: price.amount.dong for price in catalogue.prices}
    record_deed(session, actor, deed, now, catalogue=catalogue.name, prices=prices)
    return verdicts


def read_schedule(session: Session, school: School, days: Span) -> Schedule:
    """Return what the school charges within these days; an item's account is its bank account's id as text."""
    rules = session.exec(
        select(tables.Reduction).where(
            tables.Reduction.school_id == school.id,
            col(tables.Reduction.enrolment_id).is_(None),
            col(tables.Reduction.withdrawn_at).is_(None),
            # Rules of a loaded catalogue have no maker; what a person entered needs another's approval.
            or_(col(tables.Reduction.made_by).is_(None), col(tables.Reduction.approved_by).is_not(None)),
        ),
    ).all()
    prices = read_prices(session, school.id, days)
    standing = (*(reduction_of(rule) for rule in rules), *support_reductions(session, school, prices, days))
    return Schedule(Ownership(school.kind), prices, standing)


def read_prices(session: Session, school_id: UUID, days: Span) -> tuple[Price, ...]:
    """Return the school's prices that hold on any of these days, in the order in which they were entered."""
    rows = session.exec(
        select(tables.FeePrice, tables.FeeItem)
        .join(tables.FeeItem, col(tables.FeeItem.id) == col(tables.FeePrice.item_id))
        .where(
            tables.FeePrice.school_id == school_id,
            col(tables.FeePrice.withdrawn_at).is_(None),
            _until(days) >= col(tables.FeePrice.valid_from),
            or_(col(tables.FeePrice.valid_to).is_(None), col(tables.FeePrice.valid_to) >= days.start),
        )
        .order_by(col(tables.FeePrice.id)),
    ).all()
    return tuple(price_of(price, item) for price, item in rows)


def prices_before(session: Session, school_id: UUID, day: date) -> tuple[Price, ...]:
    """Return the prices of the school year before the day's, against which a council may bound the rise."""
    last_day = school_year(day).start - timedelta(days=1)
    return read_prices(session, school_id, school_year(last_day))


def judge_schedule(session: Session, school: School, schedule: Schedule, days: Span) -> tuple[CapVerdict, ...]:
    """Judge what holds within these days for every level of the school.

    Against the caps of its province, and against last year's prices where the council bounds the rise. Where the
    school's place changes within the days, a price is judged on either side. Tuition of a public school is refused
    unless it is what the State pays.
    """
    _judge_tuition(session, school, [(schedule.prices, days)])
    rules = read_rules(session, school.province_id)
    history = prices_before(session, school.id, days.start)
    return tuple(
        verdict
        for part, located in cut_by_place(read_places(session, school.id), days)
        for level in school.levels
        for verdict in check_schedule(schedule.prices, place_of(school, Level(level), located), part, rules, history)
    )


def judge_prices(session: Session, school: School, prices: Sequence[Price]) -> tuple[CapVerdict, ...]:
    """Judge prices on every day of theirs on which what binds them changes, for every level meant.

    That is the first day, those on which the school's place changes, and those from which another cap or prohibition
    holds: a price that is entered today for the whole year is told today that a cap falls in January.
    """
    _judge_tuition(session, school, [([price], _with_an_end(price.valid)) for price in prices])
    rules = read_rules(session, school.province_id)
    places = read_places(session, school.id)
    days = {price.valid.start for price in prices}
    history = {day: prices_before(session, school.id, day) for day in days}
    return tuple(
        verdict
        for level in school.levels
        for price in prices
        for part, located in cut_by_place(places, price.valid)
        for verdict in check_schedule(
            [price],
            place_of(school, Level(level), located),
            part,
            rules,
            history[price.valid.start],
        )
    )


def _with_an_end(days: Span) -> Span:
    """Return days that can be looked at month by month: of those without an end the first; a round judges its own."""
    return days if days.end is not None else Span(days.start, days.start)


def _judge_tuition(session: Session, school: School, judged: Sequence[tuple[Sequence[Price], Span]]) -> None:
    """Refuse tuition of a public school that is not what the State pays, each within its days."""
    tuition = any(price.item.group is Group.TUITION for prices, _ in judged for price in prices)
    if not tuition or school.kind != Ownership.PUBLIC:
        return
    rates, places = read_rates(session, school.province_id), read_places(session, school.id)
    for prices, days in judged:
        for level in map(Level, school.levels):
            refuse_other_tuition(level, prices, days, places, rates)


def item_ids(session: Session, school_id: UUID) -> dict[str, UUID]:
    """Return the ids of a school's items by code."""
    rows = session.exec(
        select(tables.FeeItem.code, tables.FeeItem.id).where(tables.FeeItem.school_id == school_id)
    ).all()
    return dict(rows)


def reduction_of(row: tables.Reduction) -> Reduction:
    """Return a stored reduction as the rules take it; its id is the row's id as text."""
    return Reduction(
        id=str(row.id),
        title=row.title,
        payer=Payer(row.payer),
        valid=Span(row.valid_from, row.valid_to),
        legal_basis=row.legal_basis,
        percent=row.percent,
        amount=row.amount,
        items=frozenset(row.item_codes),
        groups=frozenset(Group(group) for group in row.item_groups),
        evidence=row.evidence,
        from_sibling=row.from_sibling,
        prepaid=row.reason_class in prepaid_kinds(),
        kind=row.reason_class,
    )


def _until(days: Span) -> date:
    return days.end or date.max


def place_of(school: School, level: Level, located: Located) -> Place:
    """Return what decides which caps bind this level of the school while it lies there."""
    return Place(Ownership(school.kind), level, located.zone, located.area)


def _first_day(catalogue: Catalogue, item: FeeItem) -> date:
    starts = [price.valid.start for price in catalogue.prices if price.item.code == item.code]
    # An item without a price (a donation) is there from the catalogue's first day on.
    return min(starts or [price.valid.start for price in catalogue.prices])


def _add_item(  # noqa: PLR0913, PLR0917  what makes one row
    session: Session, school: School, item: FeeItem, accounts: Mapping[str, UUID], position: int, valid_from: date
) -> UUID:
    if item.account not in accounts:
        raise Refused(f"Khoản thu {item.name}: chưa chọn tài khoản nhận tiền cho “{item.account}”.", item=item.code)
    if item_code(item.code) != item.code:
        raise Refused(f"Mã khoản thu {item.code} phải viết hoa.", item=item.code)
    states = item.group is Group.TUITION and school.kind == Ownership.PUBLIC
    row = tables.FeeItem(
        school_id=school.id,
        code=item.code,
        legal_name=one_line(item.name),
        item_group=item.group.value,
        unit=item.unit.value,
        legal_basis=item.legal_basis,
        revenue_account=item.revenue_account,
        bank_account_id=accounts[item.account],
        payer=(Payer.STATE if states else Payer.FAMILY).value,
        opt_in=item.opt_in,
        carry_over=item.carry_over.value,
        position=position,
        valid_from=valid_from,
    )
    session.add(row)
    session.flush()
    open_earning(session, school.id, item)
    return row.id


def price_row(school_id: UUID, item_id: UUID, price: Price) -> tables.FeePrice:
    """Return the row of a price."""
    return tables.FeePrice(
        school_id=school_id,
        item_id=item_id,
        amount=price.amount,
        quantity_rule=price.quantity.value,
        quantity=price.count,
        levels=sorted(level.value for level in price.levels),
        grades=sorted(price.grades),
        class_codes=sorted(price.classes),
        part_month=price.part_month.value,
        valid_from=price.valid.start,
        valid_to=price.valid.end,
    )


def _reduction_row(school_id: UUID, reduction: Reduction) -> tables.Reduction:
    return tables.Reduction(
        school_id=school_id,
        title=reduction.title,
        item_codes=sorted(reduction.items),
        item_groups=sorted(group.value for group in reduction.groups),
        from_sibling=reduction.from_sibling,
        kind="percent" if reduction.amount is None else "amount",
        percent=reduction.percent,
        amount=reduction.amount,
        payer=reduction.payer.value,
        reason_class=reduction.id,
        legal_basis=reduction.legal_basis,
        evidence=reduction.evidence,
        valid_from=reduction.valid.start,
        valid_to=reduction.valid.end,
    )


def item_of(row: tables.FeeItem) -> FeeItem:
    """Return a stored item as the rules take it; its account is the bank account's id as text."""
    return FeeItem(
        code=row.code,
        name=row.legal_name,
        group=Group(row.item_group),
        unit=Unit(row.unit),
        account=str(row.bank_account_id),
        legal_basis=row.legal_basis,
        revenue_account=row.revenue_account,
        opt_in=row.opt_in,
        carry_over=CarryOver(row.carry_over),
    )


def price_of(row: tables.FeePrice, item: tables.FeeItem) -> Price:
    """Return a stored price as the rules take it."""
    return Price(
        item=item_of(item),
        amount=row.amount,
        valid=Span(row.valid_from, row.valid_to),
        quantity=Quantity(row.quantity_rule),
        count=row.quantity,
        levels=frozenset(Level(level) for level in row.levels),
        grades=frozenset(row.grades),
        classes=frozenset(row.class_codes),
        part_month=PartMonth(row.part_month),
    )
