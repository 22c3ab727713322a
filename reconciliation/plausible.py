"""Whether what a bank tells can be true at all (pure): a sum and a day that no school account has are not posted."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billing.money import Money

MOST = Money(10**12)
OLDEST = timedelta(days=2 * 365)
NEWEST = timedelta(days=2)
_VIETNAM = timedelta(hours=7)


def implausible(amount: Money, day: date, now: datetime) -> str | None:
    """Return in Vietnamese why a movement of this amount on this bank day cannot be; nothing if it can.

    ``now`` is UTC, the day is the bank's in Viet Nam. A typing or programming error at the bank would else stand in the
    book, in a closed year or in one that has not begun, and could only be reversed.
    """
    today = (now + _VIETNAM).date()
    if amount > MOST:
        return f"Số tiền {amount} lớn hơn mức có thể có của một tài khoản trường ({MOST})"
    if day < today - OLDEST:
        return f"Ngày giao dịch {day:%d/%m/%Y} đã quá 2 năm"
    if day > today + NEWEST:
        return f"Ngày giao dịch {day:%d/%m/%Y} chưa đến, muộn hơn hôm nay ({today:%d/%m/%Y}) quá {NEWEST.days} ngày"
    return None
