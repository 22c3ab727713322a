"""The office opens voluntary items for registration by families, reads what they chose, may refuse with a reason."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.choice_views import TypedOffer
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to

OFFERS = "/van-phong/dang-ky/dot"
router = APIRouter(prefix=OFFERS, max_body_size=MAX_FORM_BYTES)

SAID = {
    "mo": (
        "Đã mở đăng ký. Gia đình thấy khoản này từ thông báo thu, sau khi nhập mã một lần.",
        "Open. Families find it from their notice, after a one-time code.",
    ),
    "gui": ("Tin đang được gửi.", "The messages are on their way."),
    "dong": ("Đã đóng đăng ký. Các đăng ký đã ghi vẫn giữ nguyên.", "Closed. What was registered stays."),
    "tu-choi": ("Đã từ chối; gia đình đọc được lý do.", "Refused; the family reads the reason."),
}
Said = Annotated[str, Query(max_length=20)]
Short = Annotated[str, Form(max_length=40)]


@router.get("")
def offers(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    khoan: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """List what is and was open and, with an item, show the form that opens it."""
    maker = bool(MATRIX["POST", OFFERS] & visit.roles)
    found = desk.offers(visit.who, visit.place, khoan if maker else "", parts_of(request).clock())
    return page(request, "offers.html", visit=visit, found=found, maker=maker)


@router.post("")
def open_item(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    khoan: Short = "",
    tu: Short = "",
    han: Short = "",
    loi: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Open an item for registration."""
    made = desk.open_offer(visit.who, visit.place, TypedOffer(khoan, tu, han, loi), parts_of(request).clock())
    return go_to(visit.place, f"{OFFERS}/lan/{made}", xong="mo")


@router.get("/lan/{offer_id}")
def offer(request: Request, visit: StaffVisit, desk: OpenDesk, offer_id: uuid.UUID, xong: Said = "") -> Response:
    """Show one offer with what families chose."""
    found = desk.offer(visit.who, visit.place, offer_id, parts_of(request).clock())
    maker = bool(MATRIX["POST", OFFERS] & visit.roles)
    return page(request, "offer.html", visit=visit, found=found, maker=maker, said=SAID.get(xong))


@router.post("/lan/{offer_id}/gui")
def invite(request: Request, visit: StaffVisit, desk: OpenDesk, offer_id: uuid.UUID) -> Response:
    """Ask the families that have not answered."""
    desk.invite_to_offer(visit.who, visit.place, offer_id, parts_of(request).clock())
    return go_to(visit.place, f"{OFFERS}/lan/{offer_id}", xong="gui")


@router.post("/lan/{offer_id}/dong")
def close(request: Request, visit: StaffVisit, desk: OpenDesk, offer_id: uuid.UUID) -> Response:
    """Close an offer."""
    desk.close_offer(visit.who, visit.place, offer_id, parts_of(request).clock())
    return go_to(visit.place, f"{OFFERS}/lan/{offer_id}", xong="dong")


@router.post("/lan/{offer_id}/tu-choi")
def refuse(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    offer_id: uuid.UUID,
    lua_chon: Short = "",
    ly_do: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Refuse what a family chose."""
    desk.refuse_choice(visit.who, visit.place, lua_chon, ly_do, parts_of(request).clock())
    return go_to(visit.place, f"{OFFERS}/lan/{offer_id}", xong="tu-choi")
