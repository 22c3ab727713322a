"""Which weaker signs may suggest: what is set, what another setting would change, and setting it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from billing.errors import Conflict
from reconciliation.weak_signs import Sign
from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.matching_views import SIGNS
from service.pages.rendering import page
from service.pages.responses import go_to

PATH = "/van-phong/cho-xu-ly/goi-y"
router = APIRouter(prefix=PATH, max_body_size=MAX_FORM_BYTES)

Signs = Annotated[list[str] | None, Form(max_length=len(SIGNS))]


@router.get("")
def signs(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    dau_hieu: Annotated[list[str] | None, Query(max_length=len(SIGNS))] = None,
    xem: str = "",
    da: str = "",
) -> Response:
    """Show the setting; with ``xem`` what the chosen signs would change on the newest transfers."""
    tried = _known(dau_hieu or []) if xem else None
    return page(
        request,
        "matching_rules.html",
        visit=visit,
        found=desk.matching_rules(visit.who, visit.place, tried),
        signs=SIGNS,
        saved=da == "luu",
        sets=bool(MATRIX["POST", PATH] & visit.roles),
    )


@router.post("")
def save(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    dau_hieu: Signs = None,
    da_xem: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Set the signs that were previewed; refuse others."""
    chosen = _known(dau_hieu or [])
    if da_xem != ",".join(sorted(chosen)):
        raise Conflict("Chưa lưu: xin xem trước đúng các dấu hiệu này rồi mới lưu.")
    desk.set_matching_rules(visit.who, visit.place, chosen, parts_of(request).clock())
    return go_to(visit.place, PATH, da="luu")


def _known(words: list[str]) -> frozenset[Sign]:
    """Return the signs among what was sent; what is no sign is left out."""
    return frozenset(sign for sign in Sign if sign.value in words)
