"""Invented schools that look real: four with a story, and as many more as a larger demonstration needs (pure).

They stand in wards of the former Bình Phước area, since 1/7/2025 part of Đồng Nai. No such school, account or
telephone exists.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from billing.fees.items import Level, Ownership
from billing.people.names import search_key

SCHOOL_YEAR = "2025-2026"
_FIRST_YEAR = 2025
_PUPILS_PER_MORE_SCHOOL = 1_200
_FULL_CLASS = 35


class AuthorityKind(StrEnum):
    """A node of the tree that supervises schools."""

    PROVINCE = "province"
    DEPARTMENT = "department"
    COMMUNE = "commune"


class Told(StrEnum):
    """How we learn of money on an account."""

    SEPAY_HMAC = "sepay_hmac"
    SEPAY_API_KEY = "sepay_api_key"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class DemoAuthority:
    """An authority; ``parent`` is a code, None for the province."""

    code: str
    name: str
    kind: AuthorityKind
    parent: str | None


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A collecting account; with ``virtual_prefix`` money is told apart by virtual accounts alone."""

    bank_bin: str
    bank_name: str
    number: str
    holder: str
    told_by: Told
    virtual_prefix: str | None = None

    @property
    def only_virtual(self) -> bool:
        """Say whether the memo may be lost and only the virtual account identifies."""
        return self.virtual_prefix is not None


@dataclass(frozen=True, slots=True)
class DemoClass:
    """A class: −3 nhà trẻ, −2 mầm, −1 chồi, 0 lá, then the grades 1 to 12; ``size`` pupils."""

    code: str
    level: Level
    grade: int
    size: int

    @property
    def name(self) -> str:
        """Return the class as people say it."""
        return f"Lớp {self.code}"

    @property
    def birth_year(self) -> int:
        """Return the year in which a pupil who started on time was born."""
        return _FIRST_YEAR - 5 - self.grade


@dataclass(frozen=True, slots=True)
class DemoSchool:
    """A school with its place in the tree, its account and its classes; ``key`` names its sheets."""

    key: str
    code: str
    name: str
    ownership: Ownership
    levels: tuple[Level, ...]
    zone: str
    legacy_area: str
    commune: str
    address: str
    phone: str
    authority: str
    account: DemoAccount
    classes: tuple[DemoClass, ...]

    @property
    def class_codes(self) -> frozenset[str]:
        """Return the codes a roster may use."""
        return frozenset(group.code for group in self.classes)

    @property
    def pupils(self) -> int:
        """Count the seats of all classes."""
        return sum(group.size for group in self.classes)


PROVINCE = DemoAuthority("75", "Tỉnh Đồng Nai", AuthorityKind.PROVINCE, None)
DEPARTMENT = DemoAuthority("75-SGD", "Sở Giáo dục và Đào tạo Đồng Nai", AuthorityKind.DEPARTMENT, PROVINCE.code)
_COMMUNES = {
    "75-DX": ("Phường Đồng Xoài", "ward"),
    "75-BL": ("Phường Bình Long", "ward"),
    "75-BP": ("Phường Bình Phước", "ward"),
    "75-CT": ("Phường Chơn Thành", "ward"),
    "75-AL": ("Phường An Lộc", "ward"),
    "75-LN": ("Xã Lộc Ninh", "rural"),
    "75-DP": ("Xã Đồng Phú", "rural"),
    "75-BGM": ("Xã Bù Gia Mập", "ethnic_3"),
}
COMMUNES = tuple(
    DemoAuthority(code, f"Ủy ban nhân dân {name}", AuthorityKind.COMMUNE, PROVINCE.code)
    for code, (name, _) in _COMMUNES.items()
)
AUTHORITIES = (PROVINCE, DEPARTMENT, *COMMUNES)


def _classes(level: Level, *groups: tuple[str, int, int]) -> tuple[DemoClass, ...]:
    return tuple(DemoClass(code, level, grade, size) for code, grade, size in groups)


