"""What matching is about: transfers, the requests they may pay, and the decision with its evidence (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from billing.money import ZERO, Money
from reconciliation.memo import Memo
from reconciliation.weak_signs import Lead, Sign

Evidence: TypeAlias = str | Mapping[str, object]


class Outcome(StrEnum):
    """What became of a transfer; only the first five move money."""

    MATCHED = "matched"
    PARTIAL = "partial"
    OVERPAID = "overpaid"
    CREDITED = "credited"
    SPLIT = "split"
    SUGGESTED = "suggested"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


POSTING = frozenset({Outcome.MATCHED, Outcome.PARTIAL, Outcome.OVERPAID, Outcome.CREDITED, Outcome.SPLIT})


class Direction(StrEnum):
    """Which way the money went, seen from the school."""

    IN = "in"
    OUT = "out"


class RequestStatus(StrEnum):
    """State of a payment request."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"


_OPEN = RequestStatus.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """One bill under a payment request: bills of one request share the reference, oldest listed first.

    ``key`` is handed back in the decision, for callers that know the entry by another name.
    """

    reference: str
    pupil: str
    family: str
    school: str
    account: str
    due: Money
    virtual_account: str | None = None
    status: RequestStatus = RequestStatus.OPEN
    key: str | None = None

    @property
    def payable(self) -> bool:
        """Tell whether money can still be put on this entry."""
        return self.status is _OPEN and self.due.dong > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingTransfer:
    """What the matcher may look at. ``school`` is given where the account tells it.

    ``payer`` is an opaque name of the paying account (never the account itself), for suggestions only.
    """

    id: str
    amount: Money
    memo: str
    account: str
    virtual_account: str | None = None
    direction: Direction = Direction.IN
    school: str | None = None
    payer: str | None = None


class BillShare(NamedTuple):
    """Money for one entry, and the pupil who owes it; 0 đ when it is only a candidate."""

    reference: str
    amount: Money
    key: str | None = None
    pupil: str = ""


class Decision(NamedTuple):
    """The outcome; in a posting one, bills and credit add up to the transfer's amount, else both are 0 đ.

    ``evidence`` starts with the name of the deciding rule. ``credit_to`` is the pupil whose credit grows.
    """

    outcome: Outcome
    bills: tuple[BillShare, ...] = ()
    credit: Money = ZERO
    credit_to: str | None = None
    evidence: tuple[Evidence, ...] = ()


# What the class calls itself to make one; the step in between, in Python, takes longer than all the rest of it.
_made = tuple.__new__


def decided(
    outcome: Outcome,
    bills: tuple[BillShare, ...],
    evidence: tuple[Evidence, ...],
    credit: Money = ZERO,
    credit_to: str | None = None,
) -> Decision:
    """Return a decision, made the short way: one is made for each transfer."""
    return _made(Decision, (outcome, bills, credit, credit_to, evidence))


def shared(reference: str, amount: Money, key: str | None, pupil: str) -> BillShare:
    """Return a share, made the short way: one is made for each bill that is shown."""
    return _made(BillShare, (reference, amount, key, pupil))


class RequestBook(Protocol):
    """Where the matcher looks things up; each answer is in the order in which entries are to be paid."""

    def by_reference(self, reference: str) -> Sequence[OpenRequest]:
        """Return every entry, open or closed, of an issued reference; nothing if it was never issued."""

    def by_virtual_account(self, virtual_account: str) -> Sequence[OpenRequest]:
        """Return every entry, open or closed, that is collected on a virtual account."""

    def open_of_pupil(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the open entries of one pupil on one collecting account, oldest first."""

    def open_of_family(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the open entries of a pupil's brothers and sisters on one collecting account."""

    def suggest_by(self) -> frozenset[Sign]:
        """Return the weaker signs that the school lets suggest; none of them ever moves money."""

    def leads(self, transfer: IncomingTransfer, memo: Memo) -> Sequence[Lead]:
        """Return the pupils to whom names and phones in the memo, or the paying account, lead."""
