"""What the pages of pupils who move show, and what is typed into them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.money import Money
from service.pages.fee_views import PupilHit

STATE_NAMES = {
    "left": ("Thôi học", "Leaves school"),
    "transferred_out": ("Chuyển trường", "Goes to another school"),
    "paused": ("Bảo lưu", "Pauses"),
    "graduated": ("Tốt nghiệp", "Graduates"),
    "never_came": ("Không đến học", "Never came"),
}


@dataclass(frozen=True, slots=True)
class TypedLeaving:
    """Who leaves after which day, where to and why, as typed."""

    enrolment_id: str
    last_day: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TypedClass:
    """Who goes to which class from which day on and why, as typed."""

    enrolment_id: str
    class_id: str
    first_day: str
    reason: str


@dataclass(frozen=True, slots=True)
class TypedReturn:
    """Who comes back after which leaving, into which class, from which day on, why, and what for, as typed."""

    leaving_id: str
    class_id: str
    first_day: str
    reason: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FallRow:
    """A line of a bill that was not used, or not all of it."""

    number: str
    round_name: str
    locked: bool
    item: str
    counted: Money
    off: Money


@dataclass(frozen=True, slots=True)
class LeavingPlan:
    """What leaving would do: what falls, what is open and kept before, and the end."""

    typed: TypedLeaving
    last_day: date
    falls: tuple[FallRow, ...]
    owed: Money
    kept: Money
    off_rest: Money
    to_credit: Money
    gives_back: Money
    still_open: Money

    @property
    def locked(self) -> bool:
        """Whether a locked round stands in the way."""
        return any(row.locked for row in self.falls)


@dataclass(frozen=True, slots=True)
class MoverPage:
    """One pupil who may leave or change the class; ``studies`` is false for who left already.

    ``missed``: issued rounds of the pupil's time here without a bill for it, by id and name; ``over``: those that were
    over when it came and have items to choose.
    """

    pupil: PupilHit
    studies: bool
    today: date
    classes: tuple[tuple[str, str], ...]
    plan: LeavingPlan | None = None
    problem: str = ""
    missed: tuple[tuple[str, str], ...] = ()
    over: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LeavingRow:
    """A leaving in the list; ``stands`` is *taken_back*, *came_back*, *waiting* (for approvals) or *done*."""

    leaving_id: str
    pupil: str
    state: str
    last_day: date
    stands: str


@dataclass(frozen=True, slots=True)
class MovingPage:
    """The pupils found, and who left, the last ones first."""

    words: str
    hits: tuple[PupilHit, ...]
    leavings: tuple[LeavingRow, ...]


@dataclass(frozen=True, slots=True)
class AskedCorrection:
    """A correction of a leaving; ``stands`` is *waiting*, *approved* or *rejected*."""

    correction_id: str
    number: str
    stands: str


@dataclass(frozen=True, slots=True)
class LeavingPage:
    """One leaving with its corrections; what is open and kept now, and how much of it is asked back.

    ``again``: the enrolment of who came back, and its first day. ``classes`` and ``items``: what a return asks for, as
    (key, name); no classes: the pupil cannot come back now.
    """

    row: LeavingRow
    pupil_id: str
    reason: str
    maker: str
    corrections: tuple[AskedCorrection, ...]
    owed: Money
    kept: Money
    asked: Money
    can_settle: bool
    can_return: bool
    today: date
    classes: tuple[tuple[str, str], ...] = ()
    items: tuple[tuple[str, str], ...] = ()
    again: tuple[str, date] | None = None


@dataclass(frozen=True, slots=True)
class GraduateRow:
    """A pupil of a last grade: what can be given back, and what is open."""

    name: str
    free: Money
    open: Money


@dataclass(frozen=True, slots=True)
class LastClassRow:
    """A class of a last grade."""

    class_id: str
    code: str
    free: Money
    pupils: tuple[GraduateRow, ...]
