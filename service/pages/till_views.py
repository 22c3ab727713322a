"""What the pages of the till show (counts, deposits to the bank, hand-overs), and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.cash_views import Sheet
from service.pages.views import Download


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count; ``stands``: *equal*, *waiting*, *agreed* or *rejected*. ``mine``: the visitor counted."""

    count_id: str
    at: datetime
    counted: Money
    book: Money
    reason: str
    by: str
    stands: str
    decided_by: str
    mine: bool


@dataclass(frozen=True, slots=True)
class TypedCount:
    """A count as typed: how many of each note, the largest first; the balance seen, a reason, the form's key.

    ``number``: the page of the list of counts that is shown.
    """

    notes: tuple[str, ...]
    book: str = ""
    reason: str = ""
    form: str = ""
    number: int = 1


@dataclass(frozen=True, slots=True)
class LookedCount:
    """What the typed notes come to, beside the book; the key that the form takes along."""

    counted: Money
    difference: Money
    form: str


@dataclass(frozen=True, slots=True)
class TillPage:
    """The till by the book; notes as typed, by face value; what they come to; the counts, the newest first.

    ``uncounted``: days with movements of cash after which nobody counted. ``keeps``: the visitor keeps the till.
    """

    balance: Money
    notes: tuple[tuple[int, str], ...]
    looked: LookedCount | None
    rows: tuple[CountRow, ...]
    waits: bool
    uncounted: tuple[date, ...]
    keeps: bool
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class FitRow:
    """Money in that may be a deposit; ``sign``: *slip*, *words* or *amount*."""

    transfer_id: str
    day: date
    amount: Money
    memo: str
    number: str
    sign: str


