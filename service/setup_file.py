"""A set-up file (JSON) becomes a plan (pure): every fault with its path inside the file, or the whole plan."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from billing.fees.items import Ownership
from service.setup_plan import (
    NEXT_YEAR,
    BadPlan,
    PlannedAuthority,
    PlannedClass,
    PlannedSchool,
    PlanProblem,
    SetupPlan,
    check_plan,
)

_WHOLE = "tệp"


@dataclass(frozen=True, slots=True)
class Administrator:
    """The first user, who makes the others."""

    login: str
    full_name: str


@dataclass(slots=True)
class _Reader:
    problems: list[PlanProblem] = field(default_factory=list)

    def fault(self, path: str, reason: str, remedy: str) -> None:
        self.problems.append(PlanProblem(path, reason, remedy))

    def item(self, value: object, path: str, known: tuple[str, ...]) -> Mapping[str, object]:
        """Return an object; note unknown names in it, since a misspelt name would be lost silently."""
        if not isinstance(value, dict):
            self.fault(path, "Phải là một đối tượng { … }.", "Xem tệp mẫu docs/setup-example.json.")
            return {}
        for name in value.keys() - set(known):
            inside = name if path == _WHOLE else f"{path}.{name}"
            self.fault(inside, "Không có mục này.", f"Dùng một trong: {', '.join(known)}.")
        return value

    def items(self, owner: Mapping[str, object], name: str, path: str) -> list[tuple[str, object]]:
        """Return the entries of a list with their paths; a missing list is empty."""
        value = owner.get(name, [])
        if not isinstance(value, list):
            self.fault(path, "Phải là một danh sách [ … ].", "Xem tệp mẫu docs/setup-example.json.")
            return []
        return [(f"{path}[{place}]", each) for place, each in enumerate(value)]

    def text(self, owner: Mapping[str, object], name: str, path: str, default: str | None = None) -> str:
        value = owner.get(name, default)
        if isinstance(value, str):
            return unicodedata.normalize("NFC", value.strip())
        if owner:  # of something that is no object only that is told
            said = "Thiếu mục này." if value is None else "Phải là chữ, trong ngoặc kép."
            self.fault(f"{path}.{name}", said, "Điền mục này; xem tệp mẫu docs/setup-example.json.")
        return ""

    def number(self, owner: Mapping[str, object], name: str, path: str) -> int:
        value = owner.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if owner:
            self.fault(f"{path}.{name}", "Phải là số nguyên, không có ngoặc kép.", "Ghi khối, ví dụ 1.")
        return 0


def read_setup_file(content: str) -> tuple[SetupPlan, Administrator | None]:
    """Read a set-up file; raises ``BadPlan`` with every fault. The administrator may be missing."""
    try:
        found = json.loads(content)
    except (json.JSONDecodeError, RecursionError) as error:
        place = f"{_WHOLE}, dòng {error.lineno}" if isinstance(error, json.JSONDecodeError) else _WHOLE
        problem = PlanProblem(place, "Không phải JSON.", "Kiểm tra dấu phẩy, ngoặc; xem docs/setup-example.json.")
        raise BadPlan([problem]) from None
    read = _Reader()
    top = read.item(found, _WHOLE, ("province", "authorities", "schools", "administrator"))
    plan = SetupPlan(
        province=_province(read, top),
        authorities=tuple(_authority(read, *each) for each in read.items(top, "authorities", "authorities")),
        schools=tuple(_school(read, *each) for each in read.items(top, "schools", "schools")),
    )
    administrator = _administrator(read, top)
    if read.problems:
        raise BadPlan(read.problems)
    check_plan(plan)
    return plan, administrator


def _province(read: _Reader, top: Mapping[str, object]) -> tuple[str, str]:
    if top and "province" not in top:
        read.fault("province", "Thiếu mục này.", "Ghi mã và tên tỉnh; xem tệp mẫu docs/setup-example.json.")
        return "", ""
    given = read.item(top.get("province", {}), "province", ("code", "name"))
    return read.text(given, "code", "province"), read.text(given, "name", "province")


def _administrator(read: _Reader, top: Mapping[str, object]) -> Administrator | None:
    if "administrator" not in top:
        return None
    path = "administrator"
    given = read.item(top["administrator"], path, ("login", "full_name"))
    found = Administrator(read.text(given, "login", path), read.text(given, "full_name", path))
    for name in ("login", "full_name"):
        if given.get(name) is not None and not getattr(found, name):
            read.fault(f"{path}.{name}", "Chưa điền.", "Điền mục này.")
    return found


def _authority(read: _Reader, path: str, value: object) -> PlannedAuthority:
    given = read.item(value, path, ("kind", "code", "name"))
    return PlannedAuthority(*(read.text(given, name, path) for name in ("kind", "code", "name")))


def _school(read: _Reader, path: str, value: object) -> PlannedSchool:
    texts = ("code", "name", "kind", "zone", "legacy_area", "authority", "address", "phone")
    given = read.item(value, path, (*texts, "levels", "budget_code", "classes", "plans_required_from"))
    said = {name: read.text(given, name, path, "" if name == "legacy_area" else None) for name in texts}
    levels = []
    for inner, level in read.items(given, "levels", f"{path}.levels"):
        if not isinstance(level, str):
            read.fault(inner, "Phải là chữ, trong ngoặc kép.", "Ghi cấp học, ví dụ “primary”.")
        levels.append(str(level))
    budget = given.get("budget_code")
    return PlannedSchool(
        **said,
        levels=tuple(levels),
        budget_code=None if budget is None else read.text(given, "budget_code", path),
        classes=tuple(_class(read, *each) for each in read.items(given, "classes", f"{path}.classes")),
        plans_required_from=_required_from(read, given, path),
    )


def _required_from(read: _Reader, school: Mapping[str, object], path: str) -> str:
    """Return since when a school needs plans: missing means the next year for a public one, null not yet."""
    default = NEXT_YEAR if school.get("kind") == Ownership.PUBLIC else ""
    if school.get("plans_required_from", default) is None:
        return ""
    return read.text(school, "plans_required_from", path, default)


def _class(read: _Reader, path: str, value: object) -> PlannedClass:
    given = read.item(value, path, ("school_year", "level", "grade", "code", "name"))
    code = read.text(given, "code", path)
    return PlannedClass(
        school_year=read.text(given, "school_year", path),
        level=read.text(given, "level", path),
        grade=read.number(given, "grade", path),
        code=code,
        name=read.text(given, "name", path, f"Lớp {code}"),
    )
