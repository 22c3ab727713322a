"""What matching is about: transfers, the requests they may pay, and the decision with its evidence (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

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


@dataclass(init=False, slots=True)
class BillShare:
    """Money for one entry, and the pupil who owes it; 0 đ when it is only a candidate."""

    reference: Final[str]
    amount: Final[Money]
    key: Final[str | None]
    pupil: Final[str]

    # Written out, here and below: what dataclass writes stays plain Python where the rest is compiled.
    def __init__(self, reference: str, amount: Money, key: str | None = None, pupil: str = "") -> None:
        self.reference = reference
        self.amount = amount
        self.key = key
        self.pupil = pupil


@dataclass(init=False, slots=True)
class Decision:
    """The outcome; in a posting one, bills and credit add up to the transfer's amount, else both are 0 đ.

    ``evidence`` starts with the name of the deciding rule. ``credit_to`` is the pupil whose credit grows.
    """

    outcome: Final[Outcome]
    bills: Final[tuple[BillShare, ...]]
    credit: Final[Money]
    credit_to: Final[str | None]
    evidence: Final[tuple[Evidence, ...]]

    def __init__(
        self,
        outcome: Outcome,
        bills: tuple[BillShare, ...] = (),
        evidence: tuple[Evidence, ...] = (),
        credit: Money = ZERO,
        credit_to: str | None = None,
    ) -> None:
        self.outcome = outcome
        self.bills = bills
        self.credit = credit
        self.credit_to = credit_to
        self.evidence = evidence


class RequestBook(Protocol):
    """Where the matcher looks things up; each answer is in the order in which entries are to be paid."""

    def by_reference(self, reference: str) -> tuple[OpenRequest, ...]:
        """Return every entry, open or closed, of an issued reference; nothing if it was never issued."""

    def by_virtual_account(self, virtual_account: str) -> tuple[OpenRequest, ...]:
        """Return every entry, open or closed, that is collected on a virtual account."""

    def open_of_pupil(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the open entries of one pupil on one collecting account, oldest first."""

    def open_of_family(self, pupil: str, account: str) -> Sequence[OpenRequest]:
        """Return the open entries of a pupil's brothers and sisters on one collecting account."""

    def suggest_by(self) -> frozenset[Sign]:
        """Return the weaker signs that the school lets suggest; none of them ever moves money."""

    def leads(self, transfer: IncomingTransfer, memo: Memo) -> Sequence[Lead]:
        """Return the pupils to whom names and phones in the memo, or the paying account, lead."""
