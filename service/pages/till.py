"""The pages of the till: count it against the book, bring counted cash to the bank, hand the till over."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from billing.cash.taking import ScreenMoved
from service.access.roles import MATRIX
from service.pages.cash import CASH, Number
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.till_views import TypedCount, TypedDeposit, TypedHandover
from service.pages.typed import clean

COUNTS, DEPOSITS, HANDOVERS = f"{CASH}/kiem-quy", f"{CASH}/nop-ngan-hang", f"{CASH}/ban-giao"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
Notes = Annotated[list[str], Form(max_length=20)]
Key = Annotated[str, Query(max_length=40)]
Counted = Annotated[list[str], Query(max_length=20)]
_SAID = {
    "kiem": ("Đã ghi lần kiểm quỹ.", "The count is stored."),
    "xac-nhan": ("Đã xác nhận chênh lệch và ghi sổ.", "The difference is agreed to and booked."),
    "khong": ("Đã ghi: không xác nhận; kiểm lại.", "Stored: not agreed to; count again."),
    "nop": ("Đã ghi lần nộp tiền; chờ ngân hàng báo có.", "The deposit is stored; the bank's transfer is awaited."),
    "gan": ("Đã gắn với giao dịch của ngân hàng.", "Tied to the bank's transfer."),
    "bo-gan": ("Đã bỏ gắn; giao dịch lại chờ xử lý.", "Untied; the transfer waits again."),
    "de-nghi-gan": ("Đã đề nghị gắn; chờ người khác đồng ý.", "The tie is asked for; another person agrees."),
    "khong-gan": ("Đã ghi: không gắn.", "Stored: not tied."),
    "rut-lai": ("Đã rút lại lần nộp; tiền ở lại quỹ.", "Taken back; the money is in the till."),
    "giao": ("Đã lập biên bản; chờ người nhận ký.", "The record is made; its receiver signs."),
    "nhan": ("Đã ký nhận.", "Accepted."),
    "tu-choi": ("Đã ghi: không nhận, hoặc rút lại.", "Stored: refused, or taken back."),
}
_ACTS = {
    "counts": f"{COUNTS}",
    "agrees": f"{COUNTS}/{{count_id}}/xac-nhan",
    "deposits": f"{DEPOSITS}",
    "ties": f"{DEPOSITS}/{{deposit_id}}/gan",
    "agrees_ties": f"{DEPOSITS}/gan/{{tie_ask_id}}/dong-y",
    "takes_back": f"{DEPOSITS}/{{deposit_id}}/rut-lai",
    "hands": f"{HANDOVERS}",
}


def _may(visit: Visit) -> dict[str, bool]:
    """Return which acts the matrix opens here."""
    return {name: bool(MATRIX["POST", path] & visit.roles) for name, path in _ACTS.items()}


@router.get(COUNTS)
def till(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    to: Counted = [],  # noqa: B006  FastAPI copies it
    da: Key = "",
    trang: Number = 1,
) -> Response:
    """Show the till by the book, and what typed notes come to; nothing is stored."""
    found = desk.till(visit.who, visit.place, TypedCount(tuple(to), number=trang), parts_of(request).clock())
    return page(
        request, "cash_count.html", visit=visit, found=found, said=_SAID.get(da), moved="", reason="", **_may(visit)
    )


@router.post(COUNTS)
def count(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    to: Notes = [],  # noqa: B006  FastAPI copies it
    so_sach: Short = "",
    ly_do: Text = "",
    khoa: Short = "",
) -> Response:
    """Store a count; when cash moved meanwhile, show the page anew with what was typed."""
    typed, now = TypedCount(tuple(to), so_sach, clean(ly_do), khoa), parts_of(request).clock()
    try:
        desk.count_till(visit.who, visit.place, typed, now)
    except ScreenMoved as moved:
        found = desk.till(visit.who, visit.place, typed, now)
        return page(
            request, "cash_count.html", status=409, visit=visit, found=found, moved=moved.message,
            reason=typed.reason, **_may(visit),
        )  # fmt: skip
    return go_to(visit.place, COUNTS, da="kiem")


@router.post(f"{COUNTS}/{{count_id}}/xac-nhan")
def agree(request: Request, visit: StaffVisit, desk: OpenDesk, count_id: UUID) -> Response:
    """Agree to a difference as its second person."""
    desk.decide_count(visit.who, visit.place, count_id, "", parts_of(request).clock(), agreed=True)
    return go_to(visit.place, COUNTS, da="xac-nhan")


@router.post(f"{COUNTS}/{{count_id}}/khong")
def reject(request: Request, visit: StaffVisit, desk: OpenDesk, count_id: UUID, ly_do: Text = "") -> Response:
    """Do not agree to a difference."""
    desk.decide_count(visit.who, visit.place, count_id, clean(ly_do), parts_of(request).clock(), agreed=False)
    return go_to(visit.place, COUNTS, da="khong")


@router.get(DEPOSITS)
def deposits(request: Request, visit: StaffVisit, desk: OpenDesk, da: Key = "", trang: Number = 1) -> Response:
    """Show deposits, and what the bank may have booked them as."""
    found = desk.deposits(visit.who, visit.place, trang, parts_of(request).clock())
    return page(request, "cash_deposits.html", visit=visit, found=found, said=_SAID.get(da), **_may(visit))


@router.post(DEPOSITS)
def deposit(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    tai_khoan: Short = "",
    so_tien: Short = "",
    so_giay: Short = "",
    khoa: Short = "",
) -> Response:
    """Store cash that was brought to the bank."""
    typed = TypedDeposit(tai_khoan, so_tien, clean(so_giay), khoa)
    desk.deposit_cash(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, DEPOSITS, da="nop")


@router.post(f"{DEPOSITS}/{{deposit_id}}/gan")
def tie(request: Request, visit: StaffVisit, desk: OpenDesk, deposit_id: UUID, giao_dich: Short = "") -> Response:
    """Say which transfer of the bank a deposit is."""
    desk.tie_deposit(visit.who, visit.place, deposit_id, giao_dich, parts_of(request).clock())
    return go_to(visit.place, DEPOSITS, da="gan")


@router.post(f"{DEPOSITS}/{{deposit_id}}/bo-gan")
def untie(request: Request, visit: StaffVisit, desk: OpenDesk, deposit_id: UUID, ly_do: Text = "") -> Response:
    """Take a tie back."""
    desk.untie_deposit(visit.who, visit.place, deposit_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, DEPOSITS, da="bo-gan")


@router.post(f"{DEPOSITS}/{{deposit_id}}/rut-lai")
def take_back(request: Request, visit: StaffVisit, desk: OpenDesk, deposit_id: UUID, ly_do: Text = "") -> Response:
    """Put a deposit back into the till that never reached the bank."""
    desk.take_back_deposit(visit.who, visit.place, deposit_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, DEPOSITS, da="rut-lai")


@router.get(HANDOVERS)
def handovers(request: Request, visit: StaffVisit, desk: OpenDesk, da: Key = "", trang: Number = 1) -> Response:
    """Show what would be handed over now, and the hand-overs."""
    found = desk.handovers(visit.who, visit.place, trang, parts_of(request).clock())
    return page(request, "cash_handovers.html", visit=visit, found=found, said=_SAID.get(da), **_may(visit))


@router.post(HANDOVERS)
def hand_over(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, nguoi_nhan: Short = "", ghi_chu: Text = "", khoa: Short = ""
) -> Response:
    """Hand the counted till over."""
    typed = TypedHandover(nguoi_nhan, clean(ghi_chu), khoa)
    desk.hand_over(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, HANDOVERS, da="giao")


@router.post(f"{HANDOVERS}/{{handover_id}}/nhan")
def accept(request: Request, visit: StaffVisit, desk: OpenDesk, handover_id: UUID) -> Response:
    """Accept as the receiver."""
    desk.decide_handover(visit.who, visit.place, handover_id, "", parts_of(request).clock(), accepted=True)
    return go_to(visit.place, HANDOVERS, da="nhan")


@router.post(f"{HANDOVERS}/{{handover_id}}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, handover_id: UUID, ly_do: Text = "") -> Response:
    """Refuse as the receiver, or take back as the giver."""
    desk.decide_handover(visit.who, visit.place, handover_id, clean(ly_do), parts_of(request).clock(), accepted=False)
    return go_to(visit.place, HANDOVERS, da="tu-choi")


@router.get(f"{HANDOVERS}/{{handover_id}}/bien-ban.pdf")
def record(request: Request, visit: StaffVisit, desk: OpenDesk, handover_id: UUID) -> Response:
    """Hand out the record with places for both signatures."""
    return file_answer(
        desk.handover_record(visit.who, visit.place, handover_id, parts_of(request).clock()), inline=True
    )
