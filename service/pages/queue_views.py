"""What the people's queue shows and what is typed into it (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from billing.errors import RowProblem
from billing.money import ZERO, Money, total
from service.access.roles import Place, SignedIn
from service.pages.queue_act_views import ActRow, Lines, PaidRow, folded
from service.pages.views import Download


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bill that a transfer may belong to, with the reasons in words; ``equal`` if another is just as likely."""

    reference: str
    pupil: str
    class_name: str
    rest: Money
    reasons: tuple[str, ...]
    equal: bool = False
    pupil_id: str = ""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A transfer that waits for a person: what came in, why it waits, and what it may be.

    ``seen`` travels in every form. ``plain``: one person may take the first candidate at once, for just this sum.
    ``asked_by``: whose act about it waits for a second person. ``paid``: whom it was booked for, if it was.
    """

    transfer: str
    value_date: date
    amount: Money
    memo: str
    account: str
    reason: str
    since: datetime
    candidates: tuple[Candidate, ...] = ()
    transfer_id: str = ""
    seen: str = ""
    plain: bool = False
    asked_by: str = ""
    comments: int = 0
    held: bool = False
    paid: tuple[str, ...] = ()

    @property
    def tie(self) -> bool:
        """Tell whether several candidates are equally likely: then none is chosen or has the focus beforehand."""
        return any(candidate.equal for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class WaitingList:
    """The transfers of a school that wait for a person, at most a page of them; ``amount`` and ``total`` are of all.

    ``words``: what was looked for. ``acts``: how many acts wait for a second person.
    """

    rows: tuple[WaitingRow, ...]
    amount: Money
    total: int = 0
    words: str = ""
    acts: int = 0
    plain: int = 0


@dataclass(frozen=True, slots=True)
class PartRow:
    """One line of a split: who gets how much, into what; ``choices``: open bills as (value, words).

    ``typed``: the sum as it was typed, where that is not a sum; ``wrong`` then says why.
    """

    pupil_id: str
    pupil: str
    class_name: str
    amount: Money
    into: str
    choices: tuple[tuple[str, str], ...]
    goes: str
    typed: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class PupilHit:
    """A pupil that was looked for, with what is open for it on the account of the money and elsewhere."""

    pupil_id: str
    name: str
    code: str
    class_name: str
    rest: Money
    why: str = ""


@dataclass(frozen=True, slots=True)
class PastRow:
    """Something that happened to a transfer: a step, an act, what became of it, or a comment."""

    at: datetime
    who: str
    what: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class TransferPage:
    """Everything about one transfer: the line of the bank, candidates, history, and what can be done now."""

    row: WaitingRow
    state: str
    state_name: str
    hits: tuple[PupilHit, ...]
    words: str
    past: tuple[PastRow, ...]
    paid: tuple[PaidRow, ...]
    act: ActRow | None
    classes: tuple[tuple[str, str], ...]

    @property
    def paid_folded(self) -> tuple[Lines, ...]:
        """What it paid by class, where that is too much to be read at one look."""
        return folded(self.paid)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an assignment would store: shown before anything is; ``plain``: one person suffices.

    ``open``: the transfer still waits and nobody asked for anything about it. ``hits``: whom ``words`` found to add.
    ``own``: children of the visitor's own family, with whom it cannot be stored.
    """

    row: WaitingRow
    parts: tuple[PartRow, ...]
    digest: str
    plain: bool
    reason: str = ""
    error: str = ""
    problems: tuple[RowProblem, ...] = ()
    open: bool = True
    words: str = ""
    hits: tuple[PupilHit, ...] = ()
    own: tuple[str, ...] = ()

    @property
    def given(self) -> Money:
        """What the parts sum to."""
        return total(part.amount for part in self.parts)

    @property
    def difference(self) -> Money:
        """What is still to be given; below 0 đ when it is too much."""
        return self.row.amount - self.given

    @property
    def wrong(self) -> bool:
        """Tell whether a line cannot be read."""
        return any(part.wrong for part in self.parts)


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One transfer of a dry run: what it would pay, or why it is left out."""

    transfer_id: str
    seen: str
    amount: Money
    memo: str
    goes: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class BulkPage:
    """A dry run over several transfers: count, sum, exceptions; ``digest`` names what would be stored."""

    taken: tuple[BulkRow, ...]
    left: tuple[BulkRow, ...]
    amount: Money
    digest: str

    @property
    def rows(self) -> tuple[BulkRow, ...]:
        """All that were looked at."""
        return self.taken + self.left


@dataclass(frozen=True, slots=True)
class TogetherPage:
    """Several transfers for one pupil: whom words found, and then what each would pay; ``pupil``: who was chosen."""

    chosen: tuple[str, ...]
    taken: tuple[BulkRow, ...]
    left: tuple[BulkRow, ...]
    amount: Money
    digest: str = ""
    words: str = ""
    hits: tuple[PupilHit, ...] = ()
    pupil: PupilHit | None = None


@dataclass(frozen=True, slots=True)
class TypedShare:
    """A line of a split as typed: a pupil's id, a sum, and where it goes."""

    pupil_id: str
    amount: str
    into: str = ""


