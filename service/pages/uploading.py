"""The office hands in sheets, first tried, then imported; and takes its sheets out to edit them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.payments.receipts import school_year_of
from service.access import limits
from service.access.errors import TooLarge
from service.pages.desk import Desk
from service.pages.guards import OpenDesk, StaffVisit, Visit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer
from service.pages.typed import school_day
from service.pages.upload_views import OF_A_YEAR, TAKEN_OUT, TELLING, Upload, UploadDone, UploadKind

MAX_FILE_BYTES = 10 * 1024 * 1024
# A form has a little more than its file.
MAX_BODY_BYTES = MAX_FILE_BYTES + 64 * 1024

router = APIRouter(prefix="/van-phong/tai-len", max_body_size=MAX_BODY_BYTES)


@router.get("")
def forms(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show a form for each kind of file, and what can be taken out."""
    return _page(request, visit, desk)


@router.get("/{kind}.xlsx")
def sheet(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    kind: UploadKind,
    nam: Annotated[str, Query(max_length=9)] = "",
) -> Response:
    """Hand out what is stored as a sheet to edit and bring back; empty, it is the form to fill."""
    parts = parts_of(request)
    parts.limiter.spend(limits.PAPERS, str(visit.who.user_id))
    return file_answer(desk.sheet(visit.who, visit.place, kind, nam, parts.clock()))


@router.post("/{kind}")
def take(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    kind: UploadKind,
    tep: Annotated[UploadFile, File()],
    cho: Annotated[str, Form(max_length=60)] = "",
    viec: Annotated[str, Form(max_length=20)] = "kiem-tra",
) -> Response:
    """Try a file, or import it when the button says so; every bad row is listed, and then nothing is stored."""
    data = tep.file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge("Tệp lớn hơn 10 MB.")
    upload = Upload(kind, data, cho, check_only=viec != "nhap")
    done = desk.upload(visit.who, visit.place, upload, parts_of(request).clock())
    return _page(request, visit, desk, done=done, kind=kind.value, checked=upload.check_only)


def _page(  # noqa: PLR0913  what the page says of a file that came
    request: Request,
    visit: Visit,
    desk: Desk,
    *,
    done: UploadDone | None = None,
    kind: str = "",
    checked: bool = False,
) -> Response:
    choices = desk.upload_choices(visit.who, visit.place)
    years, out = frozenset(map(str, OF_A_YEAR)), frozenset(map(str, TAKEN_OUT))
    return page(
        request,
        "uploads.html",
        visit=visit,
        choices=choices,
        this_year=school_year_of(school_day(parts_of(request).clock())),
        kinds=tuple(map(str, UploadKind)),
        years=years,
        out=out,
        telling=frozenset(map(str, TELLING)),
        done=done,
        kind=kind,
        checked=checked,
    )
