"""What a contract of a private school has written: it ends by the contract, not by a family's click.

Contracts stand far above this room; here is only how their items and registrations are told from agreed services.
"""

from __future__ import annotations

from billing.fees.tables import FeeItem, OptIn
from billing.ledger.accounts import DEFERRED

LATE_ITEM = "PHICHAMNOP"


def evidence_of(number: str) -> str:
    """Return the evidence of a registration that the contract of this number asks for."""
    return f"Hợp đồng {number}"


def is_contracts(item: FeeItem) -> bool:
    """Tell whether an item is charged by contracts alone: paid ahead on a deferred account, or the late charge."""
    return item.code == LATE_ITEM or item.revenue_account.startswith(DEFERRED)


def is_by_contract(item: FeeItem, row: OptIn) -> bool:
    """Tell whether a registration was written by a contract, also for an item that others choose freely."""
    return is_contracts(item) or row.source == "contract"
