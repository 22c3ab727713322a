"""On which days a family is reminded (pure): days before and after the due day, as the school has set them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from billing.errors import Refused

EARLIEST, LATEST, MOST = -10, 45, 5
"""Days from the due day on (below zero: before it); a link to a bill ends 60 days after that day."""


def check_days(days: Iterable[int]) -> tuple[int, ...]:
    """Return the days in order; raises ``Refused`` for too many, for one said twice, and beyond the bounds."""
    ordered = sorted(days)
    if len(ordered) > MOST or len(set(ordered)) != len(ordered):
        raise Refused(f"Chỉ đặt tối đa {MOST} ngày nhắc, mỗi ngày một lần.")
    if any(not EARLIEST <= day <= LATEST for day in ordered):
        raise Refused(f"Ngày nhắc phải từ {-EARLIEST} ngày trước hạn đến {LATEST} ngày sau hạn.")
    return tuple(ordered)


def day_meant(due: Iterable[date], today: date, days: Collection[int]) -> date | None:
    """Return the due day of which a family is reminded today, the latest one if there are several; or nothing."""
    return max((day for day in due if (today - day).days in days), default=None)
