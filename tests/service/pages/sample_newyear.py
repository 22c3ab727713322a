"""The part of the sample desk that answers the pages of a new school year."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from billing.money import Money
from billing.newyear.promoting import Tally
from service.access.roles import Place, SignedIn
from service.pages.newyear_views import (
    BalanceRow,
    BalancesPage,
    ClassesPage,
    ClassRow,
    ClassWay,
    FormerDetail,
    FormerLineRow,
    FormerPage,
    FormerRow,
    GoingOnPage,
    OldClass,
    OptInRow,
    PriceRow,
    PricesPage,
    PromotedRow,
    PromotionPage,
    StepRow,
    TypedChoice,
    TypedClasses,
    TypedFormer,
    TypedPrices,
    TypedWays,
    YearPage,
)
from service.pages.views import Download
from tests.service.pages.samples import NOW

OPENING_ID, IMPORT_ID = uuid.UUID(int=95), uuid.UUID(int=96)
YEAR = "2026-2027"
TALLY = Tally(before=120, promoted=90, repeating=2, leaving=3, graduating=20, undecided=5, done=40)
ROOT = "/van-phong/nam-hoc-moi"
STEPS = (
    StepRow(f"{ROOT}/khoan-thu", "Khoản thu, mức thu", "Items and prices", "done", ("Mọi mức thu đã có", "All there")),
    StepRow(f"{ROOT}/lop", "Tạo lớp", "Classes", "next", ("3 lớp đã tạo, 2 lớp đề xuất", "3 made, 2 proposed")),
    StepRow(f"{ROOT}/len-lop", "Xét lên lớp", "Promotion", "later", ("5 em chưa quyết", "5 undecided")),
)
PRICES = (
    PriceRow("a", "Tiền ăn bán trú", "", Money(32_000), Money(35_000), 9, date(2026, 9, 1), date(2027, 5, 31), "new",
             "Khoản thu Tiền ăn chưa có mức trần; người duyệt phải đồng ý rõ ràng."),
    PriceRow("b", "Tiền tổ chức, quản lý và vệ sinh bán trú", "khối 1", Money(300_000), Money(400_000), 33,
             date(2026, 9, 1), date(2027, 5, 31), "refused", "Khoản thu vượt mức trần 300.000 đ/tháng."),
    PriceRow("c", "Tiền nước uống", "", Money(10_000), Money(10_000), 0, date(2026, 9, 1), None, "goes_on", ""),
)  # fmt: skip
FORMER = FormerRow(str(IMPORT_ID), "excelcu", "Trần Thị Thu", NOW, Money(12_345_000), Money(678_000), "waiting")


WAYS = (
    ClassWay("7", "Mầm 1", 22, (("91", "Chồi 1"), ("92", "Chồi 2")), ""),
    ClassWay("8", "Chồi Hoa Hướng Dương", 23, (("93", "Lá 1"),), "93"),
    ClassWay("9", "Lá 1", 25, (), "ra-truong"),
    ClassWay("10", "Nhà trẻ 1", 18, (), ""),
)


class SampleNewYear:
    """A frozen new year; remembers what was done."""

    done: list[tuple[str, str]]

    def _did_year(self, what: str, who: SignedIn) -> int:
        self.done.append((what, who.login))
        return 3

    def new_year(self, who: SignedIn, place: Place, year: str, now: datetime) -> YearPage:
        del who, place, year, now
        return YearPage(YEAR, "2025-2026", ("2025-2026", YEAR), STEPS, TALLY)

    def year_prices(self, who: SignedIn, place: Place, year: str, percent: str, now: datetime) -> PricesPage:
        del who, place, year, percent, now
        return PricesPage(YEAR, PRICES, 10)

    def copy_prices(self, who: SignedIn, place: Place, year: str, typed: TypedPrices, now: datetime) -> int:
        del place, year, typed, now
        return self._did_year("copy prices", who)

    def year_classes(self, who: SignedIn, place: Place, year: str, now: datetime) -> ClassesPage:
        del who, place, year, now
        rows = (ClassRow("primary|2|2A", "2A", 2, "1A", made=False), ClassRow("primary|1|1A", "1A", 1, "", made=True))
        return ClassesPage(YEAR, rows, (("primary", "tiểu học"),), (-3, -2, -1, 0, 1, 2, 3, 4, 5))

    def make_classes(self, who: SignedIn, place: Place, year: str, typed: TypedClasses, now: datetime) -> int:
        del place, year, typed, now
        return self._did_year("make classes", who)

    def promotion(self, who: SignedIn, place: Place, year: str, class_id: str, now: datetime) -> PromotionPage:
        del who, place, year, class_id, now
        rows = (
            PromotedRow("1", "Nguyễn Thị Minh Ánh", "7500000001", "promoted", "2A", done=True),
            PromotedRow("4", "Trần Bích", "", "promoted", "2A", done=True, ends_on=date(2026, 8, 16)),
            PromotedRow("2", "Điểu Bảo", "", "", "", done=False),
            PromotedRow("3", "Lê Hoàng Phương Quỳnh Như", "7500000003", "repeating", "1A", done=False),
        )
        classes = (OldClass("7", "1A", 32, 2), OldClass("8", "5A", 30, 0))
        return PromotionPage(YEAR, TALLY, classes, "7", rows, (("9", "2A"),), date(2026, 9, 1), WAYS)

    def choose_promotion(self, who: SignedIn, place: Place, year: str, typed: TypedChoice, now: datetime) -> int:
        del place, year, typed, now
        return self._did_year("choose", who)

    def usual_promotion(self, who: SignedIn, place: Place, year: str, class_id: str, now: datetime) -> int:
        del place, year, class_id, now
        return self._did_year("choose usual", who)

    def class_ways(self, who: SignedIn, place: Place, year: str, typed: TypedWays, now: datetime) -> int:
        del place, year, typed, now
        return self._did_year("choose by class", who)

    def promotion_file(self, who: SignedIn, place: Place, year: str, now: datetime) -> Download:
        del who, place, year, now
        return Download(b"PK", "application/zip", "Xét lên lớp.xlsx")

    def take_promotion_file(self, who: SignedIn, place: Place, year: str, data: bytes, now: datetime) -> int:
        del place, year, data, now
        return self._did_year("promotion file", who)

    def promote(self, who: SignedIn, place: Place, year: str, first_day: str, now: datetime) -> int:
        del place, year, first_day, now
        return self._did_year("promote", who)

    def going_on(self, who: SignedIn, place: Place, year: str, now: datetime) -> GoingOnPage:
        del who, place, year, now
        return GoingOnPage(YEAR, 4, 2, 1, ("Nhà nước hỗ trợ BHYT",), (OptInRow("TIENAN", "Tiền ăn", 20, 3, 0),), True)  # noqa: FBT003  ready

    def carry_on(self, who: SignedIn, place: Place, year: str, items: Sequence[str], now: datetime) -> int:
        del place, year, items, now
        return self._did_year("carry on", who)

    def balances(self, who: SignedIn, place: Place, year: str, now: datetime) -> BalancesPage:
        del who, place, year, now
        rows = (
            BalanceRow("Điểu Bảo", "", "TB2605-000012", "Tháng 5/2026", Money(320_000), None),
            BalanceRow("Nguyễn Thị Minh Ánh", "", "Tiền ăn bán trú", "", None, Money(64_000)),
        )
        return BalancesPage(YEAR, rows, 0, Money(320_000), Money(64_000), 2, "b7c1" * 16, str(OPENING_ID),
                            "Trần Thị Thu", NOW)  # fmt: skip

    def draw_up_balances(self, who: SignedIn, place: Place, year: str, now: datetime) -> None:
        del place, year, now
        self._did_year("draw up", who)

    def sign_balances(self, who: SignedIn, place: Place, opening_id: uuid.UUID, now: datetime) -> str:
        del place, opening_id, now
        self._did_year("sign", who)
        return YEAR

    def balances_file(self, who: SignedIn, place: Place, opening_id: uuid.UUID, now: datetime) -> Download:
        del who, place, opening_id, now
        return Download(b"PK", "application/zip", "Số dư.xlsx")

    def former(self, who: SignedIn, place: Place, now: datetime) -> FormerPage:
        del who, place, now
        return FormerPage((FORMER,), ("2026-2027", "2025-2026"), date(2026, 9, 1))

    def former_template(self, who: SignedIn, place: Place) -> Download:
        del who, place
        return Download(b"PK", "application/zip", "Mẫu.xlsx")

    def read_former(self, who: SignedIn, place: Place, typed: TypedFormer, data: bytes, now: datetime) -> uuid.UUID:
        del place, typed, data, now
        self._did_year("read former", who)
        return IMPORT_ID

    def former_import(self, who: SignedIn, place: Place, import_id: uuid.UUID, now: datetime) -> FormerDetail:
        del who, place, import_id, now
        lines = (
            FormerLineRow(2, "Điểu Bảo", "2A", "HS0001", "Tiền ăn bán trú", Money(320_000), None),
            FormerLineRow(3, "Nguyễn Thị Minh Ánh", "2A", "", "", None, Money(50_000)),
        )
        return FormerDetail(
            row=FORMER, year=YEAR, period=date(2026, 8, 1), due_on=date(2026, 9, 20), lines=lines, more=0, left_out=1,
            receipt_book=YEAR, receipt_last=1_250, digest="b7c1" * 16, decided_by="", decided_at=None, reason="",
            round_id="", own=False,
        )  # fmt: skip

    def approve_former(self, who: SignedIn, place: Place, import_id: uuid.UUID, now: datetime) -> None:
        del place, import_id, now
        self._did_year("approve former", who)

    def reject_former(self, who: SignedIn, place: Place, import_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, import_id, reason, now
        self._did_year("reject former", who)
