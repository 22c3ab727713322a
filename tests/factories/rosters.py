"""Sheets as schools send them, built cell by cell so that a test can plant one fault."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from billing.errors import BadRows, RowProblem
from billing.people.contact_sheet import ContactRow, read_contacts
from billing.people.roster import RosterRow, read_roster

TODAY = date(2025, 9, 5)
CLASSES = frozenset({"1A", "1B", "Lá 2"})
ROSTER_HEADINGS = (
    "STT", "Mã lớp", "Mã định danh Bộ GD&ĐT", "Họ tên", "Ngày sinh", "Giới tính", "Dân tộc", "Quốc tịch", "Tỉnh", "Xã",
    "Họ tên cha", "Năm sinh cha", "Họ tên mẹ", "Năm sinh mẹ", "Số ĐDCN",
)  # fmt: skip
GOOD = (
    1, "1A", "7500123456", "Nguyễn Thị Minh Anh", "05/09/2019", "Nữ", "Kinh", "Việt Nam", "Đồng Nai",
    "Phường Bình Long",    "Nguyễn Văn An", 1985, "Lê Thị Bình", 1988, "099319000001",
)  # fmt: skip
CONTACT_HEADINGS = (
    "STT", "Mã định danh Bộ GD&ĐT", "Họ tên học sinh", "Họ tên người liên hệ", "Quan hệ", "Điện thoại", "E-mail",
    "Nhận thông báo",
)  # fmt: skip
GOOD_CONTACT = (1, "7500123456", "Nguyễn Thị Minh Anh", "Lê Thị Bình", "Mẹ", "0500123456", "le.binh@example.com", "Có")


def pupil(number: int = 1, /, **changes: object) -> list[Any]:
    """Return a good roster line, the ``number``-th of its file, with changed cells by heading."""
    line = list(GOOD)
    line[0], line[2], line[14] = number, f"75{number:08}", f"0993{number:08}"
    for heading, value in changes.items():
        line[ROSTER_HEADINGS.index(heading)] = value
    return line


def contact(**changes: object) -> list[Any]:
    """Return a good contact line with changed cells by heading."""
    line: list[Any] = list(GOOD_CONTACT)
    for heading, value in changes.items():
        line[CONTACT_HEADINGS.index(heading)] = value
    return line


def sheet_file(
    lines: Sequence[Sequence[object]],
    headings: Sequence[str] = ROSTER_HEADINGS,
    *,
    titles: int = 0,
    dress: Callable[[Worksheet], None] | None = None,
) -> bytes:
    """Return a one-sheet XLSX: title lines, headings, lines; ``dress`` may change the sheet before it is saved."""
    return book_file({"Sheet1": [*([f"Tiêu đề {n}"] for n in range(titles)), headings, *lines]}, dress)


def book_file(
    sheets: Mapping[str, Sequence[Sequence[object]]], dress: Callable[[Worksheet], None] | None = None
) -> bytes:
    """Return an XLSX with these sheets, ``dress`` applied to each."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, lines in sheets.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(list(line))
        if dress:
            dress(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return the XLSX with each part put through ``change(name, content)``."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def long_file(cells: Mapping[str, str], count: int) -> bytes:
    """Return a roster with the usual headings and ``count`` equal lines, made by text since openpyxl takes minutes."""

    def add_lines(name: str, part: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return part
        line = "".join(f'<c r="{column}%d" t="str"><v>{value}</v></c>' for column, value in cells.items())
        rows = "".join(f'<row r="{n}">{line.replace("%d", str(n))}</row>' for n in range(2, count + 2))
        return part.replace(b"</sheetData>", rows.encode() + b"</sheetData>")

    return repacked(sheet_file([]), add_lines)


def with_shared_strings(data: bytes) -> bytes:
    """Return the file as Excel itself writes it: texts in a table of their own (openpyxl writes them in place)."""
    texts: list[bytes] = []

    def share(found: re.Match[bytes]) -> bytes:
        texts.append(found[2])
        return found[1] + b't="s"><v>%d</v></c>' % (len(texts) - 1)

    def change(name: str, part: bytes) -> bytes:
        return re.sub(rb'(<c [^>]*)t="inlineStr"><is>(<t.*?</t>)</is></c>', share, part) if "sheets/" in name else part

    shared = repacked(data, change)
    items = b"".join(b"<si>%s</si>" % text for text in texts)
    table = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>' % items
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    entry = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind

    def register(name: str, part: bytes) -> bytes:
        return part.replace(b"</Types>", entry) if name == "[Content_Types].xml" else part

    out = io.BytesIO(repacked(shared, register))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", table)
    return out.getvalue()


def read(data: bytes) -> list[RosterRow]:
    """Read a roster of the usual classes on the usual day."""
    return read_roster(data, CLASSES, TODAY)


def read_people(data: bytes) -> list[ContactRow]:
    """Read a contact sheet for the usual pupil."""
    return read_contacts(data, {"7500123456": "Nguyễn Thị Minh Anh"})


def problems(data: bytes, reader: Callable[[bytes], object] = read) -> list[tuple[int, str]]:
    """Return line and column of every problem; none if the file is taken. Each must carry reason and remedy."""
    found = faults(data, reader)
    assert all(problem.reason and problem.remedy for problem in found)
    return [(problem.line, problem.column) for problem in found]


def faults(data: bytes, reader: Callable[[bytes], object] = read) -> list[RowProblem]:
    """Return what a reader finds wrong; nothing if the file is taken."""
    try:
        reader(data)
    except BadRows as refused:
        return refused.problems
    return []


def reason(data: bytes, reader: Callable[[bytes], object] = read) -> str:
    """Return reason and remedy of the only problem of a file."""
    (problem,) = faults(data, reader)
    return f"{problem.reason} {problem.remedy}"
