"""A new billing round: what the form proposes, and the round it becomes, calculated at once."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.instalments import Share
from billing.errors import Refused
from billing.fees.items import Span
from billing.fees.reducing import waiting_reductions
from billing.fees.tables import FeeItem, FeePrice
from billing.people.tables import Enrolment
from billing.rounds.calculating import late_arrivals
from billing.rounds.drafting import RoundPlan, SupplementaryPlan, draft_round, draft_supplementary
from billing.rounds.previewing import preview_round
from billing.rounds.tables import BillingRound
from service.pages.item_rows import running_year
from service.pages.round_views import CalendarDay, CalendarMonth, NewRound, TypedRound
from service.pages.typed import read_day, read_percent, school_day

_SCHOOL_YEAR_STARTS = 8  # August: who comes before the first school day is billed for it
_MONTHS = 12
_DUE_DAY = 20
_LEAST_DAYS = 10
_SATURDAY = 5


def new_round(session: Session, school_id: UUID, first: str, last: str, today: date) -> NewRound:
    """Return the form of a new round for some months; without any, the month after the last round."""
    year = running_year(session, school_id, today)
    months = _months_of(year, today)
    start = first if first in dict(months) else _next_month(session, school_id, year, months, today)
    end = last if last in dict(months) and last >= start else start
    days = _span(start, end)
    return NewRound(
        year=year,
        months=months,
        first=start,
        last=end,
        code=_free_code(session, school_id, year, start),
        name=_name(start, end),
        due_on=max(days.start.replace(day=_DUE_DAY), today + timedelta(days=_LEAST_DAYS)),
        calendar=tuple(_calendar(days)) if _serves_meals(session, school_id) else (),
        missing=tuple(_missing(session, school_id, year)),
        waiting_reductions=len(waiting_reductions(session, school_id)),
    )


def take_round(session: Session, school_id: UUID, actor: Actor, typed: TypedRound, now: datetime) -> UUID:
    """Write down a round as it was typed and calculate it; returns its id."""
    year = running_year(session, school_id, school_day(now))
    if not year:
        raise Refused("Trường chưa có lớp nào. Xin nhờ quản trị hệ thống khai lớp của năm học.")
    days = _span(typed.first, typed.last)
    eaten = frozenset(day for day in map(read_day, typed.meal_days) if day is not None)
    plan = RoundPlan(
        school_id=school_id,
        school_year=year,
        code=typed.code.strip(),
        name=_named(typed.name),
        days=days,
        meal_days=eaten,
        due_on=typed.due_on,
        instalments=_shares(typed.shares),
    )
    made = draft_round(session, actor, plan, now)
    preview_round(session, made.id, actor, now)
    return made.id


def take_supplementary(session: Session, base: BillingRound, actor: Actor, due_on: date, now: datetime) -> UUID:
    """Write down and calculate a round for what an issued one has not billed; returns its id.

    Raises ``Refused`` when everybody has a bill and no item is left; then nothing is kept.
    """
    late = late_arrivals(session, base.id)
    code = _free_code(session, base.school_id, base.school_year, f"{base.code}-BS")
    plan = SupplementaryPlan(code, f"{base.name} (bổ sung)", due_on)
    made = draft_supplementary(session, actor, base.id, plan, now)
    preview = preview_round(session, made.id, actor, now)
    if not late and not preview.bills:
        raise Refused(
            "Mọi học sinh có lớp đều đã có thông báo trong đợt này, và không có khoản đăng ký thêm nào chưa thu;"
            " không cần đợt bổ sung."
        )
    return made.id


def _named(name: str) -> str:
    clean = " ".join(name.split())
    if not clean:
        raise Refused("Xin ghi tên đợt thu, ví dụ “Tháng 10/2025”.")
    return clean


def _shares(typed: tuple[tuple[str, str], ...]) -> tuple[Share, ...]:
    """Return the instalments that were typed: rows with neither percentage nor day are left out."""
    shares = []
    for percent_text, day_text in typed:
        percent, day = read_percent(percent_text), read_day(day_text)
        if percent is None and day is None:
            continue
        if percent is None or day is None:
            raise Refused("Mỗi đợt nộp cần cả tỷ lệ và hạn nộp. Xin ghi đủ, hoặc để trống cả hai.")
        shares.append(Share(day, percent))
    return tuple(shares)


def _months_of(year: str, today: date) -> tuple[tuple[str, str], ...]:
    starts = int(year[:4]) if year else today.year
    found = []
    for place in range(_MONTHS):
        month = _SCHOOL_YEAR_STARTS + place
        found.append(date(starts + (month - 1) // _MONTHS, (month - 1) % _MONTHS + 1, 1))
    return tuple((f"{month:%Y-%m}", f"{month.month}/{month.year}") for month in found)


def _next_month(session: Session, school_id: UUID, year: str, months: tuple[tuple[str, str], ...], today: date) -> str:
    """Return the month after the last round of the year; before the first one, this month (within the year)."""
    last = session.exec(
        select(col(BillingRound.period_to))
        .where(BillingRound.school_id == school_id, BillingRound.school_year == year, BillingRound.state != "withdrawn")
        .order_by(col(BillingRound.period_to).desc())
        .limit(1)
    ).first()
    wanted = today if last is None else last + timedelta(days=1)
    known = [code for code, _ in months]
    return min(max(f"{wanted:%Y-%m}", known[0]), known[-1])


def _span(first: str, last: str) -> Span:
    """Return the days from the first of one month to the last of another; raises ``Refused`` for no month."""
    start, end = read_day(f"{first}-01"), read_day(f"{last}-01")
    if start is None or end is None:
        raise Refused("Xin chọn tháng của đợt thu.")
    return Span(start, end.replace(day=calendar.monthrange(end.year, end.month)[1]))


def _name(first: str, last: str) -> str:
    def said(code: str) -> str:
        return f"{int(code[5:])}/{code[:4]}"

    return f"Tháng {said(first)}" if first == last else f"Tháng {said(first)} đến {said(last)}"


def _free_code(session: Session, school_id: UUID, year: str, wanted: str) -> str:
    taken = set(
        session.exec(
            select(BillingRound.code).where(BillingRound.school_id == school_id, BillingRound.school_year == year)
        ).all()
    )
    codes = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
    return next(code for code in codes if code not in taken)


def _serves_meals(session: Session, school_id: UUID) -> bool:
    found = session.exec(
        select(FeeItem.id).where(FeeItem.school_id == school_id, FeeItem.unit == "meal_day").limit(1)
    ).first()
    return found is not None


def _calendar(days: Span) -> Iterator[CalendarMonth]:
    """Yield the months of these days in weeks; weekdays are ticked."""
    month = days.start
    while days.end is not None and month <= days.end:
        weeks = calendar.Calendar().monthdatescalendar(month.year, month.month)
        yield CalendarMonth(
            f"Tháng {month.month}/{month.year}",
            tuple(
                tuple(CalendarDay(day, day.weekday() < _SATURDAY) if day.month == month.month else None for day in week)
                for week in weeks
            ),
        )
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _missing(session: Session, school_id: UUID, year: str) -> Iterator[tuple[str, str, str]]:
    priced = session.exec(
        select(FeePrice.id).where(FeePrice.school_id == school_id, col(FeePrice.withdrawn_at).is_(None)).limit(1)
    ).first()
    if priced is None:
        yield "Trường chưa có khoản thu nào có mức thu.", "/van-phong/khoan-thu", "Khoản thu"
    pupil = session.exec(
        select(Enrolment.id).where(Enrolment.school_id == school_id, Enrolment.school_year == year).limit(1)
    ).first()
    if pupil is None:
        yield "Chưa có học sinh nào của năm học này.", "/van-phong/tai-len", "Bảng tính"
