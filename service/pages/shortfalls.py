"""Money from abroad that arrives short, in the office: the limit by two, each acceptance within it by one or two."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from billing.errors import HocphiError
from service.access.roles import MATRIX
from service.pages.desk import Desk
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.shortfall_views import Again, TypedShortfall
from service.pages.telling import TOLD, told
from service.pages.typed import clean

SHORTFALLS = "/van-phong/thieu-phi"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
Key = Annotated[str, Query(max_length=20)]
_NOTHING_TYPED = Again()
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
    return _page(request, visit, desk, said=_SAID.get(da))


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
    try:
        desk.ask_shortfall(visit.who, visit.place, typed, parts_of(request).clock())
    except TOLD as error:
        again = Again("ask", typed.transfer + typed.bill, typed.reason, typed.paper)
        return _page(request, visit, desk, error=error, again=again)
    return go_to(visit.place, SHORTFALLS, da="cho")


@router.post(f"{SHORTFALLS}/{{relief_id}}/duyet")
def agree_one(request: Request, visit: StaffVisit, desk: OpenDesk, relief_id: UUID) -> Response:
    """Agree to what another person asked to accept."""
    try:
        desk.agree_shortfall(visit.who, visit.place, relief_id, parts_of(request).clock())
    except TOLD as error:
        return _page(request, visit, desk, error=error)
    return go_to(visit.place, SHORTFALLS, da="nhan")


@router.post(f"{SHORTFALLS}/{{relief_id}}/huy")
def take_back(request: Request, visit: StaffVisit, desk: OpenDesk, relief_id: UUID, ly_do: Text = "") -> Response:
    """Take an acceptance back, or say no to one that waits."""
    why = clean(ly_do)
    try:
        desk.take_back_shortfall(visit.who, visit.place, relief_id, why, parts_of(request).clock())
    except TOLD as error:
        return _page(request, visit, desk, error=error, again=Again("end", str(relief_id), why))
    return go_to(visit.place, SHORTFALLS, da="huy")


@router.post(f"{SHORTFALLS}/han-muc")
def ask_limit(request: Request, visit: StaffVisit, desk: OpenDesk, so_tien: Short = "", ly_do: Text = "") -> Response:
    """Ask for another limit."""
    most, why = clean(so_tien), clean(ly_do)
    try:
        desk.ask_limit(visit.who, visit.place, most, why, parts_of(request).clock())
    except TOLD as error:
        return _page(request, visit, desk, error=error, again=Again("limit", reason=why, most=most))
    return go_to(visit.place, SHORTFALLS, da="de-nghi")


@router.post(f"{SHORTFALLS}/han-muc/{{limit_id}}/duyet")
def agree(request: Request, visit: StaffVisit, desk: OpenDesk, limit_id: UUID) -> Response:
    """Agree to a limit."""
    try:
        desk.decide_limit(visit.who, visit.place, limit_id, "", parts_of(request).clock(), approved=True)
    except TOLD as error:
        return _page(request, visit, desk, error=error)
    return go_to(visit.place, SHORTFALLS, da="han-muc")


@router.post(f"{SHORTFALLS}/han-muc/{{limit_id}}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, limit_id: UUID, ly_do: Text = "") -> Response:
    """Say no to a limit, or take one's own back."""
    why = clean(ly_do)
    try:
        desk.decide_limit(visit.who, visit.place, limit_id, why, parts_of(request).clock(), approved=False)
    except TOLD as error:
        return _page(request, visit, desk, error=error, again=Again("no", str(limit_id), why))
    return go_to(visit.place, SHORTFALLS, da="han-muc")


def _page(  # noqa: PLR0913  what the page says besides what stands
    request: Request,
    visit: Visit,
    desk: Desk,
    *,
    said: tuple[str, str] | None = None,
    error: HocphiError | None = None,
    again: Again = _NOTHING_TYPED,
) -> Response:
    against = told(request, visit, desk, error)
    found = desk.shortfalls(visit.who, visit.place, parts_of(request).clock())
    makes = bool(MATRIX["POST", SHORTFALLS] & visit.roles)
    checks = bool(MATRIX["POST", f"{SHORTFALLS}/han-muc/{{limit_id}}/duyet"] & visit.roles)
    more: dict[str, Any] = {"found": found, "makes": makes, "checks": checks, "said": said, "again": again}
    return page(request, "shortfalls.html", visit=visit, **more, **against)
