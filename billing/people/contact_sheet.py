"""The contact sheet that goes with a roster (pure): who of a pupil's family is told what, and how they are reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from billing.people.cells import CellError, name_of, pupil_code_of, read, shown, text_of
from billing.people.names import search_key
from billing.people.workbook import Cell, Column, Line, Upload, in_sheet, open_upload, refused_file

COLUMNS = (
    Column("number", "STT", ("stt", "tt", "so thu tu"), required=False, kept=False),
    Column("class_code", "Mã lớp", ("ma lop", "lop"), required=False, kept=False),
    Column(
        "pupil_code",
        "Mã định danh Bộ GD&ĐT",
        ("ma dinh danh bo gd dt", "ma dinh danh bo gddt", "ma dinh danh", "ma dinh danh hoc sinh", "ma hoc sinh"),
        telling=True,
    ),
    Column(
        "pupil_name",
        "Họ tên học sinh",
        ("ho ten hoc sinh", "ho va ten hoc sinh", "ten hoc sinh", "hoc sinh"),
        required=False,
    ),
    Column(
        "guardian_name",
        "Họ tên người liên hệ",
        (
            "ho ten nguoi lien he",
            "ho va ten nguoi lien he",
            "nguoi lien he",
            "ho ten phu huynh",
            "ho va ten phu huynh",
            "phu huynh",
            "ho ten nguoi giam ho",
        ),
        telling=True,
    ),
    Column("relation", "Quan hệ", ("quan he", "quan he voi hoc sinh", "moi quan he")),
    Column("phone", "Điện thoại", ("dien thoai", "so dien thoai", "sdt", "di dong", "dt di dong")),
    Column("email", "E-mail", ("e mail", "email", "thu dien tu", "dia chi e mail", "dia chi email")),
    Column("notices", "Nhận thông báo", ("nhan thong bao", "nguoi nhan thong bao", "nhan tin", "nhan tin nhan")),
)

_PHONE_REMEDY = "Ghi một số di động 10 chữ số, bắt đầu bằng 03, 05, 07, 08 hoặc 09; người khác ghi thành dòng mới."
_MOBILE = re.compile(r"(?:\+?84|0084|0)?([35789][0-9]{8})")
_OLD_MOBILE = re.compile(r"(?:\+?84|0)?1[0-9]{9}")
_LANDLINE = re.compile(r"(?:\+?84|0)?2[0-9]{9}")
_SEVERAL = re.compile(r"[0-9][^/;,]{7,}[/;,]|[0-9]{9,}\s+(?:-|hoặc|và)\s*[0-9]{9,}")
_EMAIL = re.compile(r"[a-z0-9._%+'-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
LONGEST_EMAIL = 254


class Relation(StrEnum):
    """What the person is to the pupil, as stored; the Vietnamese word is for display."""

    FATHER = "father"
    MOTHER = "mother"
    GRANDFATHER = "grandfather"
    GRANDMOTHER = "grandmother"
    SIBLING = "sibling"
    RELATIVE = "relative"
    GUARDIAN = "guardian"


RELATION_WORDS = {
    Relation.FATHER: "cha",
    Relation.MOTHER: "mẹ",
    Relation.GRANDFATHER: "ông",
    Relation.GRANDMOTHER: "bà",
    Relation.SIBLING: "anh, chị",
    Relation.RELATIVE: "người thân",
    Relation.GUARDIAN: "người giám hộ",
}
_READ_AS = {
    Relation.FATHER: ("cha", "bố", "ba", "cha đẻ", "bố đẻ", "tía"),
    Relation.MOTHER: ("mẹ", "má", "mẹ đẻ"),
    Relation.GRANDFATHER: ("ông", "ông nội", "ông ngoại"),
    Relation.GRANDMOTHER: ("bà", "bà nội", "bà ngoại"),
    Relation.SIBLING: ("anh", "chị", "anh trai", "chị gái", "anh, chị", "anh/chị"),
    Relation.RELATIVE: ("cô", "dì", "chú", "bác", "cậu", "mợ", "thím", "dượng", "người thân"),
    Relation.GUARDIAN: ("người giám hộ", "giám hộ", "người đỡ đầu", "cha dượng", "mẹ kế"),
}
# Compared with their marks: without them "ba" (father), "bà" and "bá" would be one word.
_RELATIONS = {word: relation for relation, words in _READ_AS.items() for word in words}
_YES = frozenset({"co", "x", "yes", "1", "dung"})
_NO = frozenset({"khong", "no", "0", "ko"})


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One person of one pupil's family; ``phone`` is ``84…`` without plus, ``email`` lower-case."""

    line: int
    pupil_code: str
    guardian_name: str
    relation: Relation
    phone: str | None
    email: str | None
    notices: bool
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class _Reader:
    upload: Upload
    pupils: Mapping[str, str]
    seen: dict[tuple[str, str, Relation], str] = field(default_factory=dict)

    def pupil_code(self, cell: Cell) -> str:
        code = pupil_code_of(cell)
        if code not in self.pupils:
            raise CellError(
                f"Không có học sinh mã {shown(code)} trong danh sách.", "Sửa mã, hoặc nhập danh sách học sinh trước."
            )
        return code

    def row(self, line: Line) -> ContactRow | None:
        """Read one line; None when anything in it is wrong (and noted)."""
        up = self.upload
        known = len(up.problems)
        code = read(up, line, "pupil_code", self.pupil_code, required=True)
        pupil_name = read(up, line, "pupil_name", text_of)
        guardian = read(up, line, "guardian_name", name_of, required=True)
        relation = read(up, line, "relation", _relation_of, required=True)
        phone = read(up, line, "phone", phone_of)
        email = read(up, line, "email", email_of)
        notices = read(up, line, "notices", _yes_of, required=True)
        if code and pupil_name:
            self._compare_name(line, code, pupil_name)
        if code and guardian and relation:
            self._note_double(line, (code, guardian.casefold(), relation))
        if len(up.problems) == known and notices and not (phone or email):
            up.report(
                line,
                "notices",
                "Nhận thông báo nhưng không có điện thoại hay e-mail.",
                "Điền một cách liên hệ, hoặc ghi “Không”.",
            )
        if len(up.problems) > known or not (code and guardian and relation and notices is not None):
            return None
        return ContactRow(line.number, code, guardian, relation, phone, email, notices, line.sheet)

    def _compare_name(self, line: Line, code: str, name: str) -> None:
        expected = self.pupils[code]
        if search_key(name) != search_key(expected):
            self.upload.report(
                line,
                "pupil_name",
                f"Mã {shown(code)} là của {shown(expected)}, không phải {shown(name)}.",
                "Sửa mã hoặc họ tên cho khớp với danh sách học sinh.",
            )

    def _note_double(self, line: Line, key: tuple[str, str, Relation]) -> None:
        here = in_sheet(f"dòng {line.number}", line.sheet)
        first = self.seen.setdefault(key, here)
        if first != here:
            self.upload.report(
                line, "guardian_name", f"Người này đã có cho học sinh này ở {first}.", "Xóa một trong hai dòng."
            )


