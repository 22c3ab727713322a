"""Bank statements in the office: brought, shown before anything is stored, explained where need be, confirmed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from service.access import limits
from service.access.errors import TooLarge
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.statement_views import MEANINGS, BroughtFile, StatementToExplain, TypedHow
from service.pages.typed import clean
from service.pages.uploading import MAX_BODY_BYTES, MAX_FILE_BYTES

STATEMENTS = "/van-phong/sao-ke"
_MOST_COLUMNS = 60
router = APIRouter(prefix=STATEMENTS, max_body_size=MAX_BODY_BYTES)

Number = Annotated[str, Query(max_length=6)]
Sum = Annotated[str, Query(max_length=30)]
Words = Annotated[list[str], Query(max_length=_MOST_COLUMNS)]


@router.get("")
def statements(request: Request, visit: StaffVisit, desk: OpenDesk, moi: Number = "", da_co: Number = "") -> Response:
    """Show each account with bank against book, the form to bring a file, and the newest statements."""
    found = desk.statements(visit.who, visit.place, parts_of(request).clock())
    done = (int(moi), int(da_co)) if moi.isdecimal() and da_co.isdecimal() else None
    return page(request, "statements.html", visit=visit, found=found, done=done)


@router.post("")
def bring(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    tep: Annotated[UploadFile, File()],
    cho: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Keep a file and go on to its preview; nothing of it is in the book yet."""
    parts = parts_of(request)
    parts.limiter.spend(limits.PAPERS, str(visit.who.user_id))
    data = tep.file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge("Tệp lớn hơn 10 MB.")
    kept = desk.bring_statement(
        visit.who, visit.place, BroughtFile(cho, clean(tep.filename or ""), data), parts.clock()
    )
    return go_to(visit.place, f"{STATEMENTS}/{kept}")


@router.get("/{upload_id}")
def brought(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    upload_id: UUID,
    dong: Number = "",
    cot: Words = [],  # noqa: B006  FastAPI copies it
    dau: Sum = "",
    cuoi: Sum = "",
) -> Response:
    """Show what a file would bring; of an unknown layout first ask which column is what."""
    typed = TypedHow(dong, tuple(cot), dau, cuoi)
    found = desk.brought_statement(visit.who, visit.place, upload_id, typed, parts_of(request).clock())
    if isinstance(found, StatementToExplain):
        return page(request, "statement_explain.html", visit=visit, found=found, meanings=MEANINGS)
    return page(request, "statement_preview.html", visit=visit, found=found, typed=typed)


@router.post("/{upload_id}/nhap")
def confirm(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    upload_id: UUID,
    da_xem: Annotated[str, Form(max_length=64)] = "",
    dong: Annotated[str, Form(max_length=6)] = "",
    cot: Annotated[list[str], Form(max_length=_MOST_COLUMNS)] = [],  # noqa: B006  FastAPI copies it
    dau: Annotated[str, Form(max_length=30)] = "",
    cuoi: Annotated[str, Form(max_length=30)] = "",
    dung: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Import a file as it was shown."""
    typed = TypedHow(dong, tuple(cot), dau, cuoi, dung)
    new, known = desk.confirm_statement(visit.who, visit.place, upload_id, typed, da_xem, parts_of(request).clock())
    return go_to(visit.place, STATEMENTS, moi=str(new), da_co=str(known))
