"""One cell of a statement: an amount or a day, or an error; never a guess and never 0 for the unreadable (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from billing.money import Money
from billing.payments.reference import drop_marks
from reconciliation.feeds.base import PLAUSIBLE_YEARS

_UNIT = re.compile(r"\s*(?:VND|VNĐ|đồng|đ)\.?$", re.IGNORECASE)
_PLAIN = re.compile(r"[0-9]+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*")
_DECIMAL = re.compile(r"(.+)[.,](0{1,2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\.0+)?")
_DAY_AND_MONTH = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})")
_PERIOD_DAY = re.compile(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SCIENTIFIC = re.compile(r"[0-9][.,][0-9]+E\+?[0-9]+", re.IGNORECASE)
_ACCOUNT = re.compile(r"[0-9]{6,19}(?=VN[DĐ]|$|[^0-9A-Za-z])|[0-9A-Za-z]{6,19}")
_GROUPED_ACCOUNT = re.compile(r"([0-9]+(?: [0-9]+)+|[0-9]{2,}(?:[.-][0-9]{3,})+|[0-9]+) ?(?:VN[DĐ])?")
_RUN = re.compile(r"(?<![0-9A-Za-z])[0-9]{8,19}(?=VN[DĐ]|(?![0-9A-Za-z]))")  # beside an owner's name
_EXCEL_KEEPS = 10**15  # Excel keeps 15 digits of a number and makes zeros of the rest
_MOST = 10**19  # no account has more digits
_DOUBLE_KEEPS = 2**53  # a double keeps every whole number up to here
_EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  a wall clock in the bank's own time
_EXCEL_DAYS = range(20_000, 80_000)  # 1954 to 2119: any other number is no day
_MAX_DIGITS = 16
_SMALLEST_MOVED = 1_000


def fold(value: object) -> str:
    """Return a cell's text for comparing: small letters without marks, single blanks."""
    return " ".join(drop_marks("" if value is None else str(value)).lower().split())


def is_empty(value: object) -> bool:
    """Tell whether a cell holds nothing; a lone dash is what some banks print for nothing."""
    return value is None or (isinstance(value, str) and value.strip() in {"", "-"})


def read_amount(value: object) -> Money:
    """Read an amount in đồng; nothing is 0 đ, what cannot be read raises ``ValueError``.

    Number cells; ``2,100,000.00``, ``500.000``, ``574.195,00``; a trailing VND. When both separators occur the
    last is the decimal one. One separator followed by three digits groups thousands, as the đồng has no decimals.
    """
    if is_empty(value):
        return Money(0)
    if isinstance(value, str):
        text = _UNIT.sub("", value.strip().replace("\xa0", "")).strip()
        sign = -1 if text.startswith("-") else 1
        return Money(sign * _digits(text[1:].lstrip() if text[:1] in {"-", "+"} else text))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Money(_whole(value))
    raise ValueError("không phải là số tiền")


def read_moment(value: object) -> tuple[date, datetime | None]:
    """Read a day and, where the cell tells it, the bank's wall clock; raises ``ValueError``.

    dd/mm/yyyy (never mm/dd), ISO, both with or without time; date cells; Excel's serial numbers.
    """
    day, moment = _read_cell(value)
    if day.year not in PLAUSIBLE_YEARS:
        raise ValueError("năm không hợp lý")
    return day, moment


def has_day(row: Iterable[object]) -> bool:
    """Tell whether a cell of a row is a day; a bare number is none."""
    return any(isinstance(cell, date) or (isinstance(cell, str) and _is_day(cell)) for cell in row)


def has_sum(row: Iterable[object]) -> bool:
    """Tell whether a cell of a row is a sum of at least 1,000 đ: nobody moves less, and counts are smaller."""
    return any(_is_sum(cell) for cell in row)


def _is_day(text: str) -> bool:
    try:
        read_moment(text)
    except ValueError:
        return False
    return True


def _is_sum(cell: object) -> bool:
    try:
        return not isinstance(cell, date) and abs(read_amount(cell).dong) >= _SMALLEST_MOVED
    except ValueError:
        return False


def read_day_of(value: object, period: tuple[date, date] | None) -> date:
    """Read dd-mm without a year: of the statement's period; raises ``ValueError`` unless one year fits."""
    match = _DAY_AND_MONTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or period is None:
        raise ValueError(
            "không phải là ngày" if match is None else "không rõ năm: sao kê không ghi kỳ (từ ngày, đến ngày)"
        )
    fitting = []
    for year in range(period[0].year, period[1].year + 1):
        try:
            day = date(year, int(match[2]), int(match[1]))
        except ValueError:
            continue
        if period[0] <= day <= period[1]:
            fitting.append(day)
    if len(fitting) != 1:
        raise ValueError("không nằm trong kỳ của sao kê")
    return fitting[0]


