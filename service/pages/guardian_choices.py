"""A family's own page of voluntary items: registered for and ended behind a one-time code, nothing ticked for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from service.pages.choice_rows import read_digest, read_ticked
from service.pages.choice_views import Chosen
from service.pages.guardian import guardian_digest, unknown
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, parts_of
from service.pages.parent import LinkDigest
from service.pages.rendering import language_of
from service.pages.visitor_forms import OwnForm, visitor_page

router = APIRouter(prefix="/t/{token}/dang-ky", max_body_size=MAX_FORM_BYTES)

SAID = {
    "dang-ky": (
        "Đã ghi đăng ký. Nhà trường đưa vào thông báo thu từ ngày ghi bên dưới.",
        "Registered. It stands on the notices from the day below on.",
    ),
    "thoi": ("Đã ghi thôi đăng ký.", "The registration ends as you asked."),
    "nhu-cu": ("Việc này đã được ghi từ trước, không có gì thay đổi.", "This was recorded already; nothing changed."),
}
FAULTS = {
    "chua-chon": (
        "Chưa đánh dấu khoản nào, nên chưa đăng ký gì. Xin đánh dấu khoản muốn đăng ký rồi xác nhận.",
        "Nothing was ticked, so nothing is registered. Tick what you want, then confirm.",
    )
}
Ticks = Annotated[list[Annotated[str, Form(max_length=120)]] | None, Form(max_length=100)]


@router.get("")
def choices(request: Request, token: str, digest: LinkDigest, desk: OpenDesk, xong: str = "") -> Response:
    """Show what the child is and may be registered for, with a session; without one, where a code can be sent."""
    now = parts_of(request).clock()
    view = desk.family_choices(digest, token, guardian_digest(request), language_of(request), now)
    if view is None:
        raise unknown(request)
    return visitor_page(request, "guardian_choices.html", view=view, said=SAID.get(xong), fault=FAULTS.get(xong))


@router.post("")
def register(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, token: str, digest: LinkDigest, form: OwnForm, desk: OpenDesk, chon: Ticks = None
) -> Response:
    """Register the child for what was ticked, as it was shown."""
    del form
    if not chon:
        return RedirectResponse(f"/t/{token}/dang-ky?xong=chua-chon", status_code=303)
    ticked, session_digest = read_ticked(chon), guardian_digest(request)
    now = parts_of(request).clock()
    done = (
        Chosen.CLOSED
        if session_digest is None
        else desk.choose(digest, session_digest, ticked, language_of(request), now)
    )
    return _back(request, token, done, "dang-ky")


@router.post("/thoi")
def stop(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    khoan: Annotated[str, Form(max_length=40)] = "",
    ban: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """End a registration after the day that was shown."""
    del form
    session_digest, shown, now = guardian_digest(request), read_digest(ban), parts_of(request).clock()
    done = (
        Chosen.CLOSED
        if session_digest is None
        else desk.stop_choice(digest, session_digest, khoan, shown, language_of(request), now)
    )
    return _back(request, token, done, "thoi")


def _back(request: Request, token: str, done: Chosen | None, said: str) -> Response:
    """Send the family back to its page; without a session it finds there where a code can be sent."""
    if done is None:
        raise unknown(request)
    tells = {Chosen.DONE: f"?xong={said}", Chosen.NOTHING: "?xong=nhu-cu", Chosen.CLOSED: ""}
    return RedirectResponse(f"/t/{token}/dang-ky{tells[done]}", status_code=303)
