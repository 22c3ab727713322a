"""Figures of the whole house as Prometheus text: sums and ages over all schools, and nothing that names anybody.

Reckoned afresh by one transaction, so whoever asks too often is answered from the last minute. Told only to a program
that knows the token (``HOCPHI_METRICS_TOKEN``); without one, to nobody.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import text
from sqlmodel import Session, select

from billing.people.tables import School
from reconciliation.differences.differing import Kind, age
from reconciliation.differences.reading import differing
from service.database import EVERYTHING
from service.wiring import Wiring

Figures = Callable[[str], str | None]
LOOKED_BACK = timedelta(days=31)  # older differences stand on the school's page
KEPT = timedelta(seconds=60)
_VIET_NAM = timedelta(hours=7)

# Each row is one series: name, label and value.
_COUNTED = text("""
SELECT 'hocphi_inbox_waiting' AS name, '' AS label, count(*) AS value FROM inbox i
WHERE NOT EXISTS (SELECT FROM inbox_results r WHERE r.inbox_id = i.id)
UNION ALL
SELECT 'hocphi_inbox_oldest_seconds', '',
       coalesce(extract(epoch FROM CAST(:now AS timestamptz) - min(i.received_at)), 0)::bigint FROM inbox i
WHERE NOT EXISTS (SELECT FROM inbox_results r WHERE r.inbox_id = i.id)
UNION ALL
SELECT 'hocphi_transfers_open', t.state, count(*) FROM transfers t
WHERE t.state IN ('new', 'held', 'waiting') AND t.direction = 'in' GROUP BY t.state
UNION ALL
SELECT 'hocphi_transfers_open_dong', t.state, sum(t.amount)::bigint FROM transfers t
WHERE t.state IN ('new', 'held', 'waiting') AND t.direction = 'in' GROUP BY t.state
UNION ALL
SELECT 'hocphi_transfers_open_oldest_seconds', t.state,
       extract(epoch FROM CAST(:now AS timestamptz) - min(t.recorded_at))::bigint FROM transfers t
WHERE t.state IN ('new', 'held', 'waiting') AND t.direction = 'in' GROUP BY t.state
UNION ALL
SELECT 'hocphi_money_out_held', '', count(*) FROM transfers t WHERE t.state = 'held' AND t.direction = 'out'
UNION ALL
SELECT 'hocphi_money_out_held_dong', '', coalesce(sum(t.amount), 0)::bigint FROM transfers t
WHERE t.state = 'held' AND t.direction = 'out'
UNION ALL
SELECT 'hocphi_money_out_unexplained', '', count(*) FROM (
    SELECT t.id FROM transfers t
    LEFT JOIN money_out o ON o.school_id = t.school_id AND o.transfer_id = t.id
      AND NOT EXISTS (SELECT FROM money_out_ends e WHERE e.purpose_id = o.id)
    WHERE t.state = 'ignored_out' GROUP BY t.id HAVING coalesce(sum(o.amount), 0) < t.amount) left_over
UNION ALL
SELECT 'hocphi_money_out_unexplained_dong', '', coalesce(sum(rest), 0)::bigint FROM (
    SELECT t.amount - coalesce(sum(o.amount), 0) AS rest FROM transfers t
    LEFT JOIN money_out o ON o.school_id = t.school_id AND o.transfer_id = t.id
      AND NOT EXISTS (SELECT FROM money_out_ends e WHERE e.purpose_id = o.id)
    WHERE t.state = 'ignored_out' GROUP BY t.id) rests
""")
_HELP = {
    "hocphi_inbox_waiting": "Messages about money that are not read into the book yet",
    "hocphi_inbox_oldest_seconds": "Age of the oldest of them",
    "hocphi_transfers_open": "Money in that is not decided, by state",
    "hocphi_transfers_open_dong": "Its sum",
    "hocphi_transfers_open_oldest_seconds": "Age of the oldest of it",
    "hocphi_money_out_held": "Transfers out that a mere key told of and nobody confirmed",
    "hocphi_money_out_held_dong": "Their sum",
    "hocphi_money_out_unexplained": "Transfers out without a purpose",
    "hocphi_money_out_unexplained_dong": "What of them is unexplained",
    "hocphi_feed_differences": "Movements of the last 31 days that one feed tells and another does not, by kind",
    "hocphi_feed_differences_dong": "Their sum",
    "hocphi_feed_differences_oldest_days": "Age of the oldest of them",
}


def figures(wiring: Wiring) -> Figures:
    """Return what tells the figures to whoever knows the token (nothing to others), at most once a minute afresh."""
    given = wiring.settings.metrics_token
    wanted = given.get_secret_value().encode() if given else b""
    lock = Lock()
    last: list[tuple[datetime, str]] = []

    def tell(token: str) -> str | None:
        if not wanted or not hmac.compare_digest(token.encode(), wanted):
            return None
        now = wiring.clock()
        with lock:
            if not last or not timedelta(0) <= now - last[0][0] < KEPT:
                with wiring.database.transaction(EVERYTHING) as session:
                    last[:] = [(now, exposition(session, now))]
            return last[0][1]

    return tell


def exposition(session: Session, now: datetime) -> str:
    """Return all figures as Prometheus text (version 0.0.4); the transaction sees every school."""
    series = {(row.name, row.label): int(row.value) for row in session.execute(_COUNTED, {"now": now})}
    series |= _differences(session, now)
    lines = []
    for name, told in _HELP.items():
        lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge"]
        lines += [_line(name, label, value) for (of, label), value in series.items() if of == name]
    return "\n".join(lines) + "\n"


def _differences(session: Session, now: datetime) -> dict[tuple[str, str], int]:
    today = (now + _VIET_NAM).date()
    schools = session.exec(select(School.id)).all()
    found = differing(session, schools, today - LOOKED_BACK)
    told = {}
    for kind in Kind:
        rows = [each for each in found if kind in each.kinds]
        told["hocphi_feed_differences", kind.value] = len(rows)
        told["hocphi_feed_differences_dong", kind.value] = sum(each.amount.dong for each in rows)
        oldest = max((age(each.day, today) for each in rows), default=0)
        told["hocphi_feed_differences_oldest_days", kind.value] = oldest
    return told


def _line(name: str, label: str, value: int) -> str:
    word = "kind" if "differences" in name else "state"
    return f'{name}{{{word}="{label}"}} {value}' if label else f"{name} {value}"
