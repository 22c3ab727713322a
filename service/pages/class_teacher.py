"""A class teacher's page, made for a phone: who is absent today, one tap a pupil; no money anywhere."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.pages.attendance_views import TypedRoll
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import read_day

ROOT = "/lop-chu-nhiem"
router = APIRouter(prefix=ROOT, max_body_size=MAX_FORM_BYTES)

SAID = {
    "luu": ("Đã lưu điểm danh.", "The roll is saved."),
    "muon": (
        "Đã lưu điểm danh. Em báo vắng sau giờ thì bếp đã nấu suất ăn.",
        "The roll is saved. Who was told too late had a meal cooked.",
    ),
    "chot": ("Đã chốt tháng.", "The month is closed."),
}

Ids = Annotated[list[str] | None, Form()]


@router.get("")
def roll(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    lop: Annotated[str, Query(max_length=40)] = "",
    ngay: Annotated[str, Query(max_length=10)] = "",
    xong: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show an own class on a day, everybody present unless ticked."""
    view = desk.roll(visit.who, visit.place, lop, read_day(ngay), parts_of(request).clock())
    return page(request, "roll.html", visit=visit, roll=view, said=SAID.get(xong))


@router.post("/{class_id}/ngay/{day}")
def take(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    class_id: uuid.UUID,
    day: date,
    em: Ids = None,
    da_vang: Ids = None,
) -> Response:
    """Write down who is absent."""
    typed = TypedRoll(str(class_id), day, tuple(em or ()), tuple(da_vang or ()))
    too_late = desk.take_roll(visit.who, visit.place, typed, parts_of(request).clock())
    said = "muon" if too_late else "luu"
    return go_to(visit.place, ROOT, lop=str(class_id), ngay=day.isoformat(), xong=said)


@router.post("/{class_id}/chot")
def close(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    class_id: uuid.UUID,
    thang: Annotated[str, Form(max_length=7)],
) -> Response:
    """Close a month of an own class."""
    desk.close_own_month(visit.who, visit.place, class_id, thang, parts_of(request).clock())
    return go_to(visit.place, ROOT, lop=str(class_id), xong="chot")
