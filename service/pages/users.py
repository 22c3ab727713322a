"""Users of a school: who works here, roles and first passwords that two people give, rights that end."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from billing.errors import HocphiError
from service.access.roles import MATRIX, ROLE_NAMES, Actor
from service.access.staff_asking import ROLES_OF_A_SCHOOL
from service.errors import answer_for
from service.pages.desk import Desk
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.staff_views import ShownOnce, TypedReset, TypedRole

USERS = "/nguoi-dung"
router = APIRouter(prefix=USERS, max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=120)]
Text = Annotated[str, Form(max_length=300)]
_SAID = {
    "khong": ("Đã ghi: không đồng ý, hoặc rút lại.", "Stored: refused, or taken back."),
    "thoi": ("Đã ghi ngày cuối của vai trò.", "The last day of the role is stored."),
    "thoat": (
        "Mọi phiên làm việc của người này đã kết thúc; khóa cho chương trình đã thu hồi.",
        "All sessions of this person have ended; tokens for programs are revoked.",
    ),
}


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


@router.get("")
def users(request: Request, visit: StaffVisit, desk: OpenDesk, da: str = "") -> Response:
    """Show who works here and what waits for a second person."""
    return _page(request, visit, desk, said=_SAID.get(da))


@router.post("")
def ask_role(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    ten_dang_nhap: Short = "",
    ho_ten: Short = "",
    vai_tro: Short = "",
    truong_id: Short = "",
    tu: Short = "",
    den: Short = "",
    ly_do: Text = "",
) -> Response:
    """Ask for a role for somebody; shows a first password, or the asker's half of one, once."""
    typed = TypedRole(truong_id, _clean(ten_dang_nhap), _clean(ho_ten), vai_tro, tu, den, _clean(ly_do))
    try:
        shown = desk.ask_role(visit.who, visit.place, typed, parts_of(request).clock())
    except HocphiError as error:
        # Nothing is stored before the rules have agreed, so what was typed can be shown again.
        return _page(request, visit, desk, error=error, typed=typed)
    return _page(request, visit, desk, shown=shown)


@router.post("/{user_id}/mat-khau")
def ask_password(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, user_id: UUID, truong_id: Short = "", ly_do: Text = ""
) -> Response:
    """Ask for a new first password for somebody."""
    typed = TypedReset(user_id, truong_id, _clean(ly_do))
    shown = desk.ask_password(visit.who, visit.place, typed, parts_of(request).clock())
    return _page(request, visit, desk, shown=shown)


@router.post("/yeu-cau/{request_id}/dong-y")
def grant(request: Request, visit: StaffVisit, desk: OpenDesk, request_id: UUID) -> Response:
    """Agree; shows the second half of a first password, once."""
    shown = desk.grant_staff(visit.who, visit.place, request_id, parts_of(request).clock())
    return _page(request, visit, desk, shown=shown)


@router.post("/yeu-cau/{request_id}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, request_id: UUID, ly_do: Text = "") -> Response:
    """Say no to a request, or take back one's own."""
    desk.refuse_staff(visit.who, visit.place, request_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, USERS, da="khong")


@router.post("/vai-tro/{grant_id}/ket-thuc")
def end_role(request: Request, visit: StaffVisit, desk: OpenDesk, grant_id: int, ngay: Short = "") -> Response:
    """Let a role end after a day."""
    desk.end_role(visit.who, visit.place, grant_id, ngay, parts_of(request).clock())
    return go_to(visit.place, USERS, da="thoi")


@router.post("/{user_id}/dang-xuat")
def sign_out(request: Request, visit: StaffVisit, desk: OpenDesk, user_id: UUID, truong_id: Short = "") -> Response:
    """End somebody's sessions and revoke the tokens for programs."""
    desk.sign_out_staff(visit.who, visit.place, user_id, truong_id, parts_of(request).clock())
    return go_to(visit.place, USERS, da="thoat")


def _page(  # noqa: PLR0913  what the page says besides its list
    request: Request,
    visit: Visit,
    desk: Desk,
    *,
    shown: ShownOnce | None = None,
    error: HocphiError | None = None,
    typed: TypedRole | None = None,
    said: tuple[str, str] | None = None,
) -> Response:
    return page(
        request,
        "users.html",
        status=answer_for(error).status if error else 200,
        visit=visit,
        found=desk.staff(visit.who, visit.place, parts_of(request).clock()),
        names={role.value: name for role, name in ROLE_NAMES.items()},
        choices=ROLES_OF_A_SCHOOL,
        shown=shown,
        error=error.message if error else "",
        typed=typed,
        said=said,
        asks=bool(MATRIX["POST", USERS] & visit.roles),
        decides=bool(MATRIX["POST", f"{USERS}/yeu-cau/{{request_id}}/dong-y"] & visit.roles),
        teacher=Actor.CLASS_TEACHER.value,
    )
