"""The words that a guardian says yes to: made in one place, shown as they are, and kept with their digest (pure)."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date

from billing.fees.explaining import Language, unit_name
from billing.fees.items import Unit
from billing.money import Money


@dataclass(frozen=True, slots=True)
class Statement:
    """Sentences as they stand on the page, in NFC."""

    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All sentences, one a line: what is kept as evidence."""
        return "\n".join(self.lines)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Offered:
    """An item as it is offered to one pupil: the price of a unit, how many a month, from when, until when, what for.

    ``decision``: of the plan that allows the price; empty where there is none.
    """

    name: str
    price: Money
    unit: Unit
    count: int
    first_day: date
    closes_on: date
    purpose: str
    decision: str = ""


def register_words(offered: Offered, language: Language) -> Statement:
    """Return what a guardian registers for."""
    vietnamese = language == "vi"
    first, until = f"{offered.first_day:%d/%m/%Y}", f"{offered.closes_on:%d/%m/%Y}"
    lines = [
        f"{offered.name}: {price_words(offered.price, offered.unit, offered.count, language)}.",
        offered.purpose,
        f"Dùng từ ngày {first} đến khi gia đình thôi đăng ký. Hạn đăng ký: hết ngày {until}."
        if vietnamese
        else f"From {first} until you end it. Register by {until}.",
    ]
    if offered.decision:
        lines.append(
            f"Mức thu theo kế hoạch đã duyệt: {offered.decision}."
            if vietnamese
            else f"The price was decided on: {offered.decision}."
        )
    lines.append(
        "Đây là khoản tự nguyện: không đăng ký thì nhà trường không thu."
        if vietnamese
        else "This is voluntary: without registration the school charges nothing for it."
    )
    return _statement(lines)


def end_words(name: str, last: date, language: Language) -> Statement:
    """Return what a guardian agrees to when a registration is ended: the last day on which it holds."""
    if language == "vi":
        return _statement(
            [f"Thôi đăng ký {name} cho con sau ngày {last:%d/%m/%Y}. Từ hôm sau nhà trường không thu nữa."]
        )
    return _statement([f"End {name} for your child after {last:%d/%m/%Y}. From the next day on nothing is charged."])


def withdraw_words(name: str, first: date, language: Language) -> Statement:
    """Return what a guardian agrees to when a registration is taken back before its first day."""
    if language == "vi":
        return _statement([f"Rút đăng ký {name} cho con, chưa bắt đầu (từ {first:%d/%m/%Y}). Nhà trường không thu."])
    return _statement([f"Take back {name} for your child before it begins on {first:%d/%m/%Y}. Nothing is charged."])


def default_words(name: str, purpose: str) -> str:
    """Return the words offered to the accountant; ``purpose`` is the plan's, empty where there is none."""
    used = f"Tiền dùng vào: {purpose.rstrip('. ')}." if purpose.strip() else "Nhà trường thu đủ chi cho việc này."
    return f"{name} dành cho các em có nhu cầu. {used}"


def price_words(price: Money, unit: Unit, count: int, language: Language) -> str:
    """Return a price with its unit, ``300.000 đ/tháng``, and how many units a month has where it is not one."""
    name = unit_name(unit, language)
    if count == 1:
        return f"{price}/{name}"
    return f"{price}/{name}, {count} {name} " + ("mỗi tháng" if language == "vi" else "a month")


def _statement(lines: list[str]) -> Statement:
    return Statement(tuple(" ".join(unicodedata.normalize("NFC", line).split()) for line in lines if line.strip()))