PRIMARY = DemoSchool(
    key="tieu-hoc-suoi-ngan",
    code="75991101",
    name="Trường Tiểu học Suối Ngân",
    ownership=Ownership.PUBLIC,
    levels=(Level.PRIMARY,),
    zone="ward",
    legacy_area="binh_phuoc",
    commune="Phường Đồng Xoài",
    address="Số 18 đường Suối Ngân, Phường Đồng Xoài, Tỉnh Đồng Nai",
    phone="0271 000 1101",
    authority="75-DX",
    account=DemoAccount("970422", "MB", "0912099110101", "TRUONG TIEU HOC SUOI NGAN", Told.SEPAY_HMAC),
    classes=_classes(
        Level.PRIMARY, ("1A", 1, 27), ("1B", 1, 27), ("2A", 2, 26), ("3A", 3, 26), ("4A", 4, 25), ("5A", 5, 25)
    ),
)
PRESCHOOL = DemoSchool(
    key="mam-non-hoa-dieu",
    code="75992101",
    name="Trường Mầm non Hoa Điều",
    ownership=Ownership.PUBLIC,
    levels=(Level.PRESCHOOL,),
    zone="ward",
    legacy_area="binh_phuoc",
    commune="Phường Bình Long",
    address="Hẻm 7 đường Hoa Điều, Phường Bình Long, Tỉnh Đồng Nai",
    phone="0271 000 2101",
    authority="75-BL",
    account=DemoAccount("970416", "ACB", "99210101", "TRUONG MAM NON HOA DIEU", Told.SEPAY_API_KEY),
    classes=_classes(Level.PRESCHOOL, ("Nhà trẻ 1", -3, 18), ("Mầm 1", -2, 22), ("Chồi 1", -1, 23), ("Lá 1", 0, 25)),
)
UPPER_SECONDARY = DemoSchool(
    key="thpt-doi-gio",
    code="75993101",
    name="Trường THPT Đồi Gió",
    ownership=Ownership.PUBLIC,
    levels=(Level.UPPER_SECONDARY,),
    zone="ward",
    legacy_area="binh_phuoc",
    commune="Phường Chơn Thành",
    address="Số 200 đường Đồi Gió, Phường Chơn Thành, Tỉnh Đồng Nai",
    phone="0271 000 3101",
    authority=DEPARTMENT.code,
    account=DemoAccount("970405", "Agribank", "5600209931010", "TRUONG THPT DOI GIO", Told.STATEMENT),
    classes=_classes(Level.UPPER_SECONDARY, ("10A1", 10, 33), ("10A2", 10, 32), ("11A1", 11, 32), ("12A1", 12, 31)),
)
PRIVATE = DemoSchool(
    key="tu-thuc-dat-do",
    code="75994101",
    name="Trường Tiểu học – THCS Tư thục Đất Đỏ",
    ownership=Ownership.PRIVATE,
    levels=(Level.PRIMARY, Level.LOWER_SECONDARY),
    zone="ward",
    legacy_area="binh_phuoc",
    commune="Phường Bình Phước",
    address="Số 5 đường Đất Đỏ, Phường Bình Phước, Tỉnh Đồng Nai",
    phone="0271 000 4101",
    authority="75-BP",
    account=DemoAccount(
        "970418", "BIDV", "6510009941010", "TRUONG TH THCS TU THUC DAT DO", Told.SEPAY_HMAC, virtual_prefix="963DDO"
    ),
    classes=(
        *_classes(Level.PRIMARY, *((f"{grade}A", grade, 12) for grade in range(1, 6))),
        *_classes(Level.LOWER_SECONDARY, *((f"{grade}A", grade, 12) for grade in range(6, 10))),
    ),
)
STORY_SCHOOLS = (PRIMARY, PRESCHOOL, UPPER_SECONDARY, PRIVATE)
STORY_PUPILS = sum(school.pupils for school in STORY_SCHOOLS)

