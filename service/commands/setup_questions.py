"""The questions of ``setup`` without a file: plain lines, in Vietnamese; an answer that cannot be is asked again."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from billing.fees.items import LEVEL_NAMES, Level
from service.setup_file import Administrator
from service.setup_plan import (
    MAX_CODE,
    NEXT_YEAR,
    PlannedAuthority,
    PlannedClass,
    PlannedSchool,
    SetupPlan,
    grades_of,
)

Ask = Callable[[str], str]

_AUTHORITIES = {"xã": "commune", "sở": "department"}
_KINDS = {"công lập": "public", "ngoài công lập": "private"}
_ZONES = {
    "phường": "ward",
    "xã": "rural",
    "dân tộc 1": "ethnic_1",
    "dân tộc 2": "ethnic_2",
    "dân tộc 3": "ethnic_3",
}
_LEVELS = {LEVEL_NAMES[level].casefold(): str(level) for level in Level}


def ask_for_everything(ask: Ask) -> tuple[SetupPlan, Administrator]:
    """Ask for a province, what lies in it, and who will administer it; raises ``EOFError`` when nobody answers."""
    province = (_code(ask, "Mã tỉnh (ví dụ 75)"), _text(ask, "Tên tỉnh"))
    authorities = tuple(_authorities(ask))
    known = [province[0], *(each.code for each in authorities)]
    schools = tuple(_schools(ask, known))
    login = _text(ask, "Tên đăng nhập của quản trị viên")
    return SetupPlan(province, authorities, schools), Administrator(login, _text(ask, "Họ tên quản trị viên"))


def _authorities(ask: Ask) -> Iterator[PlannedAuthority]:
    while code := _code(ask, "Mã xã/phường hoặc Sở (Enter để qua bước trường)", empty=True):
        kind = _choice(ask, "Là xã (phường) hay sở", _AUTHORITIES)
        yield PlannedAuthority(kind, code, _text(ask, "Tên đầy đủ"))


def _schools(ask: Ask, authorities: Sequence[str]) -> Iterator[PlannedSchool]:
    while code := _code(ask, "Mã trường (Enter để kết thúc)", empty=True):
        name = _text(ask, "Tên trường")
        kind = _choice(ask, "Loại hình", _KINDS)
        levels = _levels(ask)
        yield PlannedSchool(
            code=code,
            name=name,
            kind=kind,
            levels=levels,
            zone=_choice(ask, "Địa bàn", _ZONES),
            legacy_area=_text(ask, "Tỉnh cũ trước 1/7/2025, ví dụ binh_phuoc (Enter nếu không)", empty=True),
            authority=_choice(ask, "Mã cơ quan quản lý trực tiếp", {each.casefold(): each for each in authorities}),
            address=_text(ask, "Địa chỉ"),
            phone=_text(ask, "Điện thoại văn phòng"),
            budget_code=_text(ask, "Mã quan hệ ngân sách (Enter nếu không)", empty=True) or None,
            plans_required_from=_required_from(ask) if kind == "public" else "",
            classes=tuple(_classes(ask, levels)),
        )


def _required_from(ask: Ask) -> str:
    """Ask a public school since when its rounds collect only what an approved plan holds."""
    question = (
        "Từ ngày nào đợt thu chỉ thu khoản có trong kế hoạch thu đã duyệt, dạng 1/9/2026"
        " (Enter: ngày 1/9 của năm học sau; “chưa”: người duyệt đặt sau)"
    )
    while True:
        said = _text(ask, question, empty=True)
        if not said:
            return NEXT_YEAR
        if said.casefold() == "chưa":
            return ""
        try:
            return datetime.strptime(said, "%d/%m/%Y").date().isoformat()  # noqa: DTZ007  a day has no time zone
        except ValueError:
            print("Xin ghi ngày dạng 1/9/2026, “chưa”, hoặc chỉ bấm Enter.")


def _levels(ask: Ask) -> tuple[str, ...]:
    while True:
        said = _text(ask, f"Cấp học, cách nhau bằng dấu phẩy ({', '.join(_LEVELS)})")
        found = [_LEVELS.get(each.strip().casefold()) for each in said.split(",")]
        levels = tuple(dict.fromkeys(level for level in found if level))
        if None not in found:
            return levels
        print("Có cấp học không đúng; xin ghi như trong ngoặc.")


def _classes(ask: Ask, levels: Sequence[str]) -> Iterator[PlannedClass]:
    year = ""
    while code := _code(ask, "  Mã lớp, ví dụ 1A (Enter nếu hết lớp)", empty=True):
        year = (
            _text(ask, f"  Năm học{f' (Enter là {year})' if year else ', ví dụ 2025-2026'}", empty=bool(year)) or year
        )
        words = {word: level for word, level in _LEVELS.items() if level in levels}
        level = _choice(ask, "  Cấp học", words) if len(words) > 1 else levels[0]
        yield PlannedClass(year, level, _grade(ask, level), code, f"Lớp {code}")


def _grade(ask: Ask, level: str) -> int:
    first, last = grades_of(level)
    while True:
        said = _text(ask, f"  Khối ({first} đến {last})")
        if said.lstrip("-").isdecimal() and first <= int(said) <= last:
            return int(said)
        print("Khối không đúng.")


def _choice(ask: Ask, question: str, words: dict[str, str]) -> str:
    while True:
        found = words.get(_text(ask, f"{question} ({', '.join(words)})").casefold())
        if found is not None:
            return found
        print("Xin ghi đúng một trong các mục trong ngoặc.")


def _code(ask: Ask, question: str, *, empty: bool = False) -> str:
    while True:
        said = _text(ask, question, empty=empty)
        if len(said) <= MAX_CODE:
            return said
        print(f"Mã dài nhất {MAX_CODE} ký tự.")


def _text(ask: Ask, question: str, *, empty: bool = False) -> str:
    while True:
        said = unicodedata.normalize("NFC", ask(f"{question}: ").strip())
        if said or empty:
            return said
        print("Xin điền mục này.")
