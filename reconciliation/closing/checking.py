"""The checklist of a month that is to be closed: what is still open in its days, or in any day before.

Each kind is a word of ``KINDS``; the page says it in Vietnamese and names where it is done. Nothing here stands against
a closing by itself: a person says why something stays open, and another person agrees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.cash.counting import uncounted_days
from billing.closing.deciding import Unfinished, month_end
from billing.contracts.closing import TO_CLOSE
from billing.money import Money, total
from reconciliation.differences.reading import differing
from reconciliation.outgoing.reading import open_out

KINDS = (
    "waiting",
    "money_out",
    "differences",
    "acts",
    "refunds",
    "bank_reversals",
    "limits",
    "shortfalls",
    "cash_reversals",
    "uncounted",
    "transit",
    "fetched",
    "meals",
    "rounds",
    "income",
)
# One row for each kind that has something: money in that waits, requests without a decision, cash on its way, classes
# of boarders whose month is not closed, rounds of the month that were begun and not issued.
_OPEN = text("""
SELECT o.what, count(*) AS many, sum(o.amount)::bigint AS amount, array_agg(o.id ORDER BY o.id) AS which FROM (
SELECT 'waiting' AS what, t.amount, t.id::text AS id FROM transfers t
WHERE t.school_id = :school AND t.direction = 'in' AND t.state IN ('new', 'held', 'waiting') AND t.value_date < :until
UNION ALL
SELECT 'acts', NULL, a.id::text FROM queue_acts a JOIN transfers t ON t.school_id = a.school_id AND t.id = a.transfer_id
WHERE a.school_id = :school AND t.value_date < :until
  AND NOT EXISTS (SELECT FROM queue_decisions d WHERE d.act_id = a.id)
UNION ALL
SELECT 'refunds', NULL, r.id::text FROM refunds r WHERE r.school_id = :school
  AND (r.made_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < :until
  AND NOT EXISTS (SELECT FROM refund_decisions d WHERE d.refund_id = r.id)
UNION ALL
SELECT 'bank_reversals', t.amount, r.id::text FROM bank_reversals r
JOIN transfers t ON t.school_id = r.school_id AND t.id = r.out_id
WHERE r.school_id = :school AND t.value_date < :until
  AND NOT EXISTS (SELECT FROM bank_reversal_decisions d WHERE d.reversal_id = r.id)
UNION ALL
SELECT 'limits', NULL, l.id::text FROM shortfall_limits l WHERE l.school_id = :school
  AND (l.made_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < :until
  AND NOT EXISTS (SELECT FROM shortfall_limit_decisions d WHERE d.limit_id = l.id)
UNION ALL
SELECT 'shortfalls', r.amount, r.id::text FROM reliefs r
JOIN transfers t ON t.school_id = r.school_id AND t.id = r.transfer_id
WHERE r.school_id = :school AND r.kind = 'shortfall' AND t.value_date < :until
  AND NOT EXISTS (SELECT FROM relief_decisions d WHERE d.relief_id = r.id)
UNION ALL
SELECT 'cash_reversals', NULL, r.id::text FROM cash_reversals r
JOIN cash_takings t ON t.school_id = r.school_id AND t.id = r.taking_id
WHERE r.school_id = :school AND t.day < :until
  AND NOT EXISTS (SELECT FROM cash_reversal_decisions d WHERE d.reversal_id = r.id)
UNION ALL
SELECT 'transit', d.amount, d.id::text FROM cash_deposits d
WHERE d.school_id = :school AND (d.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < :until
  AND NOT EXISTS (SELECT FROM cash_deposit_ends e WHERE e.deposit_id = d.id)
  AND NOT EXISTS (SELECT FROM cash_deposit_ties t WHERE t.deposit_id = d.id
                  AND NOT EXISTS (SELECT FROM cash_tie_ends e WHERE e.tie_id = t.id))
UNION ALL
SELECT 'fetched', w.amount, w.id::text FROM cash_withdrawals w
WHERE w.school_id = :school AND w.bank_account_id IS NOT NULL
  AND (w.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < :until
  AND NOT EXISTS (SELECT FROM cash_withdrawal_ends e WHERE e.withdrawal_id = w.id)
  AND NOT EXISTS (SELECT FROM money_out o WHERE o.cash_withdrawal_id = w.id
                  AND NOT EXISTS (SELECT FROM money_out_ends e WHERE e.purpose_id = o.id))
UNION ALL
SELECT DISTINCT 'meals', NULL::bigint, c.class_id::text FROM class_placements c
WHERE c.school_id = :school AND c.valid_from < :until AND (c.valid_to IS NULL OR c.valid_to >= :month)
  AND EXISTS (SELECT FROM fee_prices p WHERE p.school_id = c.school_id AND p.quantity_rule = 'meal_days'
              AND p.withdrawn_at IS NULL AND p.valid_from < :until AND (p.valid_to IS NULL OR p.valid_to >= :month))
  AND NOT EXISTS (SELECT FROM attendance_months m
                  WHERE m.school_id = c.school_id AND m.class_id = c.class_id AND m.month = :month)
UNION ALL
SELECT 'rounds', NULL, r.id::text FROM billing_rounds r
WHERE r.school_id = :school AND r.period_from < :until AND r.state IN ('draft', 'previewed', 'submitted', 'approved')
) o GROUP BY o.what
""")
_INCOME = text(f"SELECT month FROM ({TO_CLOSE}) AS o WHERE school_id = :school AND month < :until")  # noqa: S608  our own literal
_MARK = 12  # letters of a mark: the request keeps one for each thing, so they are short


def unfinished(session: Session, school_id: UUID, month: date, now: datetime) -> tuple[Unfinished, ...]:
    """Return what is open to the end of a month, in the order of ``KINDS``; what is not there is left out."""
    until = month_end(month)
    about = {"school": school_id, "month": month, "until": until, "now": now}
    found = {
        row.what: Unfinished(row.what, row.many, None if row.amount is None else Money(row.amount), _marks(row.which))
        for row in session.execute(_OPEN, about)
    }
    out = open_out(session, school_id, last=until - timedelta(days=1))
    rests = total(each.rest for each in out)
    found["money_out"] = Unfinished("money_out", len(out), rests, _marks(each.transfer.id for each in out))
    differ = [each for each in differing(session, [school_id], month) if each.day < until]
    sums = total(each.amount for each in differ)
    found["differences"] = Unfinished("differences", len(differ), sums, _marks(each.transfer_id for each in differ))
    days = uncounted_days(session, school_id, until)
    found["uncounted"] = Unfinished("uncounted", len(days), which=_marks(days))
    months = session.execute(_INCOME, about).scalars().all()
    found["income"] = Unfinished("income", len(months), which=_marks(months))
    return tuple(found[what] for what in KINDS if what in found and found[what].count)


def _marks(things: Iterable[object]) -> tuple[str, ...]:
    """Return a short mark of each thing, in an order of their own."""
    return tuple(sorted(hashlib.sha256(str(each).encode()).hexdigest()[:_MARK] for each in things))
