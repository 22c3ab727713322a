"""School years and what moves with them (pure): the next year, a day one year on, the class after a class."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from billing.errors import Refused
from billing.fees.items import Level, Span

_YEAR = re.compile(r"(20[0-9]{2})-(20[0-9]{2})")
_STARTS_IN = 8
_FIRST_SCHOOL_DAY = (9, 1)
_LEADING_GRADE = re.compile(r"([0-9]{1,2})(.*)", re.DOTALL)
# From which grade to which a level goes; preschool has names of its own instead of grades that count on.
GRADES = {
    Level.PRIMARY: (1, 5),
    Level.LOWER_SECONDARY: (6, 9),
    Level.UPPER_SECONDARY: (10, 12),
    Level.CONTINUING: (10, 12),
}
# Nhà trẻ -3, mầm -2, chồi -1, lá 0: the grades by which classes of a preschool are kept, as ``setup`` takes them.
PRESCHOOL_GRADES = (-3, 0)
_AFTER = {Level.PRIMARY: Level.LOWER_SECONDARY, Level.LOWER_SECONDARY: Level.UPPER_SECONDARY}


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


def level_after(level: Level, grade: int, levels: frozenset[Level]) -> Level | None:
    """Return the level of the next grade at a school of these levels; none after the last grade, and in preschool."""
    if level not in GRADES:
        return None
    if grade < GRADES[level][1]:
        return level
    following = _AFTER.get(level)
    return following if following in levels else None


def first_grade(level: Level, grade: int, levels: frozenset[Level]) -> bool:
    """Tell whether new pupils come into this grade, so that its classes are made again."""
    if level not in GRADES:
        return True
    before = [each for each, after in _AFTER.items() if after is level]
    return grade == GRADES[level][0] and not any(each in levels for each in before)
