"""What stands in one cell (pure): text, codes and dates, or the reason and the remedy in plain Vietnamese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from openpyxl.utils.datetime import WINDOWS_EPOCH, from_excel

from billing.people.names import clean_text
from billing.people.workbook import Cell, Line, Upload

T = TypeVar("T")

MAX_TEXT = 200
MAX_NAME = 120
_MAX_AGE_YEARS = 70
_MAX_EXACT_NUMBER = 10**15  # Excel keeps 15 digits of a number
_SHOWN = 40

_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.\-])([0-9]{1,2})\2([0-9]{4})")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{2}")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_IN_NAMES = frozenset(" '’ʼ‘`´.-")
_MONTHS = 12
_CITIZEN_DIGITS = 12
_WRITE_DATE = "Viết ngày sinh theo dạng ngày/tháng/năm, ví dụ 05/09/2019."


class CellError(ValueError):
    """A cell cannot be taken: ``reason`` and ``remedy`` for the accountant."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def read(upload: Upload, line: Line, field: str, take: Callable[[Cell], T], *, required: bool = False) -> T | None:
    """Take one cell; note its problem in the upload, or that it is missing, and return None then."""
    cell = line.cells.get(field)
    if cell is None:  # the whole column is missing or the cell is merged: already reported
        return None
    if cell.empty:
        if required:
            label = upload.label(field)
            upload.report(line, field, f"Chưa điền “{label}”.", f"Điền “{label}”.")
        return None
    try:
        return take(cell)
    except CellError as error:
        upload.report(line, field, error.reason, error.remedy)
        return None


def shown(value: object) -> str:
    """Return a cell's value in Vietnamese quotes, cut to a readable length."""
    text = clean_text(str(value))
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


def text_of(cell: Cell, longest: int = MAX_TEXT) -> str:
    """Return clean NFC text; a whole number becomes its digits; formulas, errors and dates are refused."""
    _refuse_live(cell)
    if isinstance(cell.value, str):
        text = clean_text(cell.value)
    elif isinstance(cell.value, int | float):
        text = _digits(cell.value)
    else:
        raise CellError("Ô đang ở dạng ngày tháng.", "Đổi định dạng ô sang Văn bản (Text) rồi gõ lại.")
    if len(text) > longest:
        raise CellError(f"Nội dung dài hơn {longest} ký tự.", "Rút ngắn nội dung của ô.")
    return text


def name_of(cell: Cell) -> str:
    """Return a person's name: letters of any people, spaces, apostrophes, hyphens, dots."""
    text = text_of(cell, MAX_NAME)
    if not text[:1].isalpha() or not all(map(_fits_name, text)):  # also what was nothing but invisible signs
        raise CellError(
            f"Họ tên {shown(text)} có ký tự không dùng trong tên.", "Chỉ ghi họ tên, không ghi số hay dấu khác."
        )
    return text


def pupil_code_of(cell: Cell) -> str:
    """Return the sector's pupil code: up to 20 letters or digits; a number must still show all its ten digits."""
    text = text_of(cell)
    if not re.fullmatch(r"[0-9A-Za-z]{4,20}", text):
        raise CellError(
            f"Mã định danh {shown(text)} không hợp lệ.", "Ghi đúng mã trên cơ sở dữ liệu ngành, không dấu cách."
        )
    if not isinstance(cell.value, str) and len(text) < 10:  # noqa: PLR2004  ten digits
        raise CellError(
            "Mã định danh ở dạng số, có thể đã mất số 0 ở đầu.",
            "Đổi định dạng ô sang Văn bản (Text) rồi gõ lại đủ 10 số.",
        )
    return text.upper()


def citizen_number_of(cell: Cell) -> str:
    """Return the 12 digits of a personal number; one stored as a number has lost its zeros and is refused."""
    remedy = "Đổi định dạng ô sang Văn bản (Text) rồi gõ lại đủ 12 số; nếu chưa có số thì để trống."
    text = text_of(cell).replace(" ", "")
    if not isinstance(cell.value, str):
        raise CellError("Số định danh ở dạng số nên mất số 0 ở đầu.", remedy)
    if not re.fullmatch(r"[0-9]{12}", text):
        raise CellError(f"Số định danh {shown(text)} không đủ {_CITIZEN_DIGITS} chữ số.", remedy)
    return text


