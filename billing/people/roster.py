"""A school's roster in the sector sheet's columns (pure): every row read, or every problem named; nothing in between.

Ethnicity, religion and the parents' birth years stand in such sheets but are not needed for fees: never read.
The column Huyện disappeared with the districts (1/7/2025); files with and without it are taken.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from billing.people.cells import (
    CellError,
    birth_date_of,
    citizen_number_of,
    name_of,
    pupil_code_of,
    read,
    shown,
    text_of,
)
from billing.people.names import clean_text, search_key
from billing.people.workbook import Cell, Column, Line, Upload, in_sheet, open_upload, refused_file

COLUMNS = (
    Column("number", "STT", ("stt", "tt", "so thu tu"), required=False, kept=False),
    Column("class_code", "Mã lớp", ("ma lop", "lop", "lop hoc", "ten lop")),
    Column(
        "moet_code",
        "Mã định danh Bộ GD&ĐT",
        (
            "ma dinh danh bo gd dt",
            "ma dinh danh bo gddt",
            "ma dinh danh bo giao duc va dao tao",
            "ma dinh danh",
            "ma dinh danh hoc sinh",
            "ma hoc sinh",
        ),
        telling=True,
    ),
    Column("full_name", "Họ tên", ("ho ten", "ho va ten", "ho ten hoc sinh", "ho va ten hoc sinh"), telling=True),
    Column("birth_date", "Ngày sinh", ("ngay sinh", "ngay thang nam sinh"), telling=True),
    Column("sex", "Giới tính", ("gioi tinh", "phai")),
    Column("ethnicity", "Dân tộc", ("dan toc",), required=False, kept=False),
    Column("religion", "Tôn giáo", ("ton giao",), required=False, kept=False),
    Column("nationality", "Quốc tịch", ("quoc tich",)),
    Column("province", "Tỉnh", ("tinh", "tinh thanh pho", "tinh tp", "tinh thanh")),
    Column("district", "Huyện", ("huyen", "quan huyen", "huyen thi xa"), required=False, kept=False),
    Column("commune", "Xã", ("xa", "xa phuong", "phuong xa", "xa phuong thi tran", "xa phuong dac khu")),
    Column("father_name", "Họ tên cha", ("ho ten cha", "ho va ten cha", "ho ten bo", "ho va ten bo")),
    Column("father_year", "Năm sinh cha", ("nam sinh cha", "nam sinh bo"), required=False, kept=False),
    Column("mother_name", "Họ tên mẹ", ("ho ten me", "ho va ten me")),
    Column("mother_year", "Năm sinh mẹ", ("nam sinh me",), required=False, kept=False),
    Column(
        "citizen_number",
        "Số ĐDCN",
        ("so ddcn", "ddcn", "so dinh danh ca nhan", "ma dinh danh ca nhan", "so dinh danh", "so cccd", "cccd"),
    ),
)
_NOT_A_PUPIL = ("class_code", "birth_date", "sex", "moet_code")


class Sex(StrEnum):
    """As written in the sector sheet."""

    MALE = "Nam"
    FEMALE = "Nữ"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One pupil of one class, as read; ``line`` (and ``sheet``, if there are several) say where it stood."""

    line: int
    class_code: str
    moet_code: str | None
    full_name: str
    birth_date: date
    sex: Sex
    nationality: str
    province: str
    commune: str
    father_name: str | None
    mother_name: str | None
    citizen_number: str | None
    sheet: str = ""


