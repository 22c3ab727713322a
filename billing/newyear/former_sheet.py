"""The file in which a former program hands its data over: a template, and its lines read one by one.

A line is a pupil and an item with what is still to be paid and what is kept. The pupil is found by the sector's code,
else by name, birth date and class; who could be two children is listed for a person and never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from billing.fees.sheets.cells import code_of, money_of
from billing.money import ZERO, Money
from billing.people.cells import CellError, birth_date_of, pupil_code_of, read, shown, text_of
from billing.people.imported import PUPIL_CODE, name_key
from billing.people.sheet_writing import Value, write_sheet
from billing.people.workbook import Cell, Column, Line, Upload

COLUMNS = (
    Column(
        "pupil_code",
        PUPIL_CODE,
        ("ma dinh danh bo gd dt", "ma dinh danh bo gddt", "ma dinh danh", "ma dinh danh hoc sinh"),
        required=False,
        telling=True,
    ),
    Column("full_name", "Họ tên học sinh", ("ho ten hoc sinh", "ho va ten hoc sinh", "ho ten", "ho va ten")),
    Column("birth_date", "Ngày sinh", ("ngay sinh", "ngay thang nam sinh"), required=False),
    Column("class_code", "Lớp", ("lop", "ma lop"), required=False),
    Column("old_code", "Mã ở phần mềm cũ", ("ma o phan mem cu", "ma cu", "ma hoc sinh"), required=False),
    Column("item", "Mã khoản thu", ("ma khoan thu", "ma khoan"), required=False),
    Column("due", "Còn phải nộp (đồng)", ("con phai nop dong", "con phai nop", "con thieu"), required=False),
    Column("credit", "Tiền tồn, nộp thừa (đồng)", ("tien ton nop thua dong", "tien ton nop thua", "tien ton"),
           required=False),
)  # fmt: skip
_EXAMPLES: tuple[list[Value], ...] = (
    ["7500000001", "Nguyễn Thị Ví Dụ", date(2018, 3, 14), "2A", "HS0001", "TIENAN", Money(320_000), None],
    ["7500000001", "Nguyễn Thị Ví Dụ", date(2018, 3, 14), "2A", "HS0001", "NUOCUONG", Money(10_000), None],
    ["", "Điểu Thử", date(2018, 11, 2), "2A", "HS0002", "TIENAN", None, Money(64_000)],
    ["", "Lê Mẫu", date(2017, 5, 20), "3A", "HS0003", "", None, Money(50_000)],
)
_OLD_CODE = re.compile(r"[0-9A-Za-zĐđ._/\-]{1,18}")


@dataclass(frozen=True, slots=True)
class FormerPupil:
    """A pupil of the school as it stands here; ``old_code`` is what the same program was known to call it."""

    enrolment_id: UUID
    pupil_id: UUID
    code: str
    full_name: str
    birth_date: date
    class_code: str
    old_code: str = ""


@dataclass(frozen=True, slots=True)
class FormerLine:
    """A line that was understood; no item: money paid too much, or only a code."""

    line: int
    enrolment_id: UUID
    pupil_id: UUID
    old_code: str
    item_code: str
    due: Money
    credit: Money


def template() -> bytes:
    """Return the file to fill in, with four invented lines."""
    return write_sheet("Số dư đầu kỳ", COLUMNS, _EXAMPLES)


class FormerReading:
    """The lines of one file against the school's pupils and items (``items``: code to name)."""

    def __init__(self, upload: Upload, pupils: Iterable[FormerPupil], items: Mapping[str, str], today: date) -> None:
        self._up = upload
        self._items = items
        self._today = today
        self._pupils = list(pupils)
        self._by_code = {each.code: each for each in self._pupils if each.code}
        self._by_name: dict[str, list[FormerPupil]] = defaultdict(list)
        for each in self._pupils:
            self._by_name[name_key(each.full_name)].append(each)
        self._known = {each.old_code: each for each in self._pupils if each.old_code}
        self._seen: dict[tuple[UUID, str], int] = {}
        self._codes: dict[str, UUID] = {}
        self.lines: list[FormerLine] = []

    def line(self, line: Line) -> None:
        """Take one line; note whatever is wrong with it."""
        before = len(self._up.problems)
        pupil = self._pupil(line)
        old_code = read(self._up, line, "old_code", _old_code_of) or ""
        item = read(self._up, line, "item", code_of) or ""
        due = read(self._up, line, "due", _amount_of) or ZERO
        credit = read(self._up, line, "credit", _amount_of) or ZERO
        if pupil is None or len(self._up.problems) > before:
            return
        self._check(line, pupil, old_code, item, due)
        if len(self._up.problems) == before:
            made = FormerLine(line.number, pupil.enrolment_id, pupil.pupil_id, old_code, item, due, credit)
            self.lines.append(made)

    def _pupil(self, line: Line) -> FormerPupil | None:
        before = len(self._up.problems)
        code = read(self._up, line, "pupil_code", pupil_code_of)
        name = read(self._up, line, "full_name", text_of, required=True)
        born = read(self._up, line, "birth_date", lambda cell: birth_date_of(cell, self._today, self._up.epoch))
        class_code = read(self._up, line, "class_code", text_of)
        if len(self._up.problems) > before or name is None:
            return None
        if code is not None:
            return self._of_code(line, code, name)
        return self._of_name(line, name, born, class_code)

    def _of_code(self, line: Line, code: str, name: str) -> FormerPupil | None:
        found = self._by_code.get(code)
        if found is None:
            self._up.report(line, "pupil_code", f"Trường không có học sinh mã {shown(code)}.",
                            "Sửa mã, hoặc nhập danh sách học sinh trước.")  # fmt: skip
        elif name_key(found.full_name) != name_key(name):
            self._up.report(line, "full_name", f"Mã {shown(code)} là của {shown(found.full_name)}.",
                            "Sửa mã hoặc họ tên cho khớp.")  # fmt: skip
            return None
        return found

    def _of_name(self, line: Line, name: str, born: date | None, class_code: str | None) -> FormerPupil | None:
        found = [
            each
            for each in self._by_name.get(name_key(name), [])
            if (born is None or each.birth_date == born)
            and (class_code is None or each.class_code.casefold() == class_code.casefold())
        ]
        if len(found) == 1 and born is not None and class_code is not None:
            return found[0]
        if not found:
            reason, remedy = f"Trường không có em {shown(name)} với ngày sinh và lớp này.", "Sửa họ tên, ngày sinh, lớp"
        elif len(found) > 1:
            reason, remedy = f"Có {len(found)} em cùng là {shown(name)}: không đoán được em nào.", "Xem lại từng em"
        else:
            reason, remedy = "Không có mã định danh thì cần đủ ngày sinh và lớp.", "Điền ngày sinh và lớp"
        self._up.report(line, "full_name", reason, f"{remedy}, hoặc điền “{PUPIL_CODE}”.")
        return None

    def _check(self, line: Line, pupil: FormerPupil, old_code: str, item: str, due: Money) -> None:
        """Note a line that says something twice, of an unknown item, or under somebody else's old code."""
        if due and not item:
            self._up.report(line, "item", "Có tiền còn phải nộp mà chưa ghi mã khoản thu.", "Điền mã khoản thu.")
        if item and item not in self._items:
            self._up.report(line, "item", f"Trường không có khoản phải nộp {shown(item)}.", "Sửa mã, hoặc thêm khoản.")
        first = self._seen.setdefault((pupil.pupil_id, item), line.number)
        if first != line.number:
            self._up.report(line, "item", f"Em này và khoản này đã có ở dòng {first}.", "Cộng lại thành một dòng.")
        if old_code:
            self._check_code(line, pupil, old_code)

    def _check_code(self, line: Line, pupil: FormerPupil, old_code: str) -> None:
        owner = self._codes.setdefault(old_code, pupil.pupil_id)
        known = self._known.get(old_code)
        if owner != pupil.pupil_id or (known is not None and known.pupil_id != pupil.pupil_id):
            self._up.report(line, "old_code", f"Mã cũ {shown(old_code)} là của em khác.", "Sửa mã cũ.")


def _old_code_of(cell: Cell) -> str:
    text = text_of(cell)
    if not _OLD_CODE.fullmatch(text):
        raise CellError(f"Mã cũ {shown(text)} không hợp lệ.", "Ghi tối đa 18 chữ, số, không dấu cách.")
    return text.upper()


def _amount_of(cell: Cell) -> Money:
    """Return đồng; a former program also writes 0 or a dash."""
    if str(cell.value).strip() in ("0", "0.0", "-", "0 đ", "0đ"):
        return ZERO
    return money_of(cell)