@dataclass(frozen=True, slots=True)
class TypedSplit:
    """Where a split comes from: lines, or else a class, a pasted list, a sheet, or equal shares of a class.

    ``add``: the id of a pupil who gets one more line; ``words``: what to look for to add one.
    """

    shares: Sequence[TypedShare] = ()
    add: str = ""
    words: str = ""
    class_id: str = ""
    equal: bool = False
    text: str = ""
    sheet: bytes = b""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An assignment as confirmed: the lines, what was previewed, and what of the transfer was seen."""

    transfer_id: UUID
    split: TypedSplit
    seen: str
    digest: str = ""


NO_MONEY = ZERO


class QueueDesk(Protocol):
    """The people's queue of a school."""

    def waiting(self, who: SignedIn, place: Place, words: str = "") -> WaitingList:
        """Return the transfers that wait for a person, oldest first; ``words`` narrow them."""

    def matched(self, who: SignedIn, place: Place, words: str) -> WaitingList:
        """Return transfers that were booked lately, newest first, to be looked at or undone."""

    def waiting_transfer(self, who: SignedIn, place: Place, transfer_id: UUID, words: str = "") -> TransferPage:
        """Return one transfer with its history, and the pupils that ``words`` find; raises ``NotFound``."""

    def preview_split(self, who: SignedIn, place: Place, transfer_id: UUID, split: TypedSplit) -> Preview:
        """Return what a split would store; bad lines of a list or sheet are problems in it."""

    def assign_transfer(self, who: SignedIn, place: Place, confirmed: Confirmed, now: datetime) -> bool:
        """Assign; tell whether it is carried out (else it waits for another). Raises as ``queue.assigning``."""

    def retry_transfer(self, who: SignedIn, place: Place, transfer_id: UUID, seen: str, now: datetime) -> bool:
        """Ask the matcher again; tell whether it booked the money."""

    def comment_transfer(self, who: SignedIn, place: Place, transfer_id: UUID, words: str, now: datetime) -> None:
        """Write a comment beside a transfer."""

    def undo_transfer(  # noqa: PLR0913, PLR0917  who wants what undone, having seen what, why
        self, who: SignedIn, place: Place, transfer_id: UUID, seen: str, reason: str, now: datetime
    ) -> None:
        """Ask for a match to be undone."""

    def open_acts(self, who: SignedIn, place: Place) -> tuple[ActRow, ...]:
        """Return the acts that wait for a second person, oldest first."""

    def agree_act(self, who: SignedIn, place: Place, act_id: UUID, now: datetime) -> None:
        """Agree to an act of another, which carries it out."""

    def refuse_act(self, who: SignedIn, place: Place, act_id: UUID, reason: str, now: datetime) -> None:
        """Refuse an act, or withdraw one's own."""

    def bulk(self, who: SignedIn, place: Place, transfers: Sequence[UUID]) -> BulkPage:
        """Return what taking several transfers at once would do; of all that wait if none is named."""

    def assign_bulk(
        self, who: SignedIn, place: Place, seen: Sequence[tuple[UUID, str]], digest: str, now: datetime
    ) -> int:
        """Take several transfers as the dry run showed; return how many."""

    def together(
        self, who: SignedIn, place: Place, transfers: Sequence[UUID], pupil_id: str, words: str
    ) -> TogetherPage:
        """Return what several transfers would pay for one pupil, or the pupils that ``words`` find."""

    def assign_together(  # noqa: PLR0913, PLR0917  who gives what to whom, as shown, why and when
        self,
        who: SignedIn,
        place: Place,
        pupil_id: str,
        seen: Sequence[tuple[UUID, str]],
        digest: str,
        reason: str,
        now: datetime,
    ) -> int:
        """Assign several transfers to one pupil; return how many wait for another person."""

    def split_sheet(self, who: SignedIn, place: Place, transfer_id: UUID, class_id: str) -> Download:
        """Return the sheet of a class to fill in."""

    def user_name(self, user_id: UUID | None) -> str:
        """Return who somebody is, for a page that was overtaken."""
