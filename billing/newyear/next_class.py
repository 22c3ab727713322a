"""The class after a class (pure): by its number (1A → 2A), else by grade where only one class can be meant.

Preschools name their classes as they like (Mầm 1, Hoa Hồng), so only the grade tells what follows: nhà trẻ, mầm, chồi,
lá (−3 to 0). A school need not have all of them: what follows is the next grade that it has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from billing.fees.grades import PRESCHOOL_GRADES, Rung, goes_out, level_after, oldest_group
from billing.fees.items import Level
from billing.newyear.years import class_after

_LA = PRESCHOOL_GRADES[1]


def next_grade(level: Level, grade: int, new: Iterable[Rung]) -> int:
    """Return the grade into which children go on: one on; in a preschool the next one that has a class next year."""
    if level is Level.PRESCHOOL and grade < _LA:
        older = (rung.grade for rung in new if rung.level is Level.PRESCHOOL and rung.grade > grade)
        return min(older, default=grade + 1)
    return grade + 1


def usual_class(old: Rung, new: Collection[Rung], levels: frozenset[Level]) -> Rung | None:
    """Return the class that usually follows, if there is one: 2A after 1A, else the only class of the next grade.

    With two classes and neither named after the old one nobody but the school knows, so there is none.
    """
    step = level_after(old.level, old.grade, levels), next_grade(old.level, old.grade, new)
    above = [rung for rung in new if (rung.level, rung.grade) == step]
    code = class_after(old.code, old.grade)
    named = [rung for rung in above if rung.code == code]
    return named[0] if named else above[0] if len(above) == 1 else None


def usually_leaves(old: Rung, last_year: Iterable[Rung], new: Collection[Rung], levels: frozenset[Level]) -> bool:
    """Tell whether a class usually leaves the school.

    A preschool whose oldest group is younger than lá may be growing: before its new classes stand nobody can tell.
    """
    if old.level is Level.PRESCHOOL and old.grade < _LA and oldest_group(new) is None:
        return False
    return goes_out(old.level, old.grade, oldest_group((*last_year, *new)), levels)
