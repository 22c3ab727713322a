"""Differences between the feeds of accounts, reckoned from rows whenever they are looked at, never stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

from billing.money import Money
from reconciliation.differences.differing import Kind, Movement, Teller, differences
from reconciliation.told_before import ON_STATEMENT

# One row for each movement that may differ. A callback after the statement's line is a *duplicate* whose step names the
# line's transfer; a further feed under the same id stands in transfer_tellings; a line names its transfer itself.
# Money out is expected of callbacks only where one of the account ever told of it: many banks call for money in alone.
_MOVEMENTS = text("""
WITH told AS (
    SELECT t.id AS transfer_id, f.scheme FROM transfers t
    JOIN inbox i ON i.id = t.inbox_id JOIN feeds f ON f.id = i.feed_id AND f.school_id = t.school_id
    WHERE t.school_id = ANY (:schools) AND t.value_date >= CAST(:since AS date) - 2
    UNION ALL
    SELECT x.transfer_id, f.scheme FROM transfer_tellings x
    JOIN feeds f ON f.id = x.feed_id AND f.school_id = x.school_id WHERE x.school_id = ANY (:schools)
    UNION ALL
    SELECT l.transfer_id, 'file' FROM statement_lines l
    WHERE l.school_id = ANY (:schools) AND l.day >= CAST(:since AS date) - 1
), copies AS (
    SELECT s.transfer_id AS copy_id, CAST(substr(s.reason, length(:on_statement) + 1) AS uuid) AS transfer_id
    FROM transfers d JOIN transfer_steps s ON s.school_id = d.school_id AND s.transfer_id = d.id
    WHERE d.school_id = ANY (:schools) AND d.state = 'duplicate' AND d.value_date >= CAST(:since AS date) - 2
      AND s.to_state = 'duplicate' AND starts_with(s.reason, :on_statement)
), tellers AS (
    SELECT transfer_id, scheme FROM told
    UNION ALL SELECT c.transfer_id, t.scheme FROM copies c JOIN told t ON t.transfer_id = c.copy_id
), movements AS (
    SELECT t.id, t.school_id, t.bank_account_id, t.direction, t.amount, t.memo, t.state, t.value_date, t.occurred_at,
           coalesce(t.bank_reference, t.provider_id) AS number,
           bool_or(w.scheme = 'file') AS by_statement, bool_or(w.scheme = 'list') AS by_list,
           bool_or(w.scheme NOT IN ('file', 'list')) AS by_callback
    FROM transfers t JOIN tellers w ON w.transfer_id = t.id
    WHERE t.school_id = ANY (:schools) AND t.value_date >= :since
      AND t.state NOT IN ('duplicate', 'quarantined')
    GROUP BY t.id
), judged AS (
    SELECT m.*,
        EXISTS (SELECT FROM statement_files s
                WHERE s.school_id = m.school_id AND s.bank_account_id = m.bank_account_id
                  AND m.value_date BETWEEN s.first_day AND s.last_day AND m.occurred_at <= s.read_at) AS covered,
        EXISTS (SELECT FROM feeds f
                WHERE f.school_id = m.school_id AND f.bank_account_id = m.bank_account_id
                  AND f.scheme NOT IN ('file', 'list') AND f.opened_at <= m.occurred_at
                  AND (f.closed_at IS NULL OR f.closed_at > m.occurred_at))
        AND (m.direction = 'in' OR EXISTS (
                SELECT FROM movements o WHERE o.bank_account_id = m.bank_account_id AND o.direction = 'out'
                  AND o.by_callback)) AS called
    FROM movements m
)
SELECT * FROM judged
WHERE (covered AND NOT by_statement) OR (called AND NOT by_callback)
ORDER BY bank_account_id, value_date, occurred_at, id
""")


@dataclass(frozen=True, slots=True)
class Differing:
    """A movement that some feed should have told of and did not, with the transfer's own facts."""

    transfer_id: UUID
    school_id: UUID
    account_id: UUID
    incoming: bool
    memo: str
    number: str
    state: str
    at: datetime
    movement: Movement
    kinds: tuple[Kind, ...]

    @property
    def day(self) -> date:
        """The bank's day."""
        return self.movement.day

    @property
    def amount(self) -> Money:
        """The sum."""
        return self.movement.amount


def differing(session: Session, schools: Iterable[UUID], since: date) -> list[Differing]:
    """Return the movements from a bank's day on that differ between feeds, by account, the oldest first."""
    facts = {"schools": list(schools), "since": since, "on_statement": ON_STATEMENT}
    rows = session.execute(_MOVEMENTS, facts).all()
    return [each for each in map(_differing, rows) if each.kinds]


def _differing(row: Row[Any]) -> Differing:
    told = {Teller.STATEMENT: row.by_statement, Teller.LIST: row.by_list, Teller.CALLBACK: row.by_callback}
    movement = Movement(
        day=row.value_date,
        amount=Money(row.amount),
        tellers=frozenset(teller for teller, does in told.items() if does),
        covered=row.covered,
        called=row.called,
    )
    return Differing(
        transfer_id=row.id,
        school_id=row.school_id,
        account_id=row.bank_account_id,
        incoming=row.direction == "in",
        memo=row.memo,
        number=row.number,
        state=row.state,
        at=row.occurred_at,
        movement=movement,
        kinds=differences(movement),
    )