@dataclass(slots=True)
class _Seen:
    """Where codes and unnumbered pupils stood first, to name both lines of a double."""

    codes: dict[str, str] = field(default_factory=dict)
    citizens: dict[str, str] = field(default_factory=dict)
    unnumbered: dict[tuple[str, str, date], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reader:
    upload: Upload
    classes: dict[str, str]
    today: date
    seen: _Seen = field(default_factory=_Seen)

    def class_code_of(self, cell: Cell) -> str:
        text = text_of(cell)
        known = self.classes.get(text.casefold())
        if known is None:
            raise CellError(f"Không có lớp {shown(text)} trong trường.", "Sửa mã lớp, hoặc tạo lớp trước khi nhập.")
        return known

    def born(self, cell: Cell) -> date:
        return birth_date_of(cell, self.today, self.upload.epoch)

    def row(self, line: Line) -> RosterRow | None:
        """Read one line; None when anything in it is wrong (and noted)."""
        if _is_no_pupil(line):
            self.upload.report(
                line,
                "full_name",
                "Dòng này thiếu gần hết thông tin của một học sinh.",
                "Xóa dòng nếu không phải học sinh, hoặc điền đủ.",
            )
            return None
        up = self.upload
        known = len(up.problems)
        class_code = read(up, line, "class_code", self.class_code_of, required=True)
        moet_code = read(up, line, "moet_code", pupil_code_of)
        full_name = read(up, line, "full_name", name_of, required=True)
        birth_date = read(up, line, "birth_date", self.born, required=True)
        sex = read(up, line, "sex", _sex_of, required=True)
        nationality = read(up, line, "nationality", text_of) or "Việt Nam"
        province = read(up, line, "province", text_of) or ""
        commune = read(up, line, "commune", text_of) or ""
        father = read(up, line, "father_name", name_of)
        mother = read(up, line, "mother_name", name_of)
        citizen = read(up, line, "citizen_number", citizen_number_of)
        self._note_doubles(line, moet_code, citizen, (class_code, full_name, birth_date))
        if len(up.problems) > known or not (class_code and full_name and birth_date and sex):
            return None
        return RosterRow(
            line.number, class_code, moet_code, full_name, birth_date, sex,
            nationality, province, commune, father, mother, citizen, line.sheet,
        )  # fmt: skip

    def _note_doubles(
        self, line: Line, moet_code: str | None, citizen: str | None, who: tuple[str | None, str | None, date | None]
    ) -> None:
        here = in_sheet(f"dòng {line.number}", line.sheet)
        if moet_code and (first := self.seen.codes.setdefault(moet_code, here)) != here:
            self._double(line, "moet_code", f"Mã định danh {shown(moet_code)}", first)
        if citizen and (first := self.seen.citizens.setdefault(citizen, here)) != here:
            self._double(line, "citizen_number", f"Số định danh {shown(citizen)}", first)
        class_code, name, born = who
        if class_code and name and born and not moet_code and not citizen:
            first = self.seen.unnumbered.setdefault((class_code, name.casefold(), born), here)
            if first != here:
                self._double(line, "full_name", "Học sinh cùng lớp, họ tên, ngày sinh và không có mã", first)

    def _double(self, line: Line, field_name: str, what: str, first: str) -> None:
        self.upload.report(
            line, field_name, f"{what} đã có ở {first}.", "Mỗi học sinh chỉ một dòng: xóa dòng trùng hoặc sửa lại mã."
        )


def read_roster(data: bytes, class_codes: Collection[str], today: date) -> list[RosterRow]:
    """Read an uploaded roster; ``class_codes`` are the school's classes in the year it is for.

    Raises ``BadRows`` with every problem of the file (line 0 = the whole file); then nothing may be stored.
    """
    upload = open_upload(data, COLUMNS)
    classes = {clean_text(code).casefold(): code for code in class_codes}
    reader = _Reader(upload, classes, today)
    rows = [row for line in upload.lines() if (row := reader.row(line))]
    upload.refuse_if_bad()
    if not rows:
        raise refused_file("Không có học sinh nào dưới dòng tiêu đề.", "Điền danh sách học sinh rồi gửi lại.")
    return rows


def _is_no_pupil(line: Line) -> bool:
    """Say whether a line is a remark or a total rather than a pupil with something missing."""
    cells = line.cells
    blank = [name for name in ("full_name", *_NOT_A_PUPIL) if name in cells and cells[name].empty]
    return ("full_name" in blank and "birth_date" in blank) or len(blank) >= len(_NOT_A_PUPIL)


def _sex_of(cell: Cell) -> Sex:
    text = text_of(cell)
    known = {"nam": Sex.MALE, "nu": Sex.FEMALE}.get(search_key(text))
    if known is None:
        raise CellError(f"Giới tính {shown(text)} không có trong danh mục.", "Ghi “Nam” hoặc “Nữ”.")
    return known
