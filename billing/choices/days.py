"""From which day a family's yes holds, and until when its no leaves things as they are (pure).

A month that has begun, or that a bill has been issued for, is never touched by a click of a family: what was billed
is corrected by the office, with two people.
"""

from __future__ import annotations

from datetime import date, timedelta

from billing.fees.items import last_day


def first_day_for(offered: date, today: date) -> date:
    """Return the first day of a registration made today: the offered one, or the first of the month after today."""
    return offered if today <= offered else last_day(today) + timedelta(days=1)


def last_day_for(today: date, billed_until: date | None) -> date:
    """Return the last day of a registration that is ended today: a month's end, of this one or the last one billed."""
    return max(last_day(today), last_day(billed_until)) if billed_until else last_day(today)


def refusals_since(today: date) -> date:
    """Return the oldest deadline whose refusals a family is still shown: from the first day of last month on."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
