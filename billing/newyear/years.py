"""School years and what moves with them (pure): the next year, a day one year on, the class after a class."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from billing.errors import Refused
from billing.fees.items import Span

_YEAR = re.compile(r"(20[0-9]{2})-(20[0-9]{2})")
_STARTS_IN = 8
_FIRST_SCHOOL_DAY = (9, 1)
_LEADING_GRADE = re.compile(r"([0-9]{1,2})(.*)", re.DOTALL)


def read_year(text: str) -> str:
    """Return a school year such as ``2026-2027``; raises ``Refused`` for anything else."""
    found = _YEAR.fullmatch(text.strip())
    if not found or int(found[2]) != int(found[1]) + 1:
        raise Refused(f"“{text.strip()}” không phải năm học. Hãy ghi như 2026-2027.")
    return text.strip()


def year_before(year: str) -> str:
    """Return the school year before one."""
    first = int(read_year(year)[:4])
    return f"{first - 1}-{first}"


def year_after(year: str) -> str:
    """Return the school year after one."""
    first = int(read_year(year)[:4])
    return f"{first + 1}-{first + 2}"


def days_of(year: str) -> Span:
    """Return the days of a school year: 1 August to 31 July."""
    first = int(read_year(year)[:4])
    return Span(date(first, _STARTS_IN, 1), date(first + 1, _STARTS_IN, 1) - timedelta(days=1))


def first_school_day(year: str) -> date:
    """Return the usual first day of lessons, 1 September."""
    return date(int(read_year(year)[:4]), *_FIRST_SCHOOL_DAY)


def a_year_on(day: date) -> date:
    """Return the same day one year later; the last day of a month stays the last day of its month."""
    last = monthrange(day.year + 1, day.month)[1]
    ends = day.day == monthrange(day.year, day.month)[1]
    return date(day.year + 1, day.month, last if ends else min(day.day, last))


def class_after(code: str, grade: int) -> str | None:
    """Return the code of the class one grade on, ``1A`` → ``2A``; none where the code does not begin with its grade."""
    found = _LEADING_GRADE.fullmatch(code)
    if not found or int(found[1]) != grade:
        return None
    return f"{grade + 1}{found[2]}"
