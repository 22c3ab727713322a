"""The three schools of the simulated year with what they charge (pure): two public ones and a private one.

They differ in what a leftover of meals may pay, in what part of a month costs, in accounts, and in who carries what.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.journeys.year.events import MEALS, SECOND, Item, Price, Reduction, SchoolPlan, end_of

YEAR = date(2025, 9, 1)
LAST = date(2026, 8, 31)
MAY, JULY = date(2026, 5, 31), date(2026, 7, 31)
JANUARY = date(2026, 1, 1)
CLASSES = (("4A", 4), ("5A", 5))
# Who may carry something of an item for one pupil: kind of the reduction, payer, and the share if the law fixes it.
GRANTS = {
    "public": (("TRUONGGIAM", "school", None), ("HOCBONG", "donor", None)),
    "private": (("TNLD", "state", 50), ("NCC", "state", 100), ("CONCBNV", "school", None), ("HOCBONG", "donor", None)),
}
GRANTED = {
    "TRUONGGIAM": ("BANTRU", "HOCPHAM", "TIENAN", "NUOCUONG"),
    "HOCBONG": ("TIENAN",),
    "TNLD": ("HOCPHI",),
    "NCC": ("HOCPHI",),
    "CONCBNV": ("HOCPHI", "HOCPHAM"),
}

_TUITION = Item("HOCPHI", "Học phí", "tuition", "month", "5312")
_BOARDING = Item("BANTRU", "Tiền quản lý bán trú", "service", "month", "531", opt_in=True)
_WATER = Item("NUOCUONG", "Tiền nước uống", "agreed", "month", "3388")
_INSURANCE = Item("BHYT-3T", "Bảo hiểm y tế học sinh", "pass_through", "once", "3381")
_BOOKS = Item("HOCPHAM", "Học phẩm", "agreed", "year", "3388")
_BY_STATE = Reduction("BHYT-NN", "BHYT-NN", "state", ("BHYT-3T",), date(2025, 7, 1), LAST, percent=50)
_PUBLIC = Reduction("NQ217", "NQ217", "state", ("HOCPHI",), YEAR, LAST, percent=100)


def _meals(carry: str, revenue: str = "3388") -> Item:
    return Item("TIENAN", "Tiền ăn", "agreed", "meal_day", revenue, opt_in=True, carry=carry)


def _once(code: str, amount: int, month: date) -> Price:
    """Return what is asked for in one month of the year, and of who comes later if a person says so."""
    return Price(code, amount, month, end_of(month))


def _insured(item: Item) -> Price:
    return Price(item.code, 315_900, date(2025, 10, 1), date(2025, 10, 31))


def three_schools(dearer: int = 0) -> tuple[SchoolPlan, ...]:
    """Return the schools; ``dearer`` đồng more for a meal makes sums that no other year has."""
    first = SchoolPlan(
        "hoa-mai",
        "public",
        CLASSES,
        (
            _TUITION,
            _BOARDING,
            _meals("offset_round"),
            _WATER,
            _INSURANCE,
            _BOOKS,
            Item("NGOAIKHOA", "Ngoại khóa", "agreed", "term", "3388"),
        ),
        (
            Price("HOCPHI", 100_000, YEAR, MAY),
            Price("BANTRU", 280_000, YEAR, MAY),
            Price("TIENAN", 32_000 + dearer, YEAR, MAY, quantity=MEALS),
            Price("NUOCUONG", 10_000, YEAR, MAY),
            _insured(_INSURANCE),
            _once("HOCPHAM", 150_000, YEAR),
            _once("NGOAIKHOA", 60_001, JANUARY),
        ),
        (_PUBLIC, _BY_STATE),
    )
    water = Item("NUOCUONG", _WATER.name, "agreed", "month", "3388", account=SECOND)
    insurance = Item("BHYT-3T", _INSURANCE.name, "pass_through", "once", "3381", account=SECOND)
    second = SchoolPlan(
        "hoa-lan",
        "public",
        CLASSES,
        (_BOARDING, _meals("same_item"), water, insurance, replace(_BOOKS, unit="once", account=SECOND)),
        (
            Price("BANTRU", 275_001, YEAR, MAY, part="half_from_16"),
            Price("TIENAN", 30_500 + dearer, YEAR, MAY, quantity=MEALS),
            Price("NUOCUONG", 12_000, YEAR, MAY, part="none_from_16"),
            _insured(insurance),
            _once("HOCPHAM", 95_000, YEAR),
        ),
        (_BY_STATE,),
    )
    third = SchoolPlan(
        "hoa-sen",
        "private",
        CLASSES,
        (
            _TUITION,
            _meals("offset_round", "5313"),
            Item("XEDUARUOC", "Xe đưa rước", "service", "month", "531", opt_in=True, carry="same_item"),
            Item("NGOAIGIO", "Trông ngoài giờ", "service", "hour", "531", opt_in=True),
            replace(_BOOKS, carry="offset_round"),
            Item("NGOAIKHOA", "Ngoại khóa", "agreed", "term", "3388", opt_in=True),
        ),
        (
            Price("HOCPHI", 2_500_000, YEAR, JULY, part="half_from_16"),
            Price("TIENAN", 45_000 + dearer, YEAR, JULY, quantity=MEALS),
            Price("XEDUARUOC", 799_999, YEAR, JULY, part="none_from_16"),
            Price("NGOAIGIO", 12_000, YEAR, JULY, quantity="registered"),
            _once("HOCPHAM", 650_000, YEAR),
            _once("NGOAIKHOA", 399_000, JANUARY),
        ),
    )
    return first, second, third
