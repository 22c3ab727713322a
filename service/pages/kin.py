"""Own children and own numbers: declared on one's own page, entered and taken back on that of a colleague."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.kin_views import TypedKin
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean

USERS = "/nguoi-dung"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=120)]
Text = Annotated[str, Form(max_length=300)]


@router.post("/toi/con")
def own_child(visit: StaffVisit, desk: OpenDesk, request: Request, ma: Short = "", ho_ten: Short = "") -> Response:
    """Declare a child of one's own family."""
    typed = TypedKin(visit.who.user_id, code=clean(ma), full_name=clean(ho_ten))
    desk.declare_kin(visit.who, visit.place, typed, parts_of(request).clock())
    return RedirectResponse("/toi#nguoi-nha", status_code=303)


@router.post("/toi/lien-he")
def own_contact(visit: StaffVisit, desk: OpenDesk, request: Request, so: Short = "") -> Response:
    """Declare one's own phone number or e-mail."""
    typed = TypedKin(visit.who.user_id, contact=clean(so) or "?")
    desk.declare_kin(visit.who, visit.place, typed, parts_of(request).clock())
    return RedirectResponse("/toi#nguoi-nha", status_code=303)


@router.get(f"{USERS}/{{user_id}}/nguoi-nha")
def kin(request: Request, visit: StaffVisit, desk: OpenDesk, user_id: UUID, truong_id: str = "") -> Response:
    """Show what stands declared for a colleague."""
    return page(
        request,
        "kin.html",
        visit=visit,
        found=desk.kin(visit.who, visit.place, user_id, truong_id),
        asks=bool(MATRIX["POST", f"{USERS}/{{user_id}}/nguoi-nha/con"] & visit.roles),
        decides=bool(MATRIX["POST", f"{USERS}/{{user_id}}/nguoi-nha/thoi"] & visit.roles),
    )


@router.post(f"{USERS}/{{user_id}}/nguoi-nha/con")
def enter_child(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    user_id: UUID,
    truong_id: Short = "",
    ma: Short = "",
    ho_ten: Short = "",
) -> Response:
    """Enter a child of a colleague's family."""
    typed = TypedKin(user_id, truong_id, clean(ma), clean(ho_ten))
    desk.declare_kin(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{USERS}/{user_id}/nguoi-nha", truong_id=truong_id)


@router.post(f"{USERS}/{{user_id}}/nguoi-nha/lien-he")
def enter_contact(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, user_id: UUID, truong_id: Short = "", so: Short = ""
) -> Response:
    """Enter a colleague's own phone number or e-mail."""
    typed = TypedKin(user_id, truong_id, contact=clean(so) or "?")
    desk.declare_kin(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{USERS}/{user_id}/nguoi-nha", truong_id=truong_id)


@router.post(f"{USERS}/{{user_id}}/nguoi-nha/thoi")
def end(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    user_id: UUID,
    em: Annotated[UUID, Form()],
    truong_id: Short = "",
    ly_do: Text = "",
) -> Response:
    """Take back what was declared of a colleague."""
    typed = TypedKin(user_id, truong_id)
    desk.end_kin(visit.who, visit.place, typed, em, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, f"{USERS}/{user_id}/nguoi-nha", truong_id=truong_id)
