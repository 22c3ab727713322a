"""Plans of collections of one school, in the shapes of the pages; and what was typed, in the shapes of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from billing.errors import Refused
from billing.fees.caps import school_year as year_of
from billing.fees.items import LEVEL_NAMES, UNIT_NAMES, Level, Ownership, Price, Unit
from billing.fees.schedule import read_prices
from billing.money import total
from billing.people.tables import Enrolment, School
from billing.plans.planning import Estimate, Meeting
from billing.plans.reading import audience_of, find_plan, items_in, plans_of, state_of, steps_of
from billing.plans.rules import EVERYBODY, PLANNED_GROUPS, Audience, clash_of
from billing.plans.tables import CollectionPlan, PlanItem, PlanPaper, PlanStep
from service.access.tables import User
from service.pages.plan_views import NewPlan, PaperRow, PlanLine, PlanPage, PlanRow, PlansPage, StepRow, TypedPlan
from service.pages.typed import read_day, read_grades, read_money, school_day

_TIMES = {Unit.MONTH: 9, Unit.TERM: 2, Unit.YEAR: 1, Unit.ONCE: 1}  # K-12 collects nine months a year


def plans_page(session: Session, school_id: UUID, today: date) -> PlansPage:
    """Return the plans of a school, newest first."""
    school = session.get_one(School, school_id)
    plans = plans_of(session, school_id)
    steps = steps_of(session, school_id, [plan.id for plan in plans])
    since = school.plans_required_from
    return PlansPage(
        tuple(_row(session, plan, steps.get(plan.id, [])) for plan in plans),
        school.kind == Ownership.PUBLIC,
        since,
        since is not None and since <= today,
        today,
    )


def new_plan(session: Session, school_id: UUID, today: date) -> NewPlan:
    """Return the form: every item that needs a plan, with its dearest price of this year or as it was last planned.

    An item whose prices differ by level or grade stands once for each; by class only, once with the dearest.
    """
    year = label(today)
    before = plans_of(session, school_id, year)
    planned = {(item.item_code, audience_of(item)): item for item in (items_in(session, before[0]) if before else ())}
    pupils = session.exec(
        select(func.count())
        .select_from(Enrolment)
        .where(Enrolment.school_id == school_id, col(Enrolment.ended_on).is_(None))
    ).one()
    dearest = _dearest([price for price in read_prices(session, school_id, year_of(today))
                        if price.item.group in PLANNED_GROUPS])  # fmt: skip
    lines = []
    for (code, audience), price in dearest.items():
        item, last = price.item, planned.get((code, audience))
        line = PlanLine(
            code,
            item.name,
            UNIT_NAMES[item.unit],
            price.amount,
            last.pupils if last else pupils or None,
            last.times if last else _TIMES.get(item.unit),
            last.basis if last else "",
            last.purpose if last else "",
            audience=audience,
        )
        lines.append(line)
    levels = [Level(level) for level in session.get_one(School, school_id).levels]
    several = tuple((level.value, LEVEL_NAMES[level]) for level in levels) if len(levels) > 1 else ()
    return NewPlan((year, label(today, after=1)), len(before) + 1, tuple(lines), today, several)


def _dearest(prices: Sequence[Price]) -> dict[tuple[str, Audience], Price]:
    """Return the dearest price of each item for each audience; for everybody where audiences would meet."""
    audiences: dict[str, dict[Audience, None]] = {}
    for price in prices:
        audiences.setdefault(price.item.code, {})[Audience(price.levels, price.grades)] = None
    found: dict[tuple[str, Audience], Price] = {}
    for price in prices:
        code = price.item.code
        whole = clash_of(list(audiences[code])) is not None
        key = code, EVERYBODY if whole else Audience(price.levels, price.grades)
        if key not in found or price.amount > found[key].amount:
            found[key] = price
    return found


def plan_page(session: Session, school_id: UUID, plan_id: UUID, reader: UUID, today: date) -> PlanPage:
    """Return one plan whole; raises ``NotFound``."""
    plan = find_plan(session, school_id, plan_id)
    steps = steps_of(session, school_id, [plan.id]).get(plan.id, [])
    return PlanPage(
        row=_row(session, plan, steps),
        meeting_on=plan.meeting_on,
        meeting_place=plan.meeting_place,
        meeting_yes=plan.meeting_yes,
        meeting_of=plan.meeting_of,
        lines=tuple(_line(item) for item in items_in(session, plan)),
        papers=_papers(session, plan),
        steps=tuple(_step(session, step) for step in steps),
        own=reader in {plan.made_by, *(step.made_by for step in steps if step.kind == "submitted")},
        today=today,
        year_starts=date(int(plan.school_year[:4]), 9, 1),
    )


def label(day: date, after: int = 0) -> str:
    """Return the school year of a day, or a later one, as ``2025-2026``."""
    first = year_of(day).start.year + after
    return f"{first}-{first + 1}"


def year_typed(typed: TypedPlan, today: date) -> str:
    """Return the school year that was chosen: this one or the next; raises ``Refused`` for another."""
    if typed.year not in (label(today), label(today, after=1)):
        raise Refused("Hãy chọn năm học này hoặc năm học tới.")
    return typed.year


def meeting_of(typed: TypedPlan) -> Meeting:
    """Return the parents' meeting as typed; raises ``Refused`` without a day."""
    day = read_day(typed.day)
    if day is None:
        raise Refused("Hãy chọn ngày họp cha mẹ học sinh.")
    return Meeting(day, typed.place, _count(typed.yes, "Số gia đình đồng ý"), _count(typed.of, "Số gia đình dự họp"))


