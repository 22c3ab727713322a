"""The office hands in files: a roster, a contact sheet, a bank's statement. First tried, then imported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from service.access.errors import TooLarge
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.views import Upload, UploadKind

MAX_FILE_BYTES = 10 * 1024 * 1024
# A form has a little more than its file.
MAX_BODY_BYTES = MAX_FILE_BYTES + 64 * 1024

router = APIRouter(prefix="/van-phong/tai-len", max_body_size=MAX_BODY_BYTES)


@router.get("")
def forms(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show the three forms."""
    choices = desk.upload_choices(visit.who, visit.place)
    return page(request, "uploads.html", visit=visit, choices=choices, done=None, kind="", checked=False)


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
    choices = desk.upload_choices(visit.who, visit.place)
    return page(
        request, "uploads.html", visit=visit, choices=choices, done=done, kind=kind.value, checked=upload.check_only
    )
