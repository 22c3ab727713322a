"""What the pages of attendance show (pure). The teacher's records hold no money: there is nothing to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.money import Money


@dataclass(frozen=True, slots=True)
class RollPupil:
    """A pupil on the teacher's list. ``note`` tells namesakes apart; ``fixed``: the office wrote the absence."""

    enrolment_id: str
    name: str
    note: str = ""
    absent: bool = False
    in_time: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A month of a class: who closed it and when, if it is closed; whether it may be closed now."""

    month: date
    closed_by: str = ""
    closed_at: datetime | None = None
    can_close: bool = False


@dataclass(frozen=True, slots=True)
class RollPage:
    """A teacher's class on a day. ``classes``: pairs of id and name of all of the teacher's classes.

    ``cutoff``: the hour (``8:00``) until which the kitchen can be told; ``in_time``: it is still to come.
    ``day_off``: why the whole school is off, or nothing.
    """

    classes: tuple[tuple[str, str], ...]
    class_id: str = ""
    class_name: str = ""
    day: date = date.min
    today: date = date.min
    pupils: tuple[RollPupil, ...] = ()
    cutoff: str = ""
    in_time: bool = False
    day_off: str = ""
    closed: ClosedMonth | None = None
    months: tuple[ClosedMonth, ...] = ()

    @property
    def present(self) -> int:
        """How many are there."""
        return sum(not pupil.absent for pupil in self.pupils)


@dataclass(frozen=True, slots=True)
class TypedRoll:
    """A roll as it was sent: who is ticked now, and who was ticked when the page was shown (enrolment ids)."""

    class_id: str
    day: date
    absent: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassState:
    """A class in a month: absences so far, closed or not; ``empty`` when nobody was in it."""

    month: date
    absences: int = 0
    closed_by: str = ""
    closed_at: datetime | None = None
    empty: bool = False


@dataclass(frozen=True, slots=True)
class ClassMonths:
    """A class and its months, in the order of the page's months."""

    class_id: str
    code: str
    teachers: tuple[str, ...]
    months: tuple[ClassState, ...]


@dataclass(frozen=True, slots=True)
class MonthsPage:
    """Classes by month. ``unfinished``: class id, class code and month of what could be closed and is not."""

    months: tuple[date, ...]
    classes: tuple[ClassMonths, ...]
    unfinished: tuple[tuple[str, str, date], ...]
    cutoff: str


@dataclass(frozen=True, slots=True)
class GridCell:
    """One pupil on one day. ``mark``: x, v, p or nothing; ``open``: something can be written here."""

    day: date
    mark: str
    open: bool
    told: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """A pupil's month."""

    enrolment_id: str
    name: str
    code: str
    cells: tuple[GridCell, ...]
    credited: int
    late: int


@dataclass(frozen=True, slots=True)
class GridPage:
    """A class's month, pupil by day. ``others``: id and code of the other classes of the month."""

    class_id: str
    code: str
    month: date
    days: tuple[date, ...]
    days_off: tuple[tuple[date, str], ...]
    rows: tuple[GridRow, ...]
    state: ClosedMonth
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TypedMarks:
    """Cells as they were ticked (``enrolment_2025-10-07``), the mark they get, and why."""

    class_id: str
    month: str
    cells: tuple[str, ...]
    mark: str
    reason: str


@dataclass(frozen=True, slots=True)
class DayOff:
    """A day off of the whole school; ``kept``: a class has closed its month, so it stays."""

    day: date
    reason: str
    maker: str
    made_at: datetime
    kept: bool


@dataclass(frozen=True, slots=True)
class KitchenClass:
    """A class's portions: one number for each meal of the page; names told too late."""

    code: str
    pupils: int
    called_off: int
    portions: tuple[int, ...]
    too_late: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KitchenPage:
    """A day's portions as of a moment; ``final`` once the cut-off hour has passed."""

    school: str
    day: date
    at: datetime
    final: bool
    cutoff: str
    day_off: str
    meals: tuple[str, ...]
    classes: tuple[KitchenClass, ...]
    totals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TeacherRow:
    """Who teaches a class from when to when."""

    class_id: str
    class_code: str
    user_id: str
    name: str
    login: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class TeachersPage:
    """Assigned teachers; ``classes`` and ``users`` (id, name) can be chosen."""

    rows: tuple[TeacherRow, ...]
    classes: tuple[tuple[str, str], ...]
    users: tuple[tuple[str, str], ...]
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettledPupil:
    """What settling does to a pupil's bill: meals billed and used, what the bill came to and comes to."""

    pupil_id: str
    name: str
    class_name: str
    bill: str
    billed: int
    used: int
    was: Money
    now: Money
    off_rest: Money
    to_credit: Money


@dataclass(frozen=True, slots=True)
class FewMeals:
    """A pupil who ate on very few days: the school may decide to bill nothing."""

    pupil_id: str
    name: str
    class_name: str
    used: int


@dataclass(frozen=True, slots=True)
class SettlePage:
    """Settling a round's meals: classes not closed yet (id, code, month), what would change, or why nothing can."""

    round_id: str
    title: str
    unfinished: tuple[tuple[str, str, date], ...]
    pupils: tuple[SettledPupil, ...]
    off_rest: Money
    to_credit: Money
    few: tuple[FewMeals, ...]
    waiting: int
    problem: str = ""
