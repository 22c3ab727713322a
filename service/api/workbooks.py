"""Workbooks in and out: rosters, contacts, prices, registrations, reductions. All of a file or nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from billing.audit.recording import Deed, record_deed
from billing.errors import Refused
from billing.fees.sheets.prices import export_prices, import_prices
from billing.fees.sheets.reductions import export_reductions, import_reductions
from billing.fees.sheets.registrations import export_registrations, import_registrations
from billing.people.imported import Imported
from service.access import limits
from service.api.calling import Call, Calling
from service.api.people import REFUSALS
from service.api.shapes import Counted
from service.pages.guards import parts_of
from service.pages.responses import file_answer
from service.pages.upload_rows import take_upload
from service.pages.uploading import MAX_FILE_BYTES
from service.pages.views import Download, Upload, UploadKind

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


class OutKind(StrEnum):
    """What can be taken out, to be edited and brought back."""

    PRICES = "prices"
    REGISTRATIONS = "registrations"
    REDUCTIONS = "reductions"


async def whole_body(request: Request) -> bytes:
    """Return the file that is the body; the route's limit holds."""
    return await request.body()


WholeBody = Annotated[bytes, Depends(whole_body)]
Year = Annotated[str, Query(max_length=9, pattern=r"^(\d{4}-\d{4})?$", description="such as 2025-2026")]
_FILE = {"requestBody": {"required": True, "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("/{kind}", response_class=Response, responses={200: {"content": {XLSX: {}}}})
def take_out(request: Request, call: Calling, kind: OutKind, school_year: Year = "") -> Response:
    """Return a workbook (XLSX) to edit and bring back; that it was taken is recorded."""
    parts_of(request).limiter.spend(limits.EXPORTS, str(call.user_id))
    if kind is OutKind.PRICES:
        content = export_prices(call.session, call.school)
    else:
        export = export_registrations if kind is OutKind.REGISTRATIONS else export_reductions
        content = export(call.session, call.school, _needed(school_year))
    deed = Deed(call.school_id, f"workbook.{kind}", "school", str(call.school_id))
    record_deed(call.session, call.actor, deed, call.now, school_year=school_year)
    return file_answer(Download(content, XLSX, f"{kind} {call.bearer.place.code}.xlsx"))


@router.post("/{kind}", openapi_extra=_FILE)
def bring_in(
    call: Calling, kind: InKind, data: WholeBody, school_year: Year = "", *, check_only: bool = False
) -> Counted:
    """Import a workbook sent as the body, or only try it; every bad row is named, and then nothing is stored."""
    if not data:
        raise Refused("Hãy gửi tệp Excel (.xlsx) làm nội dung của yêu cầu.", field="body")
    with call.session.begin_nested() as savepoint:
        done = _ACTS[kind](call, data, school_year)
        if check_only:
            savepoint.rollback()
    return Counted(new=done.new, changed=done.changed, unchanged=done.unchanged)


def _roster(call: Call, data: bytes, school_year: str) -> Imported:
    return _upload(call, Upload(UploadKind.ROSTER, data, _needed(school_year), check_only=False))


def _contacts(call: Call, data: bytes, school_year: str) -> Imported:
    del school_year
    return _upload(call, Upload(UploadKind.CONTACTS, data, "", check_only=False))


def _upload(call: Call, upload: Upload) -> Imported:
    done = take_upload(call.session, call.opened.wiring.vault, call.actor, call.school_id, upload, call.now)
    return Imported(done.new, done.changed, done.unchanged)


def _prices(call: Call, data: bytes, school_year: str) -> Imported:
    del school_year
    return import_prices(call.session, call.school, data, call.actor, call.now)


def _registrations(call: Call, data: bytes, school_year: str) -> Imported:
    return import_registrations(call.session, call.school, _needed(school_year), data, call.actor, call.now)


def _reductions(call: Call, data: bytes, school_year: str) -> Imported:
    return import_reductions(call.session, call.school, _needed(school_year), data, call.actor, call.now)


_ACTS: dict[InKind, Callable[[Call, bytes, str], Imported]] = {
    InKind.ROSTER: _roster,
    InKind.CONTACTS: _contacts,
    InKind.PRICES: _prices,
    InKind.REGISTRATIONS: _registrations,
    InKind.REDUCTIONS: _reductions,
}


def _needed(school_year: str) -> str:
    if not school_year:
        raise Refused("Hãy ghi năm học, ví dụ school_year=2025-2026.", field="school_year")
    return school_year
