"""Where the school lies, in the office: by day, and a change of it that one person asks for and another approves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.place_views import TypedPlace
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean, read_day

PLACES = "/van-phong/dia-ban"
router = APIRouter(prefix=PLACES, max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
_SAID = {
    "de-nghi": ("Đã ghi đề nghị, chờ người khác duyệt.", "Asked for; another person approves."),
    "duyet": ("Đã duyệt. Thông báo đã phát hành giữ nguyên.", "Approved. Bills that are issued stay as they are."),
    "bo": ("Đã bỏ đề nghị. Không có gì thay đổi.", "Dropped. Nothing changes."),
}


@router.get("")
def places(request: Request, visit: StaffVisit, desk: OpenDesk, da: str = "") -> Response:
    """Show where the school lies by day, and what was asked for."""
    may = {
        name: bool(MATRIX["POST", f"{PLACES}{path}"] & visit.roles)
        for name, path in {"asks": "", "approves": "/{place_id}/duyet", "drops": "/{place_id}/bo"}.items()
    }
    found = desk.places(visit.who, visit.place, parts_of(request).clock())
    return page(request, "places.html", visit=visit, found=found, said=_SAID.get(da), **may)


@router.post("")
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    dia_ban: Short = "",
    tinh_cu: Short = "",
    tu_ngay: Short = "",
    quyet_dinh: Text = "",
) -> Response:
    """Ask for another place from a day on."""
    typed = TypedPlace(dia_ban, tinh_cu, clean(quyet_dinh), read_day(tu_ngay))
    desk.ask_place(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, PLACES, da="de-nghi")


@router.post("/{place_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, place_id: UUID) -> Response:
    """Approve a change."""
    desk.approve_place(visit.who, visit.place, place_id, parts_of(request).clock())
    return go_to(visit.place, PLACES, da="duyet")


@router.post("/{place_id}/bo")
def withdraw(request: Request, visit: StaffVisit, desk: OpenDesk, place_id: UUID) -> Response:
    """Drop a change that waits."""
    desk.withdraw_place(visit.who, visit.place, place_id, parts_of(request).clock())
    return go_to(visit.place, PLACES, da="bo")
