"""What work of each task is waiting. Work is found by the absence of its result, never by a watermark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import text

from billing.contracts.closing import TO_CLOSE
from notifications.reminding import TO_REMIND
from reconciliation.cards.asking import WAITING
from reconciliation.cards.settling import UNSETTLED
from reconciliation.lists.polling import DUE
from service.database import EVERYTHING
from service.wiring import Wiring

# The moment since when each row has been waiting. Leased rows belong to somebody until the lease runs out; the moment
# is then the end of the lease.
_WAITING: Mapping[str, str] = MappingProxyType(
    {
        "reconciliation.normalise": """
            SELECT i.received_at AS since FROM inbox i
            WHERE NOT EXISTS (SELECT FROM inbox_results r WHERE r.inbox_id = i.id)""",
        "reconciliation.settle": f"""
            SELECT recorded_at AS since FROM transfers WHERE state = 'new'
            UNION ALL SELECT c.since FROM ({UNSETTLED}) AS c""",  # noqa: S608  our own text
        "billing.issue_rounds": """
            SELECT greatest(run_after, lease_until) AS since FROM jobs
            WHERE state IN ('queued', 'running') AND kind IN ('rounds.issue', 'rounds.preview')
            AND run_after <= :now AND coalesce(lease_until, run_after) <= :now""",
        "billing.open_accounts": """
            SELECT a.in_force_at AS since FROM account_approvals a WHERE a.in_force_at <= :now
            AND NOT EXISTS (SELECT FROM account_openings o
                            WHERE o.school_id = a.school_id AND o.change_id = a.change_id)
            AND NOT EXISTS (SELECT FROM account_withdrawals w
                            WHERE w.school_id = a.school_id AND w.change_id = a.change_id)
            UNION ALL SELECT due FROM (
                SELECT (max(o.keeps_until) + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS due
                FROM account_openings o
                JOIN bank_accounts b ON b.school_id = o.school_id AND b.id = o.replaces_id AND b.closed_on IS NOT NULL
                JOIN feeds f ON f.school_id = o.school_id AND f.bank_account_id = o.replaces_id
                WHERE f.closed_at IS NULL AND f.provider <> 'statement' GROUP BY o.replaces_id) ended
            WHERE due <= :now""",
        "billing.print_slips": """
            SELECT j.run_after AS since FROM jobs j
            JOIN slip_pieces p ON p.print_id = (j.arguments ->> 'print')::uuid AND p.made_at IS NULL
            WHERE j.kind = 'slips.print' AND j.state = 'queued' AND j.run_after <= :now
            UNION ALL SELECT expires_at FROM slip_prints WHERE wiped_at IS NULL AND expires_at <= :now""",
        "billing.close_months": TO_CLOSE,
        "notifications.remind": TO_REMIND,
        "notifications.plan": """
            SELECT e.occurred_at AS since FROM events e
            WHERE NOT EXISTS (SELECT FROM notice_plans p WHERE p.school_id = e.school_id AND p.event_id = e.id)""",
        "notifications.send": """
            SELECT greatest(next_try_at, lease_until) AS since FROM messages
            WHERE state = 'pending' AND next_try_at <= :now AND coalesce(lease_until, next_try_at) <= :now
            UNION ALL SELECT next_try_at FROM staff_messages WHERE state = 'pending' AND next_try_at <= :now""",
        "ledger.seal": """
            SELECT j.recorded_at AS since FROM journal_entries j
            WHERE NOT EXISTS (SELECT FROM seals s WHERE s.school_id = j.school_id AND s.entry_id = j.id)
            UNION ALL SELECT a.at FROM audit_entries a
            WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.school_id = a.school_id AND s.audit_id = a.id)""",
        "notifications.look": "SELECT next_look_at AS since FROM sms_texts WHERE next_look_at <= :now",
        "reconciliation.cards": WAITING,
        "reconciliation.poll": DUE,
    }
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Work of one task that waits: since when the oldest, how long that is by our clock, and how many rows."""

    since: datetime
    age: timedelta
    rows: int

    def moved_on_from(self, before: Backlog | None) -> bool:
        """Tell whether somebody has done some of it since an earlier look."""
        return before is not None and (self.since > before.since or self.rows < before.rows)


def waiting(wiring: Wiring, task: str) -> Backlog | None:
    """Return what waits for a task; None if nothing does."""
    now = wiring.clock()
    query = text(f"SELECT min(since), count(*) FROM ({_WAITING[task]}) AS work")  # noqa: S608  our own literals
    with wiring.database.transaction(EVERYTHING) as session:
        since, rows = session.execute(query, {"now": now}).one()
    return None if since is None else Backlog(since, now - since, rows)
