"""The invented schools' sheets: roster and contact sheet as XLSX, the same bytes every time.

``python -m service.demo.rosters --write service/demo/data`` writes them; the demonstration uploads them like any
school would. Each school fills in the sector's form in its own way, as schools do: stars or none, dates as text or
as dates, codes as numbers, one sheet or one per class, the obsolete column Huyện, decomposed letters, stray spaces.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from billing.people.contact_sheet import RELATION_WORDS, ContactRow
from billing.people.names import sort_key
from billing.people.roster import RosterRow
from service.demo.people_maker import MadeContact, MadePupil, make_people
from service.demo.schools import (
    PRESCHOOL,
    PRIMARY,
    PRIVATE,
    SCHOOL_YEAR,
    STORY_SCHOOLS,
    UPPER_SECONDARY,
    DemoSchool,
)

DATA = Path(__file__).parent / "data"

_STAMP = datetime(2025, 9, 5)  # noqa: DTZ001  the file format wants it without zone, and means UTC
_STAMP_TEXT = b"2025-09-05T00:00:00Z"
_HEADER_LINE = 5
_ROSTER_HEADINGS = (
    "STT", "Mã lớp*", "Mã định danh Bộ GD&ĐT", "Họ tên*", "Ngày sinh*", "Giới tính*", "Dân tộc", "Quốc tịch", "Tỉnh",
    "Huyện", "Xã", "Họ tên cha", "Năm sinh cha", "Họ tên mẹ", "Năm sinh mẹ", "Số ĐDCN",
)  # fmt: skip
_CONTACT_HEADINGS = (
    "STT", "Mã lớp", "Mã định danh Bộ GD&ĐT", "Họ tên học sinh", "Họ tên người liên hệ", "Quan hệ", "Điện thoại",
    "E-mail", "Nhận thông báo",
)  # fmt: skip
_WIDTHS = {"STT": 6, "Họ tên": 28, "Họ tên cha": 24, "Họ tên mẹ": 24, "E-mail": 38, "Mã định danh Bộ GD&ĐT": 24}
_DISTRICT = "Huyện"

Value = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a school fills in the form."""

    stars: bool = True
    district: bool = False
    sheet_per_class: bool = False
    date_cells: bool = False
    numbers: bool = False


_MANNERS = {
    PRIMARY.key: _Manner(),
    PRESCHOOL.key: _Manner(district=True, date_cells=True, numbers=True),
    UPPER_SECONDARY.key: _Manner(sheet_per_class=True),
    PRIVATE.key: _Manner(stars=False, date_cells=True),
}


def listed(school: DemoSchool, pupils: Sequence[MadePupil]) -> list[MadePupil]:
    """Return the pupils as a school lists them: class by class, in Vietnamese order."""
    place = {group.code: number for number, group in enumerate(school.classes)}
    return sorted(pupils, key=lambda pupil: (place[pupil.class_code], sort_key(pupil.full_name), pupil.birth_date))


def roster_rows(school: DemoSchool, pupils: Sequence[MadePupil]) -> list[RosterRow]:
    """Return what reading the school's roster gives, without making the sheet."""
    per_class = _manner(school).sheet_per_class
    return [
        RosterRow(
            line=line,
            class_code=pupil.class_code,
            moet_code=pupil.moet_code,
            full_name=pupil.full_name,
            birth_date=pupil.birth_date,
            sex=pupil.sex,
            nationality=pupil.nationality,
            province=pupil.province,
            commune=pupil.commune,
            father_name=pupil.father_name,
            mother_name=pupil.mother_name,
            citizen_number=pupil.citizen_number,
            sheet=pupil.class_code if per_class else "",
        )
        for group in _sheets(school, pupils)
        for line, pupil in enumerate(group, start=_HEADER_LINE + 1)
    ]


def contact_rows(school: DemoSchool, pupils: Sequence[MadePupil]) -> list[ContactRow]:
    """Return what reading the school's contact sheet gives, without making the sheet."""
    people = ((pupil, person) for pupil in listed(school, pupils) for person in pupil.contacts)
    return [
        ContactRow(line, pupil.moet_code, person.name, person.relation, person.phone, person.email, person.notices)
        for line, (pupil, person) in enumerate(people, start=_HEADER_LINE + 1)
    ]


def roster_sheet(school: DemoSchool, pupils: Sequence[MadePupil]) -> bytes:
    """Return the school's roster as XLSX."""
    manner = _manner(school)
    headings = [text for text in _ROSTER_HEADINGS if manner.district or text != _DISTRICT]
    if not manner.stars:
        headings = [text.rstrip("*") for text in headings]
    book = _book()
    for group in _sheets(school, pupils):
        title = group[0].class_code if manner.sheet_per_class else "Danh sách học sinh"
        lines = (_roster_line(manner, number, pupil) for number, pupil in enumerate(group, start=1))
        _fill(book.create_sheet(title), school, "DANH SÁCH HỌC SINH", headings, lines)
    _add_catalogue(book)
    return _same_bytes(book)


def contact_sheet(school: DemoSchool, pupils: Sequence[MadePupil]) -> bytes:
    """Return the school's contact sheet as XLSX."""
    people = [(pupil, person) for pupil in listed(school, pupils) for person in pupil.contacts]
    lines = (_contact_line(number, pupil, person) for number, (pupil, person) in enumerate(people, start=1))
    book = _book()
    _fill(book.create_sheet("Liên hệ"), school, "DANH SÁCH LIÊN HỆ GIA ĐÌNH", _CONTACT_HEADINGS, lines)
    return _same_bytes(book)


