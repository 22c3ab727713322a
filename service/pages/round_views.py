"""What the pages of a billing round show (pure): the form of a new one, totals, oddities, pupils, slips, notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.money import ZERO, Money
from service.papers.print_state import PrintState


@dataclass(frozen=True, slots=True)
class StartStep:
    """A step on the way to a round: where it is done, what it is called, and how much of it is there."""

    path: str
    vi: str
    en: str
    count: int


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of the calendar; ``ticked``: meals are served, unless somebody unticks it."""

    day: date
    ticked: bool


@dataclass(frozen=True, slots=True)
class CalendarMonth:
    """A month in weeks from Monday to Sunday; days outside it are empty."""

    name: str
    weeks: tuple[tuple[CalendarDay | None, ...], ...]


@dataclass(frozen=True, slots=True)
class NewRound:
    """The form of a new round: what is proposed, and what is missing so that it would charge nobody.

    ``months``: pairs of (``2025-10``, name) of the school year. ``missing``: sentence, address, name of the page.
    """

    year: str
    months: tuple[tuple[str, str], ...]
    first: str
    last: str
    code: str
    name: str
    due_on: date
    calendar: tuple[CalendarMonth, ...]
    missing: tuple[tuple[str, str, str], ...] = ()
    waiting_reductions: int = 0


@dataclass(frozen=True, slots=True)
class TypedRound:
    """A new round as it was typed. ``shares``: pairs of percentage and day, as texts; empty ones are left out."""

    first: str
    last: str
    code: str
    name: str
    due_on: date
    meal_days: tuple[str, ...] = ()
    shares: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PayerTotals:
    """Gross, and who carries it; gross = family + State + school + donor."""

    gross: Money
    family: Money
    state: Money
    school: Money
    donor: Money


@dataclass(frozen=True, slots=True)
class ItemTotals:
    """One item over all pupils."""

    name: str
    account: str
    pupils: int
    quantity: int
    totals: PayerTotals


@dataclass(frozen=True, slots=True)
class OddPupil:
    """A pupil in a group of oddities, with what is odd."""

    pupil_id: str
    name: str
    class_name: str
    text: str


@dataclass(frozen=True, slots=True)
class OddGroup:
    """Oddities of one kind: what they are, what to do about them, the first pupils, and how many there are."""

    title: str
    advice: str
    count: int
    pupils: tuple[OddPupil, ...]


@dataclass(frozen=True, slots=True)
class AgainstLast:
    """How families' dues differ from the last round."""

    was: Money
    now: Money
    new: int
    gone: int
    changed: int

    @property
    def change(self) -> Money:
        """More, or below zero less, than last time."""
        return self.now - self.was


@dataclass(frozen=True, slots=True)
class RoundMore:
    """What stands under a round's head: totals, differences, oddities; and what can be done with an issued one.

    ``leftover``: how many pupils' credit was to be used when it was calculated, and how much.
    ``codes``: code and name of its items. ``own``: the viewer made it, so another person approves. ``late``: pupils
    without a bill in it. ``came_after``: who came when it was over and has items to choose, and how many nobody
    chose about yet.
    """

    code: str
    days: str
    meal_days: int
    kind: str
    base: tuple[str, str] | None
    totals: PayerTotals | None
    items: tuple[ItemTotals, ...]
    codes: tuple[tuple[str, str], ...]
    against_last: AgainstLast | None
    odd: tuple[OddGroup, ...]
    shares: tuple[tuple[int, date], ...] = ()
    own: bool = False
    locked_by_me: bool = False
    late: int = 0
    corrections: int = 0
    leftover: tuple[int, Money] = (0, ZERO)
    came_after: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class RoundPupil:
    """One pupil of a round: what the family pays, the leftover used (before the issue: that would be), what came in."""

    pupil_id: str
    name: str
    code: str
    class_name: str
    gross: Money
    due: Money
    received: Money | None = None
    state: str = ""
    leftover: Money = ZERO


@dataclass(frozen=True, slots=True)
class RoundPupils:
    """One page of a round's pupils."""

    title: str
    issued: bool
    words: str
    page: int
    pages: int
    total: int
    rows: tuple[RoundPupil, ...]


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line in the full view; ``line_id`` and ``due`` are of an issued one."""

    name: str
    amount: Money
    sentences: tuple[str, ...]
    line_id: int = 0
    due: Money | None = None


@dataclass(frozen=True, slots=True)
class ExplainedBill:
    """A bill (or, before the issue, what would become one) with the explanation of every line.

    ``state`` is empty before the issue; ``open_correction`` is the id of a request that waits.
    """

    bill_id: str
    number: str
    account: str
    gross: Money
    due: Money
    received: Money
    state: str
    lines: tuple[ExplainedLine, ...]
    reference: str = ""
    history: tuple[str, ...] = ()
    leftover: Money = ZERO
    open_correction: str = ""


@dataclass(frozen=True, slots=True)
class PupilCharges:
    """Everything that one round charges one pupil, in the full view."""

    round_id: str
    round_title: str
    pupil_id: str
    pupil: str
    code: str
    class_name: str
    issued: bool
    locked: bool
    bills: tuple[ExplainedBill, ...]


@dataclass(frozen=True, slots=True)
class SlipClass:
    """A class of a round on paper: how many slips there are to print, and who has nothing to pay."""

    class_id: str
    code: str
    slips: int
    nothing: int


@dataclass(frozen=True, slots=True)
class SlipsPage:
    """What of an issued round can be printed; ``whole``: the newest print of all classes, if there was one."""

    round_id: str
    title: str
    classes: tuple[SlipClass, ...]
    whole: PrintState | None = None

    @property
    def slips(self) -> int:
        """All slips of the round."""
        return sum(each.slips for each in self.classes)


@dataclass(frozen=True, slots=True)
class Notice:
    """Whether a family was told: by which channel, with what outcome, and when; nothing for who has no contact."""

    pupil: str
    code: str
    amount: Money
    told: tuple[str, ...] = ()
    reachable: bool = False


@dataclass(frozen=True, slots=True)
class NoticesPage:
    """The list of notices of a round, class by class; printable."""

    round_id: str
    title: str
    classes: tuple[tuple[str, tuple[Notice, ...]], ...]
    told: int = 0
    unreachable: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class CorrectedRow:
    """What a correction does to one bill."""

    number: str
    pupil: str
    was: Money
    now: Money
    off_rest: Money
    to_credit: Money
    new_due: Money | None = None
    off_written: Money = ZERO


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """A request to correct something issued."""

    correction_id: str
    round_title: str
    what: str
    reason: str
    maker: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """What a request would do, bill by bill; ``problem`` says why it cannot be done any more."""

    row: CorrectionRow
    bills: tuple[CorrectedRow, ...] = ()
    off_rest: Money = ZERO
    to_credit: Money = ZERO
    problem: str = ""
    off_written: Money = ZERO


@dataclass(frozen=True, slots=True)
class TypedCorrection:
    """A correction of one bill as it was typed; ``amounts`` are pairs of a line's id and a text."""

    bill_id: str
    kind: str
    reason: str
    amounts: tuple[tuple[str, str], ...] = ()
