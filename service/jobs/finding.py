"""How old the oldest waiting work of each task is. Work is found by the absence of its result, never by a watermark."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import text

from service.database import EVERYTHING
from service.wiring import Wiring

# Leased rows belong to somebody until the lease runs out; the moment is then the end of the lease.
_OLDEST: Mapping[str, str] = MappingProxyType(
    {
        "reconciliation.normalise": """
            SELECT min(i.received_at) FROM inbox i
            WHERE NOT EXISTS (SELECT FROM inbox_results r WHERE r.inbox_id = i.id)""",
        "reconciliation.settle": "SELECT min(recorded_at) FROM transfers WHERE state = 'new'",
        "billing.issue_rounds": """
            SELECT min(greatest(run_after, lease_until)) FROM jobs
            WHERE state IN ('queued', 'running') AND kind = 'rounds.issue'
            AND run_after <= :now AND coalesce(lease_until, run_after) <= :now""",
        "notifications.plan": """
            SELECT min(e.occurred_at) FROM events e
            WHERE NOT EXISTS (SELECT FROM notice_plans p WHERE p.school_id = e.school_id AND p.event_id = e.id)""",
        "notifications.send": """
            SELECT min(greatest(next_try_at, lease_until)) FROM messages
            WHERE state = 'pending' AND next_try_at <= :now AND coalesce(lease_until, next_try_at) <= :now""",
        "ledger.seal": """
            SELECT least(
                (SELECT min(j.recorded_at) FROM journal_entries j
                 WHERE NOT EXISTS (SELECT FROM seals s WHERE s.school_id = j.school_id AND s.entry_id = j.id)),
                (SELECT min(a.at) FROM audit_entries a
                 WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.school_id = a.school_id AND s.audit_id = a.id))
            )""",
    }
)


def waiting_since(wiring: Wiring, task: str) -> timedelta | None:
    """Return how long a task's oldest work has been waiting (by our clock); None if there is none."""
    now = wiring.clock()
    with wiring.database.transaction(EVERYTHING) as session:
        oldest: datetime | None = session.execute(text(_OLDEST[task]), {"now": now}).scalar()
    return None if oldest is None else now - oldest
