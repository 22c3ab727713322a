"""From "so much for this pupil" to the bills it pays (pure): the oldest due first, unless a person says which."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from billing.money import ZERO, Money, total
from billing.payments.allocation import allocate
from reconciliation.queue.pieces import Piece

AUTO, CREDIT = "", "ton"
"""Where a share goes: by the rule, or to the pupil's credit; anything else is the id of a bill as text."""


@dataclass(frozen=True, slots=True)
class OpenBill:
    """What is still open on a bill; ``here``: it is collected on the account that the money reached."""

    bill_id: UUID
    number: str
    rest: Money
    here: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """What one pupil is to get, and where it goes."""

    pupil_id: UUID
    amount: Money
    into: str = AUTO


def pieces_from(shares: Sequence[Share], open_bills: Mapping[UUID, Sequence[OpenBill]]) -> list[Piece]:
    """Return the parts that shares come to; ``open_bills`` of each pupil, oldest due first.

    What is named goes first, then what goes by the rule: the one bill of just that rest, else the oldest of this
    account, and what is left over is credit. Shares of one place are one part; every đồng of each share is kept.
    """
    sums: dict[tuple[UUID, UUID | None], Money] = defaultdict(lambda: ZERO)
    named = [share for share in shares if share.into != AUTO]
    for share in named:
        sums[share.pupil_id, None if share.into == CREDIT else UUID(share.into)] += share.amount
    for share in shares:
        if share.into != AUTO:
            continue
        left = [
            (bill.bill_id, bill.rest - min(bill.rest, sums[share.pupil_id, bill.bill_id]))
            for bill in open_bills.get(share.pupil_id, ())
            if bill.here
        ]
        parts, over = allocate(share.amount, _fitting(share.amount, left))
        for part in parts:
            sums[share.pupil_id, part.bill] += part.amount
        sums[share.pupil_id, None] += over
    return [Piece(pupil, bill, amount) for (pupil, bill), amount in sums.items() if amount]


def shares_of_class(
    pupils: Sequence[UUID], open_bills: Mapping[UUID, Sequence[OpenBill]], amount: Money
) -> list[Share]:
    """Return a share for each pupil: what is open for it here; where nobody has anything open, equal shares.

    The sum of the first need not be the transfer's; the equal shares always are, the first ones a đồng more.
    """
    rests = {pupil: total(bill.rest for bill in open_bills.get(pupil, ()) if bill.here) for pupil in pupils}
    if any(rests.values()):
        return [Share(pupil, rests[pupil]) for pupil in pupils]
    return equal_shares(pupils, amount)


def equal_shares(pupils: Sequence[UUID], amount: Money) -> list[Share]:
    """Return equal shares that sum to ``amount``; the first ones have a đồng more where it does not divide."""
    if not pupils:
        return []
    each, more = divmod(amount.dong, len(pupils))
    return [Share(pupil, Money(each + (place < more))) for place, pupil in enumerate(pupils)]


def digest_of(pieces: Sequence[Piece]) -> str:
    """Return a short name of some parts, whatever their order: what was previewed is what is stored."""
    told = sorted(f"{piece.pupil_id} {piece.bill_id} {piece.amount.dong}" for piece in pieces)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def _fitting(amount: Money, left: list[tuple[UUID, Money]]) -> list[tuple[UUID, Money]]:
    """Put the one bill first whose rest is just the amount."""
    just = [bill for bill in left if bill[1] == amount]
    if len(just) != 1:
        return left
    return [just[0], *(bill for bill in left if bill != just[0])]
