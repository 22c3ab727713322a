"""Money from abroad that arrives short, in the office: the limit by two, each acceptance within it by one or two."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.shortfall_views import TypedShortfall
from service.pages.typed import clean

SHORTFALLS = "/van-phong/thieu-phi"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
Key = Annotated[str, Query(max_length=20)]
_SAID = {
    "nhan": ("Đã chấp nhận phần thiếu: thông báo thu đã nộp đủ.", "Accepted: the bill is paid."),
    "cho": ("Đã ghi đề nghị; chờ người khác duyệt.", "Asked for; another person agrees."),
    "huy": ("Đã hủy; phần này chưa nộp.", "Taken back; the sum is open."),
    "de-nghi": ("Đã ghi đề nghị hạn mức; chờ người khác duyệt.", "The limit waits for another person."),
    "han-muc": ("Đã quyết định hạn mức.", "The limit is decided."),
}


@router.get(SHORTFALLS)
def show(request: Request, visit: StaffVisit, desk: OpenDesk, da: Key = "") -> Response:
    """Show the limit, what may be accepted within it, and what was accepted."""
    found = desk.shortfalls(visit.who, visit.place, parts_of(request).clock())
    makes = bool(MATRIX["POST", SHORTFALLS] & visit.roles)
    checks = bool(MATRIX["POST", f"{SHORTFALLS}/han-muc/{{limit_id}}/duyet"] & visit.roles)
    return page(request, "shortfalls.html", visit=visit, found=found, makes=makes, checks=checks, said=_SAID.get(da))


@router.post(SHORTFALLS)
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    giao_dich: Short = "",
    thong_bao: Short = "",
    so_dien: Short = "",
    ly_do: Text = "",
) -> Response:
    """Ask another person to accept what a transfer lacks on a bill."""
    typed = TypedShortfall(giao_dich, thong_bao, clean(so_dien), clean(ly_do))
    desk.ask_shortfall(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, SHORTFALLS, da="cho")


@router.post(f"{SHORTFALLS}/{{relief_id}}/duyet")
def agree_one(request: Request, visit: StaffVisit, desk: OpenDesk, relief_id: UUID) -> Response:
    """Agree to what another person asked to accept."""
    desk.agree_shortfall(visit.who, visit.place, relief_id, parts_of(request).clock())
    return go_to(visit.place, SHORTFALLS, da="nhan")


@router.post(f"{SHORTFALLS}/{{relief_id}}/huy")
def take_back(request: Request, visit: StaffVisit, desk: OpenDesk, relief_id: UUID, ly_do: Text = "") -> Response:
    """Take an acceptance back, or say no to one that waits."""
    desk.take_back_shortfall(visit.who, visit.place, relief_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, SHORTFALLS, da="huy")


@router.post(f"{SHORTFALLS}/han-muc")
def ask_limit(request: Request, visit: StaffVisit, desk: OpenDesk, so_tien: Short = "", ly_do: Text = "") -> Response:
    """Ask for another limit."""
    desk.ask_limit(visit.who, visit.place, so_tien, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, SHORTFALLS, da="de-nghi")


@router.post(f"{SHORTFALLS}/han-muc/{{limit_id}}/duyet")
def agree(request: Request, visit: StaffVisit, desk: OpenDesk, limit_id: UUID) -> Response:
    """Agree to a limit."""
    desk.decide_limit(visit.who, visit.place, limit_id, "", parts_of(request).clock(), approved=True)
    return go_to(visit.place, SHORTFALLS, da="han-muc")


@router.post(f"{SHORTFALLS}/han-muc/{{limit_id}}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, limit_id: UUID, ly_do: Text = "") -> Response:
    """Say no to a limit, or take one's own back."""
    desk.decide_limit(visit.who, visit.place, limit_id, clean(ly_do), parts_of(request).clock(), approved=False)
    return go_to(visit.place, SHORTFALLS, da="han-muc")