def birth_date_of(cell: Cell, today: date, epoch: datetime = WINDOWS_EPOCH) -> date:
    """Return a birth date from a date cell, an Excel day number or dd/mm/yyyy text; nothing ambiguous is guessed."""
    _refuse_live(cell)
    if isinstance(cell.value, datetime):
        born = cell.value.date()
    elif isinstance(cell.value, int | float):
        born = _from_serial(cell.value, epoch)
    elif isinstance(cell.value, str):
        born = _from_text(re.sub(r"\s*([/.\-])\s*", r"\1", clean_text(cell.value)))
    else:
        raise CellError("Ô chỉ có giờ, không có ngày.", _WRITE_DATE)
    if born > today:
        raise CellError(f"Ngày sinh {born:%d/%m/%Y} ở tương lai.", "Kiểm tra lại năm sinh.")
    if born.year < today.year - _MAX_AGE_YEARS:
        raise CellError(f"Ngày sinh {born:%d/%m/%Y} quá xa so với tuổi đi học.", "Kiểm tra lại năm sinh.")
    return born


def _fits_name(char: str) -> bool:
    return char.isalpha() or char in _IN_NAMES or unicodedata.combining(char) > 0


def _refuse_live(cell: Cell) -> None:
    if cell.kind == "f":
        raise CellError("Ô chứa công thức.", "Chép ô rồi dán dạng giá trị (Paste Special › Values), hoặc gõ lại.")
    if cell.kind == "e":
        raise CellError(f"Ô đang báo lỗi {shown(cell.value)}.", "Gõ lại giá trị đúng.")
    if isinstance(cell.value, bool):
        raise CellError("Ô chứa TRUE/FALSE.", "Gõ lại giá trị đúng.")


def _digits(value: float) -> str:
    if value != int(value) or abs(value) >= _MAX_EXACT_NUMBER:
        raise CellError(
            f"Ô chứa số {shown(value)}, không phải văn bản.", "Đổi định dạng ô sang Văn bản (Text) rồi gõ lại."
        )
    return str(int(value))


def _from_serial(value: float, epoch: datetime) -> date:
    if _YEAR.fullmatch(f"{value:g}"):
        raise CellError(f"Ngày sinh chỉ ghi năm {shown(f'{value:g}')}.", _WRITE_DATE)
    try:
        moment = from_excel(value, epoch)
    except (ValueError, OverflowError):
        moment = None
    if value != int(value) or value < 1 or not isinstance(moment, datetime):
        raise CellError(f"Ngày sinh là con số {shown(f'{value:.15g}')}.", _WRITE_DATE)
    return moment.date()


def _from_text(text: str) -> date:
    if found := _ISO_DAY.fullmatch(text):
        return _day(text, *map(int, found.groups()))
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
        if month > _MONTHS >= day:
            raise CellError(
                f"Ngày sinh {shown(text)} viết tháng trước ngày.",
                f"Nếu là {month:02}/{day:02}/{year} thì viết như vậy; kiểm tra cả cột vì ngày khác có thể cũng bị đảo.",
            )
        return _day(text, year, month, day)
    if _SHORT_YEAR.fullmatch(text):
        raise CellError(f"Ngày sinh {shown(text)} chỉ có hai số của năm.", "Ghi đủ bốn số của năm, ví dụ 05/09/2019.")
    if _YEAR.fullmatch(text):
        raise CellError(f"Ngày sinh chỉ ghi năm {shown(text)}.", _WRITE_DATE)
    raise CellError(f"Không hiểu ngày sinh {shown(text)}.", _WRITE_DATE)


def _day(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise CellError(f"Không có ngày {shown(text)} trong lịch.", _WRITE_DATE) from None
