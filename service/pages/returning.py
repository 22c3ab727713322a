"""Transfers that nobody could place, in the office: asked back, and what the bank brings back of a refund."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.returning_views import TypedReturn
from service.pages.typed import clean

REFUNDS = "/van-phong/hoan-tien"
TRANSFERS = f"{REFUNDS}/giao-dich"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=300)]


@router.get(TRANSFERS)
def going_back(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """List the transfers that wait for a person, and those on their way back."""
    found = desk.going_back(visit.who, visit.place, parts_of(request).clock())
    return page(request, "going_back.html", visit=visit, found=found, makes=_makes(visit))


@router.get(f"{TRANSFERS}/{{transfer_id}}")
def one(request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID) -> Response:
    """Show one waiting transfer with the form that asks it back."""
    found = desk.ask_back_page(visit.who, visit.place, transfer_id, parts_of(request).clock())
    return page(request, "ask_back.html", visit=visit, found=found, makes=_makes(visit))


@router.post(f"{TRANSFERS}/{{transfer_id}}")
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    transfer_id: UUID,
    ve: Short = "",
    ngan_hang: Short = "",
    ten: Text = "",
    so_tai_khoan: Short = "",
    can_cu: Text = "",
    ly_do: Text = "",
) -> Response:
    """Ask that a transfer goes back; another person decides on the page of the refund."""
    typed = TypedReturn(ve, ngan_hang, clean(ten), so_tai_khoan.replace(" ", ""), clean(can_cu), clean(ly_do))
    made = desk.ask_back(visit.who, visit.place, transfer_id, typed, parts_of(request).clock())
    return go_to(visit.place, f"{REFUNDS}/{made}")


@router.post(f"{REFUNDS}/{{refund_id}}/dong/{{line_id}}/tra-ve")
def bring_back(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID, line_id: UUID, tien_vao: Short = ""
) -> Response:
    """Write down that the bank brought the money of a line back; the line is to be paid out again."""
    desk.bring_back(visit.who, visit.place, refund_id, line_id, tien_vao, parts_of(request).clock())
    return go_to(visit.place, f"{REFUNDS}/{refund_id}")


def _makes(visit: StaffVisit) -> bool:
    return bool(MATRIX["POST", f"{TRANSFERS}/{{transfer_id}}"] & visit.roles)