_PLACES = (
    "Suối Đá", "Bàu Sen", "Rừng Le", "Đồi Thông", "Cầu Gỗ", "Lũy Tre", "Giếng Ngọc", "Hồ Sáo", "Nắng Mai", "Gò Dưa",
    "Vườn Tiêu", "Thác Mây", "Bến Lau", "Ngọn Đèn", "Ruộng Bậc", "Lá Biếc",
)  # fmt: skip
_PATTERNS = (
    (PRIMARY, "Trường Tiểu học", "{grade}A{n}", tuple(range(1, 6))),
    (PRESCHOOL, "Trường Mầm non", "{band} {n}", tuple(range(-3, 1))),
    (UPPER_SECONDARY, "Trường THPT", "{grade}A{n}", (10, 11, 12)),
    (PRIVATE, "Trường Tiểu học – THCS Tư thục", "{grade}A{n}", tuple(range(1, 10))),
)
_BANDS = {-3: "Nhà trẻ", -2: "Mầm", -1: "Chồi", 0: "Lá"}


def schools_for(pupils: int) -> tuple[DemoSchool, ...]:
    """Return the four schools of the story, and more of about 1,200 pupils until there are ``pupils`` seats.

    For fewer pupils than the story has, every class gets its share of the seats, rounded down, and one at least.
    """
    if pupils < STORY_PUPILS:
        return tuple(_smaller(school, pupils) for school in STORY_SCHOOLS)
    rest = pupils - STORY_PUPILS
    count = math.ceil(rest / _PUPILS_PER_MORE_SCHOOL)
    sizes = [rest // count + (place < rest % count) for place in range(count)]
    return STORY_SCHOOLS + tuple(_more_school(place, size) for place, size in enumerate(sizes))


def _smaller(school: DemoSchool, pupils: int) -> DemoSchool:
    shares = (replace(group, size=max(1, group.size * pupils // STORY_PUPILS)) for group in school.classes)
    return replace(school, classes=tuple(shares))


def _more_school(place: int, pupils: int) -> DemoSchool:
    pattern, kind, class_code, grades = _PATTERNS[place % len(_PATTERNS)]
    turn = place // len(_PATTERNS)
    title = _PLACES[turn % len(_PLACES)] + (f" {turn // len(_PLACES) + 1}" if turn >= len(_PLACES) else "")
    authority, (commune, zone) = list(_COMMUNES.items())[place % len(_COMMUNES)]
    code = str(int(pattern.code) + 1 + turn)
    name = f"{kind} {title}"
    return DemoSchool(
        key=search_key(name).replace(" ", "-"),
        code=code,
        name=name,
        ownership=pattern.ownership,
        levels=pattern.levels,
        zone=zone,
        legacy_area=pattern.legacy_area,
        commune=commune,
        address=f"Số {place + 1} đường {title}, {commune}, Tỉnh Đồng Nai",
        phone=f"0271 000 {code[-4:]}",
        authority=DEPARTMENT.code if pattern is UPPER_SECONDARY else authority,
        account=_more_account(pattern.account, code, name),
        classes=_spread(grades, class_code, pupils),
    )


def _more_account(pattern: DemoAccount, code: str, name: str) -> DemoAccount:
    prefix = f"963{int(code[-4:]):04}" if pattern.only_virtual else None
    number = f"99{code[2:]}" if pattern.bank_name == "ACB" else f"{pattern.number[:4]}0{code}"
    holder = search_key(name).upper()
    return DemoAccount(pattern.bank_bin, pattern.bank_name, number, holder, pattern.told_by, prefix)


def _spread(grades: tuple[int, ...], class_code: str, pupils: int) -> tuple[DemoClass, ...]:
    """Fill classes of at most 35, as even as can be, round and round the grades."""
    count = max(1, math.ceil(pupils / _FULL_CLASS))
    seats = [pupils // count + (place < pupils % count) for place in range(count)]
    made = []
    for place, size in enumerate(seats):
        grade = grades[place % len(grades)]
        code = class_code.format(grade=grade, band=_BANDS.get(grade, ""), n=place // len(grades) + 1)
        made.append(DemoClass(code, _level(grade), grade, size))
    return tuple(made)


def _level(grade: int) -> Level:
    """Return the level of a grade: preschool to 0, primary to 5, lower secondary to 9."""
    steps = ((0, Level.PRESCHOOL), (5, Level.PRIMARY), (9, Level.LOWER_SECONDARY))
    return next((level for last, level in steps if grade <= last), Level.UPPER_SECONDARY)
