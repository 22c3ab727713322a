"""Closing a month in the office: the checklist, a request, another person's yes; and opening the last one again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from billing.attendance.days import month_from
from billing.errors import Conflict, HocphiError, Refused, SamePerson
from service.access.roles import MATRIX
from service.errors import answer_for
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean

CLOSING = "/van-phong/khoa-so"
router = APIRouter(prefix=CLOSING, max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
_TOLD = (Refused, Conflict)  # on the page itself, which is read anew; what was typed stands there still
_SAID = {
    "de-nghi": ("Đã ghi đề nghị, chờ người khác duyệt.", "Asked for; another person approves."),
    "close": (
        "Đã khóa sổ. Tiền đến muộn và điều chỉnh từ nay ghi vào tháng đang mở.",
        "Closed. Late money and corrections are recorded in the open month from now on.",
    ),
    "reopen": ("Đã mở lại sổ tháng đó.", "The month is open again."),
    "khong": ("Đã bỏ đề nghị. Sổ giữ nguyên.", "Dropped. The book stays as it is."),
}


@router.get("")
def closing(request: Request, visit: StaffVisit, desk: OpenDesk, da: str = "") -> Response:
    """Show the month whose turn it is, what is unfinished, what waits, and what is closed."""
    return _page(request, visit, desk, said=_SAID.get(da))


def _page(  # noqa: PLR0913  what the page tells
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    *,
    said: tuple[str, str] | None = None,
    error: HocphiError | None = None,
    typed: str = "",
) -> Response:
    """Show the page anew with what stands against an act, and with what was ``typed``."""
    may = {
        name: bool(MATRIX["POST", f"{CLOSING}{path}"] & visit.roles)
        for name, path in {"asks": "", "approves": "/{ask_id}/duyet", "refuses": "/{ask_id}/tu-choi"}.items()
    }
    found = desk.closing(visit.who, visit.place, parts_of(request).clock())
    status = answer_for(error).status if error else 200
    told = error.message if error else ""
    return page(
        request, "closing.html", status=status, visit=visit, found=found, said=said, error=told, typed=typed, **may
    )


@router.post("")
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, thang: Short = "", dau: Short = "", ly_do: Text = ""
) -> Response:
    """Ask for a month to be closed."""
    now = parts_of(request).clock()
    try:
        desk.ask_close(visit.who, visit.place, month_from(thang), dau, clean(ly_do), now)
    except _TOLD as error:
        return _page(request, visit, desk, error=error, typed=clean(ly_do))
    return go_to(visit.place, CLOSING, da="de-nghi")


@router.post("/mo-lai")
def ask_again(request: Request, visit: StaffVisit, desk: OpenDesk, thang: Short = "", ly_do: Text = "") -> Response:
    """Ask for the month that was closed last to be opened again."""
    try:
        desk.ask_reopen(visit.who, visit.place, month_from(thang), clean(ly_do), parts_of(request).clock())
    except _TOLD as error:
        return _page(request, visit, desk, error=error, typed=clean(ly_do))
    return go_to(visit.place, CLOSING, da="de-nghi")


@router.post("/{ask_id}/duyet")
def agree(request: Request, visit: StaffVisit, desk: OpenDesk, ask_id: UUID) -> Response:
    """Agree to a request; what stands against it is told beside what is unfinished now."""
    try:
        done = desk.agree_period(visit.who, visit.place, ask_id, parts_of(request).clock())
    except (*_TOLD, SamePerson) as error:
        return _page(request, visit, desk, error=error)
    return go_to(visit.place, CLOSING, da=done)


@router.post("/{ask_id}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, ask_id: UUID, ly_do: Text = "") -> Response:
    """Say no, or take one's own request back."""
    try:
        desk.refuse_period(visit.who, visit.place, ask_id, clean(ly_do), parts_of(request).clock())
    except _TOLD as error:
        return _page(request, visit, desk, error=error, typed=clean(ly_do))
    return go_to(visit.place, CLOSING, da="khong")