def shipped(school: DemoSchool) -> tuple[bytes, bytes]:
    """Return the shipped roster and contact sheet of a school of the story."""
    return (DATA / f"{school.key}-hoc-sinh.xlsx").read_bytes(), (DATA / f"{school.key}-lien-he.xlsx").read_bytes()


def write_all(folder: Path) -> list[Path]:
    """Write the sheets of the four schools; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    people = make_people(STORY_SCHOOLS)
    written = []
    for school in STORY_SCHOOLS:
        for ending, make in (("hoc-sinh", roster_sheet), ("lien-he", contact_sheet)):
            path = folder / f"{school.key}-{ending}.xlsx"
            path.write_bytes(make(school, people[school.code]))
            written.append(path)
    return written


def _manner(school: DemoSchool) -> _Manner:
    return _MANNERS.get(school.key, _Manner())


def _sheets(school: DemoSchool, pupils: Sequence[MadePupil]) -> list[list[MadePupil]]:
    everyone = listed(school, pupils)
    if not _manner(school).sheet_per_class:
        return [everyone]
    return [[pupil for pupil in everyone if pupil.class_code == group.code] for group in school.classes]


def _roster_line(manner: _Manner, number: int, pupil: MadePupil) -> list[Value]:
    born = datetime(*pupil.birth_date.timetuple()[:3])  # noqa: DTZ001  a day in a sheet has no zone
    district: list[Value] = [None] if manner.district else []
    return [
        number,
        pupil.class_code,
        int(pupil.moet_code) if manner.numbers else pupil.moet_code,
        _typed(pupil.full_name, number),
        born if manner.date_cells else f"{born:%d/%m/%Y}",
        pupil.sex.value,
        pupil.ethnicity,
        pupil.nationality,
        pupil.province,
        *district,
        pupil.commune,
        pupil.father_name,
        pupil.father_year,
        pupil.mother_name,
        pupil.mother_year,
        pupil.citizen_number,
    ]


def _contact_line(number: int, pupil: MadePupil, person: MadeContact) -> list[Value]:
    return [
        number,
        pupil.class_code,
        pupil.moet_code,
        pupil.full_name,
        person.name,
        RELATION_WORDS[person.relation].capitalize(),
        _written_phone(person.phone, number),
        person.email,
        "Có" if person.notices else "Không",
    ]


def _typed(name: str, number: int) -> str:
    """Return a name as some people's keyboards and habits write it."""
    if number % 37 == 0:
        return unicodedata.normalize("NFD", name)
    if number % 23 == 0:
        return name.replace(" ", "\u00a0 ") + " "
    return name


def _written_phone(phone: str | None, number: int) -> str | None:
    if phone is None:
        return None
    rest = phone.removeprefix("84")
    written = (
        f"0{rest}",
        f"0{rest[:2]} {rest[2:5]} {rest[5:]}",
        f"+84 {rest[:2]} {rest[2:]}",
        f"0{rest[:3]}.{rest[3:6]}.{rest[6:]}",
    )
    return written[number % len(written)]


def _fill(
    sheet: Worksheet, school: DemoSchool, title: str, headings: Sequence[str], lines: Iterator[list[Value]]
) -> None:
    sheet.append([school.name.upper()])
    sheet.append([f"{title} NĂM HỌC {SCHOOL_YEAR}"])
    sheet.append([school.address])
    sheet.append([])
    sheet.append(list(headings))
    for place, heading in enumerate(headings, start=1):
        head = sheet.cell(_HEADER_LINE, place)
        head.font, head.fill = Font(bold=True), PatternFill("solid", start_color="DDEBF7")
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(heading.rstrip("*"), 14)
    for place in (1, 2):
        sheet.merge_cells(start_row=place, end_row=place, start_column=1, end_column=len(headings))
        head = sheet.cell(place, 1)
        head.font = Font(bold=True, size=14)
    for line in lines:
        sheet.append(line)
        for place, value in enumerate(line, start=1):
            sheet.cell(sheet.max_row, place).number_format = _format(value)
    sheet.freeze_panes = f"A{_HEADER_LINE + 1}"


def _format(value: Value) -> str:
    if isinstance(value, datetime):
        return "dd/mm/yyyy"
    return "@" if isinstance(value, str) else "0"


def _add_catalogue(book: Workbook) -> None:
    """Add the catalogue sheet that the sector's form carries."""
    sheet = book.create_sheet("Danh mục")
    for line in (["Giới tính", "Quốc tịch"], ["Nam", "Việt Nam"], ["Nữ", "Khác"]):
        sheet.append(line)


def _book() -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "Hocphi"
    book.properties.created = _STAMP
    return book


def _same_bytes(book: Workbook) -> bytes:
    """Save without the clock: fixed times inside and outside, parts stored, since packed bytes differ by zlib."""
    draft, out = io.BytesIO(), io.BytesIO()
    book.save(draft)
    with zipfile.ZipFile(draft) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as kept:
        for name in made.namelist():
            part = made.read(name)
            if name == "docProps/core.xml":
                part = re.sub(
                    rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + f"{_STAMP:%Y-%m-%dT%H:%M:%SZ}".encode(), part
                )
            info = zipfile.ZipInfo(name)  # 1980-01-01, like every ZipInfo that is told nothing
            info.create_system = 0
            info.external_attr = 0o600 << 16
            kept.writestr(info, part)
    return out.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheets and name them."""
    parser = argparse.ArgumentParser(description="Write the invented schools' sheets.")
    parser.add_argument("--write", type=Path, required=True, metavar="FOLDER")
    for path in write_all(parser.parse_args(arguments).write):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
