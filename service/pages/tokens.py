"""A person's own page: roles of today, and tokens for programs. A token is shown once, when it is made."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from billing.errors import HocphiError, Refused
from service.access.errors import WrongCredentials
from service.access.roles import MATRIX, ROLE_NAMES
from service.access.token_plan import LONGEST_DAYS, LONGEST_NAME, TokenPlan
from service.errors import answer_for
from service.pages.desk import Desk
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.own_password import refuse_stranger
from service.pages.rendering import page

router = APIRouter(prefix="/toi", max_body_size=MAX_FORM_BYTES)


@router.get("")
def myself(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show who is signed in, with which roles, where to go, and the own tokens."""
    return _page(request, visit, desk)


@router.post("/khoa")
def make(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    ten: Annotated[str, Form(max_length=LONGEST_NAME)],
    so_ngay: Annotated[int, Form(ge=1, le=LONGEST_DAYS)],
    mat_khau: Annotated[str, Form(max_length=1000)],
    chi_doc: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Make a token for one school and show it once; the password is asked for again."""
    try:
        refuse_stranger(request, visit, desk, mat_khau, "Chưa làm khóa nào.")
        plan = TokenPlan(ten, so_ngay, chi_doc == "co")
        made = desk.make_token(visit.who, visit.place, plan, parts_of(request).clock())
    except (WrongCredentials, Refused) as error:
        return _page(request, visit, desk, error=error)
    return _page(request, visit, desk, made=made)


@router.post("/khoa/{token_id}/thu-hoi")
def revoke(request: Request, visit: StaffVisit, desk: OpenDesk, token_id: uuid.UUID) -> Response:
    """Revoke one of the own tokens."""
    desk.revoke_token(visit.who, token_id, parts_of(request).clock())
    return RedirectResponse("/toi", status_code=303)


def _page(request: Request, visit: Visit, desk: Desk, *, made: str = "", error: HocphiError | None = None) -> Response:
    schools = visit.who.places(MATRIX["POST", "/toi/khoa"])
    chosen = visit.place if visit.place in schools else next(iter(schools), None)
    own_schools = visit.who.places(MATRIX["POST", "/toi/con"])
    kin_place = visit.place if visit.place in own_schools else next(iter(own_schools), None)
    return page(
        request,
        "myself.html",
        status=answer_for(error).status if error else 200,
        visit=visit,
        role_names=ROLE_NAMES,
        tokens=desk.tokens(visit.who, parts_of(request).clock()),
        school=chosen,
        kin_place=kin_place,
        kin=desk.kin(visit.who, kin_place, visit.who.user_id) if kin_place else None,
        made=made,
        error=error.message if error else "",
        longest_days=LONGEST_DAYS,
        longest_name=LONGEST_NAME,
    )
