"""Refunds in bulk in the office: tried, asked once, approved once, and paid by one file or against signatures."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.plans.papers import MOST_BYTES
from service.access.errors import TooLarge
from service.access.roles import MATRIX
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.refund_bulk_views import BulkQuery, TypedGround
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.typed import clean
from service.pages.uploading import MAX_BODY_BYTES

REFUNDS = "/van-phong/hoan-tien"
BULK = f"{REFUNDS}/hang-loat"
router = APIRouter(max_body_size=MAX_BODY_BYTES)

Key = Annotated[str, Query(max_length=40)]
Short = Annotated[str, Form(max_length=60)]


@router.get(BULK)
def try_it(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    khoan: Key = "",
    lop: Key = "",
    dot: Key = "",
    cach: Key = "cash",
) -> Response:
    """Show what a request in bulk would hold: how many, together, and who is left out."""
    query = BulkQuery(khoan, lop, dot, "bank" if cach == "bank" else "cash")
    found = desk.bulk_page(visit.who, visit.place, query, parts_of(request).clock())
    makes = bool(MATRIX["POST", BULK] & visit.roles)
    return page(request, "refund_bulk.html", visit=visit, found=found, makes=makes)


@router.post(BULK)
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    khoan: Short = "",
    lop: Short = "",
    dot: Short = "",
    cach: Short = "cash",
    da_xem: Short = "",
    ly_do: Annotated[str, Form(max_length=300)] = "",
    so_quyet_dinh: Short = "",
    ngay_quyet_dinh: Short = "",
    tep: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Ask for what the dry run showed; another person approves it once."""
    content = tep.file.read(MOST_BYTES + 1) if tep is not None else b""
    if len(content) > MOST_BYTES:
        raise TooLarge("Tệp lớn hơn 5 MB.")
    ground = TypedGround(clean(so_quyet_dinh), ngay_quyet_dinh, (tep.filename or "") if tep else "", content)
    query = BulkQuery(khoan, lop, dot, "bank" if cach == "bank" else "cash")
    now = parts_of(request).clock()
    made = desk.ask_in_bulk(visit.who, visit.place, query, da_xem, clean(ly_do), ground, now)
    return go_to(visit.place, f"{REFUNDS}/{made}")


@router.get(f"{REFUNDS}/{{refund_id}}/quyet-dinh")
def ground(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID) -> Response:
    """Hand out the paper of the decision; the opening is recorded."""
    return file_answer(desk.refund_ground(visit.who, visit.place, refund_id, parts_of(request).clock()))


@router.post(f"{REFUNDS}/{{refund_id}}/lenh-chuyen")
def order(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID, ngay: Short = "") -> Response:
    """Make the bank's file of all that is to be paid by bank."""
    desk.make_batch(visit.who, visit.place, refund_id, ngay, parts_of(request).clock())
    return go_to(visit.place, f"{REFUNDS}/{refund_id}")


@router.get(f"{REFUNDS}/{{refund_id}}/lenh-chuyen/{{batch_id}}.{{layout}}")
def batch(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    refund_id: UUID,
    batch_id: UUID,
    layout: str,
) -> Response:
    """Hand out a file for the bank, byte for byte as it was made; the opening is recorded."""
    kind = "csv" if layout == "csv" else "xlsx"
    now = parts_of(request).clock()
    return file_answer(desk.bank_batch(visit.who, visit.place, refund_id, batch_id, kind, now))


@router.get(f"{REFUNDS}/{{refund_id}}/ky-nhan.pdf")
def cash_sheet(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID) -> Response:
    """Hand out the sheet on which families sign; the opening is recorded."""
    return file_answer(desk.cash_sheet(visit.who, visit.place, refund_id, parts_of(request).clock()))
