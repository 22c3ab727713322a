"""Who came after a round in the office: item by item, what is asked for all the same, and what is left."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from billing.errors import Refused
from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.late_views import TypedLate
from service.pages.rendering import page
from service.pages.responses import go_to

PATH = "/dot-thu/{round_id}/thu-bu"
router = APIRouter(prefix="/van-phong", max_body_size=MAX_FORM_BYTES)

KINDS = {
    "take": ("Thu bù; gia đình chưa nộp ở đâu", "Take; paid nowhere yet"),
    "take_again": ("Đã nộp ở trường khác nhưng vẫn thu", "Paid at another school; take all the same"),
    "leave": ("Không thu", "Leave"),
}
SAID = {"chon": ("Đã ghi lựa chọn.", "Stored.")}
Texts = Annotated[list[str] | None, Form()]


@router.get(PATH)
def late(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    round_id: uuid.UUID,
    da: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """List who came after the round, each with the items to choose about."""
    found = desk.late_page(visit.who, visit.place, round_id)
    makes = bool(MATRIX["POST", f"/van-phong{PATH}/{{enrolment_id}}"] & visit.roles)
    return page(request, "late_items.html", visit=visit, found=found, kinds=KINDS, makes=makes, said=SAID.get(da))


@router.post(PATH + "/{enrolment_id}")
def choose(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    round_id: uuid.UUID,
    enrolment_id: uuid.UUID,
    khoan: Texts = None,
    viec: Texts = None,
    ly_do: Texts = None,
) -> Response:
    """Write down what becomes of each item of one pupil."""
    codes, kinds, reasons = khoan or [], viec or [], [_clean(each) for each in ly_do or []]
    if not len(codes) == len(kinds) == len(reasons) == len(set(codes)):
        raise Refused("Hãy mở lại trang rồi chọn cho từng khoản.")
    typed = TypedLate(round_id, enrolment_id, tuple(zip(codes, kinds, reasons, strict=True)))
    desk.choose_late(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/dot-thu/{round_id}/thu-bu", da="chon")


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())[:300]
