"""The school's items: what may be charged, at which price, on which basis; loaded from a catalogue."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.errors import Refused
from billing.fees.items import CARRY_OVER_NAMES, GROUP_NAMES, UNIT_NAMES
from service.access.errors import TooLarge
from service.pages.fee_views import CatalogueChoice, TypedItem, TypedPrice
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.typed import read_day, school_day

MAX_CATALOGUE_BYTES = 512 * 1024
# A form has a little more than its file.
MAX_BODY_BYTES = MAX_CATALOGUE_BYTES + 64 * 1024

router = APIRouter(prefix="/van-phong/khoan-thu", max_body_size=MAX_BODY_BYTES)

SAID = {
    "nap": ("Đã nạp danh mục.", "The catalogue is loaded."),
    "them": ("Đã thêm khoản thu. Bây giờ ghi mức thu.", "The item is added. Now give it a price."),
    "sua": ("Đã sửa khoản thu.", "The item is changed."),
    "gia": ("Đã ghi mức thu mới.", "The new price is stored."),
    "bo-gia": ("Đã bỏ mức thu.", "The price is taken back."),
    "dung": ("Đã ghi ngày dừng thu.", "The item ends on that day."),
}

Said = Annotated[str, Query(max_length=20)]
Text = Annotated[str, Form(max_length=500)]
Code = Annotated[str, Form(max_length=40)]
OptionalDay = Annotated[str, Form(max_length=10)]


@router.get("")
def items(request: Request, visit: StaffVisit, desk: OpenDesk, xong: Said = "") -> Response:
    """List the items with price, standing to the cap, legal basis and account."""
    view = desk.items(visit.who, visit.place, parts_of(request).clock())
    return page(request, "items.html", visit=visit, items=view, said=SAID.get(xong))


@router.get("/them")
def new_item(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show the form of a new item."""
    now = parts_of(request).clock()
    own = desk.new_item(visit.who, visit.place, now)
    first = school_day(now).replace(day=1)
    return page(
        request,
        "item_new.html",
        visit=visit,
        own=own,
        groups=GROUP_NAMES,
        units=UNIT_NAMES,
        first=first,
        carry_overs=CARRY_OVER_NAMES,
    )


