"""Pupils of one school year as the lines of a sheet name them: by sector code, else by class and name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import Session, col, select

from billing.people.cells import pupil_code_of, read, shown, text_of
from billing.people.imported import PUPIL_CODE, name_key
from billing.people.names import SortKey, sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode
from billing.people.workbook import Column, Line, Upload

PUPIL_COLUMNS = (
    Column(
        "pupil_code",
        PUPIL_CODE,
        ("ma dinh danh bo gd dt", "ma dinh danh bo gddt", "ma dinh danh", "ma dinh danh hoc sinh", "ma hoc sinh"),
        telling=True,
    ),
    Column("full_name", "Họ tên học sinh", ("ho ten hoc sinh", "ho va ten hoc sinh", "ho ten", "ho va ten")),
    Column("class_code", "Lớp", ("lop", "ma lop"), required=False),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A pupil of the year, with the class of the latest placement; ``stays``: all its enrolments of the year."""

    enrolment_id: UUID
    code: str
    full_name: str
    class_code: str
    stays: tuple[UUID, ...]

    @property
    def newest(self) -> bool:
        """Whether this is the pupil's last enrolment of the year, which a line of a sheet means."""
        return self.enrolment_id == self.stays[-1]

    @property
    def place(self) -> tuple[str, SortKey, str]:
        """Where the pupil stands in a list of the school."""
        return self.class_code, sort_key(self.full_name), self.code


@dataclass(frozen=True, slots=True)
class Pupils:
    """All pupils of a school in one school year, found by what a line says."""

    by_enrolment: Mapping[UUID, Known]
    by_code: Mapping[str, Known] = field(init=False)
    by_name: Mapping[tuple[str, str], list[Known]] = field(init=False)

    def __post_init__(self) -> None:
        known = [each for each in self.by_enrolment.values() if each.newest]
        object.__setattr__(self, "by_code", {each.code: each for each in known if each.code})
        by_name: dict[tuple[str, str], list[Known]] = defaultdict(list)
        for each in known:
            by_name[each.class_code.casefold(), name_key(each.full_name)].append(each)
        object.__setattr__(self, "by_name", by_name)

    def read(self, up: Upload, line: Line) -> Known | None:
        """Return the pupil that a line means; None when it is not clear which (and that is noted)."""
        before = len(up.problems)
        code = read(up, line, "pupil_code", pupil_code_of)
        name = read(up, line, "full_name", text_of, required=True)
        class_code = read(up, line, "class_code", text_of)
        if len(up.problems) > before or name is None:
            return None
        if code is None:
            return self._by_name(up, line, name, class_code or "")
        found = self.by_code.get(code)
        if found is None:
            reason = f"Không có học sinh mã {shown(code)} trong năm học này."
            up.report(line, "pupil_code", reason, "Sửa mã, hoặc nhập danh sách học sinh trước.")
        elif name_key(found.full_name) != name_key(name):
            reason = f"Mã {shown(code)} là của {shown(found.full_name)}, không phải {shown(name)}."
            up.report(line, "full_name", reason, "Sửa mã hoặc họ tên cho khớp với danh sách học sinh.")
            return None
        return found

    def _by_name(self, up: Upload, line: Line, name: str, class_code: str) -> Known | None:
        found = self.by_name.get((class_code.casefold(), name_key(name)), [])
        if len(found) == 1:
            return found[0]
        reason = (
            f"Có {len(found)} học sinh tên {shown(name)} ở lớp {shown(class_code)}."
            if found
            else (f"Lớp {shown(class_code)} không có học sinh {shown(name)}.")
        )
        up.report(line, "pupil_code", reason, f"Điền “{PUPIL_CODE}”, hoặc sửa họ tên và lớp.")
        return None


def read_pupils(session: Session, school_id: UUID, school_year: str) -> Pupils:
    """Return the pupils of a school in a school year."""
    rows = session.exec(
        select(Enrolment.id, Enrolment.pupil_id, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .where(Enrolment.school_id == school_id, Enrolment.school_year == school_year)
        .order_by(col(Enrolment.started_on))
    ).all()
    classes = session.exec(
        select(ClassPlacement.enrolment_id, ClassGroup.code)
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(ClassPlacement.school_id == school_id, ClassGroup.school_year == school_year)
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    codes = session.exec(
        select(PupilCode.pupil_id, PupilCode.code)
        .join(Enrolment, col(Enrolment.pupil_id) == col(PupilCode.pupil_id))
        .where(Enrolment.school_id == school_id, Enrolment.school_year == school_year, PupilCode.kind == "moet")
        .order_by(col(PupilCode.valid_from), col(PupilCode.id))
    ).all()
    class_of, code_of = dict(classes), dict(codes)  # the latest wins
    stays: dict[UUID, tuple[UUID, ...]] = {}
    for key, pupil, _ in rows:
        stays[pupil] = (*stays.get(pupil, ()), key)
    return Pupils(
        {
            key: Known(key, code_of.get(pupil, ""), name, class_of.get(key, ""), stays[pupil])
            for key, pupil, name in rows
        }
    )
