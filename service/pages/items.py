"""The school's items: what may be charged, at which price, on which basis; loaded from a catalogue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.errors import Refused
from service.access.errors import TooLarge
from service.pages.fee_views import CatalogueChoice
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to

MAX_CATALOGUE_BYTES = 512 * 1024
# A form has a little more than its file.
MAX_BODY_BYTES = MAX_CATALOGUE_BYTES + 64 * 1024

router = APIRouter(prefix="/van-phong/khoan-thu", max_body_size=MAX_BODY_BYTES)

SAID = {
    "nap": ("Đã nạp danh mục.", "The catalogue is loaded."),
}

Said = Annotated[str, Query(max_length=20)]


@router.get("")
def items(request: Request, visit: StaffVisit, desk: OpenDesk, xong: Said = "") -> Response:
    """List the items with price, standing to the cap, legal basis and account."""
    view = desk.items(visit.who, visit.place, parts_of(request).clock())
    return page(request, "items.html", visit=visit, items=view, said=SAID.get(xong))


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
