"""What the pages of a new school year show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.money import Money
from billing.newyear.promoting import Tally

OUT = "ra-truong"  # instead of a new class: the whole class leaves school


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of the new year: ``stands`` is *done*, *next* or *later*; ``says`` what is done or open, both tongues."""

    path: str
    vi: str
    en: str
    stands: str
    says: tuple[str, str]


@dataclass(frozen=True, slots=True)
class YearPage:
    """The steps into one school year; ``years`` are those that can be chosen."""

    year: str
    before: str
    years: tuple[str, ...]
    steps: tuple[StepRow, ...]
    tally: Tally


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price that goes on: what it was, what it will be from when to when, and how it stands against the caps."""

    key: str
    item: str
    audience: str
    was: Money
    amount: Money
    rise: int
    start: date
    end: date | None
    state: str
    said: str


@dataclass(frozen=True, slots=True)
class PricesPage:
    """All prices that go on; ``percent`` is the raise that was asked to be seen."""

    year: str
    rows: tuple[PriceRow, ...]
    percent: int

    @property
    def open(self) -> int:
        """How many are not written yet."""
        return sum(row.state == "new" for row in self.rows)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of the new year, proposed or made; ``key`` carries its level, grade and code."""

    key: str
    code: str
    grade: int
    of: str
    made: bool


@dataclass(frozen=True, slots=True)
class ClassesPage:
    """The classes of the new year; ``levels`` and ``grades`` can be chosen for one more."""

    year: str
    rows: tuple[ClassRow, ...]
    levels: tuple[tuple[str, str], ...]
    grades: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PromotedRow:
    """A pupil of last year: the choice (empty: undecided), the new class, and whether it is carried out.

    ``ends_on``: for who is in the new year already while the old enrolment runs, the day on which that will end.
    """

    enrolment_id: str
    name: str
    code: str
    choice: str
    new_class: str
    done: bool
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class OldClass:
    """A class of last year with the pupils who are to be decided about."""

    class_id: str
    code: str
    pupils: int
    undecided: int


@dataclass(frozen=True, slots=True)
class ClassWay:
    """Where a class of last year may go: its undecided, the classes of the next grade, and what is usual.

    ``usual`` is the id of a new class, ``OUT`` for leaving school, or empty where nobody but the school knows.
    """

    class_id: str
    code: str
    undecided: int
    above: tuple[tuple[str, str], ...]
    usual: str


@dataclass(frozen=True, slots=True)
class PromotionPage:
    """Who becomes what: counts, the classes of last year, the pupils of the one that is looked at, the new classes."""

    year: str
    tally: Tally
    classes: tuple[OldClass, ...]
    shown: str
    rows: tuple[PromotedRow, ...]
    new_classes: tuple[tuple[str, str], ...]
    first_day: date
    ways: tuple[ClassWay, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether there is a class of which only the school knows where it goes."""
        return any(way.above and not way.usual for way in self.ways)


@dataclass(frozen=True, slots=True)
class OptInRow:
    """The registrations of one item that could be carried over."""

    code: str
    name: str
    with_evidence: int
    without: int
    carried: int


@dataclass(frozen=True, slots=True)
class GoingOnPage:
    """Reductions, rules and registrations at the border."""

    year: str
    reductions: int
    reductions_done: int
    ended: int
    rules: tuple[str, ...]
    opt_ins: tuple[OptInRow, ...]
    ready: bool


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """A line of the opening list: a pupil's open bill or credit."""

    pupil: str
    class_code: str
    what: str
    period: str
    due: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class BalancesPage:
    """The opening list: what holds now, and what was drawn up (empty ``opening_id``: nothing yet).

    ``changed``: the list drawn up is no longer what holds now; ``own``: whoever looks drew it up.
    """

    year: str
    rows: tuple[BalanceRow, ...]
    more: int
    due: Money
    credit: Money
    pupils: int
    digest: str
    opening_id: str = ""
    maker: str = ""
    made_at: datetime | None = None
    signer: str = ""
    signed_at: datetime | None = None
    changed: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class FormerRow:
    """A file of a former program in the list; ``state`` is *waiting*, *approved* or *rejected*."""

    import_id: str
    program: str
    maker: str
    made_at: datetime
    due: Money
    credit: Money
    state: str


@dataclass(frozen=True, slots=True)
class FormerPage:
    """The files that were read in, and what can be chosen for another one."""

    rows: tuple[FormerRow, ...]
    years: tuple[str, ...]
    today: date


@dataclass(frozen=True, slots=True)
class FormerLineRow:
    """A line of a file as it was understood."""

    line: int
    pupil: str
    class_code: str
    old_code: str
    item: str
    due: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class FormerDetail:
    """One file: its lines, sums, decision; ``round_id`` is the opening round that an approval made."""

    row: FormerRow
    year: str
    period: date
    due_on: date
    lines: tuple[FormerLineRow, ...]
    more: int
    left_out: int
    receipt_book: str
    receipt_last: int | None
    digest: str
    decided_by: str
    decided_at: datetime | None
    reason: str
    round_id: str
    own: bool


@dataclass(frozen=True, slots=True)
class TypedPrices:
    """Which prices are to be written, at what amounts, as typed."""

    keys: tuple[str, ...]
    amounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypedClasses:
    """Which proposed classes are to be made, and one more by hand."""

    keys: tuple[str, ...]
    code: str
    grade: str
    level: str


@dataclass(frozen=True, slots=True)
class TypedChoice:
    """What becomes of some pupils, as typed."""

    enrolments: tuple[str, ...]
    choice: str
    class_id: str


@dataclass(frozen=True, slots=True)
class TypedWays:
    """Where classes of last year go, side by side as typed; an empty way leaves a class as it is."""

    classes: tuple[str, ...]
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypedFormer:
    """What is typed beside a former program's file."""

    year: str
    program: str
    period: str
    due_on: str
    due: str
    credit: str
    receipt_book: str
    receipt_last: str
