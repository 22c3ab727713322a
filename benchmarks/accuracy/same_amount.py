"""Matching by "the same amount within 24 hours", as many shops without references do.

Exactly one open request of the account with this sum, shown to a family within the last day: booked. Several: only
suggested, the latest shown first. That is the careful form; many take the first one they find.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from benchmarks.accuracy.world import Asked
from billing.money import Money
from reconciliation.matching import OpenRequest, RequestStatus

WITHIN = timedelta(hours=24)


class SameAmount:
    """Finds open requests by account and sum alone."""

    def __init__(self, requests: Iterable[Asked]) -> None:
        self._by_sum: dict[tuple[str, Money], list[Asked]] = defaultdict(list)
        for asked in requests:
            if asked.request.status is RequestStatus.OPEN:
                self._by_sum[asked.request.account, asked.request.due].append(asked)

    def fitting(self, account: str, amount: Money, at: datetime) -> list[OpenRequest]:
        """Return the requests that fit at a moment (UTC), the latest shown first."""
        fitting = [asked for asked in self._by_sum[account, amount] if timedelta(0) <= at - asked.at <= WITHIN]
        return [asked.request for asked in sorted(fitting, key=lambda asked: asked.at, reverse=True)]
