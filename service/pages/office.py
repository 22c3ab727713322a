"""The office of a school: three numbers, bills, what waits for a person, billing rounds."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from service.access.roles import MATRIX
from service.pages.desk import ShownRound
from service.pages.guards import MAX_FORM_BYTES, PLACE_PARAMETER, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean
from service.pages.views import BillQuery, OfficeBillState, RoundState

router = APIRouter(prefix="/van-phong", max_body_size=MAX_FORM_BYTES)

# What can be done next with a round, by its state; the matrix says by whom.
_STEPS = {
    RoundState.DRAFT: ("xem-truoc",),
    RoundState.PREVIEWED: ("trinh", "xem-truoc"),
    RoundState.SUBMITTED: ("duyet",),
}
_STEPS_IN_TROUBLE = ("thu-lai", "xem-truoc")
# What else can be done with a round, each with a form of its own.
FURTHER_STEPS = {
    "draft": ("huy",),
    "previewed": ("huy",),
    "submitted": ("huy",),
    "approved": ("huy",),
    "issued": ("bo-sung", "ha-gia", "khoa"),
    "locked": ("mo-khoa",),
}
SAID = {
    "lap": (
        "Đã lập đợt thu và tính xong. Xem lại rồi trình duyệt; chưa gia đình nào nhận thông báo.",
        "The round is calculated. Look at it, then submit it; no family is told yet.",
    ),
    "huy": ("Đã hủy đợt thu.", "The round is withdrawn."),
    "khoa": ("Đã khóa đợt thu: không sửa được nữa.", "The round is locked."),
    "mo-khoa": ("Đã mở khóa đợt thu.", "The round is open again."),
    "nguong": (
        "Đã đổi mức hỏi; các đợt thu tính từ nay theo mức mới.",
        "Changed for rounds calculated from now on.",
    ),
    "de-nghi": ("Đã gửi đề nghị, chờ người khác duyệt.", "Asked; waits for another person."),
}

RoundDigest = Annotated[str, Form(min_length=1, max_length=128)]


@router.get("")
def home(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show received today, waiting, and bank against book."""
    now = parts_of(request).clock()
    view = desk.office_home(visit.who, visit.place, now)
    steps = desk.start_steps(visit.who, visit.place, now)
    return page(request, "office_home.html", visit=visit, home=view, steps=steps, now=now)


@router.get("/thong-bao")
def bills(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    q: Annotated[str, Query(max_length=100)] = "",
    trang_thai: Annotated[str, Query(max_length=20)] = "",
    trang: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """List bills; words are looked for without marks, an unknown state shows all."""
    known = trang_thai in set(OfficeBillState)
    state = OfficeBillState(trang_thai) if known else None
    words = " ".join(unicodedata.normalize("NFC", q).split())
    found = desk.bills(visit.who, visit.place, BillQuery(words, state, trang))
    return page(request, "bills.html", visit=visit, found=found, states=list(OfficeBillState))


@router.get("/su-co")
def troubles(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """List what went astray: messages of the bank unread, messages to families that may not have arrived."""
    found = desk.troubles(visit.who, visit.place, parts_of(request).clock())
    marks = bool(MATRIX["POST", "/van-phong/su-co/{inbox_id}/da-xem"] & visit.roles)
    return page(request, "troubles.html", visit=visit, troubles=found, marks=marks)


@router.post("/su-co/{inbox_id}/da-xem")
def mark_seen(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    inbox_id: Annotated[int, Path(ge=1, le=2**62)],
    ly_do: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Mark a message that was put aside as seen, with what became of it."""
    desk.mark_seen(visit.who, visit.place, inbox_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, "/van-phong/su-co")


@router.get("/dot-thu")
def rounds(
    request: Request, visit: StaffVisit, desk: OpenDesk, xong: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """List the billing rounds, and how far a total may move before the approver is asked."""
    found, alert = desk.rounds(visit.who, visit.place), desk.round_alert(visit.who, visit.place)
    return page(request, "rounds.html", visit=visit, rounds=found, alert=alert, said=SAID.get(xong))


@router.get("/dot-thu/{round_id}")
def preview(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    round_id: uuid.UUID,
    xong: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show what a round will do, and the steps that this person may take next."""
    view = desk.round_preview(visit.who, visit.place, round_id)
    steps = [
        step
        for step in (_STEPS_IN_TROUBLE if view.trouble else _STEPS.get(view.row.state, ()))
        if may_step(visit, step)
    ]
    more = desk.round_more(visit.who, visit.place, round_id)
    further = {step for step in FURTHER_STEPS.get(view.row.state.value, ()) if may_step(visit, step)}
    said = SAID.get(xong)
    return page(request, "round.html", visit=visit, preview=view, steps=steps, more=more, further=further, said=said)


def may_step(visit: StaffVisit, step: str) -> bool:
    """Say whether the matrix lets this person take a step of a round, here."""
    return bool(MATRIX[("POST", f"/van-phong/dot-thu/{{round_id}}/{step}")] & visit.roles)


@router.post("/dot-thu/{round_id}/xem-truoc")
def calculate(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Calculate a round anew; an earlier submission falls away with it."""
    desk.calculate_round(visit.who, visit.place, round_id, parts_of(request).clock())
    return _back(visit, round_id)


@router.post("/dot-thu/{round_id}/trinh")
def submit(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID, digest: RoundDigest) -> Response:
    """Hand a round to the approver, exactly as it was shown."""
    desk.submit_round(visit.who, visit.place, ShownRound(round_id, digest), parts_of(request).clock())
    return _back(visit, round_id)


@router.post("/dot-thu/{round_id}/duyet")
def approve(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    round_id: uuid.UUID,
    digest: RoundDigest,
    dong_y: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Approve a round, exactly as it was shown; a second person does this, with a yes to each question."""
    asked = desk.round_preview(visit.who, visit.place, round_id).questions
    agreed = {str(number) for number in range(len(asked))} <= set(dong_y or ())
    shown = ShownRound(round_id, digest, agreed=agreed)
    desk.approve_round(visit.who, visit.place, shown, parts_of(request).clock())
    return _back(visit, round_id)


@router.post("/dot-thu/{round_id}/thu-lai")
def retry(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Try again to issue an approved round; nothing of it is calculated anew."""
    desk.retry_round(visit.who, visit.place, round_id, parts_of(request).clock())
    return _back(visit, round_id)


def _back(visit: StaffVisit, round_id: uuid.UUID) -> Response:
    target = f"/van-phong/dot-thu/{round_id}?{PLACE_PARAMETER}={visit.place.code}"
    return RedirectResponse(target, status_code=303)
