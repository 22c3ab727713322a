"""Who becomes what in a new year (pure): every pupil of last year counted once, and the new places of the decided.

Before = promoted + repeating + leaving + graduating + undecided; nobody is lost and nobody doubled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Choice(StrEnum):
    """What becomes of a pupil; the values are those of the rows."""

    PROMOTED = "promoted"
    REPEATING = "repeating"
    LEFT = "left"
    TRANSFERRED = "transferred_out"
    GRADUATED = "graduated"

    @property
    def stays(self) -> bool:
        """Whether the pupil has a class in the new year."""
        return self in (Choice.PROMOTED, Choice.REPEATING)


CHOICE_NAMES: Mapping[Choice, tuple[str, str]] = {
    Choice.PROMOTED: ("Lên lớp", "Promoted"),
    Choice.REPEATING: ("Ở lại lớp", "Repeats"),
    Choice.LEFT: ("Thôi học", "Leaves school"),
    Choice.TRANSFERRED: ("Chuyển trường", "Goes to another school"),
    Choice.GRADUATED: ("Ra trường", "Graduates"),
}


@dataclass(frozen=True, slots=True)
class Decided:
    """A choice, with the class of the new year for who stays."""

    choice: Choice
    class_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A pupil of last year: the enrolment, what was decided, and whether it was carried out already.

    ``ends_on``: for who has a place in the new year by another way (a contract, a list that was read in) while last
    year's enrolment still runs, the day on which that one must end.
    """

    enrolment_id: UUID
    pupil_id: UUID
    decided: Decided | None = None
    done: bool = False
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pupils there were, and what becomes of them."""

    before: int
    promoted: int
    repeating: int
    leaving: int
    graduating: int
    undecided: int
    done: int

    @property
    def adds_up(self) -> bool:
        """Whether everybody is counted exactly once."""
        return self.before == self.promoted + self.repeating + self.leaving + self.graduating + self.undecided

    @property
    def waiting(self) -> int:
        """How many are decided and not yet carried out, or have a place while last year's enrolment still runs."""
        return self.before - self.undecided - self.done


def tally(pupils: Iterable[Standing]) -> Tally:
    """Count pupils by what becomes of them."""
    standing = list(pupils)
    choices = Counter(each.decided.choice if each.decided else None for each in standing)
    return Tally(
        before=len(standing),
        promoted=choices[Choice.PROMOTED],
        repeating=choices[Choice.REPEATING],
        leaving=choices[Choice.LEFT] + choices[Choice.TRANSFERRED],
        graduating=choices[Choice.GRADUATED],
        undecided=choices[None],
        done=sum(each.done and each.ends_on is None for each in standing),
    )


def new_places(pupils: Iterable[Standing]) -> dict[UUID, UUID]:
    """Return the new class by pupil, of those who are decided to stay and have no place yet.

    One place for each: raises ``ValueError`` when a pupil stands there twice.
    """
    places: dict[UUID, UUID] = {}
    for each in pupils:
        if each.done or each.decided is None or each.decided.class_id is None:
            continue
        if each.pupil_id in places:
            raise ValueError(f"pupil {each.pupil_id} stands in the list twice")
        places[each.pupil_id] = each.decided.class_id
    return places
