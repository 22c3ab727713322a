"""The cashier's pages: take cash after a look at bills and transfers, print both copies, reverse, enter paper books."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from billing.cash.taking import ScreenMoved
from service.access.roles import MATRIX
from service.pages.cash_views import TypedCash
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.typed import clean

CASH = "/van-phong/quy"
router = APIRouter(prefix=CASH, max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Name = Annotated[str, Form(max_length=100)]
Text = Annotated[str, Form(max_length=300)]
Bills = Annotated[list[str], Form(max_length=200)]
Words = Annotated[str, Query(max_length=100)]
Key = Annotated[str, Query(max_length=40)]
Number = Annotated[int, Query(ge=1, le=10_000)]
Chosen = Annotated[list[str], Query(max_length=200)]
_SAID = {
    "thu": (
        "Đã thu và lập biên lai. In hai liên rồi hai bên ký.",
        "Taken, with its receipt. Print and sign.",
    ),
    "giay": ("Đã nhập biên lai giấy; không in lại.", "The paper receipt is entered; nothing is printed again."),
    "de-nghi": ("Đã đề nghị đảo, chờ người khác duyệt.", "The reversal is asked for; another person decides."),
    "dao": ("Đã đảo: biên lai hủy, giữ nguyên số. Trả lại tiền mặt cho người nộp.", "Reversed: the receipt is void."),
    "giu": ("Đã ghi: không đảo.", "Stored: not reversed."),
    "quyen": ("Đã ghi quyển biên lai giấy.", "The paper book is stored."),
    "hong": ("Đã ghi số hỏng.", "The spoilt leaf is stored."),
}
_ACTS = {
    "takes": "/hoc-sinh/{pupil_id}",
    "asks": "/lan/{taking_id}/dao",
    "approves": "/dao/{reversal_id}/duyet",
    "refuses": "/dao/{reversal_id}/tu-choi",
    "keeps_books": "/quyen",
}


def may(visit: Visit) -> dict[str, bool]:
    """Return which acts the matrix opens here."""
    return {name: bool(MATRIX["POST", f"{CASH}{path}"] & visit.roles) for name, path in _ACTS.items()}


@router.get("")
def home(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, q: Words = "", da: Key = "", trang: Number = 1
) -> Response:
    """Find a pupil, see what is in the till and what was taken."""
    found = desk.cash_home(visit.who, visit.place, clean(q), trang, parts_of(request).clock())
    return page(request, "cash.html", visit=visit, found=found, said=_SAID.get(da), **may(visit))


@router.get("/hoc-sinh/{pupil_id}")
def pupil(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    pupil_id: UUID,
    so_tien: Key = "",
    thong_bao: Chosen = [],  # noqa: B006  FastAPI copies it
    quyen: Key = "",
) -> Response:
    """Show a child's open bills and transfers, and what a sum would do."""
    typed = TypedCash(pupil_id, so_tien, tuple(thong_bao), book=quyen)
    found = desk.cash_pupil(visit.who, visit.place, typed, parts_of(request).clock())
    return page(request, "cash_pupil.html", visit=visit, found=found, typed=typed, moved="", **may(visit))


@router.post("/hoc-sinh/{pupil_id}")
def take(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    pupil_id: UUID,
    so_tien: Short = "",
    thong_bao: Bills = [],  # noqa: B006  FastAPI copies it
    dau: Short = "",
    khoa: Short = "",
    nguoi_nop: Name = "",
    da_xem: Short = "",
    quyen: Short = "",
    so: Short = "",
    ngay: Short = "",
) -> Response:
    """Take cash; when bills or transfers moved since the page was shown, show it anew with what was typed."""
    typed = TypedCash(
        pupil_id, so_tien, tuple(thong_bao), dau, khoa, clean(nguoi_nop), bool(da_xem), quyen, so.strip(), ngay
    )
    now = parts_of(request).clock()
    try:
        taking = desk.take_cash(visit.who, visit.place, typed, now)
    except ScreenMoved as moved:
        found = desk.cash_pupil(visit.who, visit.place, typed, now)
        return page(
            request, "cash_pupil.html", status=409, visit=visit, found=found, typed=typed, moved=moved.message,
            **may(visit),
        )  # fmt: skip
    return go_to(visit.place, f"{CASH}/lan/{taking}", da="giay" if quyen else "thu")


@router.get("/lan/{taking_id}")
def taking(request: Request, visit: StaffVisit, desk: OpenDesk, taking_id: UUID, da: Key = "") -> Response:
    """Show one taking, with its papers and reversals."""
    found = desk.cash_taking(visit.who, visit.place, taking_id, parts_of(request).clock())
    return page(request, "cash_taking.html", visit=visit, found=found, said=_SAID.get(da), **may(visit))


@router.get("/lan/{taking_id}/bien-lai.pdf")
def receipt(request: Request, visit: StaffVisit, desk: OpenDesk, taking_id: UUID) -> Response:
    """Hand out both copies of the receipt on one sheet."""
    return file_answer(desk.cash_receipt(visit.who, visit.place, taking_id, parts_of(request).clock()), inline=True)


@router.post("/lan/{taking_id}/dao")
def ask_reversal(request: Request, visit: StaffVisit, desk: OpenDesk, taking_id: UUID, ly_do: Text = "") -> Response:
    """Ask for a taking to be reversed."""
    desk.ask_cash_reversal(visit.who, visit.place, taking_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, f"{CASH}/lan/{taking_id}", da="de-nghi")


@router.post("/dao/{reversal_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, reversal_id: UUID) -> Response:
    """Reverse what another person asked for."""
    now = parts_of(request).clock()
    taking_id = desk.decide_cash_reversal(visit.who, visit.place, reversal_id, "", now, approved=True)
    return go_to(visit.place, f"{CASH}/lan/{taking_id}", da="dao")


@router.post("/dao/{reversal_id}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, reversal_id: UUID, ly_do: Text = "") -> Response:
    """Say no, or take one's own request back."""
    now = parts_of(request).clock()
    taking_id = desk.decide_cash_reversal(visit.who, visit.place, reversal_id, clean(ly_do), now, approved=False)
    return go_to(visit.place, f"{CASH}/lan/{taking_id}", da="giu")


@router.get("/quyen")
def books(request: Request, visit: StaffVisit, desk: OpenDesk, da: Key = "") -> Response:
    """Show the paper books with the numbers that are missing."""
    rows = desk.paper_books(visit.who, visit.place)
    return page(request, "cash_books.html", visit=visit, rows=rows, said=_SAID.get(da), **may(visit))


@router.post("/quyen")
def open_book(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, ky_hieu: Short = "", tu_so: Short = "", den_so: Short = ""
) -> Response:
    """Write down a paper book."""
    typed = (clean(ky_hieu), tu_so, den_so)
    book = desk.open_paper_book(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{CASH}/quyen/{book}", da="quyen")


@router.get("/quyen/{book_id}")
def book(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, book_id: UUID, q: Words = "", da: Key = ""
) -> Response:
    """Show one paper book, and find the pupil of its next leaf."""
    found = desk.paper_book(visit.who, visit.place, book_id, clean(q))
    return page(request, "cash_book.html", visit=visit, found=found, said=_SAID.get(da), **may(visit))


@router.post("/quyen/{book_id}/hong")
def spoil(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, book_id: UUID, so: Short = "", ly_do: Text = ""
) -> Response:
    """Write down a spoilt leaf."""
    desk.spoil_leaf(visit.who, visit.place, book_id, so, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, f"{CASH}/quyen/{book_id}", da="hong")
