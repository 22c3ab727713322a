"""What shall stand in a province (pure): its authorities, schools and classes, and what is wrong with such a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from billing.errors import Refused
from billing.fees.caps import school_year
from billing.fees.items import Level, Ownership
from billing.fees.places import ZONE_NAMES

AUTHORITY_WORDS = ("department", "commune")
SCHOOL_WORDS = tuple(Ownership)
LEVEL_WORDS = tuple(Level)
ZONES = tuple(ZONE_NAMES)
MAX_CODE = 20
NEXT_YEAR = "next_year"  # from the next school year's first day of lessons, 1 September, on
_YEAR = re.compile(r"(20[0-9]{2})-(20[0-9]{2})")
# Preschool counts −3 (nhà trẻ), −2, −1, 0 (lá); then the grades 1 to 12.
_GRADES = {
    "preschool": range(-3, 1),
    "primary": range(1, 6),
    "lower_secondary": range(6, 10),
    "upper_secondary": range(10, 13),
    "continuing": range(1, 13),
}


@dataclass(frozen=True, slots=True)
class PlannedAuthority:
    """An authority below the province: ``department`` (Sở) or ``commune``."""

    kind: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class PlannedClass:
    """A class of one school year (``2025-2026``)."""

    school_year: str
    level: str
    grade: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class PlannedSchool:
    """A school; ``authority`` is the code of who supervises it, ``zone`` and ``legacy_area`` choose its caps.

    ``plans_required_from``: since when its rounds need an approved plan: a day (``2026-09-01``), *next_year*, or empty
    (not set). Public schools only.
    """

    code: str
    name: str
    kind: str
    levels: tuple[str, ...]
    zone: str
    legacy_area: str
    authority: str
    address: str
    phone: str
    budget_code: str | None = None
    classes: tuple[PlannedClass, ...] = ()
    plans_required_from: str = ""


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """A province (code, name) with its authorities and schools."""

    province: tuple[str, str]
    authorities: tuple[PlannedAuthority, ...] = ()
    schools: tuple[PlannedSchool, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """One fault of a plan: where (``schools[0].classes[2].level``), why, and what to do."""

    path: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason} {self.remedy}"


class BadPlan(Refused):
    """A plan with faults; all are listed and nothing was made."""

    def __init__(self, problems: Sequence[PlanProblem]) -> None:
        super().__init__("; ".join(map(str, problems)), problems=tuple(problems))
        self.problems = tuple(problems)


def grades_of(level: str) -> tuple[int, int]:
    """Return the lowest and the highest grade of a level."""
    grades = _GRADES[level]
    return grades[0], grades[-1]


def check_plan(plan: SetupPlan) -> None:
    """Raise ``BadPlan`` with every fault of the plan."""
    problems = list(_problems(plan))
    if problems:
        raise BadPlan(problems)


def _problems(plan: SetupPlan) -> Iterator[PlanProblem]:
    code, name = plan.province
    yield from _texts("province", code=code, name=name)
    seen = {code: "province"}
    for place, authority in enumerate(plan.authorities):
        path = f"authorities[{place}]"
        yield from _texts(path, code=authority.code, name=authority.name)
        yield from _word(f"{path}.kind", authority.kind, AUTHORITY_WORDS)
        yield from _double(f"{path}.code", authority.code, seen)
    schools: dict[str, str] = {}
    for place, school in enumerate(plan.schools):
        path = f"schools[{place}]"
        yield from _double(f"{path}.code", school.code, schools)
        if school.authority not in seen:
            known = ", ".join(sorted(seen))
            yield PlanProblem(
                f"{path}.authority", f"Không có cơ quan mã “{school.authority}”.", f"Ghi một trong: {known}."
            )
        yield from _school_problems(path, school)


def _school_problems(path: str, school: PlannedSchool) -> Iterator[PlanProblem]:
    yield from _texts(path, code=school.code, name=school.name, address=school.address, phone=school.phone)
    yield from _word(f"{path}.kind", school.kind, SCHOOL_WORDS)
    yield from _word(f"{path}.zone", school.zone, ZONES)
    yield from _required_from(f"{path}.plans_required_from", school)
    if not school.levels:
        yield PlanProblem(f"{path}.levels", "Trường chưa có cấp học.", "Ghi ít nhất một cấp học.")
    for place, level in enumerate(school.levels):
        yield from _word(f"{path}.levels[{place}]", level, LEVEL_WORDS)
    seen: dict[str, str] = {}
    for place, group in enumerate(school.classes):
        inner = f"{path}.classes[{place}]"
        yield from _double(f"{inner}.code", f"{group.school_year} {group.code.casefold()}", seen, shown=group.code)
        yield from _class_problems(inner, group, school.levels)


def required_from(school: PlannedSchool, today: date) -> date | None:
    """Return the day from which rounds of a school need an approved plan, None where none is set."""
    if school.plans_required_from == NEXT_YEAR:
        return date(school_year(today).start.year + 1, 9, 1)
    return date.fromisoformat(school.plans_required_from) if school.plans_required_from else None


def _required_from(path: str, school: PlannedSchool) -> Iterator[PlanProblem]:
    said = school.plans_required_from
    if said and school.kind != Ownership.PUBLIC:
        yield PlanProblem(path, "Trường ngoài công lập không bắt buộc kế hoạch thu.", "Bỏ mục này.")
    elif said and said != NEXT_YEAR and not _is_day(said):
        yield PlanProblem(path, f"“{said}” không phải ngày.", f"Ghi ngày dạng 2026-09-01, {NEXT_YEAR}, hoặc null.")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _class_problems(path: str, group: PlannedClass, levels: Sequence[str]) -> Iterator[PlanProblem]:
    yield from _texts(path, code=group.code, name=group.name)
    yield from _word(f"{path}.level", group.level, levels)
    found = _YEAR.fullmatch(group.school_year)
    if not found or int(found[2]) != int(found[1]) + 1:
        yield PlanProblem(f"{path}.school_year", f"Năm học “{group.school_year}” không đúng.", "Ghi dạng 2025-2026.")
    grades = _GRADES.get(group.level)
    if grades and group.grade not in grades:
        yield PlanProblem(
            f"{path}.grade",
            f"Khối {group.grade} không thuộc cấp học này.",
            f"Ghi từ {grades[0]} đến {grades[-1]}.",
        )


def _texts(path: str, **values: str) -> Iterator[PlanProblem]:
    for name, value in values.items():
        if not value.strip():
            yield PlanProblem(f"{path}.{name}", "Chưa điền.", "Điền mục này.")
        elif name == "code" and len(value) > MAX_CODE:
            yield PlanProblem(f"{path}.code", f"Mã dài hơn {MAX_CODE} ký tự.", "Rút ngắn mã.")


def _word(path: str, value: str, words: Iterable[str]) -> Iterator[PlanProblem]:
    listed = tuple(words)
    if value not in listed:
        yield PlanProblem(path, f"Không hiểu “{value}”.", f"Ghi một trong: {', '.join(listed)}.")


def _double(path: str, code: str, seen: dict[str, str], shown: str = "") -> Iterator[PlanProblem]:
    first = seen.setdefault(code, path)
    if first != path:
        yield PlanProblem(path, f"Mã “{shown or code}” đã có ở {first}.", "Mỗi mã chỉ dùng một lần.")