@dataclass(frozen=True, slots=True)
class TieAskRow:
    """A tie that no rule suggests, asked for: which money in, why, by whom; ``mine``: the visitor asked."""

    ask_id: str
    day: date
    amount: Money
    memo: str
    reason: str
    by: str
    mine: bool


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A deposit; ``stands``: *transit*, *tied* or *ended*. ``fits``: what the bank may have booked it as.

    ``others``: what waits with its sum on its account and is no suggestion, for two people; ``asked`` for already.
    """

    deposit_id: str
    at: datetime
    amount: Money
    account: str
    slip: str
    by: str
    stands: str
    about: str
    mine: bool
    fits: tuple[FitRow, ...]
    others: tuple[FitRow, ...] = ()
    asked: TieAskRow | None = None


@dataclass(frozen=True, slots=True)
class DepositsPage:
    """What was counted and may be deposited, to which accounts, and the deposits, the newest first.

    ``keeps``: the visitor keeps the till.
    """

    left: Money
    counted: bool
    accounts: tuple[tuple[str, str], ...]
    transit: Money
    form: str
    rows: tuple[DepositRow, ...]
    keeps: bool
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class WithdrawalRow:
    """Cash fetched to the till; ``stands``: *transit* (the bank has not told of it), *tied*, *paper*, *ended*."""

    withdrawal_id: str
    at: datetime
    amount: Money
    account: str
    slip: str
    by: str
    stands: str
    about: str
    mine: bool


@dataclass(frozen=True, slots=True)
class WithdrawalsPage:
    """What is in the till, from where cash is fetched, and what was, the newest first.

    ``keeps``: the visitor keeps the till.
    """

    balance: Money
    accounts: tuple[tuple[str, str], ...]
    form: str
    rows: tuple[WithdrawalRow, ...]
    keeps: bool
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class TypedDeposit:
    """A deposit or withdrawal as typed."""

    account: str
    amount: str
    slip: str
    form: str


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """A hand-over; ``stands``: *waiting*, *accepted* or *refused*.

    ``receives``, ``gives`` and ``ends`` (as an approver who does neither): what the visitor may do with it.
    """

    handover_id: str
    number: int
    at: datetime
    giver: str
    receiver: str
    closing: Money
    stands: str
    reason: str
    receives: bool
    gives: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class HandoversPage:
    """What would be handed over now, to whom it may be, and the hand-overs, the newest first.

    ``keeper`` is who keeps the till, empty before anybody did; ``keeps``: the visitor may hand it over.
    """

    opening: Money
    closing: Money
    lines: int
    counted: bool
    waits: bool
    people: tuple[tuple[str, str], ...]
    form: str
    rows: tuple[HandoverRow, ...]
    keeper: str
    keeps: bool
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class TypedHandover:
    """A hand-over as typed: the receiver's id, a note, the form's key."""

    receiver: str
    note: str
    form: str


class TillDesk(Protocol):
    """Counts, deposits and hand-overs."""

    def till(self, who: SignedIn, place: Place, typed: TypedCount, now: datetime) -> TillPage:
        """Return the till, and what the typed notes come to."""

    def count_till(self, who: SignedIn, place: Place, typed: TypedCount, now: datetime) -> None:
        """Store a count once; raises ``ScreenMoved``, ``Refused`` or ``Conflict``."""

    def decide_count(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, count_id: UUID, reason: str, now: datetime, *, agreed: bool
    ) -> None:
        """Agree to a difference or not; raises ``SamePerson`` or ``Conflict``."""

    def deposits(self, who: SignedIn, place: Place, number: int, now: datetime) -> DepositsPage:
        """Return the deposits with what the bank may have booked them as."""

    def deposit_cash(self, who: SignedIn, place: Place, typed: TypedDeposit, now: datetime) -> None:
        """Store a deposit once; raises ``Refused`` or ``NotFound``."""

    def tie_deposit(self, who: SignedIn, place: Place, deposit_id: UUID, transfer: str, now: datetime) -> None:
        """Say which money in a deposit is; raises ``Refused``, ``Conflict`` or ``NotFound``."""

    def ask_deposit_tie(  # noqa: PLR0913, PLR0917  which deposit to what, why
        self, who: SignedIn, place: Place, deposit_id: UUID, transfer: str, reason: str, now: datetime
    ) -> None:
        """Ask for a tie that no rule suggests; raises ``Refused``, ``Conflict`` or ``NotFound``."""

    def decide_deposit_tie(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, ask_id: UUID, reason: str, now: datetime, *, agreed: bool
    ) -> None:
        """Agree to such a tie or not; raises ``SamePerson`` or ``Conflict``."""

    def withdrawals(self, who: SignedIn, place: Place, number: int, now: datetime) -> WithdrawalsPage:
        """Return what was fetched to the till."""

    def withdraw_cash(self, who: SignedIn, place: Place, typed: TypedDeposit, now: datetime) -> None:
        """Store cash that was fetched, once; raises ``Refused``, ``Conflict`` or ``NotFound``."""

    def take_back_withdrawal(
        self, who: SignedIn, place: Place, withdrawal_id: UUID, reason: str, now: datetime
    ) -> None:
        """Take back what was written down wrongly; raises ``SamePerson``, ``Refused`` or ``Conflict``."""

    def untie_deposit(self, who: SignedIn, place: Place, deposit_id: UUID, reason: str, now: datetime) -> None:
        """Take a tie back."""

    def take_back_deposit(self, who: SignedIn, place: Place, deposit_id: UUID, reason: str, now: datetime) -> None:
        """Put a deposit back into the till; raises ``SamePerson`` or ``Conflict``."""

    def handovers(self, who: SignedIn, place: Place, number: int, now: datetime) -> HandoversPage:
        """Return the hand-overs."""

    def hand_over(self, who: SignedIn, place: Place, typed: TypedHandover, now: datetime) -> None:
        """Store a hand-over once; raises ``Refused`` or ``Conflict``."""

    def decide_handover(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, handover_id: UUID, reason: str, now: datetime, *, accepted: bool
    ) -> None:
        """Accept or refuse a hand-over; raises ``NotAllowed`` or ``Conflict``."""

    def handover_record(self, who: SignedIn, place: Place, handover_id: UUID, now: datetime) -> Download:
        """Return the record of a hand-over as PDF."""
