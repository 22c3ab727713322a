"""Waiting until nothing is left to do, by looking at rows: work is what has no result yet, whoever is to do it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from sqlalchemy import text

from service.database import EVERYTHING
from service.wiring import Wiring

_LOOK_SECONDS = 0.1
_LOOK_SHARE = 8  # of the time; looking takes from the same processors as the work
# A message whose last try failed comes round again within seconds; one put off by the night does not.
_SOON = timedelta(seconds=90)

_MONEY = {
    "thông báo ngân hàng chưa đọc": """
        SELECT count(*) FROM inbox i WHERE NOT EXISTS (SELECT FROM inbox_results r WHERE r.inbox_id = i.id)""",
    "giao dịch chưa đối chiếu": "SELECT count(*) FROM transfers WHERE state = 'new'",
}
_ALL = {
    **_MONEY,
    "đợt thu chờ phát hành": """
        SELECT count(*) FROM jobs WHERE kind = 'rounds.issue' AND state IN ('queued', 'running')""",
    "sự kiện chưa lập tin báo": """
        SELECT count(*) FROM events e
        WHERE NOT EXISTS (SELECT FROM notice_plans p WHERE p.school_id = e.school_id AND p.event_id = e.id)""",
    "tin báo chưa gửi": "SELECT count(*) FROM messages WHERE state = 'pending' AND next_try_at <= :soon",
    "bút toán chưa niêm phong": """
        SELECT count(*) FROM journal_entries j
        WHERE NOT EXISTS (SELECT FROM seals s WHERE s.school_id = j.school_id AND s.entry_id = j.id)""",
    "nhật ký chưa niêm phong": """
        SELECT count(*) FROM audit_entries a
        WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.school_id = a.school_id AND s.audit_id = a.id)""",
}

Progress = Callable[[Mapping[str, int]], None]
"""Is told how much is left of what, again and again; nothing at the end."""


class StillBusyError(TimeoutError):
    """Work was left when the time was up; ``left`` says how much of what."""

    def __init__(self, left: Mapping[str, int], seconds: float) -> None:
        self.left = MappingProxyType(dict(left))
        listed = ", ".join(f"{name}: {count}" for name, count in left.items())
        super().__init__(f"Sau {seconds:.0f} giây vẫn còn việc: {listed}")


def wait_until_quiet(wiring: Wiring, timeout_seconds: float, on_progress: Progress | None = None) -> None:
    """Wait until money is settled, families are told and the books are sealed; raises ``StillBusyError``."""
    _wait(wiring, _ALL, timeout_seconds, on_progress)


def wait_until_settled(wiring: Wiring, timeout_seconds: float, on_progress: Progress | None = None) -> None:
    """Wait until every message about money is read and its transfer decided; raises ``StillBusyError``."""
    _wait(wiring, _MONEY, timeout_seconds, on_progress)


def left_to_do(wiring: Wiring) -> dict[str, int]:
    """Return how much is left of what; nothing when all is quiet."""
    return _left(wiring, _ALL)


def _wait(wiring: Wiring, work: Mapping[str, str], seconds: float, on_progress: Progress | None) -> None:
    began = time.monotonic()
    looked = began
    while left := _left(wiring, work):
        if on_progress is not None:
            on_progress(left)
        now = time.monotonic()
        if now >= began + seconds:
            raise StillBusyError(left, seconds)
        time.sleep(max(_LOOK_SECONDS, (now - looked) * _LOOK_SHARE))
        looked = time.monotonic()
    if on_progress is not None:
        on_progress({})


def _left(wiring: Wiring, work: Mapping[str, str]) -> dict[str, int]:
    soon = wiring.clock() + _SOON
    with wiring.database.transaction(EVERYTHING) as session:
        counts = {
            name: int(session.execute(text(query), {"soon": soon} if ":soon" in query else {}).scalar_one())
            for name, query in work.items()
        }
    return {name: count for name, count in counts.items() if count}
