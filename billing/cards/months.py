"""Which months of a calendar year a pupil buys at school, and in which months they are collected (pure).

The school insures from the day after the card that a pupil has ends (or from the enrolment) until 31 December; a month
begun is a month. A family may buy 3 or 6 months at a time: then the next ones follow without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

YEAR = 12
SIX_YEARS = 6
CHOICES = (3, 6, 12)
"""Months that a family may buy at a time; none chosen means all until the year's end."""
_SEPTEMBER_30 = (9, 30)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Months that are bought together: the first one, how many, and the month in which they are collected."""

    first: date
    months: int
    collected_in: date


def first_day(year: int, card_end: date | None, enrolled_on: date) -> date:
    """Return the first day of a year that the school has to insure: after the card that there is, or the enrolment."""
    start = enrolled_on if card_end is None else card_end + timedelta(days=1)
    return max(start, date(year, 1, 1))


def months_left(year: int, start: date) -> int:
    """Return the months from a day to 31 December, the one begun counts; none when the day lies in a later year."""
    if start.year > year:
        return 0
    return YEAR if start.year < year else YEAR + 1 - start.month


def stretches(year: int, start: date, at_a_time: int | None, collected_in: date) -> tuple[Stretch, ...]:
    """Cut the months from a day to 31 December into what is bought together.

    The first part is collected in the month given, each further one as many months later as it begins later, in
    December at the latest. The parts follow each other without a gap and are all months that are left.
    """
    left = months_left(year, start)
    first = max(start, date(year, 1, 1)).replace(day=1)
    found, done = [], 0
    while done < left:
        months = min(at_a_time or YEAR, left - done)
        due = min(later(collected_in.replace(day=1), done), date(year, YEAR, 1))
        found.append(Stretch(later(first, done), months, due))
        done += months
    return tuple(found)


def later(first: date, months: int) -> date:
    """Return the first day of the month so many months later."""
    count = first.year * YEAR + first.month - 1 + months
    return date(count // YEAR, count % YEAR + 1, 1)


def covered_from(day: date) -> date:
    """Return the first month that a card valid from a day covers in full."""
    return day if day.day == 1 else later(day.replace(day=1), 1)


def doubled(first: date, months: int, covered: date) -> int:
    """Return how many of the bought months, the last ones, another card covers in full from a month on."""
    before = (covered.year - first.year) * YEAR + covered.month - first.month
    return months - min(max(before, 0), months)


def under_six_end(birth: date) -> date:
    """Return the last day of a small child's free card.

    Who turns six before school begins keeps it until 30 September of that year, others until the end of the month in
    which they turn six (decree on the Law on Health Insurance, told from memory: the card itself decides).
    """
    sixth = date(birth.year + SIX_YEARS, birth.month, 1)
    schools = date(sixth.year, *_SEPTEMBER_30)
    return max(schools, later(sixth, 1) - timedelta(days=1))
