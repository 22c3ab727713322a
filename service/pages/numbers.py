"""Children's own account numbers in the office: a pool entered by two, given out, taken back, never forgotten."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean

NUMBERS = "/van-phong/tai-khoan/so-rieng"
_MOST_BYTES = 256 * 1024  # five thousand numbers, and what was pasted beside them
router = APIRouter(prefix=NUMBERS, max_body_size=_MOST_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
_SAID = {
    "nhap": ("Đã ghi danh sách, chờ người khác duyệt.", "The list waits for another person."),
    "duyet": ("Đã duyệt; các số có thể cấp cho học sinh.", "Agreed; the numbers can be given out."),
    "tu-choi": ("Đã từ chối danh sách.", "The list was refused."),
    "cap": ("Đã cấp số cho lớp.", "Numbers were given to the class."),
    "thu-hoi": (
        "Đã thu hồi số. Tiền vào số này từ nay chờ người xử lý.",
        "Taken back. Money to it waits for a person.",
    ),
}


@router.get("")
def numbers(
    request: Request, visit: StaffVisit, desk: OpenDesk, da: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Show each account's pool, who has which number, who had it, and who waits for one."""
    found = desk.numbers(visit.who, visit.place, parts_of(request).clock())
    may = {
        name: bool(MATRIX["POST", f"{NUMBERS}{path}"] & visit.roles)
        for name, path in {"makes": "", "agrees": "/{list_id}/duyet", "refuses": "/{list_id}/tu-choi"}.items()
    }
    return page(request, "numbers.html", visit=visit, found=found, said=_SAID.get(da), **may)


@router.post("")
def enter(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    tai_khoan: Short = "",
    danh_sach: Annotated[str, Form(max_length=200_000)] = "",
    can_cu: Text = "",
) -> Response:
    """Enter the numbers that the bank gave out; another person agrees."""
    now = parts_of(request).clock()
    desk.enter_numbers(visit.who, visit.place, tai_khoan, danh_sach, clean(can_cu), now)
    return go_to(visit.place, NUMBERS, da="nhap")


@router.post("/{list_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, list_id: UUID) -> Response:
    """Agree to a list; whoever entered it cannot."""
    desk.decide_numbers(visit.who, visit.place, list_id, "", parts_of(request).clock(), approved=True)
    return go_to(visit.place, NUMBERS, da="duyet")


@router.post("/{list_id}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, list_id: UUID, ly_do: Text = "") -> Response:
    """Refuse a list, or take one's own back."""
    desk.decide_numbers(visit.who, visit.place, list_id, clean(ly_do), parts_of(request).clock(), approved=False)
    return go_to(visit.place, NUMBERS, da="tu-choi")


@router.post("/cap")
def assign(request: Request, visit: StaffVisit, desk: OpenDesk, tai_khoan: Short = "", lop: Short = "") -> Response:
    """Give every child of a class without a number one."""
    desk.assign_numbers(visit.who, visit.place, tai_khoan, lop, parts_of(request).clock())
    return go_to(visit.place, NUMBERS, da="cap")


@router.post("/thu-hoi/{number_id}")
def release(request: Request, visit: StaffVisit, desk: OpenDesk, number_id: int, ly_do: Text = "") -> Response:
    """Take a number from its child, with a reason; the history stays."""
    desk.release_number(visit.who, visit.place, number_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, NUMBERS, da="thu-hoi")