def read_contacts(data: bytes, pupils: Mapping[str, str]) -> list[ContactRow]:
    """Read an uploaded contact sheet; ``pupils`` maps the known pupil codes to full names.

    Raises ``BadRows`` with every problem of the file; then nothing may be stored.
    """
    upload = open_upload(data, COLUMNS)
    reader = _Reader(upload, pupils)
    rows = [row for line in upload.lines() if (row := reader.row(line))]
    upload.refuse_if_bad()
    if not rows:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền danh sách liên hệ rồi gửi lại.")
    return rows


def phone_of(cell: Cell) -> str:
    """Return a Vietnamese mobile number as ``84`` and nine digits; the zero Excel drops from a number is put back."""
    return phone_from(text_of(cell))


def phone_from(text: str) -> str:
    """Return a mobile number written in any usual way as ``84…``; raises ``CellError``."""
    digits = re.sub(r"[\s.()\-\u2010-\u2015]", "", text)
    if found := _MOBILE.fullmatch(digits):
        return "84" + found[1]
    if _SEVERAL.search(text):
        raise CellError(f"Ô có nhiều số điện thoại {shown(text)}.", _PHONE_REMEDY)
    if _LANDLINE.fullmatch(digits):
        raise CellError(f"{shown(text)} là số máy bàn, không nhận được tin nhắn.", _PHONE_REMEDY)
    if _OLD_MOBILE.fullmatch(digits):
        raise CellError(f"{shown(text)} là số 11 chữ số kiểu cũ (đã đổi đầu số năm 2018).", _PHONE_REMEDY)
    raise CellError(f"Số điện thoại {shown(text)} không đúng.", _PHONE_REMEDY)


def email_of(cell: Cell) -> str:
    """Return an e-mail address in lower case."""
    return email_from(text_of(cell, LONGEST_EMAIL))


def email_from(text: str) -> str:
    """Return an e-mail address as it is kept; raises ``CellError``."""
    text = text.strip().lower()
    if not _EMAIL.fullmatch(text) or ".." in text:
        raise CellError(
            f"Địa chỉ e-mail {shown(text)} không đúng.", "Ghi một địa chỉ, không dấu, ví dụ ten@example.com."
        )
    return text


def _relation_of(cell: Cell) -> Relation:
    text = text_of(cell)
    known = _RELATIONS.get(text.casefold())
    if known is None:
        words = ", ".join(RELATION_WORDS.values())
        raise CellError(f"Quan hệ {shown(text)} không có trong danh mục.", f"Ghi một trong: {words}.")
    return known


def _yes_of(cell: Cell) -> bool:
    text = text_of(cell)
    key = search_key(text)
    if key not in _YES | _NO:
        raise CellError(f"Nhận thông báo {shown(text)} không rõ.", "Ghi “Có” hoặc “Không”.")
    return key in _YES
