"""Billing rounds from the form to the lock: a new one, its pupils, and what else can be done with it."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import language_of, page
from service.pages.responses import go_to
from service.pages.round_views import TypedCorrection, TypedRound
from service.pages.typed import school_day

# Included ahead of the office's own routes, so that "moi" is not read as a round's id.
router = APIRouter(prefix="/van-phong", max_body_size=MAX_FORM_BYTES)

SAID = {
    "de-nghi": ("Đã gửi đề nghị, chờ người khác duyệt.", "Asked; waits for another person."),
    "duyet": ("Đã duyệt và thực hiện.", "Approved and carried out."),
    "tu-choi": ("Đã từ chối đề nghị.", "Refused."),
}

Month = Annotated[str, Query(max_length=7)]
TypedMonth = Annotated[str, Form(pattern=r"^\d{4}-\d{2}$")]
Said = Annotated[str, Query(max_length=20)]
Reason = Annotated[str, Form(max_length=500)]
Texts = Annotated[list[str] | None, Form()]


@router.get("/dot-thu/moi")
def new(request: Request, visit: StaffVisit, desk: OpenDesk, thang: Month = "", den: Month = "") -> Response:
    """Show the form of a new round for a month, or for several."""
    now = parts_of(request).clock()
    form = desk.new_round(visit.who, visit.place, thang, den, now)
    return page(request, "round_new.html", visit=visit, form=form)


@router.post("/dot-thu")
def draft(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    thang: TypedMonth,
    den_thang: TypedMonth,
    ten: Annotated[str, Form(max_length=100)],
    ma: Annotated[str, Form(min_length=1, max_length=20)],
    han: Annotated[date, Form()],
    ngay_an: Texts = None,
    ty_le: Texts = None,
    han_dot: Texts = None,
) -> Response:
    """Write down a round and calculate it at once."""
    shares = tuple(zip(ty_le or (), han_dot or (), strict=False))
    typed = TypedRound(thang, den_thang, ma, ten, han, tuple(ngay_an or ()), shares)
    made = desk.draft_round(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/dot-thu/{made}", xong="lap")


@router.post("/dot-thu/nguong")
def alert(visit: StaffVisit, desk: OpenDesk, request: Request, phan_tram: Annotated[int, Form()]) -> Response:
    """Set how far a round's total may move before the approver is asked."""
    desk.set_round_alert(visit.who, visit.place, phan_tram, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/dot-thu", xong="nguong")


@router.get("/dot-thu/{round_id}/hoc-sinh")
def pupils(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    round_id: uuid.UUID,
    q: Annotated[str, Query(max_length=100)] = "",
    trang: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """List what the round charges, pupil by pupil."""
    words = " ".join(unicodedata.normalize("NFC", q).split())
    found = desk.round_pupils(visit.who, visit.place, round_id, words, trang)
    return page(request, "round_pupils.html", visit=visit, found=found, round_id=str(round_id))


@router.get("/dot-thu/{round_id}/hoc-sinh/{pupil_id}")
def pupil(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID, pupil_id: uuid.UUID) -> Response:
    """Explain in full what the round charges one pupil; the look is recorded."""
    now, language = parts_of(request).clock(), language_of(request)
    found = desk.pupil_charges(visit.who, visit.place, round_id, pupil_id, language, now)
    return page(request, "round_pupil.html", visit=visit, found=found)


@router.post("/dot-thu/{round_id}/huy")
def withdraw(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID, ly_do: Reason = "") -> Response:
    """Give a round up before it is issued; with a reason."""
    desk.withdraw_round(visit.who, visit.place, round_id, ly_do, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/dot-thu/{round_id}", xong="huy")


@router.post("/dot-thu/{round_id}/bo-sung")
def supplement(
    request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID, han: Annotated[date, Form()]
) -> Response:
    """Make a supplementary round for who has no bill in this one."""
    made = desk.draft_supplementary(visit.who, visit.place, round_id, han, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/dot-thu/{made}", xong="lap")


@router.post("/dot-thu/{round_id}/khoa")
def lock(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Lock an issued round."""
    desk.lock_round(visit.who, visit.place, round_id, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/dot-thu/{round_id}", xong="khoa")


@router.post("/dot-thu/{round_id}/mo-khoa")
def unlock(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID, ly_do: Reason = "") -> Response:
    """Open a locked round again; another person does this, with a reason."""
    desk.unlock_round(visit.who, visit.place, round_id, ly_do, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/dot-thu/{round_id}", xong="mo-khoa")


@router.post("/dot-thu/{round_id}/ha-gia")
def lower_price(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    round_id: uuid.UUID,
    khoan: Annotated[str, Form(max_length=40)],
    so_tien: Annotated[str, Form(max_length=20)],
    ly_do: Reason = "",
) -> Response:
    """Ask for one item to be lowered in all bills of the round."""
    now = parts_of(request).clock()
    made = desk.ask_price(visit.who, visit.place, round_id, khoan, so_tien, ly_do, now)
    return go_to(visit.place, f"/van-phong/dieu-chinh/{made}", xong="de-nghi")


@router.get("/dieu-chinh")
def corrections(request: Request, visit: StaffVisit, desk: OpenDesk, xong: Said = "") -> Response:
    """List the corrections that wait for a decision."""
    rows = desk.corrections(visit.who, visit.place)
    return page(request, "corrections.html", visit=visit, rows=rows, said=SAID.get(xong))


@router.post("/dieu-chinh")
def ask(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    thong_bao: Annotated[str, Form(max_length=40)],
    viec: Annotated[str, Form(max_length=20)],
    ly_do: Reason = "",
    dong: Texts = None,
    giam: Texts = None,
) -> Response:
    """Ask for a bill to be taken back, replaced or lowered."""
    amounts = tuple(zip(dong or (), giam or (), strict=False))
    typed = TypedCorrection(thong_bao, viec, ly_do, amounts)
    made = desk.ask_correction(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/dieu-chinh/{made}", xong="de-nghi")


@router.get("/dieu-chinh/{correction_id}")
def correction(
    request: Request, visit: StaffVisit, desk: OpenDesk, correction_id: uuid.UUID, xong: Said = ""
) -> Response:
    """Show what a correction would do, bill by bill."""
    view = desk.correction(visit.who, visit.place, correction_id)
    today = school_day(parts_of(request).clock())
    return page(request, "correction.html", visit=visit, correction=view, today=today, said=SAID.get(xong))


@router.post("/dieu-chinh/{correction_id}/duyet")
def approve_correction(request: Request, visit: StaffVisit, desk: OpenDesk, correction_id: uuid.UUID) -> Response:
    """Carry a correction out; another person than who asked."""
    desk.approve_correction(visit.who, visit.place, correction_id, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/dieu-chinh", xong="duyet")


@router.post("/dieu-chinh/{correction_id}/tu-choi")
def reject_correction(
    request: Request, visit: StaffVisit, desk: OpenDesk, correction_id: uuid.UUID, ly_do: Reason = ""
) -> Response:
    """Say no to a correction; with a reason."""
    desk.reject_correction(visit.who, visit.place, correction_id, ly_do, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/dieu-chinh", xong="tu-choi")
