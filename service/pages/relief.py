"""Relief in the office: more time for a family, and sums that are no longer asked for. Two people decide each."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import OpenDesk, StaffVisit, Visit, parts_of
from service.pages.plans import MAX_BODY_BYTES
from service.pages.relief_views import TypedGrace, TypedWriteOff
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to

RELIEF = "/van-phong/gia-han"
router = APIRouter(prefix=RELIEF, max_body_size=MAX_BODY_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
Lines = Annotated[str, Form(max_length=1000)]
Words = Annotated[str, Query(max_length=100)]
Given = Annotated[UploadFile, File()]
_SAID = {
    "de-nghi": ("Đã ghi đề nghị, chờ người khác duyệt.", "Asked for; another person decides."),
    "duyet": ("Đã duyệt.", "Approved."),
    "khong": ("Đã ghi: không duyệt, hoặc rút lại.", "Stored: refused, or taken back."),
    "thoi": ("Đã thôi gia hạn, hoặc đã đảo việc xóa.", "The grace is lifted, or the write-off reversed."),
}


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def _may(visit: Visit) -> dict[str, bool]:
    """Return which acts the matrix opens here."""
    acts = {"asks": "/hoc-sinh/{pupil_id}/gia-han", "decides": "/{relief_id}/duyet", "refuses": "/{relief_id}/tu-choi"}
    return {name: bool(MATRIX["POST", f"{RELIEF}{path}"] & visit.roles) for name, path in acts.items()}


@router.get("")
def reliefs(request: Request, visit: StaffVisit, desk: OpenDesk, q: Words = "", da: str = "") -> Response:
    """Find a pupil with something open, and list what was asked for."""
    found = desk.reliefs(visit.who, visit.place, _clean(q), parts_of(request).clock())
    return page(request, "reliefs.html", visit=visit, found=found, said=_SAID.get(da), **_may(visit))


@router.get("/hoc-sinh/{pupil_id}")
def pupil(request: Request, visit: StaffVisit, desk: OpenDesk, pupil_id: UUID, da: str = "") -> Response:
    """Show what is open for one pupil, with the forms to ask."""
    found = desk.relief_pupil(visit.who, visit.place, pupil_id, parts_of(request).clock())
    return page(request, "relief_pupil.html", visit=visit, found=found, said=_SAID.get(da), **_may(visit))


@router.post("/hoc-sinh/{pupil_id}/gia-han")
def ask_grace(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    pupil_id: UUID,
    thong_bao: Short = "",
    den: Short = "",
    nop_dan: Lines = "",
    ly_do: Text = "",
) -> Response:
    """Ask for more time."""
    typed = TypedGrace(pupil_id, thong_bao, den, nop_dan, _clean(ly_do))
    desk.ask_grace(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{RELIEF}/hoc-sinh/{pupil_id}", da="de-nghi")


@router.post("/hoc-sinh/{pupil_id}/khong-thu")
def ask_write_off(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    pupil_id: UUID,
    tep: Given,
    thong_bao: Short = "",
    so_quyet_dinh: Text = "",
    ngay: Short = "",
    ly_do: Text = "",
) -> Response:
    """Ask for an open rest not to be asked for any more."""
    name, content = tep.filename or "", tep.file.read()
    typed = TypedWriteOff(pupil_id, thong_bao, _clean(so_quyet_dinh), ngay, _clean(ly_do), name, content)
    desk.ask_write_off(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{RELIEF}/hoc-sinh/{pupil_id}", da="de-nghi")


@router.post("/{relief_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, relief_id: UUID) -> Response:
    """Approve what another person asked for."""
    desk.approve_relief(visit.who, visit.place, relief_id, parts_of(request).clock())
    return go_to(visit.place, RELIEF, da="duyet")


@router.post("/{relief_id}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, relief_id: UUID, ly_do: Text = "") -> Response:
    """Say no, or take one's own back."""
    desk.refuse_relief(visit.who, visit.place, relief_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, RELIEF, da="khong")


@router.post("/{relief_id}/thoi")
def end(request: Request, visit: StaffVisit, desk: OpenDesk, relief_id: UUID, ly_do: Text = "") -> Response:
    """Lift a grace, or reverse a write-off."""
    desk.end_relief(visit.who, visit.place, relief_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, RELIEF, da="thoi")


@router.get("/tep/{paper_id}")
def paper(request: Request, visit: StaffVisit, desk: OpenDesk, paper_id: UUID) -> Response:
    """Hand out the file of a decision."""
    return file_answer(desk.relief_paper(visit.who, visit.place, paper_id, parts_of(request).clock()))
