"""What the ledger says about a period's transfers, account by account: never read from the transfers themselves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.money import ZERO, Money

# A reversal counts to the fact that it reverses, with the other sign, since accounts and not entries are summed.
_MOVED = text("""
WITH facts AS (
    SELECT e.id, coalesce(o.kind, e.kind) AS kind, coalesce(o.source_id, e.source_id) AS source_id
    FROM journal_entries e LEFT JOIN journal_entries o ON o.id = e.reverses_id
    WHERE e.school_id = :school
), traced AS (
    SELECT f.id, f.kind, t.bank_account_id
    FROM facts f
    LEFT JOIN payments p ON f.kind = 'payment' AND p.source_kind = 'transfer' AND p.id::text = f.source_id
    LEFT JOIN money_out o ON f.kind = 'money_out' AND o.id::text = f.source_id
    LEFT JOIN refund_lines r ON f.kind = 'refund_approved' AND r.id::text = f.source_id
    LEFT JOIN cash_deposit_ties c ON f.kind = 'cash_deposit_tied' AND c.id::text = f.source_id
    LEFT JOIN card_payout_ties k ON f.kind = 'card_payout' AND k.id::text = f.source_id
    JOIN transfers t ON t.id::text = coalesce(
        p.source_id::text, o.leg_id::text, r.transfer_id::text, c.transfer_id::text, k.transfer_id::text, f.source_id)
    WHERE f.kind IN ('transfer_received', 'transfer_sent', 'payment', 'refund_approved', 'money_out',
                     'card_payout', 'cash_deposit_tied')
      AND t.value_date BETWEEN :first AND :last
)
SELECT tr.bank_account_id, tr.kind, l.kind,
       sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END)::bigint
FROM traced tr
JOIN postings x ON x.school_id = :school AND x.entry_id = tr.id
JOIN ledger_accounts l ON l.id IN (x.debit_account_id, x.credit_account_id)
GROUP BY tr.bank_account_id, tr.kind, l.kind
""")


# Money from another account of the school, of its card payments, and its own cash that it brought to the bank.
_OWN = ("money_out", "card_payout", "cash_deposit_tied")
_OF_SUSPENSE = ("transfer_received", "payment", "refund_approved", *_OWN)


@dataclass(frozen=True, slots=True)
class Moved:
    """The ledger's net movement of one bank account's transfers, by what the accounts are for."""

    bank_in: Money = ZERO
    bank_out: Money = ZERO
    allocated: Money = ZERO
    credit: Money = ZERO
    waiting: Money = ZERO
    refunded: Money = ZERO
    own: Money = ZERO


def moved(session: Session, school_id: UUID, first: date, last: date) -> dict[UUID, Moved]:
    """Return by bank account what the book says about the transfers of the bank's days ``first`` to ``last``."""
    debits: dict[UUID, dict[tuple[str, str], Money]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for account, fact, kind, net in session.execute(_MOVED, {"school": school_id, "first": first, "last": last}):
        debits[account][fact, kind] = Money(net)
    return {account: _figures(of) for account, of in debits.items()}


def _figures(net: dict[tuple[str, str], Money]) -> Moved:
    """Read debits less credits, keyed by (fact, kind of account), as the figures of the report."""
    suspense = [net[fact, "suspense"] for fact in _OF_SUSPENSE]
    return Moved(
        bank_in=net["transfer_received", "bank"],
        bank_out=-net["transfer_sent", "bank"],
        allocated=-net["payment", "receivable"],
        credit=-net["payment", "credit"],
        waiting=-sum(suspense, ZERO),
        refunded=net["refund_approved", "suspense"],
        own=sum((net[fact, "suspense"] for fact in _OWN), ZERO),
    )