@router.post("/them")
def add(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    ma: Code,
    ten: Text,
    nhom: Code,
    don_vi: Code,
    can_cu: Text,
    ke_toan: Code,
    tai_khoan: Code,
    tu: Annotated[date, Form()],
    dang_ky: Annotated[str, Form(max_length=5)] = "",
    tien_ton: Code = "",
) -> Response:
    """Add an item; its price comes next."""
    registered = dang_ky == "co"
    typed = TypedItem(
        ma, ten, can_cu, ke_toan, tai_khoan, nhom, don_vi, opt_in=registered, first=tu, carry_over=tien_ton
    )
    code = desk.add_item(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/khoan-thu/{quote(code, safe='')}", xong="them")


@router.get("/danh-muc")
def catalogues(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show which catalogues can be loaded."""
    found = desk.catalogues(visit.who, visit.place)
    return page(request, "catalogues.html", visit=visit, catalogues=found)


@router.get("/danh-muc/{name}")
def catalogue(request: Request, visit: StaffVisit, desk: OpenDesk, name: str) -> Response:
    """Show what loading a shipped catalogue would do."""
    view = desk.catalogue(visit.who, visit.place, CatalogueChoice(name=name), parts_of(request).clock())
    return page(request, "catalogue.html", visit=visit, catalogue=view)


@router.get("/danh-muc/{name}/tep.json")
def catalogue_file(visit: StaffVisit, desk: OpenDesk, name: str) -> Response:
    """Hand out a shipped catalogue, to edit and hand in as one's own."""
    return file_answer(desk.catalogue_file(visit.who, visit.place, name))


@router.post("/danh-muc/xem")
def own_catalogue(request: Request, visit: StaffVisit, desk: OpenDesk, tep: Annotated[UploadFile, File()]) -> Response:
    """Show what loading one's own catalogue would do; nothing is stored."""
    data = tep.file.read(MAX_CATALOGUE_BYTES + 1)
    if len(data) > MAX_CATALOGUE_BYTES:
        raise TooLarge("Danh mục lớn hơn 512 KB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("Danh mục phải là tệp JSON ghi bằng UTF-8. Xin lưu lại tệp rồi gửi lại.") from error
    choice = CatalogueChoice(text=text or " ", file=(tep.filename or "danh-muc.json")[:100])
    view = desk.catalogue(visit.who, visit.place, choice, parts_of(request).clock())
    return page(request, "catalogue.html", visit=visit, catalogue=view)


@router.post("/danh-muc")
def load(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    khoa: Annotated[list[str], Form()],
    tai_khoan: Annotated[list[str], Form()],
    ten: Annotated[str, Form(max_length=100)] = "",
    noi_dung: Annotated[str, Form(max_length=MAX_CATALOGUE_BYTES)] = "",
    tep: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Load a catalogue: each of its account keys goes to one of the school's accounts."""
    if len(khoa) != len(tai_khoan):
        raise Refused("Mỗi tài khoản trong danh mục phải chọn đúng một tài khoản của trường.")
    choice = CatalogueChoice(name=ten, text=noi_dung, file=tep)
    accounts = dict(zip(khoa, tai_khoan, strict=True))
    desk.load_catalogue(visit.who, visit.place, choice, accounts, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/khoan-thu", xong="nap")


# Codes of former days may hold a stroke, so a code is all that stands between what comes before and after it.
@router.get("/{code:path}")
def item(request: Request, visit: StaffVisit, desk: OpenDesk, code: str, xong: Said = "") -> Response:
    """Show one item with its prices, and the forms that change it."""
    view = desk.item(visit.who, visit.place, code, parts_of(request).clock())
    return page(request, "item.html", visit=visit, item=view, said=SAID.get(xong), carry_overs=CARRY_OVER_NAMES)


@router.post("/{code:path}/gia")
def price(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    code: str,
    so_tien: Code,
    tu: Annotated[date, Form()],
    den: OptionalDay = "",
    khoi: Text = "",
    lop: Text = "",
    so_luong: Annotated[int, Form(ge=1, le=1000)] = 1,
    cap_hoc: Annotated[tuple[str, ...], Form(max_length=5)] = (),
    cach_tinh: Code = "",
    thang_le: Code = "",
) -> Response:
    """Give an item a price from a day on."""
    typed = TypedPrice(so_tien, tu, read_day(den), khoi, lop, so_luong, cap_hoc, cach_tinh, thang_le)
    desk.price_item(visit.who, visit.place, code, typed, parts_of(request).clock())
    return _to_item(visit, code, "gia")


@router.post("/{code:path}/bo-gia")
def withdraw_price(  # noqa: PLR0913, PLR0917  as above
    request: Request, visit: StaffVisit, desk: OpenDesk, code: str, gia: Annotated[int, Form()], ly_do: Text = ""
) -> Response:
    """Take back a price that should never have been."""
    desk.withdraw_price(visit.who, visit.place, gia, ly_do, parts_of(request).clock())
    return _to_item(visit, code, "bo-gia")


@router.post("/{code:path}/sua")
def change(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    code: str,
    ten: Text,
    can_cu: Text,
    ke_toan: Code,
    tai_khoan: Code,
    tien_ton: Code = "",
) -> Response:
    """Change name, basis, accounts or what becomes of leftovers; bills that stand keep theirs."""
    typed = TypedItem(code, ten, can_cu, ke_toan, tai_khoan, carry_over=tien_ton)
    desk.change_item(visit.who, visit.place, typed, parts_of(request).clock())
    return _to_item(visit, code, "sua")


@router.post("/{code:path}/dung")
def end(  # noqa: PLR0913, PLR0917  as above
    request: Request, visit: StaffVisit, desk: OpenDesk, code: str, den: Annotated[date, Form()], ly_do: Text = ""
) -> Response:
    """Stop charging an item after a day."""
    desk.end_item(visit.who, visit.place, code, den, ly_do, parts_of(request).clock())
    return _to_item(visit, code, "dung")


def _to_item(visit: StaffVisit, code: str, said: str) -> Response:
    return go_to(visit.place, f"/van-phong/khoan-thu/{quote(code, safe='')}", xong=said)
