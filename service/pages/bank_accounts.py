"""The bank accounts of a school in the office: what each can do, and changing one with two people and a wait."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from billing.errors import HocphiError
from service.access.errors import WrongCredentials
from service.access.roles import MATRIX
from service.errors import answer_for
from service.pages.bank_account_views import TypedAccount
from service.pages.desk import Desk
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.own_password import refuse_stranger
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean

ACCOUNTS = "/van-phong/tai-khoan"
router = APIRouter(prefix=ACCOUNTS, max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=60)]
Text = Annotated[str, Form(max_length=300)]
_SAID = {
    "de-nghi": ("Đã ghi đề nghị, chờ người khác đồng ý.", "Asked for; another person agrees."),
    "dong-y": (
        "Đã đồng ý. Tài khoản có hiệu lực khi hết thời gian chờ.",
        "Agreed. The account is in force after the wait.",
    ),
    "dung": ("Đã dừng. Không có gì thay đổi.", "Stopped. Nothing changes."),
}


@router.get("")
def accounts(request: Request, visit: StaffVisit, desk: OpenDesk, da: str = "") -> Response:
    """List the accounts, what each can do, and what was asked for."""
    return _page(request, visit, desk, said=_SAID.get(da))


@router.post("")
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    thay: Short = "",
    ngan_hang: Short = "",
    so: Short = "",
    ten: Text = "",
    bao_tien: Short = "statement",
    chi_so_rieng: Short = "",
    nhan_qr: Short = "",
    ma_kem: Short = "",
    ly_do: Text = "",
) -> Response:
    """Ask for an account, in the place of another or as a further one."""
    typed = TypedAccount(
        thay, ngan_hang, so, ten, bao_tien, chi_so_rieng == "co", nhan_qr == "co", ma_kem, clean(ly_do)
    )
    desk.ask_account(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, ACCOUNTS, da="de-nghi")


@router.post("/{change_id}/dong-y")
def approve(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    change_id: UUID,
    mat_khau: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Agree to an account; the password is asked for again."""
    try:
        refuse_stranger(request, visit, desk, mat_khau, "Chưa đồng ý gì.")
    except WrongCredentials as error:
        return _page(request, visit, desk, error=error)
    desk.approve_account(visit.who, visit.place, change_id, parts_of(request).clock())
    return go_to(visit.place, ACCOUNTS, da="dong-y")


@router.post("/{change_id}/dung")
def withdraw(request: Request, visit: StaffVisit, desk: OpenDesk, change_id: UUID, ly_do: Text = "") -> Response:
    """Stop a change that is not in force yet."""
    desk.withdraw_account(visit.who, visit.place, change_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, ACCOUNTS, da="dung")


def _page(
    request: Request,
    visit: Visit,
    desk: Desk,
    *,
    said: tuple[str, str] | None = None,
    error: HocphiError | None = None,
) -> Response:
    may = {
        name: bool(MATRIX["POST", f"{ACCOUNTS}{path}"] & visit.roles)
        for name, path in {"asks": "", "agrees": "/{change_id}/dong-y", "stops": "/{change_id}/dung"}.items()
    }
    return page(
        request,
        "bank_accounts.html",
        status=answer_for(error).status if error else 200,
        visit=visit,
        found=desk.bank_accounts(visit.who, visit.place),
        said=said,
        error=error.message if error else "",
        **may,
    )
