"""What of families' credit a round would use if it were issued now: shown before the issue, by the rule of the issue.

It is an expectation: whatever is paid, lowered or given back before the issue changes it. So it is no part of what is
approved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session

from billing.credits.dealing import OpenBill
from billing.credits.reading import free_credit, rules_of
from billing.credits.using import as_open, dealt_for
from billing.fees.charges import Charge
from billing.fees.charging import split_by_account
from billing.money import ZERO, Money, total
from billing.payments.still_open import open_bills


def expected_use(session: Session, school_id: UUID, charges: Sequence[Charge]) -> dict[UUID, Money]:
    """Return, by pupil, how much of the credit would pay bills when these charges become bills; none is left out."""
    kept = free_credit(session, school_id, {charge.pupil_id for charge in charges})
    pupils = {pupil for pupil, _ in kept}
    bills = as_open(session, school_id, open_bills(session, school_id, pupils), frozenset())
    for charge in charges:
        if charge.pupil_id in pupils:
            bills.setdefault(charge.pupil_id, []).extend(_coming(charge))
    dealt = dealt_for(kept, rules_of(session, school_id), bills)
    return {pupil: total(use.amount for use in uses) for pupil, uses in dealt.items() if uses}


def _coming(charge: Charge) -> list[OpenBill[UUID]]:
    """Return the bills that a charge would become: one for each account."""
    return [_bill(account, part) for account, part in split_by_account(charge).items()]


def _bill(account: str, part: Charge) -> OpenBill[UUID]:
    items: dict[str, Money] = defaultdict(lambda: ZERO)
    for line in part.lines:
        items[line.item.code] += line.family_share
    return OpenBill(UUID(account), part.family_due, tuple(items.items()))
