"""Grades and levels of schools (pure): what they are called, what follows, and where children leave a school."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

from billing.fees.items import Level

# From which grade to which a level goes; preschool has names of its own instead of grades that count on.
GRADES = {
    Level.PRIMARY: (1, 5),
    Level.LOWER_SECONDARY: (6, 9),
    Level.UPPER_SECONDARY: (10, 12),
    Level.CONTINUING: (10, 12),
}
# Nhà trẻ -3, mầm -2, chồi -1, lá 0: the grades by which classes of a preschool are kept, as ``setup`` takes them.
PRESCHOOL_GRADES = (-3, 0)
_PRESCHOOL_NAMES = {-3: "nhà trẻ", -2: "mầm", -1: "chồi", 0: "lá"}
_AFTER = {Level.PRIMARY: Level.LOWER_SECONDARY, Level.LOWER_SECONDARY: Level.UPPER_SECONDARY}


class Graded(Protocol):
    """A class as a row has it; ``level`` is one of ``Level``."""

    @property
    def level(self) -> str:
        """The level's key."""

    @property
    def grade(self) -> int:
        """−3 to 12."""

    @property
    def code(self) -> str:
        """Unique within school and year."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A class as a step of the school: its level, grade and code (unique within its year)."""

    level: Level
    grade: int
    code: str

    @classmethod
    def of(cls, group: Graded) -> Self:
        """Return the rung of a class."""
        return cls(Level(group.level), group.grade, group.code)


def oldest_group(rungs: Iterable[Rung]) -> int | None:
    """Return the grade of the oldest children of a preschool; none where there is no class of a preschool."""
    return max((rung.grade for rung in rungs if rung.level is Level.PRESCHOOL), default=None)


def goes_out(level: Level, grade: int, oldest: int | None, levels: frozenset[Level]) -> bool:
    """Tell whether children of this grade leave the school at the year's end: after the last grade that it has.

    ``oldest`` is the oldest group of its preschool (``oldest_group``). Who goes on to the next level in the same house
    does not go out.
    """
    if level is Level.PRESCHOOL and grade < PRESCHOOL_GRADES[1]:
        return oldest is not None and grade >= oldest
    return level_after(level, grade, levels) is None


def level_after(level: Level, grade: int, levels: frozenset[Level]) -> Level | None:
    """Return the level of the next grade at a school of these levels; none after the last grade of the last level."""
    if level is Level.PRESCHOOL:
        below = grade < PRESCHOOL_GRADES[1]
        return Level.PRESCHOOL if below else Level.PRIMARY if Level.PRIMARY in levels else None
    if grade < GRADES[level][1]:
        return level
    following = _AFTER.get(level)
    return following if following in levels else None


def grades_of(levels: Iterable[Level]) -> tuple[int, ...]:
    """Return all grades of these levels, the youngest first."""
    ranges = (GRADES.get(level, PRESCHOOL_GRADES) for level in levels)
    return tuple(sorted({grade for low, high in ranges for grade in range(low, high + 1)}))


def grade_of(text: str) -> int | None:
    """Return the grade that a text says, ``-3`` to ``12``; None when it says none."""
    return int(text) if re.fullmatch(r"-[1-3]|0?[0-9]|1[0-2]", text) else None


def grade_name(grade: int) -> str:
    """Return how people say a grade: ``mầm`` for −2, ``5`` for 5."""
    return _PRESCHOOL_NAMES.get(grade, str(grade))


def first_grade(level: Level, grade: int, levels: frozenset[Level]) -> bool:
    """Tell whether new pupils come into this grade, so that its classes are made again."""
    if level not in GRADES:
        return True
    before = [each for each, after in _AFTER.items() if after is level]
    return grade == GRADES[level][0] and not any(each in levels for each in before)
