"""Which account is asked for in the place of another: bills and requests of a replaced account go to the new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.account_tables import AccountOpening


def replacements(session: Session, school_id: UUID) -> Mapping[UUID, UUID]:
    """Return, by account that is asked for no more, the one that now stands in its place."""
    rows = session.exec(
        select(AccountOpening.replaces_id, AccountOpening.account_id)
        .where(AccountOpening.school_id == school_id)
        .order_by(col(AccountOpening.at), col(AccountOpening.change_id))
    ).all()
    return now_in_place(rows)


def now_in_place(openings: Iterable[tuple[UUID | None, UUID]]) -> dict[UUID, UUID]:
    """Return what stands in the place of each replaced account after openings (replaced, opened), the oldest first.

    A school may go back to an earlier account: from then on that one stands for itself, and for what replaced it.
    """
    stands: dict[UUID, UUID] = {}
    for old, new in openings:
        if old is not None:
            stands |= {each: new for each, before in stands.items() if before == old}
            stands[old] = new
        stands.pop(new, None)
    return stands
