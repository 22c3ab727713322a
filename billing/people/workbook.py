"""An uploaded XLSX as lines of cells (pure): limits before parsing, header row by scoring, hidden rows, merged cells.

Nothing is evaluated and nothing guessed: what cannot be read is a ``RowProblem`` with line, column, reason and remedy.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, cast

from openpyxl import load_workbook
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import WINDOWS_EPOCH
from openpyxl.workbook import Workbook

from billing.errors import BadRows, HocphiError, RowProblem
from billing.people.names import clean_text, search_key

MAX_FILE_BYTES = 10_000_000
MAX_UNPACKED_BYTES = 100_000_000
MAX_ROWS = 50_000
_MAX_MEMBERS = 1_000
_MAX_LINE = 200_000
_MAX_MERGES = 500
_HEADER_WITHIN = 30
_HEADER_SCORE = 4
_ALMOST_HEADER_SCORE = 2
_WHOLE_FILE = "Cả tệp"

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ROW_TAG = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_ROW_NUMBER = re.compile(rb'\br="([0-9]{1,7})"')
_MERGE = re.compile(
    rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"',
)
_COLUMN_NUMBER = re.compile(r"\(?[0-9]{1,2}\)?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column a sheet may have: our name, the label shown to people, its other headings (as ``search_key``).

    ``telling``: only a list of people has it. Catalogue sheets (Dân tộc, Quốc tịch, Tỉnh …) have none and are skipped.
    """

    field: str
    label: str
    headings: tuple[str, ...]
    required: bool = True
    kept: bool = True
    telling: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell, with openpyxl's kind: s text, n number, d date, b bool, e error, f formula."""

    value: object
    kind: str

    @property
    def empty(self) -> bool:
        """Say whether a person would see nothing in it."""
        if not isinstance(self.value, str):
            return self.value is None
        return not self.value[:1].isalnum() and not clean_text(self.value)  # most begin with something to be seen


@dataclass(frozen=True, slots=True)
class Line:
    """One filled line: its number in the sheet, the sheet (empty when there is only one), the kept cells by field."""

    number: int
    sheet: str
    cells: Mapping[str, Cell]


class _RawCell(Protocol):
    """A cell of openpyxl's streaming reader."""

    value: object
    data_type: str


