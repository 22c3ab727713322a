"""What of a round must stand in an approved plan, and at which price (pure).

Source: service prices within the council's caps and agreed items both need a plan with an estimate, the parents'
agreement and a decision before a public school collects them. Money that is passed on (health insurance), the State's
tuition and what a private school agrees in its contracts need none; donations are never charged at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations

from billing.errors import Refused
from billing.fees.items import LEVEL_NAMES, UNIT_NAMES, Group, Level, Ownership, Unit
from billing.money import Money

PLANNED_GROUPS = frozenset({Group.SERVICE, Group.AGREED})
_VIET_NAM = timedelta(hours=7)


def local_day(now: datetime) -> date:
    """Return the day it is in Viet Nam at a moment in UTC."""
    return (now + _VIET_NAM).date()


class NotPlanned(Refused):
    """A round would collect what no approved plan holds, or at a higher price."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a round would collect from ``day`` on: one unit of an item at a price, from pupils of a level and grade."""

    code: str
    name: str
    unit: Unit
    price: Money
    day: date
    level: Level
    grade: int


@dataclass(frozen=True, slots=True)
class Audience:
    """The levels and grades that a planned price is for; empty ones mean all."""

    levels: frozenset[Level] = frozenset()
    grades: frozenset[int] = frozenset()

    def holds(self, level: Level, grade: int) -> bool:
        """Tell whether pupils of this level and grade are meant."""
        return (not self.levels or level in self.levels) and (not self.grades or grade in self.grades)

    def meets(self, other: Audience) -> bool:
        """Tell whether some pupils may be meant by both."""
        return all(
            not ours or not theirs or bool(ours & theirs)
            for ours, theirs in ((self.levels, other.levels), (self.grades, other.grades))
        )

    def __str__(self) -> str:
        """Say who is meant, ``tiểu học, khối 1, 2``; nothing for everybody."""
        levels = [LEVEL_NAMES[level] for level in Level if level in self.levels]
        grades = [f"khối {', '.join(map(str, sorted(self.grades)))}"] if self.grades else []
        return ", ".join([*levels, *grades])


EVERYBODY = Audience()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a plan allows for an item: a unit and the most that it may cost, for some pupils or for all."""

    unit: Unit
    price: Money
    audience: Audience = EVERYBODY


@dataclass(frozen=True, slots=True)
class Approved:
    """An approved plan: its version, the first day on which it holds, and its items by code, once for each audience."""

    version: int
    valid_from: date
    items: Mapping[str, Sequence[Allowed]]


def needs_plan(ownership: Ownership, group: Group, day: date, required_from: date | None) -> bool:
    """Tell whether an item of this group must stand in a plan on a day; without ``required_from`` none must."""
    if required_from is None or day < required_from:
        return False
    return ownership is Ownership.PUBLIC and group in PLANNED_GROUPS


def in_force(plans: Collection[Approved], day: date) -> Approved | None:
    """Return the newest version that holds on a day, if there is one; an older one holds until the next begins."""
    holding = [plan for plan in plans if plan.valid_from <= day]
    return max(holding, key=lambda plan: plan.version, default=None)


def problem_of(asked: Asked, plans: Collection[Approved]) -> str | None:
    """Say what is wrong with collecting this, and the remedy; nothing when a plan in force allows it."""
    plan = in_force(plans, asked.day)
    if plan is None:
        return f"{asked.name}: ngày {asked.day:%d/%m/%Y} chưa có kế hoạch thu được duyệt"
    held = plan.items.get(asked.code, ())
    allowed = next((each for each in held if each.audience.holds(asked.level, asked.grade)), None)
    if allowed is None:
        whom = f" cho {LEVEL_NAMES[asked.level]} khối {asked.grade}" if held else ""
        return f"{asked.name}: không có{whom} trong kế hoạch thu lần {plan.version}"
    if allowed.unit is not asked.unit:
        return (
            f"{asked.name}: kế hoạch thu lần {plan.version} tính theo {UNIT_NAMES[allowed.unit]},"
            f" đợt thu tính theo {UNIT_NAMES[asked.unit]}"
        )
    if asked.price > allowed.price:
        whom = f" cho {allowed.audience}" if allowed.audience != EVERYBODY else ""
        return f"{asked.name}: mức thu {asked.price} cao hơn kế hoạch thu lần {plan.version} ({allowed.price}{whom})"
    return None


def clash_of(audiences: Sequence[Audience]) -> tuple[Audience, Audience] | None:
    """Return two audiences of one item that may mean the same pupil, who would then have two prices."""
    return next((pair for pair in combinations(audiences, 2) if pair[0].meets(pair[1])), None)


def refuse_problems(asked: Collection[Asked], plans: Collection[Approved]) -> None:
    """Raise ``NotPlanned`` with every item that no plan allows."""
    problems = {each: problem for each in asked if (problem := problem_of(each, plans))}
    if problems:
        raise NotPlanned(
            "Chưa được thu theo kế hoạch thu: "
            + "; ".join(dict.fromkeys(problems.values()))
            + ". Hãy lập kế hoạch thu có khoản này, đúng mức thu, và nhập quyết định duyệt (trang Kế hoạch thu),"
            " hoặc hạ mức thu, bỏ khoản này khỏi đợt thu.",
            items=list(dict.fromkeys(each.code for each in problems)),
        )