def estimates_of(typed: TypedPlan) -> list[Estimate]:
    """Return the items with a price; an empty price leaves its item out. Raises ``Refused`` for what is no number."""
    columns = (
        typed.codes, typed.levels, typed.grades, typed.prices, typed.pupils, typed.times, typed.bases, typed.purposes,
    )  # fmt: skip
    if len({len(column) for column in columns}) != 1:
        raise Refused("Bảng dự toán thiếu ô. Hãy tải lại trang rồi nhập lại.")
    return [
        Estimate(
            code,
            read_money(price),
            _count(pupils, f"Số học sinh của {code}"),
            _count(times, f"Số lần thu trong năm của {code}"),
            basis,
            purpose,
            Audience(_levels(levels), read_grades(grades)),
        )
        for code, levels, grades, price, pupils, times, basis, purpose in zip(*columns, strict=True)
        if price.strip()
    ]


def _levels(text: str) -> frozenset[Level]:
    try:
        return frozenset(Level(word) for word in text.split(",") if word)
    except ValueError as error:
        raise Refused("Cấp học này không có trong danh sách. Xin tải lại trang rồi chọn lại.") from error


def _count(text: str, what: str) -> int:
    bare = text.strip().replace(".", "")
    if not bare.isascii() or not bare.isdecimal() or len(bare) > len("1000000"):
        raise Refused(f"{what}: “{text.strip()}” không phải số. Xin ghi một số nguyên.")
    return int(bare)


def _row(session: Session, plan: CollectionPlan, steps: list[PlanStep]) -> PlanRow:
    items = items_in(session, plan)
    approval = next((step for step in steps if step.kind == "approved"), None)
    return PlanRow(
        str(plan.id),
        plan.school_year,
        plan.version,
        state_of(steps),
        len(items),
        total(item.expected for item in items),
        school_day(plan.made_at),
        _name(session, plan.made_by),
        approval.number if approval else "",
        approval.valid_from if approval else None,
    )


def _line(item: PlanItem) -> PlanLine:
    return PlanLine(
        item.item_code,
        item.legal_name,
        UNIT_NAMES[Unit(item.unit)],
        item.price,
        item.pupils,
        item.times,
        item.basis,
        item.purpose,
        item.expected,
        audience_of(item),
    )


def _papers(session: Session, plan: CollectionPlan) -> tuple[PaperRow, ...]:
    """Return the files of a plan; their content stays where it is."""
    rows = session.execute(
        columns(
            col(PlanPaper.id),
            col(PlanPaper.kind),
            col(PlanPaper.name),
            func.octet_length(PlanPaper.content),
            col(PlanPaper.sha256),
            col(PlanPaper.made_at),
        )
        .where(col(PlanPaper.school_id) == plan.school_id, col(PlanPaper.plan_id) == plan.id)
        .order_by(col(PlanPaper.made_at))
    ).all()
    return tuple(PaperRow(str(key), kind, name, size, sha.hex(), at) for key, kind, name, size, sha, at in rows)


def _step(session: Session, step: PlanStep) -> StepRow:
    return StepRow(
        step.kind,
        _name(session, step.made_by),
        step.at,
        step.reason,
        step.number,
        step.decided_on,
        step.signer,
        step.authority,
        step.valid_from,
    )


def _name(session: Session, user_id: UUID) -> str:
    user = session.get(User, user_id)
    return "" if user is None else user.full_name
