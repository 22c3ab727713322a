"""Money by transfer that concerns one pupil: what waits, and what came lately, before somebody takes cash for the same.

A transfer concerns a pupil when its memo names one of the pupil's references, when it came to a virtual account of the
pupil's, when the matcher suggests the pupil, or when a live payment of it is the pupil's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.money import Money
from reconciliation.daily_check import NOT_ON_ACCOUNT, UNSETTLED

RECENT = timedelta(days=7)
_FOUND = text("""
WITH mine AS (
    SELECT r.id, r.reference, r.virtual_account FROM payment_requests r
    WHERE r.school_id = :school AND r.pupil_id = :pupil
), numbers AS (
    SELECT virtual_account AS number FROM mine WHERE virtual_account IS NOT NULL
    UNION SELECT v.number FROM virtual_accounts v
    WHERE v.school_id = :school AND v.pupil_id = :pupil AND v.released_at IS NULL
), near AS (
    SELECT t.* FROM transfers t
    WHERE t.school_id = :school AND t.direction = 'in' AND t.state <> ALL (:not_on_account)
      AND (t.state = ANY (:unsettled) OR t.value_date >= :since)
), found AS (
    SELECT t.id, 1 AS rank, 'matched' AS sign FROM near t
    JOIN payments p ON p.school_id = t.school_id AND p.source_kind = 'transfer' AND p.source_id = t.id
    WHERE p.pupil_id = :pupil AND NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = p.id)
    UNION ALL
    SELECT t.id, 2, 'reference' FROM near t JOIN transfer_references n ON n.school_id = t.school_id
      AND n.transfer_id = t.id
    WHERE n.reference IN (SELECT reference FROM mine)
    UNION ALL
    SELECT t.id, 3, 'virtual_account' FROM near t WHERE t.virtual_account IN (SELECT number FROM numbers)
    UNION ALL
    SELECT t.id, 4, 'suggested' FROM near t
    CROSS JOIN LATERAL (SELECT m.evidence FROM matches m WHERE m.school_id = t.school_id AND m.transfer_id = t.id
                        ORDER BY m.id DESC LIMIT 1) m
    WHERE t.state = ANY (:unsettled) AND EXISTS (
        SELECT FROM jsonb_array_elements(m.evidence -> 'bills') b
        WHERE b ->> 'reference' IN (SELECT reference FROM mine))
)
SELECT DISTINCT ON (t.value_date, t.id) t.id, t.value_date, t.amount, t.memo, t.state, f.sign
FROM found f JOIN transfers t ON t.school_id = :school AND t.id = f.id
ORDER BY t.value_date DESC, t.id, f.rank
""")


@dataclass(frozen=True, slots=True)
class ChildTransfer:
    """A transfer that concerns a pupil; ``sign``: *matched*, *reference*, *virtual_account* or *suggested*."""

    id: UUID
    day: date
    amount: Money
    memo: str
    state: str
    sign: str

    @property
    def waits(self) -> bool:
        """Whether it is not settled yet, so that it may still pay the pupil's bills."""
        return self.state in UNSETTLED

    def as_seen(self) -> dict[str, str | int]:
        """Return it as it is kept with what was done in its sight: no memo, which may hold names."""
        return {"id": str(self.id), "state": self.state, "amount": self.amount.dong, "sign": self.sign}


def transfers_of_pupil(session: Session, school_id: UUID, pupil_id: UUID, today: date) -> list[ChildTransfer]:
    """Return the transfers of a pupil that wait, however old, and those of the last seven days; the newest first."""
    rows = session.execute(
        _FOUND,
        {
            "school": school_id,
            "pupil": pupil_id,
            "since": today - RECENT,
            "unsettled": list(UNSETTLED),
            "not_on_account": list(NOT_ON_ACCOUNT),
        },
    )
    return [ChildTransfer(row.id, row.value_date, Money(row.amount), row.memo, row.state, row.sign) for row in rows]
