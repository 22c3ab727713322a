"""What people type into the fields of a form, read with care, and the day it is for them (pure)."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from billing.errors import Refused
from billing.fees.grades import grade_of
from billing.money import Money
from billing.visible import is_blank

_MOST_DIGITS = 12
_LOCAL = timezone(timedelta(hours=7))


def school_day(now: datetime) -> date:
    """Return the day it is in Viet Nam."""
    return now.astimezone(_LOCAL).date()


def clean(words: str) -> str:
    """Return words in NFC with single blanks, as they are kept; nothing where nothing of them can be read."""
    return "" if is_blank(words) else " ".join(unicodedata.normalize("NFC", words).split())


def read_day(text: str) -> date | None:
    """Return the day of a date field (``2025-10-06``), nothing for an empty one; raises ``Refused`` otherwise."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused(f"“{text.strip()}” không phải ngày. Xin chọn lại ngày.") from error


def read_money(text: str) -> Money:
    """Return the đồng that ``1.250.000 đ``, ``1 250 000`` or ``1250000`` say; raises ``Refused`` for anything else."""
    bare = re.sub(r"(đồng|vnđ|vnd|đ|₫)\s*$", "", text.strip().lower()).strip()
    plain = re.fullmatch(r"[0-9]+", bare)
    grouped = re.fullmatch(r"[0-9]{1,3}(([., \u00a0])[0-9]{3})(\2[0-9]{3})*", bare)
    if not plain and not grouped:
        raise Refused(f"“{text.strip()}” không phải số tiền. Xin ghi số đồng, ví dụ 320.000.")
    digits = re.sub(r"\D", "", bare)
    if len(digits) > _MOST_DIGITS:
        raise Refused(f"Số tiền {text.strip()} quá lớn. Xin kiểm tra lại số chữ số.")
    return Money(int(digits))


def read_percent(text: str) -> int | None:
    """Return a whole percentage, nothing for an empty field; raises ``Refused`` for anything but 1 to 100."""
    bare = text.strip().removesuffix("%").strip()
    if not bare:
        return None
    if not re.fullmatch(r"[0-9]{1,3}", bare) or not 1 <= int(bare) <= 100:  # noqa: PLR2004  a whole in hundredths
        raise Refused(f"“{text.strip()}” không phải tỷ lệ. Xin ghi số nguyên từ 1 đến 100.")
    return int(bare)


def read_grades(text: str) -> frozenset[int]:
    """Return the grades in a text like ``6, 7``; raises ``Refused`` for what is no grade."""
    words = [word for word in re.split(r"[,;\s]+", text.strip()) if word]
    wrong = [word for word in words if grade_of(word) is None]
    if wrong:
        raise Refused(
            f"“{wrong[0]}” không phải khối. Xin ghi số khối, cách nhau bằng dấu phẩy, ví dụ 6, 7; mầm non là -3 (nhà"
            " trẻ), -2 (mầm), -1 (chồi), 0 (lá)."
        )
    return frozenset(map(int, words))


def read_words(text: str) -> frozenset[str]:
    """Return the class codes in a text like ``1A, 1B``."""
    return frozenset(word.strip() for word in re.split(r"[,;\n]+", text) if word.strip())


def read_id(text: str) -> UUID:
    """Return the id that stands in a form; raises ``Refused`` when it is none (a form of ours always has one)."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Refused("Lựa chọn này không còn. Xin tải lại trang rồi chọn lại.") from error
