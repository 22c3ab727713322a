"""A round on paper: slips of a class at once, those of all classes by a worker, and the printable list of notices."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.access import limits
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to, stream_answer

router = APIRouter(prefix="/van-phong/dot-thu/{round_id}", max_body_size=MAX_FORM_BYTES)


@router.get("/giay-bao")
def slips(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Show what can be printed, class by class."""
    view = desk.slips(visit.who, visit.place, round_id, parts_of(request).clock())
    return page(request, "slips.html", visit=visit, slips=view)


@router.get("/giay-bao/{class_id}.pdf")
def class_slips(
    request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID, class_id: uuid.UUID
) -> Response:
    """Hand out the slips of one class, to print or to keep."""
    parts = parts_of(request)
    parts.limiter.spend(limits.PAPERS, str(visit.who.user_id))
    return file_answer(desk.class_slips(visit.who, visit.place, round_id, class_id, parts.clock()), inline=True)


@router.post("/giay-bao")
def ask_for_all(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Ask for the slips of all classes; a worker prints them, and the page shows how far it is."""
    parts = parts_of(request)
    parts.limiter.spend(limits.WHOLE_PRINTS, str(visit.who.user_id))
    desk.ask_for_all_slips(visit.who, visit.place, round_id, parts.clock())
    return go_to(visit.place, f"/van-phong/dot-thu/{round_id}/giay-bao")


@router.get("/giay-bao/tep/{print_id}.zip")
def all_slips(
    request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID, print_id: uuid.UUID
) -> Response:
    """Hand out a finished print: one PDF for each class, packed together, sent piece by piece."""
    parts = parts_of(request)
    parts.limiter.spend(limits.WHOLE_PRINTS, str(visit.who.user_id))
    name, stream = desk.all_slips(visit.who, visit.place, round_id, print_id, parts.clock())
    return stream_answer(name, stream, "application/zip")


@router.get("/danh-sach-bao")
def notices(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Show who was told by which channel, and who has no contact; made to be printed."""
    view = desk.notices(visit.who, visit.place, round_id, parts_of(request).clock())
    return page(request, "notices.html", visit=visit, notices=view)