class _Source(Protocol):
    """A sheet of openpyxl's streaming reader, with what its published types leave out."""

    title: str
    sheet_state: str
    _worksheet_path: str

    def reset_dimensions(self) -> None:
        """Forget the size the file claims."""

    def iter_rows(self, *, max_row: int | None = None, max_col: int | None = None) -> Iterator[Sequence[_RawCell]]:
        """Give every line from the first, empty ones too."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    source: _Source
    header_line: int
    places: Mapping[str, int]  # field → 0-based column, kept columns only
    name: str
    hidden: frozenset[int] = frozenset()
    merges: tuple[tuple[int, int, int, int], ...] = ()  # first column, first line, last column, last line, from 1

    def merged_places(self, line: int) -> list[tuple[int, int]]:
        """Return the first and last merged column (from 1) of each range over this line."""
        return [(c1, c2) for c1, first_line, c2, last_line in self.merges if first_line <= line <= last_line]


@dataclass(slots=True)
class Upload:
    """An opened file: iterate ``lines()``; ``problems`` grows on the way and must be looked at after the last."""

    columns: Sequence[Column]
    epoch: datetime = WINDOWS_EPOCH  # day 0 of its day numbers; old Macs count from 1904
    problems: list[RowProblem] = field(default_factory=list)
    _sheets: list[_Sheet] = field(default_factory=list)

    def lines(self) -> Iterator[Line]:
        """Give the filled lines under each header, sheet by sheet; raise ``BadRows`` beyond 50,000."""
        count = 0
        with _readable():
            for sheet in self._sheets:
                self._report_merges(sheet)
                for line in _filled_lines(sheet):
                    count += 1
                    if count > MAX_ROWS:
                        raise refused_file(
                            f"Tệp có hơn {MAX_ROWS:,} dòng.".replace(",", "."), "Chia thành nhiều tệp nhỏ hơn."
                        )
                    if line.number in sheet.hidden:
                        self._report_hidden(line)
                    yield line

    def label(self, field_name: str) -> str:
        """Return the label of a column."""
        return next(column.label for column in self.columns if column.field == field_name)

    def report(self, line: Line, field_name: str, reason: str, remedy: str) -> None:
        """Note one problem of one cell."""
        self.problems.append(RowProblem(line.number, in_sheet(self.label(field_name), line.sheet), reason, remedy))

    def refuse_if_bad(self) -> None:
        """Raise ``BadRows`` with every problem in the order of the file, if there is any."""
        if self.problems:
            lines = len({(problem.line, problem.column.partition(" (trang")[2]) for problem in self.problems})
            raise BadRows(f"Tệp có {len(self.problems)} chỗ cần sửa ở {lines} dòng; chưa lưu gì cả.", self.problems)

    def open(self, book: Workbook) -> None:
        """Find the header of every sheet; report sheets that are hidden, unclear or lack columns."""
        self.epoch = book.epoch
        found = [(sheet, _find_header(sheet, self.columns)) for sheet in cast(list[_Source], book.worksheets)]
        headed = [(sheet, *head) for sheet, head in found if head and len(head[1]) >= _HEADER_SCORE]
        several = len(headed) > 1
        for sheet, head in found:
            if head and _ALMOST_HEADER_SCORE <= len(head[1]) < _HEADER_SCORE and sheet.sheet_state == "visible":
                self._report_unclear(sheet.title, head[0])
        for sheet, line, places in headed:
            name = clean_text(sheet.title) if several else ""
            if sheet.sheet_state != "visible":
                self._add(line, in_sheet("Cả trang", name), "Trang tính này đang bị ẩn.", "Bỏ ẩn hoặc xóa trang tính.")
                continue
            self._report_columns(line, places, name)
            first = {name: cells[0] for name, cells in places.items()}
            kept = {
                column.field: first[column.field] for column in self.columns if column.kept and column.field in first
            }
            self._sheets.append(_with_layout(_Sheet(sheet, line, kept, name), book))
        if not headed and not self.problems:
            raise refused_file(
                "Không tìm thấy dòng tiêu đề trong các dòng đầu.",
                "Dùng tệp mẫu; dòng tiêu đề phải có: " + ", ".join(c.label for c in self.columns if c.required) + ".",
            )

    def _add(self, line: int, column: str, reason: str, remedy: str) -> None:
        self.problems.append(RowProblem(line, column, reason, remedy))

    def _report_unclear(self, title: str, line: int) -> None:
        reason = f"Không nhận ra dòng tiêu đề của trang “{clean_text(title)}”."
        self._add(
            line, in_sheet("Cả trang", clean_text(title)), reason, "Dùng tiêu đề của tệp mẫu, hoặc xóa trang này."
        )

    def _report_columns(self, line: int, places: Mapping[str, list[int]], name: str) -> None:
        for column in self.columns:
            label = in_sheet(column.label, name)
            if column.required and column.field not in places:
                remedy = f"Thêm cột “{column.label}” vào dòng tiêu đề (dòng {line})."
                self._add(line, label, f"Thiếu cột “{column.label}”.", remedy)
            elif column.kept and len(places.get(column.field, ())) > 1:
                self._add(line, label, f"Có hơn một cột “{column.label}”.", "Chỉ giữ lại một cột.")

    def _report_merges(self, sheet: _Sheet) -> None:
        for first_column, first_line, last_column, last_line in sheet.merges:
            touched = [name for name, place in sheet.places.items() if first_column <= place + 1 <= last_column]
            line = Line(max(first_line, sheet.header_line + 1), sheet.name, {})
            self.report(
                line,
                touched[0],
                f"Ô bị gộp (dòng {line.number} đến {last_line}).",
                "Bỏ gộp ô (Merge & Center) rồi điền đủ từng dòng.",
            )

    def _report_hidden(self, line: Line) -> None:
        self._add(
            line.number, in_sheet("Cả dòng", line.sheet), "Dòng đang bị ẩn.", "Bỏ lọc, bỏ ẩn dòng, hoặc xóa dòng."
        )


def open_upload(data: bytes, columns: Sequence[Column]) -> Upload:
    """Check the file's limits, open it and find its headers; raise ``BadRows`` if it is no readable XLSX."""
    _check_file(data)
    upload = Upload(columns)
    with _readable(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # openpyxl warns of features it skips; none holds data
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        upload.open(book)
    return upload


def refused_file(reason: str, remedy: str) -> BadRows:
    """Return the error for a file that is refused as a whole (line 0)."""
    return BadRows(f"{reason} {remedy}", [RowProblem(0, _WHOLE_FILE, reason, remedy)])


def in_sheet(label: str, sheet: str) -> str:
    """Return a column's label with its sheet, where there are several."""
    return f"{label} (trang “{sheet}”)" if sheet else label


def _check_file(data: bytes) -> None:
    remedy = "Mở tệp bằng Excel, chọn Lưu dưới dạng (Save As) “Excel Workbook (.xlsx)”, không đặt mật khẩu."
    if len(data) > MAX_FILE_BYTES:
        raise refused_file("Tệp lớn hơn 10 MB.", "Xóa hình ảnh, trang tính thừa hoặc chia thành nhiều tệp.")
    if data.startswith(_OLD_OFFICE):
        locked = "EncryptedPackage".encode("utf-16-le") in data
        raise refused_file("Tệp có mật khẩu." if locked else "Tệp là Excel kiểu cũ (.xls).", remedy)
    if not data.startswith(b"PK\x03\x04"):
        raise refused_file("Tệp không phải Excel (.xlsx).", remedy)
    with _readable(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        names = {member.filename.casefold() for member in members}
        if any(member.flag_bits & 1 for member in members):
            raise refused_file("Tệp có mật khẩu.", remedy)
        # A member is never unpacked beyond the size declared here, so this bound holds for liars too.
        if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
            raise refused_file("Tệp quá lớn khi giải nén (hơn 100 MB).", "Chép dữ liệu sang tệp mẫu mới rồi gửi lại.")
        if any(name.endswith("vbaproject.bin") for name in names):
            raise refused_file("Tệp có macro.", remedy)
        if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
            raise refused_file("Tệp không phải Excel (.xlsx).", remedy)


@contextmanager
def _readable() -> Iterator[None]:
    """Turn whatever a broken or hostile file makes the readers raise into one sentence for people."""
    try:
        yield
    except HocphiError:
        raise
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise refused_file(
            "Không đọc được tệp: tệp bị hỏng hoặc không đúng chuẩn.",
            "Mở bằng Excel hoặc LibreOffice, lưu lại thành .xlsx rồi gửi lại.",
        ) from error


def _find_header(sheet: _Source, columns: Sequence[Column]) -> tuple[int, dict[str, list[int]]] | None:
    """Return the line with most known headings among the first ones, and where each field stands."""
    sheet.reset_dimensions()  # other programs write wrong ones
    by_heading = {heading: column.field for column in columns for heading in column.headings}
    telling = {column.field for column in columns if column.telling}
    best: tuple[int, dict[str, list[int]]] | None = None
    for number, row in enumerate(sheet.iter_rows(max_row=_HEADER_WITHIN, max_col=100), start=1):
        places: dict[str, list[int]] = {}
        for place, cell in enumerate(row):
            if isinstance(cell.value, str) and (known := by_heading.get(_heading(cell.value))):
                places.setdefault(known, []).append(place)
        if places.keys() & telling and (best is None or len(places) > len(best[1])):
            best = number, places
    return best


def _heading(text: str) -> str:
    """Return a heading as compared: without stars, remarks in brackets, marks and case."""
    return search_key(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", text))


def _with_layout(sheet: _Sheet, book: Workbook) -> _Sheet:
    """Add hidden lines and merged ranges, which openpyxl's streaming reader does not tell."""
    path = sheet.source._worksheet_path  # noqa: SLF001  openpyxl has no public name for it
    xml = book._archive.read(path)  # type: ignore[attr-defined]  # noqa: SLF001  as above
    hidden = (
        number.group(1)
        for tag in _ROW_TAG.finditer(xml)
        if _HIDDEN.search(tag.group()) and (number := _ROW_NUMBER.search(tag.group()))
    )
    merges = list(_data_merges(sheet, _MERGE.findall(xml)))
    if len(merges) > _MAX_MERGES:
        raise refused_file(f"Tệp có hơn {_MAX_MERGES} ô gộp.", "Bỏ gộp tất cả các ô rồi điền đủ từng dòng.")
    return _Sheet(sheet.source, sheet.header_line, sheet.places, sheet.name, frozenset(map(int, hidden)), tuple(merges))


def _data_merges(sheet: _Sheet, found: Iterable[tuple[bytes, ...]]) -> Iterator[tuple[int, int, int, int]]:
    """Give the merged ranges that touch a kept column below the header; titles above may be merged."""
    for start, first, end, last in found:
        first_column, last_column = (column_index_from_string(letters.decode()) for letters in (start, end))
        first_line, last_line = int(first), int(last)
        touches = any(first_column <= place + 1 <= last_column for place in sheet.places.values())
        if touches and last_line > sheet.header_line:
            yield first_column, first_line, last_column, last_line


def _filled_lines(sheet: _Sheet) -> Iterator[Line]:
    last_column = max(sheet.places.values(), default=0) + 1
    places = sheet.places.items()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a date cell out of range becomes #VALUE!, reported as such
        for number, row in enumerate(sheet.source.iter_rows(max_col=last_column), start=1):
            if number > _MAX_LINE:
                raise refused_file(
                    "Tệp có dòng ở quá xa (sau dòng 200.000).", "Chép danh sách sang tệp mẫu mới rồi gửi lại."
                )
            if number <= sheet.header_line or not row:
                continue
            cells = {name: Cell(row[place].value, row[place].data_type) for name, place in places}
            filled = [cell for cell in cells.values() if not cell.empty]
            if filled and not (number == sheet.header_line + 1 and _numbers_columns(filled)):
                yield Line(number, sheet.name, _without_merged(sheet, number, cells) if sheet.merges else cells)


def _numbers_columns(filled: Sequence[Cell]) -> bool:
    """Say whether this is the line (1) (2) (3) … that some forms put under their header."""
    return len(filled) >= _HEADER_SCORE and all(_COLUMN_NUMBER.fullmatch(str(cell.value).strip()) for cell in filled)


def _without_merged(sheet: _Sheet, line: int, cells: Mapping[str, Cell]) -> Mapping[str, Cell]:
    """Leave out merged cells: each range is reported once, by itself."""
    merged = sheet.merged_places(line)
    if not merged:
        return cells
    return {
        name: cell
        for name, cell in cells.items()
        if not any(first <= sheet.places[name] + 1 <= last for first, last in merged)
    }
