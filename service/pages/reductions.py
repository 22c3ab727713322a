"""Reductions of pupils: one person enters, another approves; each look at what for is recorded."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.fee_views import TypedReduction
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import read_day, school_day

router = APIRouter(prefix="/van-phong/mien-giam", max_body_size=MAX_FORM_BYTES)

SAID = {
    "nhap": (
        "Đã ghi, đang chờ người khác duyệt. Chưa tính vào đợt thu nào.",
        "Stored; waits for another person's approval. No round counts it yet.",
    ),
    "duyet": (
        "Đã duyệt. Đợt thu tính sau lúc này sẽ tính miễn giảm.",
        "Approved. Rounds count it from now on.",
    ),
    "bo": ("Đã bỏ miễn giảm này.", "The reduction is taken back."),
    "ket-thuc": ("Đã ghi ngày kết thúc.", "The reduction ends on that day."),
}

Words = Annotated[str, Query(max_length=100)]
Said = Annotated[str, Query(max_length=20)]
Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=500)]


@router.get("")
def reductions(request: Request, visit: StaffVisit, desk: OpenDesk, q: Words = "", xong: Said = "") -> Response:
    """List reductions: what waits first; no kinds, no shares."""
    view = desk.reductions(visit.who, visit.place, _clean(q), parts_of(request).clock())
    return page(request, "reductions.html", visit=visit, found=view, said=SAID.get(xong))


@router.get("/moi")
def new(
    request: Request, visit: StaffVisit, desk: OpenDesk, q: Words = "", em: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Find a pupil, then show the form of a new reduction."""
    now = parts_of(request).clock()
    pupil = _known_id(em)
    if pupil is None:
        words = _clean(q)
        hits = desk.find_pupils(visit.who, visit.place, words, now)
        return page(request, "reduction_pupil.html", visit=visit, words=words, hits=hits)
    form = desk.reduction_form(visit.who, visit.place, pupil, now)
    return page(request, "reduction_new.html", visit=visit, form=form)


@router.post("/moi")
def enter(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    em: Short,
    dien: Short,
    tu: Annotated[date, Form()],
    minh_chung: Text = "",
    den: Short = "",
    ty_le: Short = "",
    so_tien: Short = "",
    khoan: Short = "",
    can_cu: Text = "",
) -> Response:
    """Enter a reduction; another person approves it."""
    typed = TypedReduction(em, dien, tu, minh_chung, read_day(den), ty_le, so_tien, khoan, can_cu)
    made = desk.enter_reduction(visit.who, visit.place, typed, parts_of(request).clock())
    return _told(visit, desk, made, "nhap")


@router.get("/{reduction_id}")
def reduction(
    request: Request, visit: StaffVisit, desk: OpenDesk, reduction_id: uuid.UUID, xong: Said = ""
) -> Response:
    """Show one reduction in full; the look is recorded."""
    now = parts_of(request).clock()
    view = desk.reduction(visit.who, visit.place, reduction_id, now)
    steps = {step for step in ("duyet", "bo", "ket-thuc") if _may(visit, step)}
    return page(
        request, "reduction.html", visit=visit, reduction=view, steps=steps, today=school_day(now), said=SAID.get(xong)
    )


@router.post("/{reduction_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, reduction_id: uuid.UUID) -> Response:
    """Approve what another person entered."""
    desk.approve_reduction(visit.who, visit.place, reduction_id, parts_of(request).clock())
    return _told(visit, desk, reduction_id, "duyet")


@router.post("/{reduction_id}/bo")
def withdraw(
    request: Request, visit: StaffVisit, desk: OpenDesk, reduction_id: uuid.UUID, ly_do: Text = ""
) -> Response:
    """Refuse what waits, or take back a mistake; with a reason."""
    desk.withdraw_reduction(visit.who, visit.place, reduction_id, ly_do, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/mien-giam", xong="bo")


@router.post("/{reduction_id}/ket-thuc")
def end(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    reduction_id: uuid.UUID,
    den: Annotated[date, Form()],
    ly_do: Text = "",
) -> Response:
    """End a reduction after a day; with a reason."""
    desk.end_reduction(visit.who, visit.place, reduction_id, den, ly_do, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/mien-giam", xong="ket-thuc")


def _told(visit: StaffVisit, desk: OpenDesk, reduction_id: uuid.UUID, said: str) -> Response:
    """Go back to the list; to the reduction itself where it names issued months that it does not change."""
    back = f"/{reduction_id}" if desk.reaches_back(visit.place, reduction_id) else ""
    return go_to(visit.place, f"/van-phong/mien-giam{back}", xong=said)


def _may(visit: StaffVisit, step: str) -> bool:
    return bool(MATRIX[("POST", f"/van-phong/mien-giam/{{reduction_id}}/{step}")] & visit.roles)


def _known_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())
