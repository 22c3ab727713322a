"""Plans of collections in the office: draft, papers, submit, the authority's decision; and since when they bind."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from billing.plans.papers import MOST_BYTES
from service.access.errors import TooLarge
from service.access.roles import MATRIX
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.plan_views import TypedDecision, TypedFile, TypedPlan
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to

PLANS = "/van-phong/ke-hoach-thu"
# A form has a little more than its file.
MAX_BODY_BYTES = MOST_BYTES + 64 * 1024
router = APIRouter(prefix=PLANS, max_body_size=MAX_BODY_BYTES)

Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=300)]
Column = Annotated[list[Annotated[str, Form(max_length=500)]], Form(default_factory=list, max_length=200)]
Given = Annotated[UploadFile, File()]


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def _file(given: UploadFile) -> TypedFile:
    content = given.file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TooLarge("Tệp lớn hơn 5 MB. Hãy quét lại ở độ phân giải thấp hơn.")
    return TypedFile(given.filename or "", content)


def _may(visit: StaffVisit, method: str, path: str) -> bool:
    return bool(MATRIX[method, path] & visit.roles)


@router.get("")
def plans(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """List the plans, and say since when they bind."""
    found = desk.plans(visit.who, visit.place, parts_of(request).clock())
    may = {"moi": _may(visit, "POST", PLANS), "bat-buoc": _may(visit, "POST", f"{PLANS}/bat-buoc")}
    return page(request, "plans.html", visit=visit, found=found, may=may)


@router.post("/bat-buoc")
def require(request: Request, visit: StaffVisit, desk: OpenDesk, ngay: Short = "") -> Response:
    """Let rounds from a day on collect planned items only."""
    desk.require_plans(visit.who, visit.place, ngay, parts_of(request).clock())
    return go_to(visit.place, PLANS)


@router.get("/moi")
def new(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show the form of a new version, filled as far as it can be."""
    found = desk.new_plan(visit.who, visit.place, parts_of(request).clock())
    return page(request, "plan_new.html", visit=visit, found=found)


@router.post("")
def draft(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    khoan: Column,
    cap: Column,
    khoi: Column,
    muc_thu: Column,
    so_em: Column,
    so_lan: Column,
    cach_tinh: Column,
    dung_vao: Column,
    nam_hoc: Short = "",
    ngay_hop: Short = "",
    noi_hop: Text = "",
    dong_y: Short = "",
    du_hop: Short = "",
) -> Response:
    """Write a new version, whole."""
    columns = (khoan, cap, khoi, muc_thu, so_em, so_lan, cach_tinh, dung_vao)
    typed = TypedPlan(
        nam_hoc, ngay_hop, _clean(noi_hop), dong_y, du_hop, *(tuple(map(_clean, column)) for column in columns)
    )
    made = desk.draft_plan(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{PLANS}/{made}")


@router.get("/{plan_id}")
def plan(request: Request, visit: StaffVisit, desk: OpenDesk, plan_id: UUID) -> Response:
    """Show a plan with its papers and steps."""
    found = desk.plan(visit.who, visit.place, plan_id, parts_of(request).clock())
    may = {name: _may(visit, "POST", f"{PLANS}/{{plan_id}}/{name}") for name in ("tep", "trinh", "duyet", "tra-lai")}
    return page(request, "plan.html", visit=visit, found=found, may=may)


@router.post("/{plan_id}/tep")
def add_paper(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, plan_id: UUID, tep: Given, loai: Short = ""
) -> Response:
    """Keep a file behind a draft."""
    desk.add_plan_paper(visit.who, visit.place, plan_id, loai, _file(tep), parts_of(request).clock())
    return go_to(visit.place, f"{PLANS}/{plan_id}")


@router.get("/{plan_id}/tep/{paper_id}")
def paper(request: Request, visit: StaffVisit, desk: OpenDesk, plan_id: UUID, paper_id: UUID) -> Response:
    """Hand out a file; the opening is recorded."""
    return file_answer(desk.plan_paper(visit.who, visit.place, plan_id, paper_id, parts_of(request).clock()))


@router.post("/{plan_id}/trinh")
def submit(request: Request, visit: StaffVisit, desk: OpenDesk, plan_id: UUID) -> Response:
    """Hand a draft over for the decision."""
    desk.submit_plan(visit.who, visit.place, plan_id, parts_of(request).clock())
    return go_to(visit.place, f"{PLANS}/{plan_id}")


@router.post("/{plan_id}/duyet")
def approve(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    plan_id: UUID,
    tep: Given,
    so_quyet_dinh: Text = "",
    ngay: Short = "",
    nguoi_ky: Text = "",
    co_quan: Text = "",
    ap_dung_tu: Short = "",
) -> Response:
    """Enter the authority's decision; a second person does this."""
    typed = TypedDecision(_clean(so_quyet_dinh), ngay, _clean(nguoi_ky), _clean(co_quan), ap_dung_tu)
    desk.approve_plan(visit.who, visit.place, plan_id, typed, _file(tep), parts_of(request).clock())
    return go_to(visit.place, f"{PLANS}/{plan_id}")


@router.post("/{plan_id}/tra-lai")
def give_back(request: Request, visit: StaffVisit, desk: OpenDesk, plan_id: UUID, ly_do: Text = "") -> Response:
    """Return a plan with a reason."""
    desk.return_plan(visit.who, visit.place, plan_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, f"{PLANS}/{plan_id}")
