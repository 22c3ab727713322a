"""Credit and refunds in the office: what is kept for families, used on bills, asked back, approved and paid out."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.credit_views import CreditQuery, TypedRefund, TypedStep, TypedUse
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.typed import read_day

KEPT = "/van-phong/tien-ton"
REFUNDS = "/van-phong/hoan-tien"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=300)]
Words = Annotated[str, Query(max_length=100)]
Key = Annotated[str, Query(max_length=40)]


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def _may(visit: StaffVisit, method: str, path: str) -> bool:
    return bool(MATRIX[method, path] & visit.roles)


@router.get(KEPT)
def kept(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    q: Words = "",
    lop: Key = "",
    khoan: Key = "",
    trang: Annotated[int, Query(ge=1, le=10_000)] = 1,
    da: Words = "",
) -> Response:
    """List what is kept, by class and item, with sums that tie to the ledger."""
    query = CreditQuery(_clean(q), lop, khoan, trang)
    found = desk.credit_list(visit.who, visit.place, query, parts_of(request).clock())
    uses = _may(visit, "POST", f"{KEPT}/tru")
    said = (f"Đã trừ {_clean(da)} vào thông báo thu.", f"{_clean(da)} used on bills.") if da else None
    return page(request, "credits.html", visit=visit, found=found, uses=uses, said=said)


@router.get(f"{KEPT}.xlsx")
def kept_workbook(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Hand out all of it as a workbook; the opening is recorded."""
    return file_answer(desk.credit_workbook(visit.who, visit.place, parts_of(request).clock()))


@router.get(f"{KEPT}/hoc-sinh/{{pupil_id}}")
def pupil(request: Request, visit: StaffVisit, desk: OpenDesk, pupil_id: UUID) -> Response:
    """Show a pupil's credit, where it came from and where it went."""
    found = desk.pupil_credit(visit.who, visit.place, pupil_id, parts_of(request).clock())
    return page(request, "credit_pupil.html", visit=visit, found=found, makes=_may(visit, "POST", f"{KEPT}/tru"))


@router.post(f"{KEPT}/tru")
def use(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    em: Short = "",
    lop: Short = "",
    khoan: Short = "",
    ly_do: Text = "",
    moi_khoan: Short = "",
) -> Response:
    """Set credit of a pupil or of a class against open bills."""
    typed = TypedUse(em, lop, khoan, _clean(ly_do), bool(moi_khoan))
    used = desk.use_credit(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, KEPT, da=used)


@router.post(f"{KEPT}/hoan")
def ask_back(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    em: Short = "",
    khoan: Short = "",
    so_tien: Short = "",
    ten: Text = "",
    ngan_hang: Short = "",
    so_tai_khoan: Short = "",
    ly_do: Text = "",
    ve: Annotated[str, Form(max_length=60)] = "",
    can_cu: Text = "",
) -> Response:
    """Ask for a pupil's credit to be given back."""
    number = so_tai_khoan.replace(" ", "")
    typed = TypedRefund(em, khoan, so_tien, _clean(ten), ngan_hang, number, _clean(ly_do), ve, _clean(can_cu))
    made = desk.ask_refund(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{REFUNDS}/{made}")


@router.get(REFUNDS)
def refunds(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """List the requests, and offer a new one in bulk."""
    found = desk.refunds(visit.who, visit.place, parts_of(request).clock())
    return page(request, "refunds.html", visit=visit, found=found, makes=_may(visit, "POST", f"{REFUNDS}/hang-loat"))


@router.get(f"{REFUNDS}/{{refund_id}}")
def refund(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID) -> Response:
    """Show a request with its lines, and the steps that this person may take."""
    found = desk.refund(visit.who, visit.place, refund_id, parts_of(request).clock())
    here = f"{REFUNDS}/{{refund_id}}"
    may = {name: _may(visit, "POST", f"{here}/{name}") for name in ("duyet", "tu-choi")}
    may |= {name: _may(visit, "POST", f"{here}/dong/{{line_id}}/{name}") for name in _STEPS}
    may["lenh-chuyen"] = _may(visit, "POST", f"{here}/lenh-chuyen")
    papers = desk.refund_papers(visit.who, visit.place, refund_id)
    return page(request, "refund.html", visit=visit, found=found, papers=papers, may=may)


@router.post(f"{REFUNDS}/{{refund_id}}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID) -> Response:
    """Approve a request; a second person does this."""
    desk.decide_refund(visit.who, visit.place, refund_id, "", parts_of(request).clock(), approved=True)
    return go_to(visit.place, f"{REFUNDS}/{refund_id}")


@router.post(f"{REFUNDS}/{{refund_id}}/tu-choi")
def reject(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID, ly_do: Text = "") -> Response:
    """Say no to a request, or take it back."""
    desk.decide_refund(visit.who, visit.place, refund_id, _clean(ly_do), parts_of(request).clock(), approved=False)
    return go_to(visit.place, f"{REFUNDS}/{refund_id}")


@router.get(f"{REFUNDS}/{{refund_id}}/danh-sach.xlsx")
def workbook(request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID) -> Response:
    """Hand out the payout list with the sheet to sign; the opening is recorded."""
    return file_answer(desk.refund_workbook(visit.who, visit.place, refund_id, parts_of(request).clock()))


_STEPS = ("chi", "da-chuyen", "huy-chi", "rut-lai", "tra-ve")


def _step(  # noqa: PLR0913, PLR0917  which line, and what of it
    request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID, line_id: UUID, step: TypedStep
) -> Response:
    desk.step_refund(visit.who, visit.place, refund_id, line_id, step, parts_of(request).clock())
    return go_to(visit.place, f"{REFUNDS}/{refund_id}")


@router.post(f"{REFUNDS}/{{refund_id}}/dong/{{line_id}}/chi")
def pay(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    refund_id: UUID,
    line_id: UUID,
    ngay: Short = "",
    nguoi_nhan: Text = "",
) -> Response:
    """Write down that cash was handed over, and who signed."""
    return _step(request, visit, desk, refund_id, line_id, TypedStep("chi", read_day(ngay), _clean(nguoi_nhan)))


@router.post(f"{REFUNDS}/{{refund_id}}/dong/{{line_id}}/da-chuyen")
def sent(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    refund_id: UUID,
    line_id: UUID,
    ngay: Short = "",
) -> Response:
    """Write down that the transfer was ordered at the bank."""
    return _step(request, visit, desk, refund_id, line_id, TypedStep("da-chuyen", read_day(ngay)))


@router.post(f"{REFUNDS}/{{refund_id}}/dong/{{line_id}}/huy-chi")
def undo(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID, line_id: UUID, ly_do: Text = ""
) -> Response:
    """Undo a payout that was written down wrongly."""
    return _step(request, visit, desk, refund_id, line_id, TypedStep("huy-chi", reason=_clean(ly_do)))


@router.post(f"{REFUNDS}/{{refund_id}}/dong/{{line_id}}/rut-lai")
def take_back(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, refund_id: UUID, line_id: UUID, ly_do: Text = ""
) -> Response:
    """Give a line up before it is paid out: its money is the pupil's credit again."""
    return _step(request, visit, desk, refund_id, line_id, TypedStep("rut-lai", reason=_clean(ly_do)))
