"""A former program's data in the office: template, file against typed sums, and another person's approval."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.newyear import content_of
from service.pages.newyear_views import TypedFormer
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.uploading import MAX_BODY_BYTES

ROOT = "/van-phong/phan-mem-cu"
router = APIRouter(prefix=ROOT, max_body_size=MAX_BODY_BYTES)

Short = Annotated[str, Form(max_length=40)]


def _may(visit: StaffVisit, path: str) -> bool:
    return bool(MATRIX["POST", ROOT + path] & visit.roles)


@router.get("")
def former(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """List the files that were read in, with the form for another one."""
    found = desk.former(visit.who, visit.place, parts_of(request).clock())
    return page(request, "former.html", visit=visit, found=found, makes=_may(visit, "/bang"))


@router.get("/mau.xlsx")
def template(visit: StaffVisit, desk: OpenDesk) -> Response:
    """Hand out the file to fill in."""
    return file_answer(desk.former_template(visit.who, visit.place))


@router.post("/bang")
def read_in(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    tep: Annotated[UploadFile, File()],
    nam: Short = "",
    ten: Short = "",
    thang: Short = "",
    han: Short = "",
    no: Short = "",
    ton: Short = "",
    quyen: Short = "",
    so: Short = "",
) -> Response:
    """Read a file in for approval; every bad line is listed, and then nothing is stored."""
    name = " ".join(unicodedata.normalize("NFC", ten).split())
    typed = TypedFormer(nam, name, thang, han, no, ton, quyen, so)
    made = desk.read_former(visit.who, visit.place, typed, content_of(tep), parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/{made}")


@router.get("/{import_id}")
def one(request: Request, visit: StaffVisit, desk: OpenDesk, import_id: UUID) -> Response:
    """Show one file as it was understood."""
    found = desk.former_import(visit.who, visit.place, import_id, parts_of(request).clock())
    may = {name: _may(visit, f"/{{import_id}}/{name}") for name in ("duyet", "tu-choi")}
    return page(request, "former_import.html", visit=visit, found=found, may=may)


@router.post("/{import_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, import_id: UUID) -> Response:
    """Take the file over; a second person does this."""
    desk.approve_former(visit.who, visit.place, import_id, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/{import_id}")


@router.post("/{import_id}/tu-choi")
def reject(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    import_id: UUID,
    ly_do: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Say no, with a reason."""
    reason = " ".join(unicodedata.normalize("NFC", ly_do).split())
    desk.reject_former(visit.who, visit.place, import_id, reason, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/{import_id}")
