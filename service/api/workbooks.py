"""Workbooks in and out: rosters, contacts, prices, registrations, reductions, rights. All of a file or nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from billing.errors import Refused
from service.access import limits
from service.api.calling import Calling
from service.api.people import REFUSALS
from service.api.shapes import Counted
from service.pages.guards import parts_of
from service.pages.responses import file_answer
from service.pages.sheet_rows import take_sheet
from service.pages.upload_rows import take_upload
from service.pages.upload_views import OF_A_YEAR, Upload, UploadKind
from service.pages.uploading import MAX_FILE_BYTES
from service.pages.views import Download

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

router = APIRouter(
    prefix="/api/v1/schools/{school}/workbooks", max_body_size=MAX_FILE_BYTES, responses=REFUSALS, tags=["workbooks"]
)


class InKind(StrEnum):
    """What can be brought in."""

    ROSTER = "roster"
    CONTACTS = "contacts"
    PRICES = "prices"
    REGISTRATIONS = "registrations"
    REDUCTIONS = "reductions"
    ENTITLEMENTS = "entitlements"


class OutKind(StrEnum):
    """What can be taken out, to be edited and brought back."""

    ROSTER = "roster"
    PRICES = "prices"
    REGISTRATIONS = "registrations"
    REDUCTIONS = "reductions"
    ENTITLEMENTS = "entitlements"


_KINDS = {kind: UploadKind[kind.name] for kind in InKind}


async def whole_body(request: Request) -> bytes:
    """Return the file that is the body; the route's limit holds."""
    return await request.body()


WholeBody = Annotated[bytes, Depends(whole_body)]
Year = Annotated[str, Query(pattern=r"^(\d{4}-\d{4})?$", description="such as 2025-2026; prices need none")]
_FILE = {"requestBody": {"required": True, "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("/{kind}", response_class=Response, responses={200: {"content": {XLSX: {}}}})
def take_out(request: Request, call: Calling, kind: OutKind, school_year: Year = "") -> Response:
    """Return a workbook (XLSX) to edit and bring back; the taking of a list of pupils is recorded."""
    parts_of(request).limiter.spend(limits.PAPERS, str(call.user_id))
    sort = _KINDS[InKind(kind.value)]
    _refuse_no_year(sort, school_year)
    content = take_sheet(call.session, call.actor, call.school_id, sort, school_year, call.now)
    return file_answer(Download(content, XLSX, f"{kind} {call.bearer.place.code} {school_year}".strip() + ".xlsx"))


@router.post("/{kind}", openapi_extra=_FILE)
def bring_in(
    call: Calling, kind: InKind, data: WholeBody, school_year: Year = "", *, check_only: bool = False
) -> Counted:
    """Import a workbook sent as the body, or only try it; every bad row is named, and then nothing is stored."""
    if not data:
        raise Refused("Hãy gửi tệp Excel (.xlsx) làm nội dung của yêu cầu.", field="body")
    sort = _KINDS[kind]
    _refuse_no_year(sort, school_year)
    upload = Upload(sort, data, school_year, check_only=check_only)
    done = take_upload(call.session, call.opened.wiring.vault, call.actor, call.school_id, upload, call.now)
    return Counted(new=done.new, changed=done.changed, unchanged=done.unchanged)


def _refuse_no_year(kind: UploadKind, school_year: str) -> None:
    if kind in OF_A_YEAR and not school_year:
        raise Refused("Hãy ghi năm học, ví dụ school_year=2025-2026.", field="school_year")
