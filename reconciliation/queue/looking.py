"""Asking the matcher afresh about money that waits: whom it suggests now, and whether that is one pupil alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.vault import Vault
from reconciliation.book import RowsBook
from reconciliation.deciding import decide
from reconciliation.matching import POSTING, Decision, Outcome
from reconciliation.settling import as_incoming, evidence_of
from reconciliation.tables import Transfer


@dataclass(frozen=True, slots=True)
class Look:
    """What the matcher says now. ``sole``: the one pupil it names, if it names just one and nobody else's school."""

    decision: Decision
    sole: UUID | None

    @property
    def certain(self) -> bool:
        """Tell whether the matcher would book it by itself."""
        return self.decision.outcome in POSTING

    @property
    def pupils(self) -> frozenset[UUID]:
        """Return whom the matcher would book it for; nobody where it is not certain."""
        if not self.certain:
            return frozenset()
        credited = (self.decision.credit_to,) if self.decision.credit_to else ()
        return frozenset(UUID(pupil) for pupil in (*(bill.pupil for bill in self.decision.bills), *credited))

    def evidence(self) -> dict[str, Any]:
        """Return it as it is kept with an act."""
        return {**evidence_of(self.decision), "outcome": self.decision.outcome.value}


def look(session: Session, vault: Vault | None, transfer: Transfer, book: RowsBook | None = None) -> Look:
    """Decide a waiting transfer afresh, moving nothing; a ``book`` serves several of one account."""
    book = book or RowsBook(session, transfer.school_id, transfer.bank_account_id, vault)
    decision = decide(as_incoming(transfer), book)
    return Look(decision, _sole(decision))


def _sole(decision: Decision) -> UUID | None:
    if decision.outcome not in POSTING | {Outcome.SUGGESTED}:
        return None
    pupils = {bill.pupil for bill in decision.bills}
    if decision.credit_to:
        pupils.add(decision.credit_to)
    if len(pupils) != 1 or "" in pupils:
        return None
    return UUID(pupils.pop())
