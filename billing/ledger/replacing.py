"""Which account is asked for in the place of another: bills and requests of a replaced account go to the new one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.account_tables import AccountOpening


def replacements(session: Session, school_id: UUID) -> Mapping[UUID, UUID]:
    """Return, by replaced account, the one that now stands in its place, also after several changes."""
    rows = session.exec(
        select(AccountOpening.replaces_id, AccountOpening.account_id).where(
            AccountOpening.school_id == school_id, col(AccountOpening.replaces_id).is_not(None)
        )
    ).all()
    return last_of_each({old: new for old, new in rows if old is not None})


def last_of_each(steps: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """Return where each chain of replacements ends; an account is replaced once, so there is no circle."""
    ends = {}
    for old in steps:
        new = steps[old]
        while new in steps:
            new = steps[new]
        ends[old] = new
    return ends
