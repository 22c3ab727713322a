"""The part of the sample desk that answers the pages of fees."""

from __future__ import annotations

import uuid
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
    EndedOptIns,
    ItemPage,
    ItemRow,
    ItemsPage,
    KindChoice,
    NewOptIns,
    OptInClass,
    OptInClassPage,
    OptInItem,
    OptInPupil,
    OptInsPage,
    PriceLine,
    PupilHit,
    ReductionForm,
    ReductionList,
    ReductionPage,
    ReductionRow,
    TypedItem,
    TypedPrice,
    TypedReduction,
)
from service.pages.views import Download

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
CLASS_ID = uuid.UUID(int=61)
ENROLMENT_ID = uuid.UUID(int=62)
REDUCTION_ID = uuid.UUID(int=63)
OWN = (("a1", "Vietcombank …8901"),)
DAY = date(2025, 10, 6)
OPT_IN = OptInItem("BANTRU", "Dịch vụ bán trú", "300.000 đ/tháng", 21)
OPT_INS = OptInsPage(DAY, (OPT_IN,), (OptInClass(str(CLASS_ID), "1A", 36, (21,)),))
PUPILS = (
    OptInPupil(str(ENROLMENT_ID), "Nguyễn Thị Minh Ánh", "7500000001", date(2025, 9, 1), None, 2),
    OptInPupil(str(uuid.UUID(int=64)), "Điểu Bảo", "7500000002"),
)
HIT = PupilHit(str(ENROLMENT_ID), "Nguyễn Thị Minh Ánh", "7500000001", "1A", date(2019, 9, 5))
WAITING_ROW = ReductionRow(
    str(REDUCTION_ID), "Nguyễn Thị Minh Ánh", "1A", date(2025, 10, 1), None, "waiting", "Lê Thu Hà"
)
REDUCTION = ReductionPage(
    row=WAITING_ROW,
    title="Học bổng",
    share="50 %",
    covers=("Khoản thu thỏa thuận",),
    payer="nhà tài trợ",
    legal_basis="Quyết định của người tài trợ",
    evidence="Quyết định số 1/2025",
)
KIND = KindChoice("HOCBONG", "Học bổng", "Quyết định của người tài trợ", "nhà tài trợ", None, "Quyết định trao")


class SampleFees:
    """Frozen records for the pages of fees; remembers what was done."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.looks: list[tuple[str, str]] = []
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

    def catalogue_file(self, who: SignedIn, place: Place, name: str) -> Download:
        del who, place
        return Download(b"{}", "application/json", f"{name}.json")

    def load_catalogue(
        self, who: SignedIn, place: Place, choice: CatalogueChoice, accounts: Mapping[str, str], now: datetime
    ) -> None:
        del place, now
        self.done.append((f"load {choice.name} {dict(accounts)}", who.login))

    def item(self, who: SignedIn, place: Place, code: str, now: datetime) -> ItemPage:
        del who, place, code, now
        return ItemPage(ITEM, "a1", OWN, date(2025, 11, 1))

    def new_item(self, who: SignedIn, place: Place, now: datetime) -> tuple[tuple[str, str], ...]:
        del who, place, now
        return OWN

    def add_item(self, who: SignedIn, place: Place, typed: TypedItem, now: datetime) -> str:
        del place, now
        self.done.append((f"add {typed.code}", who.login))
        return typed.code

    def change_item(self, who: SignedIn, place: Place, typed: TypedItem, now: datetime) -> None:
        del place, now
        self.done.append((f"change {typed.code}", who.login))

    def price_item(self, who: SignedIn, place: Place, code: str, typed: TypedPrice, now: datetime) -> None:
        del place, now
        self.done.append((f"price {code} {typed.amount}", who.login))

    def withdraw_price(self, who: SignedIn, place: Place, price_id: int, reason: str, now: datetime) -> None:
        del place, reason, now
        self.done.append((f"withdraw price {price_id}", who.login))

    def end_item(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, code: str, last: date, reason: str, now: datetime
    ) -> None:
        del place, last, reason, now
        self.done.append((f"end {code}", who.login))

    # registrations
    def opt_ins(self, who: SignedIn, place: Place, day: date | None, now: datetime) -> OptInsPage:
        del who, place, day, now
        return OPT_INS

    def opt_in_class(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, code: str, class_id: uuid.UUID, day: date | None, now: datetime
    ) -> OptInClassPage:
        del who, place, code, class_id, day, now
        return OptInClassPage(DAY, OPT_IN, str(CLASS_ID), "1A", PUPILS)

    def register(self, who: SignedIn, place: Place, wanted: NewOptIns, now: datetime) -> int:
        del place, now
        self.done.append((f"register {wanted.items} {wanted.classes}", who.login))
        return 1

    def end_opt_ins(self, who: SignedIn, place: Place, ended: EndedOptIns, now: datetime) -> int:
        del place, now
        self.done.append((f"end registration {ended.item}", who.login))
        return 1

    # reductions
    def reductions(self, who: SignedIn, place: Place, words: str, now: datetime) -> ReductionList:
        del who, place, now
        return ReductionList((WAITING_ROW,), (), words)

    def reduction(self, who: SignedIn, place: Place, reduction_id: uuid.UUID, now: datetime) -> ReductionPage:
        del place, now
        self.looks.append((str(reduction_id), who.login))
        return REDUCTION

    def reaches_back(self, place: Place, reduction_id: uuid.UUID) -> bool:
        del place
        return reduction_id != REDUCTION_ID

    def find_pupils(self, who: SignedIn, place: Place, words: str, now: datetime) -> tuple[PupilHit, ...]:
        del who, place, now
        return (HIT,) if words else ()

    def reduction_form(self, who: SignedIn, place: Place, enrolment_id: uuid.UUID, now: datetime) -> ReductionForm:
        del who, place, enrolment_id, now
        return ReductionForm(HIT, (KIND,), (("BANTRU", "Dịch vụ bán trú"),), date(2025, 10, 1))

    def enter_reduction(self, who: SignedIn, place: Place, typed: TypedReduction, now: datetime) -> uuid.UUID:
        del place, now
        self.done.append((f"enter {typed.kind}", who.login))
        return REDUCTION_ID

    def approve_reduction(self, who: SignedIn, place: Place, reduction_id: uuid.UUID, now: datetime) -> None:
        del place, reduction_id, now
        self.done.append(("approve reduction", who.login))

    def withdraw_reduction(
        self, who: SignedIn, place: Place, reduction_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del place, reduction_id, reason, now
        self.done.append(("withdraw reduction", who.login))

    def end_reduction(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, reduction_id: uuid.UUID, last: date, reason: str, now: datetime
    ) -> None:
        del place, reduction_id, last, reason, now
        self.done.append(("end reduction", who.login))
