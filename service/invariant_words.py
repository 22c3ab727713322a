"""What an invariant is, and the shorthands that its queries are written in."""

from __future__ import annotations

from dataclasses import dataclass

from service.cash_queries import OWN_OF_TRANSFER

# Shorthands of the queries. A transfer counts unless the bank took it back or we must not believe it.
SHORT = {
    "<counted>": "t.state NOT IN ('duplicate', 'quarantined')",
    "<paid of transfer>": """coalesce((SELECT sum(p.amount) FROM payments p
        WHERE p.school_id = t.school_id AND p.source_kind = 'transfer' AND p.source_id = t.id AND <live>), 0)""",
    "<paid on bill>": """coalesce((SELECT sum(a.amount) FROM allocations a
        WHERE a.school_id = b.school_id AND a.bill_id = b.id
          AND NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = a.payment_id)), 0)""",
    "<off the rest>": """coalesce((SELECT sum(c.off_rest) FROM bill_credits c
        WHERE c.school_id = b.school_id AND c.bill_id = b.id), 0)""",
    "<allocated>": """(SELECT coalesce(sum(a.amount), 0) AS amount FROM allocations a
        WHERE a.school_id = p.school_id AND a.payment_id = p.id)""",
    "<own of transfer>": OWN_OF_TRANSFER,
    "<stands>": "NOT EXISTS (SELECT FROM card_payout_ends z WHERE z.tie_id = c.id)",
    "<standing>": "NOT EXISTS (SELECT FROM money_out_ends e WHERE e.purpose_id = o.id)",
    "<live>": "NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = p.id)",
}


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must be true: its title, how many rows were looked at, and queries that return violations."""

    title: str
    counted: str
    queries: tuple[str, ...]


def written_out(query: str) -> str:
    """Return a query with its shorthands replaced by what they stand for."""
    for short, meaning in SHORT.items():
        query = query.replace(short, meaning)
    return query
