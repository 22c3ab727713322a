"""What families registered for: by whole classes, or pupil by pupil."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.pages.fee_views import EndedOptIns, NewOptIns
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import read_day, school_day

router = APIRouter(prefix="/van-phong/dang-ky", max_body_size=MAX_FORM_BYTES)

SAID = {
    "dang-ky": ("Đã ghi đăng ký.", "The registrations are stored."),
    "nhu-cu": (
        "Các em này đã đăng ký từ trước, không có gì thay đổi.",
        "They were registered already.",
    ),
    "ket-thuc": ("Đã ghi ngày kết thúc đăng ký.", "The registrations end on that day."),
}

Said = Annotated[str, Query(max_length=20)]
Day = Annotated[str, Query(max_length=10)]
Ids = Annotated[list[str] | None, Form()]


@router.get("")
def opt_ins(request: Request, visit: StaffVisit, desk: OpenDesk, ngay: Day = "", xong: Said = "") -> Response:
    """Show how many pupils of each class are registered for each item."""
    now = parts_of(request).clock()
    view = desk.opt_ins(visit.who, visit.place, read_day(ngay), now)
    first = school_day(now).replace(day=1)
    return page(request, "opt_ins.html", visit=visit, found=view, first=first, said=SAID.get(xong))


@router.post("")
def register(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    tu: Annotated[date, Form()],
    can_cu: Annotated[str, Form(max_length=300)] = "",
    khoan: Ids = None,
    lop: Ids = None,
) -> Response:
    """Register whole classes for one or more items from a day on."""
    now = parts_of(request).clock()
    wanted = NewOptIns(tuple(lop or ()), tuple(khoan or ()), tu, can_cu)
    changed = desk.register(visit.who, visit.place, wanted, now)
    day = max(tu, school_day(now)).isoformat()
    return go_to(visit.place, "/van-phong/dang-ky", ngay=day, xong="dang-ky" if changed else "nhu-cu")


# After the addresses of offers (service/web.py): a code of former days may hold a stroke.
@router.get("/{code:path}/{class_id}")
def opt_in_class(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    code: str,
    class_id: uuid.UUID,
    ngay: Day = "",
    xong: Said = "",
) -> Response:
    """Show one item in one class, pupil by pupil."""
    now = parts_of(request).clock()
    view = desk.opt_in_class(visit.who, visit.place, code, class_id, read_day(ngay), now)
    first = school_day(now).replace(day=1)
    return page(request, "opt_in_class.html", visit=visit, found=view, first=first, said=SAID.get(xong))


@router.post("/{code:path}/{class_id}")
def register_or_end(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    code: str,
    class_id: uuid.UUID,
    viec: Annotated[str, Form(max_length=20)] = "dang-ky",
    tu: Annotated[str, Form(max_length=10)] = "",
    den: Annotated[str, Form(max_length=10)] = "",
    can_cu: Annotated[str, Form(max_length=300)] = "",
    so_luong: Annotated[int, Form(ge=1, le=1000)] = 1,
    em: Ids = None,
) -> Response:
    """Register the ticked pupils from a day on, or end their registration after a day."""
    now = parts_of(request).clock()
    today, ticked = school_day(now), tuple(em or ())
    if viec == "ket-thuc":
        ended = EndedOptIns(code, ticked, read_day(den) or today, can_cu)
        desk.end_opt_ins(visit.who, visit.place, ended, now)
        said, day = "ket-thuc", today
    else:
        first = read_day(tu) or today
        wanted = NewOptIns((str(class_id),), (code,), first, can_cu, so_luong, ticked)
        changed = desk.register(visit.who, visit.place, wanted, now)
        said, day = "dang-ky" if changed else "nhu-cu", max(first, today)
    return go_to(visit.place, f"/van-phong/dang-ky/{quote(code, safe='')}/{class_id}", ngay=day.isoformat(), xong=said)
