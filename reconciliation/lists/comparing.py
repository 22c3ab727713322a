"""What a page of a list tells that we do not know: new money, held money it vouches for, and what speaks against us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount
from billing.money import Money
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.lists.base import Told, movements
from reconciliation.tables import Transfer


@dataclass(frozen=True, slots=True)
class Compared:
    """The rows of one account in a page: ``fresh`` go into the book, ``known`` counts what is there already.

    ``fresh`` has money that nobody told of, and held money of the same sum. ``changed`` are rows whose id we know
    with other money; ``unreadable`` says why a row cannot be read.
    """

    fresh: tuple[NormalisedTransfer, ...]
    changed: tuple[NormalisedTransfer, ...]
    unreadable: tuple[CallbackUnreadable, ...]
    known: int

    @property
    def odd(self) -> int:
        """How many rows a person has to look at."""
        return len(self.changed) + len(self.unreadable)

    @property
    def listed(self) -> int:
        """How many rows there are."""
        return len(self.fresh) + self.odd + self.known


def compare(session: Session, account: BankAccount, told: Sequence[Told]) -> Compared:
    """Compare the rows of a page with our transfers; rows of other accounts are nobody's business here.

    A row that comes twice is one row, since lists grow while they are paged through.
    """
    ours = {each.provider_id: each for each in movements(told) if each.account in (None, account.number)}
    known = _known(session, account, list(ours.values()))
    fresh, changed = [], []
    for provider_id, read in ours.items():
        found = known.get(provider_id)
        if found is None:
            fresh.append(read)
            continue
        amount, direction, state = found
        if (amount, direction) == (read.amount, read.direction.value):
            if state == "held":
                fresh.append(read)
        elif state != "quarantined":  # that one is known not to be believed
            changed.append(read)
    unreadable = tuple(each for each in told if isinstance(each, CallbackUnreadable))
    return Compared(tuple(fresh), tuple(changed), unreadable, len(ours) - len(fresh) - len(changed))


def unlisted(session: Session, account: BankAccount, provider: str, span: tuple[datetime, datetime],
             listed: set[str]) -> int:  # fmt: skip
    """Count what the provider's callbacks told of a span and its list does not."""
    first, last = span
    told = session.exec(
        select(Transfer.provider_id).where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            Transfer.provider == provider,
            Transfer.occurred_at >= first,
            Transfer.occurred_at <= last,
            col(Transfer.state) != "quarantined",
        )
    ).all()
    return len(set(told) - listed)


def _known(
    session: Session, account: BankAccount, reads: Sequence[NormalisedTransfer]
) -> dict[str, tuple[Money, str, str]]:
    """Return amount, direction and state of what we know, by the provider's id."""
    if not reads:
        return {}
    rows = session.exec(
        select(Transfer.provider_id, col(Transfer.amount), Transfer.direction, Transfer.state).where(
            Transfer.bank_account_id == account.id,
            Transfer.provider == reads[0].provider,
            col(Transfer.provider_id).in_([each.provider_id for each in reads]),
        )
    ).all()
    return {provider_id: (amount, direction, state) for provider_id, amount, direction, state in rows}
