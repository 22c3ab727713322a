"""The checklist of a month that is to be closed: what is still open in its days, or in any day before.

Each kind is a word of ``KINDS``; the page says it in Vietnamese and names where it is done. Nothing here stands against
a closing by itself: a person says why something stays open, and another person agrees.
"""

from __future__ import annotations

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
    "cash_reversals",
    "uncounted",
    "transit",
    "meals",
    "rounds",
    "income",
)
# One row for each kind that has something: money in that waits, requests without a decision, cash on its way, classes
# of boarders whose month is not closed, rounds of the month that were begun and not issued.
_OPEN = text("""
SELECT 'waiting' AS what, count(*) AS many, sum(t.amount)::bigint AS amount FROM transfers t
WHERE t.school_id = :school AND t.direction = 'in' AND t.state IN ('new', 'held', 'waiting') AND t.value_date < :until
UNION ALL
SELECT 'acts', count(*), NULL FROM queue_acts a JOIN transfers t ON t.school_id = a.school_id AND t.id = a.transfer_id
WHERE a.school_id = :school AND t.value_date < :until
  AND NOT EXISTS (SELECT FROM queue_decisions d WHERE d.act_id = a.id)
UNION ALL
SELECT 'refunds', count(*), NULL FROM refunds r WHERE r.school_id = :school
  AND (r.made_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < :until
  AND NOT EXISTS (SELECT FROM refund_decisions d WHERE d.refund_id = r.id)
UNION ALL
SELECT 'bank_reversals', count(*), sum(t.amount)::bigint FROM bank_reversals r
JOIN transfers t ON t.school_id = r.school_id AND t.id = r.out_id
WHERE r.school_id = :school AND t.value_date < :until
  AND NOT EXISTS (SELECT FROM bank_reversal_decisions d WHERE d.reversal_id = r.id)
UNION ALL
SELECT 'limits', count(*), NULL FROM shortfall_limits l WHERE l.school_id = :school
  AND (l.made_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < :until
  AND NOT EXISTS (SELECT FROM shortfall_limit_decisions d WHERE d.limit_id = l.id)
UNION ALL
SELECT 'cash_reversals', count(*), NULL FROM cash_reversals r
JOIN cash_takings t ON t.school_id = r.school_id AND t.id = r.taking_id
WHERE r.school_id = :school AND t.day < :until
  AND NOT EXISTS (SELECT FROM cash_reversal_decisions d WHERE d.reversal_id = r.id)
UNION ALL
SELECT 'transit', count(*), sum(d.amount)::bigint FROM cash_deposits d
WHERE d.school_id = :school AND (d.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < :until
  AND NOT EXISTS (SELECT FROM cash_deposit_ends e WHERE e.deposit_id = d.id)
  AND NOT EXISTS (SELECT FROM cash_deposit_ties t WHERE t.deposit_id = d.id
                  AND NOT EXISTS (SELECT FROM cash_tie_ends e WHERE e.tie_id = t.id))
UNION ALL
SELECT 'meals', count(DISTINCT c.class_id), NULL FROM class_placements c
WHERE c.school_id = :school AND c.valid_from < :until AND (c.valid_to IS NULL OR c.valid_to >= :month)
  AND EXISTS (SELECT FROM fee_prices p WHERE p.school_id = c.school_id AND p.quantity_rule = 'meal_days'
              AND p.withdrawn_at IS NULL AND p.valid_from < :until AND (p.valid_to IS NULL OR p.valid_to >= :month))
  AND NOT EXISTS (SELECT FROM attendance_months m
                  WHERE m.school_id = c.school_id AND m.class_id = c.class_id AND m.month = :month)
UNION ALL
SELECT 'rounds', count(*), NULL FROM billing_rounds r
WHERE r.school_id = :school AND r.period_from < :until AND r.state IN ('draft', 'previewed', 'submitted', 'approved')
""")
_INCOME = text(f"SELECT count(*) FROM ({TO_CLOSE}) AS o WHERE school_id = :school AND month < :until")  # noqa: S608  our own literal


def unfinished(session: Session, school_id: UUID, month: date, now: datetime) -> tuple[Unfinished, ...]:
    """Return what is open to the end of a month, in the order of ``KINDS``; what is not there is left out."""
    until = month_end(month)
    about = {"school": school_id, "month": month, "until": until, "now": now}
    found = {
        row.what: Unfinished(row.what, row.many, None if row.amount is None else Money(row.amount))
        for row in session.execute(_OPEN, about)
    }
    out = open_out(session, school_id, last=until - timedelta(days=1))
    found["money_out"] = Unfinished("money_out", len(out), total(each.rest for each in out))
    differ = [each for each in differing(session, [school_id], month) if each.day < until]
    found["differences"] = Unfinished("differences", len(differ), total(each.amount for each in differ))
    found["uncounted"] = Unfinished("uncounted", len(uncounted_days(session, school_id, until)))
    found["income"] = Unfinished("income", session.execute(_INCOME, about).scalar_one())
    return tuple(found[what] for what in KINDS if found[what].count)
