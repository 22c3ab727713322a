"""The part of the sample desk that answers the pages of fees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from billing.errors import NotFound
from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.fee_views import (
    CatalogueChoice,
    CatalogueItem,
    CataloguePage,
    CatalogueRow,
    ItemRow,
    ItemsPage,
    PriceLine,
)

PRICE = PriceLine(
    7, Money(300_000), "tháng", "", date(2025, 9, 1), date(2026, 5, 31), "Trần 340.000 đ/tháng theo NQ 08."
)
WRONG = PriceLine(
    8, Money(900_000), "tháng", "khối 1", date(2026, 6, 1), None, "Vượt mức trần.", coming=True, wrong=True
)
ITEM = ItemRow(
    "BANTRU", "Dịch vụ bán trú", "Dịch vụ", "tháng", "Nghị quyết 08/2025", "Vietcombank …8901", "531",
    opt_in=True, ended_on=None, prices=(PRICE, WRONG),
)  # fmt: skip
ITEMS = ItemsPage((("Dịch vụ phục vụ, hỗ trợ giáo dục", (ITEM,)),), "2025-2026")
CATALOGUE = CataloguePage(
    choice=CatalogueChoice("public-primary"),
    title="Trường tiểu học công lập, phường",
    items=(
        CatalogueItem("BANTRU", "Dịch vụ bán trú", "Dịch vụ", "300.000 đ/tháng", "Chưa có mức trần.", needs_yes=True),
    ),
    reductions=("Nhà nước hỗ trợ đóng BHYT (Luật BHYT)",),
    comments=("Giá ví dụ.",),
    accounts=("main",),
    own=(("a1", "Vietcombank …8901"),),
)


class SampleFees:
    """Frozen records for the pages of fees; remembers what was done."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.items_page = ITEMS
        self.catalogue_page = CATALOGUE

    def items(self, who: SignedIn, place: Place, now: datetime) -> ItemsPage:
        del who, place, now
        return self.items_page

    def catalogues(self, who: SignedIn, place: Place) -> tuple[CatalogueRow, ...]:
        del who, place
        return (CatalogueRow("public-primary", "Trường tiểu học công lập, phường", 5),)

    def catalogue(self, who: SignedIn, place: Place, choice: CatalogueChoice, now: datetime) -> CataloguePage:
        del who, place, now
        if choice.name not in {"", "public-primary"}:
            raise NotFound("Không có danh mục này trong chương trình.")
        return self.catalogue_page

    def load_catalogue(
        self, who: SignedIn, place: Place, choice: CatalogueChoice, accounts: Mapping[str, str], now: datetime
    ) -> None:
        del place, now
        self.done.append((f"load {choice.name} {dict(accounts)}", who.login))
