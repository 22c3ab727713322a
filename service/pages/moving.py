"""Pupils who move, in the office: leaving in one step, another class from a day on, and the last grade."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.moving_views import STATE_NAMES, TypedClass, TypedLeaving, TypedReturn
from service.pages.rendering import page
from service.pages.responses import go_to

MOVING = "/van-phong/chuyen-di"
REFUNDS = "/van-phong/hoan-tien"
LAST = "/van-phong/cuoi-cap"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=300)]
Words = Annotated[str, Query(max_length=100)]
Key = Annotated[str, Query(max_length=40)]
_SAID = {
    "doi-lop": (
        "Đã ghi lớp mới. Thông báo đã phát hành giữ nguyên.",
        "The new class is stored. Bills that stand stay.",
    ),
    "rut-lai": ("Đã rút lại. Em đang học như trước.", "Taken back. The pupil goes on as before."),
    "tinh": (
        "Đã trừ vào phần chưa nộp; không còn gì để trả lại.",
        "Used on what was open; nothing is left to give back.",
    ),
    "hoc-lai": (
        "Đã ghi nhập học lại. Đợt thu sau chỉ tính từ ngày em về.",
        "The return is stored. Later rounds bill from that day on.",
    ),
    "nghi": ("Đã ghi ngày học cuối.", "The last day is stored."),
}


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def _makes(visit: StaffVisit) -> bool:
    return bool(MATRIX["POST", f"{MOVING}/hoc-sinh/{{enrolment_id}}/nghi"] & visit.roles)


@router.get(MOVING)
def moving(request: Request, visit: StaffVisit, desk: OpenDesk, q: Words = "") -> Response:
    """Find a pupil, and list who left."""
    found = desk.moving(visit.who, visit.place, _clean(q), parts_of(request).clock())
    return page(request, "moving.html", visit=visit, found=found, states=STATE_NAMES, makes=_makes(visit))


@router.get(f"{MOVING}/hoc-sinh/{{enrolment_id}}")
def mover(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    enrolment_id: UUID,
    ngay: Key = "",
    viec: Key = "left",
    da: Key = "",
) -> Response:
    """Show what leaving after a day would do, before anything happens."""
    typed = TypedLeaving(str(enrolment_id), ngay, viec) if ngay else None
    found = desk.mover(visit.who, visit.place, enrolment_id, typed, parts_of(request).clock())
    said, makes = _SAID.get(da), _makes(visit)
    return page(request, "mover.html", visit=visit, found=found, states=STATE_NAMES, makes=makes, said=said)


@router.post(f"{MOVING}/hoc-sinh/{{enrolment_id}}/nghi")
def leave(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    enrolment_id: UUID,
    ngay: Short = "",
    viec: Short = "",
    ly_do: Text = "",
) -> Response:
    """End a pupil's time here and ask for the corrections."""
    typed = TypedLeaving(str(enrolment_id), ngay, viec, _clean(ly_do))
    made = desk.leave(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{MOVING}/lan/{made}", da="nghi")


@router.post(f"{MOVING}/hoc-sinh/{{enrolment_id}}/doi-lop")
def other_class(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    enrolment_id: UUID,
    lop: Short = "",
    tu: Short = "",
    ly_do: Text = "",
) -> Response:
    """Put a pupil into another class from a day on."""
    typed = TypedClass(str(enrolment_id), lop, tu, _clean(ly_do))
    desk.change_class(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{MOVING}/hoc-sinh/{enrolment_id}", da="doi-lop")


@router.get(f"{MOVING}/lan/{{leaving_id}}")
def leaving(request: Request, visit: StaffVisit, desk: OpenDesk, leaving_id: UUID, da: Key = "") -> Response:
    """Show one leaving: what waits for approval, what is open and what is kept."""
    found = desk.leaving(visit.who, visit.place, leaving_id, parts_of(request).clock())
    said, makes = _SAID.get(da), _makes(visit)
    return page(request, "leaving.html", visit=visit, found=found, states=STATE_NAMES, makes=makes, said=said)


@router.post(f"{MOVING}/lan/{{leaving_id}}/tinh")
def settle(request: Request, visit: StaffVisit, desk: OpenDesk, leaving_id: UUID) -> Response:
    """Let what is kept pay what is open, and ask for the rest back."""
    made = desk.settle_leaving(visit.who, visit.place, leaving_id, parts_of(request).clock())
    if made is None:
        return go_to(visit.place, f"{MOVING}/lan/{leaving_id}", da="tinh")
    return go_to(visit.place, f"{REFUNDS}/{made}")


@router.post(f"{MOVING}/lan/{{leaving_id}}/rut-lai")
def take_back(request: Request, visit: StaffVisit, desk: OpenDesk, leaving_id: UUID, ly_do: Text = "") -> Response:
    """Let a pupil go on as if it had not left."""
    desk.take_back_leaving(visit.who, visit.place, leaving_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, f"{MOVING}/lan/{leaving_id}", da="rut-lai")


@router.post(f"{MOVING}/lan/{{leaving_id}}/nhap-hoc-lai")
def come_back(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    leaving_id: UUID,
    lop: Short = "",
    tu: Short = "",
    ly_do: Text = "",
    khoan: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Let a pupil who left study here again from a day on."""
    typed = TypedReturn(str(leaving_id), lop, tu, _clean(ly_do), tuple(khoan or ()))
    made = desk.come_back(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{MOVING}/hoc-sinh/{made}", da="hoc-lai")


@router.get(LAST)
def last_grade(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """List the classes of last grades with what is kept for their pupils."""
    classes = desk.last_classes(visit.who, visit.place, parts_of(request).clock())
    return page(
        request, "last_grade.html", visit=visit, classes=classes, makes=bool(MATRIX["POST", LAST] & visit.roles)
    )


@router.post(LAST)
def refund_last_grade(
    request: Request, visit: StaffVisit, desk: OpenDesk, lop: Annotated[list[str], Form()], ly_do: Text = ""
) -> Response:
    """Ask for everything that is kept for the pupils of these classes to be given back."""
    made = desk.refund_graduates(visit.who, visit.place, lop, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, f"{REFUNDS}/{made}")
