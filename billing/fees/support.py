"""The State's monthly support in the database: a province's rates, and to whom a private school's support goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused, SamePerson
from billing.fees.charges import PUBLIC_TUITION
from billing.fees.council_rates import (
    KIND_NAMES,
    CouncilRate,
    RateFile,
    RateKind,
    Where,
    check_rates,
    is_study_month,
    national_rates,
    rate_for,
)
from billing.fees.items import Group, Level, Ownership, Payer, Price, Reduction, Span, Unit
from billing.fees.places import where_on
from billing.fees.placing import read_places
from billing.fees.support_tables import CouncilRateRow, SupportChoice
from billing.people.tables import School

_SUPPORT = "HOTRO-"  # what the ids of these reductions begin with
PAYEE_NAMES = {"family": "gia đình", "school": "nhà trường"}


@dataclass(frozen=True, slots=True)
class NewChoice:
    """What an accountant enters: who gets the support from a first of the month on, and the decision that says so."""

    payee: str
    decision_number: str
    decided_on: date
    valid_from: date


def load_rates(session: Session, province_id: UUID, file: RateFile) -> int:
    """Store a province's rates and return how many are new; loading the same file again changes nothing.

    A rate ends the day before a later one for the same place begins. Raises ``OverCap`` or ``Refused`` when any
    lies outside the tuition frame or two hold on one day, and stores nothing.
    """
    known = _rows(session, province_id)
    stored = {_key(row): row for row in known}
    added = [row for rate in file.rates if _key(row := _row(province_id, rate)) not in stored]
    for rate in file.rates:
        _refuse_change(stored.get(_key(_row(province_id, rate))), rate)
    for row in sorted(added, key=lambda each: each.valid_from):
        for before in [*known, *added]:
            if _same_place(before, row) and before.valid_from < row.valid_from and before.valid_to is None:
                before.valid_to = row.valid_from - timedelta(days=1)
    session.add_all([*known, *added])
    check_rates([_rate(row) for row in [*known, *added]], [*national_rates().frames, *file.frames])
    session.flush()
    return len(added)


def read_rates(session: Session, province_id: UUID) -> tuple[CouncilRate, ...]:
    """Return the rates of a province, and the national ones; learning-cost support of its own goes before those."""
    own = tuple(_rate(row) for row in _rows(session, province_id))
    kinds = {(rate.kind, rate.level) for rate in own}
    return own + tuple(rate for rate in national_rates().rates if (rate.kind, rate.level) not in kinds)


def choose_support(session: Session, school: School, actor: Actor, new: NewChoice, now: datetime) -> SupportChoice:
    """Write down who gets the support; it counts once another person has approved it.

    Raises ``Refused`` for a public school, a missing decision, a day that is not a first of the month, and for months
    that are over: families have had their bills for those.
    """
    if actor.user_id is None:
        raise NotAllowed("Người nhận hỗ trợ phải do một người có tên ghi và duyệt.")
    _refuse_choice(school, new, (now + timedelta(hours=7)).date())
    taken = select(SupportChoice.id).where(
        SupportChoice.school_id == school.id,
        SupportChoice.valid_from == new.valid_from,
        col(SupportChoice.withdrawn_at).is_(None),
    )
    if session.exec(taken).first() is not None:
        raise Conflict(f"Đã có một lựa chọn từ {new.valid_from:%d/%m/%Y}. Hãy bỏ lựa chọn đó trước.")
    choice = SupportChoice(
        school_id=school.id,
        payee=new.payee,
        decision_number=new.decision_number.strip(),
        decided_on=new.decided_on,
        valid_from=new.valid_from,
        made_by=actor.user_id,
        made_at=now,
    )
    session.add(choice)
    session.flush()
    record_deed(session, actor, _deed(choice, "support.choose"), now, payee=new.payee, since=str(new.valid_from))
    return choice


def approve_choice(session: Session, choice_id: UUID, actor: Actor, now: datetime) -> SupportChoice:
    """Approve who gets the support; raises ``SamePerson`` for whoever wrote it, ``Conflict`` when that is done."""
    choice = _open_choice(session, choice_id)
    if actor.user_id is None or actor.user_id == choice.made_by:
        raise SamePerson("Người ghi lựa chọn không được tự duyệt. Hãy nhờ người duyệt khác.")
    choice.approved_by, choice.approved_at = actor.user_id, now
    session.add(choice)
    session.flush()
    record_deed(session, actor, _deed(choice, "support.approve"), now, payee=choice.payee)
    return choice


def withdraw_choice(session: Session, choice_id: UUID, actor: Actor, now: datetime) -> SupportChoice:
    """Drop a choice that nobody has approved yet; an approved one is replaced by a later one."""
    choice = _open_choice(session, choice_id)
    choice.withdrawn_at = now
    session.add(choice)
    session.flush()
    record_deed(session, actor, _deed(choice, "support.withdraw"), now)
    return choice


def read_choices(session: Session, school_id: UUID) -> tuple[SupportChoice, ...]:
    """Return the choices of a school that were not withdrawn, earliest first."""
    return tuple(
        session.exec(
            select(SupportChoice)
            .where(SupportChoice.school_id == school_id, col(SupportChoice.withdrawn_at).is_(None))
            .order_by(col(SupportChoice.valid_from)),
        ).all()
    )


def payee_on(choices: Sequence[SupportChoice], day: date) -> str:
    """Return who gets the support on a day: the family, unless an approved choice says the school."""
    held = [choice.payee for choice in choices if choice.approved_at is not None and choice.valid_from <= day]
    return held[-1] if held else "family"


def months_within(days: Span) -> Iterator[date]:
    """Yield the first day of every calendar month that has a day within; the days must have an end."""
    if days.end is None:
        raise ValueError("days without an end have no last month")
    month = days.start.replace(day=1)
    while month <= days.end:
        yield month
        month = next_month(month)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def support_reductions(session: Session, school: School, prices: Sequence[Price], days: Span) -> tuple[Reduction, ...]:
    """Return what the State takes off a private school's tuition within these days, as standing reductions.

    Nothing while the support goes to the family, and nothing for tuition that is not priced by the month. Charging
    takes at most what is left of the price, so the support never exceeds the school's own tuition.
    """
    choices = read_choices(session, school.id) if school.kind == Ownership.PRIVATE else ()
    if all(choice.payee == "family" for choice in choices):
        return ()
    rates, places = read_rates(session, school.province_id), read_places(session, school.id)
    found = []
    for level in map(Level, school.levels):
        for item in supported_items(prices, level):
            months = list(months_within(days))
            paid = [(month, _paid(where_on(places, level, month), month, rates, choices)) for month in months]
            for rate, run in groupby(paid, key=lambda each: each[1]):
                held = [month for month, _ in run]
                if rate is not None:
                    found.append(_reduction(rate, item, Span(held[0], next_month(held[-1]) - timedelta(days=1))))
    return tuple(found)


def is_support(reduction: Reduction) -> bool:
    """Tell whether a reduction is the support that a private school takes off, and none by law or decision."""
    return reduction.id.startswith(_SUPPORT)


def supported_items(prices: Sequence[Price], level: Level) -> list[str]:
    """Return the code of the item that the support is taken off, if there is one: tuition priced by the month."""
    codes = sorted(
        {
            price.item.code
            for price in prices
            if price.item.group is Group.TUITION
            and price.item.unit is Unit.MONTH
            and (not price.levels or level in price.levels)
        }
    )
    return codes[:1]


def _paid(
    where: Where, month: date, rates: Sequence[CouncilRate], choices: Sequence[SupportChoice]
) -> CouncilRate | None:
    if payee_on(choices, month) != "school" or not is_study_month(where.level, month):
        return None
    return rate_for(RateKind.SUPPORT, where, month, rates)


def _reduction(rate: CouncilRate, item: str, valid: Span) -> Reduction:
    return Reduction(
        id=f"{_SUPPORT}{rate.level}-{valid.start:%Y%m}",
        title=KIND_NAMES[RateKind.SUPPORT],
        payer=Payer.STATE,
        valid=valid,
        legal_basis=f"{PUBLIC_TUITION.legal_basis}; {rate.legal_basis}",
        amount=rate.amount,
        items=frozenset({item}),
        levels=frozenset({rate.level}),
        citizens_only=True,
    )


def _refuse_choice(school: School, new: NewChoice, today: date) -> None:
    if school.kind != Ownership.PRIVATE:
        raise Refused("Chỉ trường ngoài công lập mới chọn nơi nhận hỗ trợ; trường công lập được cấp bù.")
    if new.payee not in PAYEE_NAMES:
        raise Refused("Nơi nhận hỗ trợ phải là gia đình hoặc nhà trường.", payee=new.payee)
    if not new.decision_number.strip():
        raise Refused("Hãy ghi số quyết định.")
    if new.valid_from.day != 1:
        raise Refused("Lựa chọn có hiệu lực từ ngày đầu tháng.", valid_from=new.valid_from)
    if new.valid_from < today.replace(day=1):
        raise Refused(
            f"Không ghi lùi về tháng {new.valid_from:%m/%Y}: gia đình đã được báo thu tháng đó. Hãy chọn từ tháng này"
            " trở đi.",
            valid_from=new.valid_from,
        )


def _open_choice(session: Session, choice_id: UUID) -> SupportChoice:
    choice = session.exec(select(SupportChoice).where(SupportChoice.id == choice_id)).one_or_none()
    if choice is None:
        raise NotFound("Không có lựa chọn này.", choice=choice_id)
    if choice.approved_at is not None or choice.withdrawn_at is not None:
        raise Conflict("Lựa chọn này đã được duyệt hoặc đã bỏ. Hãy ghi lựa chọn mới.")
    return choice


def _deed(choice: SupportChoice, action: str) -> Deed:
    return Deed(choice.school_id, action, "support_choice", str(choice.id), choice.decision_number)


def _rows(session: Session, province_id: UUID) -> list[CouncilRateRow]:
    query = select(CouncilRateRow).where(CouncilRateRow.authority_id == province_id)
    return list(session.exec(query.order_by(col(CouncilRateRow.kind), col(CouncilRateRow.valid_from))).all())


def _key(row: CouncilRateRow) -> tuple[object, ...]:
    return row.kind, row.level, row.zone, row.legacy_area, row.valid_from


def _same_place(one: CouncilRateRow, other: CouncilRateRow) -> bool:
    return _key(one)[:-1] == _key(other)[:-1]


def _refuse_change(stored: CouncilRateRow | None, rate: CouncilRate) -> None:
    """Refuse another amount under a key that is there: it may have been claimed. A new rate has a new first day."""
    if stored is not None and (stored.amount, stored.months) != (rate.amount, rate.months):
        raise Refused(
            f"{KIND_NAMES[rate.kind]} từ {rate.valid.start:%d/%m/%Y} đã nạp là {stored.amount}, tệp ghi {rate.amount}."
            " Mức mới phải có ngày hiệu lực mới."
        )


def _row(province_id: UUID, rate: CouncilRate) -> CouncilRateRow:
    return CouncilRateRow(
        authority_id=province_id,
        kind=rate.kind.value,
        level=rate.level.value,
        zone=rate.zone,
        legacy_area=rate.area,
        amount=rate.amount,
        months=rate.months,
        legal_basis=rate.legal_basis,
        valid_from=rate.valid.start,
        valid_to=rate.valid.end,
    )


def _rate(row: CouncilRateRow) -> CouncilRate:
    return CouncilRate(
        kind=RateKind(row.kind),
        level=Level(row.level),
        zone=row.zone,
        area=row.legacy_area,
        amount=row.amount,
        months=row.months,
        legal_basis=row.legal_basis,
        valid=Span(row.valid_from, row.valid_to),
    )
