"""The pages that fill the till: cash fetched from the bank; and ties of deposits that two people agree to."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.cash import CASH, Number
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.till import DEPOSITS
from service.pages.till_views import TypedDeposit
from service.pages.typed import clean

WITHDRAWALS = f"{CASH}/rut-tien"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
Key = Annotated[str, Query(max_length=40)]
_SAID = {
    "rut": ("Đã ghi tiền mặt về quỹ.", "The cash is in the till."),
    "rut-lai": ("Đã rút lại lần rút tiền; quỹ giảm.", "Taken back; the till holds so much less."),
}


@router.get(WITHDRAWALS)
def withdrawals(request: Request, visit: StaffVisit, desk: OpenDesk, da: Key = "", trang: Number = 1) -> Response:
    """Show what was fetched to the till, and what of it the bank has told of."""
    found = desk.withdrawals(visit.who, visit.place, trang, parts_of(request).clock())
    may = {
        "fetches": bool(MATRIX["POST", WITHDRAWALS] & visit.roles),
        "takes_back": bool(MATRIX["POST", f"{WITHDRAWALS}/{{withdrawal_id}}/rut-lai"] & visit.roles),
    }
    return page(request, "cash_withdrawals.html", visit=visit, found=found, said=_SAID.get(da), **may)


@router.post(WITHDRAWALS)
def withdraw(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    tai_khoan: Short = "",
    so_tien: Short = "",
    so_giay: Short = "",
    khoa: Short = "",
) -> Response:
    """Store cash that was fetched from the bank or the Treasury."""
    typed = TypedDeposit(tai_khoan, so_tien, clean(so_giay), khoa)
    desk.withdraw_cash(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, WITHDRAWALS, da="rut")


@router.post(f"{WITHDRAWALS}/{{withdrawal_id}}/rut-lai")
def take_back(request: Request, visit: StaffVisit, desk: OpenDesk, withdrawal_id: UUID, ly_do: Text = "") -> Response:
    """Take back what was written down wrongly."""
    desk.take_back_withdrawal(visit.who, visit.place, withdrawal_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, WITHDRAWALS, da="rut-lai")


@router.post(f"{DEPOSITS}/{{deposit_id}}/de-nghi-gan")
def ask_tie(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, deposit_id: UUID, giao_dich: Short = "", ly_do: Text = ""
) -> Response:
    """Ask for a tie that no rule suggests."""
    now = parts_of(request).clock()
    desk.ask_deposit_tie(visit.who, visit.place, deposit_id, giao_dich, clean(ly_do), now)
    return go_to(visit.place, DEPOSITS, da="de-nghi-gan")


@router.post(f"{DEPOSITS}/gan/{{tie_ask_id}}/dong-y")
def agree_tie(request: Request, visit: StaffVisit, desk: OpenDesk, tie_ask_id: UUID) -> Response:
    """Agree to such a tie as its second person."""
    desk.decide_deposit_tie(visit.who, visit.place, tie_ask_id, "", parts_of(request).clock(), agreed=True)
    return go_to(visit.place, DEPOSITS, da="gan")


@router.post(f"{DEPOSITS}/gan/{{tie_ask_id}}/khong")
def refuse_tie(request: Request, visit: StaffVisit, desk: OpenDesk, tie_ask_id: UUID, ly_do: Text = "") -> Response:
    """Refuse such a tie, or take one's own request back."""
    desk.decide_deposit_tie(visit.who, visit.place, tie_ask_id, clean(ly_do), parts_of(request).clock(), agreed=False)
    return go_to(visit.place, DEPOSITS, da="khong-gan")
