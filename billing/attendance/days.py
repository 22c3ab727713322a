"""Days and hours of attendance (pure): whose meal was called off in time, which days a month has."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone

from billing.errors import Refused

VIET_NAM = timezone(timedelta(hours=7), "ICT")
MOST_DAYS_AHEAD = 31
FIRST_YEAR, LAST_YEAR = 2000, 2100  # of a month that somebody types: no school's book lies outside


def local_day(now: datetime) -> date:
    """Return the school day of a moment."""
    return now.astimezone(VIET_NAM).date()


def is_in_time(day: date, now: datetime, cutoff: time) -> bool:
    """Say whether a moment (UTC) lies before the cut-off hour (local) of a day: the kitchen can still be told."""
    return now.astimezone(VIET_NAM) < datetime.combine(day, cutoff, VIET_NAM)


def first_of(day: date) -> date:
    """Return the first day of a day's month: the name of the month."""
    return day.replace(day=1)


def last_of(month: date) -> date:
    """Return the last day of a month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def month_from(text: str) -> date:
    """Read ``2025-10``; raises ``Refused`` for anything else, and for a year before 2000 or after 2100."""
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text, re.ASCII)
    if found is None or not 1 <= int(found[2]) <= 12:  # noqa: PLR2004  months of a year
        raise Refused(f"“{text}” không phải là tháng. Viết như 2025-10.")
    if not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise Refused(f"“{text}” không phải là tháng của nhà trường: chọn năm từ {FIRST_YEAR} đến {LAST_YEAR}.")
    return date(int(found[1]), int(found[2]), 1)


def day_of(month: date, number: int) -> date:
    """Return the day of a month by its number; raises ``Refused`` when the month has no such day."""
    if not 1 <= number <= last_of(month).day:
        raise Refused(f"Tháng {month:%m/%Y} không có ngày {number}; chỉ có từ 1 đến {last_of(month).day}.")
    return month.replace(day=number)


def refuse_day(day: date, today: date, days_off: Iterable[date]) -> None:
    """Raise ``Refused`` for a day on which nobody can be absent: a day off, or one too far ahead."""
    if day in set(days_off):
        raise Refused(f"Ngày {day:%d/%m/%Y} toàn trường nghỉ, không điểm danh. Chọn ngày khác.")
    if day > today + timedelta(days=MOST_DAYS_AHEAD):
        raise Refused(f"Ngày {day:%d/%m/%Y} còn quá xa; chỉ báo vắng trước tối đa {MOST_DAYS_AHEAD} ngày.")


def days_there(started_on: date, ended_on: date | None, month: date) -> tuple[date, date] | None:
    """Return the first and last day of a month on which an enrolment (both ends included) holds, or nothing."""
    first = max(started_on, month)
    last = min(ended_on or last_of(month), last_of(month))
    return (first, last) if first <= last else None