def read_period(text: str) -> tuple[date, date] | None:
    """Find "từ ngày … đến ngày …" in the text of a row; None when it tells no period."""
    words = f" {fold(text)} "
    if not ((" tu " in words and " den " in words) or (" from " in words and " to " in words)):
        return None
    days = [_read_text(found)[0] for found in _PERIOD_DAY.findall(words)][:2]
    return (days[0], days[1]) if len(days) > 1 and days[0] <= days[1] else None


def read_account(value: object) -> tuple[str, bool] | None:
    """Read an account's number, and whether zeros in front of it may be lost; None where there is none.

    A number cell is believed only where every digit is certain: Excel rounds to 15 digits, a double to 2^53. Raises
    ``ValueError`` for a number that may have been rounded; it is never taken for the account.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return _from_whole(value), True
    if isinstance(value, float):
        return _from_double(value), True
    text = str(value).strip().lstrip("'").replace("\xa0", " ")
    if match := _GROUPED_ACCOUNT.fullmatch(text):
        text = re.sub(r"[ .-]", "", match[1])
    runs = _RUN.findall(text)
    if len(runs) == 1 and not text[:1].isdigit():
        return runs[0], False
    text = text.replace(" ", "")
    if _SCIENTIFIC.fullmatch(text):
        raise ValueError(_ROUNDED)
    match = _ACCOUNT.match(text)
    return (match[0], False) if match and any(map(str.isdigit, match[0])) else None


def plain_account(text: str) -> str | None:
    """Return an account as it is stored, without the blanks, dots or currency a bank prints; None where there is none.

    Blanks and dots are left out only between groups of digits; what else follows a blank is no part of the number.
    """
    text = " ".join(text.split())
    if match := _GROUPED_ACCOUNT.fullmatch(text):
        return re.sub(r"[ .-]", "", match[1])
    return text.split(" ")[0] or None


_ROUNDED = "số tài khoản lưu ở dạng số nên đã mất chữ số: hãy tải lại bản gốc, hoặc định dạng ô là chữ (Text)"


def _from_double(value: float) -> str:
    if not (0 < value < _EXCEL_KEEPS and value.is_integer()):
        raise ValueError(_ROUNDED)
    return str(int(value))


def _from_whole(value: int) -> str:
    rounded_by_a_double = _DOUBLE_KEEPS <= value < _MOST and int(float(value)) == value
    rounded_by_excel = _EXCEL_KEEPS <= value < _DOUBLE_KEEPS and value % 10 == 0
    if not 0 < value < _MOST or rounded_by_a_double or rounded_by_excel:
        raise ValueError(_ROUNDED)
    return str(value)


def _read_cell(value: object) -> tuple[date, datetime | None]:
    if isinstance(value, datetime):
        clock = value.replace(microsecond=0)
        return clock.date(), clock if clock.time() != datetime.min.time() else None
    if isinstance(value, date):
        return value, None
    if isinstance(value, int | float) and not isinstance(value, bool) and _EXCEL_DAYS.start <= value < _EXCEL_DAYS.stop:
        moment = _EXCEL_ZERO + timedelta(seconds=round(value * 86_400))
        return moment.date(), moment if moment.time() != datetime.min.time() else None
    if isinstance(value, str):
        return _read_text(value.strip())
    raise ValueError("không phải là ngày")


def _whole(value: float) -> int:
    if not float(value).is_integer():
        raise ValueError("số tiền có phần lẻ của đồng")
    return int(value)


def _digits(text: str) -> int:
    if ("." in text and "," in text) or _too_few_for_groups(text):
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise ValueError("không đọc được số tiền")
        text = match[1]
    if not (_PLAIN.fullmatch(text) or _GROUPED.fullmatch(text)) or len(text) > _MAX_DIGITS * 2:
        raise ValueError("không đọc được số tiền")
    number = re.sub(r"[.,]", "", text)
    if len(number) > _MAX_DIGITS:
        raise ValueError("số tiền quá lớn")
    return int(number)


def _too_few_for_groups(text: str) -> bool:
    """Tell whether the last separator is followed by one or two digits and so can only be decimal."""
    last = max(text.rfind("."), text.rfind(","))
    return last >= 0 and len(text) - last - 1 in {1, 2}


def _read_text(text: str) -> tuple[date, datetime | None]:
    day_text, _, clock_text = text.replace("T", " ").partition(" ")
    if match := _DAY_FIRST.fullmatch(day_text):
        day = date(int(match[3]), int(match[2]), int(match[1]))
    elif match := _YEAR_FIRST.fullmatch(day_text):
        day = date(int(match[1]), int(match[2]), int(match[3]))
    else:
        raise ValueError("không đọc được ngày")
    if not clock_text.strip():
        return day, None
    clock = _CLOCK.fullmatch(clock_text.strip())
    if clock is None:
        raise ValueError("không đọc được giờ")
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    return day, datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001  as above
