"""A family's own page of the account for refunds: entered behind a one-time code, shown back before it is kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from service.pages.family_account_views import TypedAccount
from service.pages.guardian import ACCOUNT, guardian_digest, unknown
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, parts_of
from service.pages.parent import LinkDigest
from service.pages.visitor_forms import OwnForm, visitor_page

router = APIRouter(prefix=f"/t/{{token}}/{ACCOUNT}", max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=40)]
_SAID = {"nho": ("Đã ghi tài khoản nhận tiền hoàn.", "The account for refunds is kept.")}


@router.get("")
def account(request: Request, token: str, digest: LinkDigest, desk: OpenDesk, xong: str = "") -> Response:
    """Show the account that counts now and a form, with a session; without one, where a code can be sent."""
    view = desk.family_account(digest, token, guardian_digest(request), parts_of(request).clock())
    if view is None:
        raise unknown(request)
    return visitor_page(request, "family_account.html", view=view, said=_SAID.get(xong), shown=None)


@router.post("")
def enter(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    ngan_hang: Short = "",
    so_tai_khoan: Short = "",
    ten: Annotated[str, Form(max_length=100)] = "",
    dung: Short = "",
) -> Response:
    """Show what was typed back; keep it when it was confirmed."""
    del form
    now, session_digest = parts_of(request).clock(), guardian_digest(request)
    typed = TypedAccount(ngan_hang, so_tai_khoan, ten)
    view = desk.family_account(digest, token, session_digest, now)
    if view is None:
        raise unknown(request)
    if view.full is None or session_digest is None:
        return RedirectResponse(f"/t/{token}/{ACCOUNT}", status_code=303)
    shown = desk.show_account_back(typed)
    if dung != "co":
        return visitor_page(request, "family_account.html", view=view, said=None, shown=shown)
    desk.keep_account(digest, session_digest, typed, now)
    return RedirectResponse(f"/t/{token}/{ACCOUNT}?xong=nho", status_code=303)
