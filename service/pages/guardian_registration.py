"""A family registers to be told: the form behind a slip's second code, and the office's list of who waits."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from billing.errors import Refused
from billing.people.names import clean_text
from service.access.consent_texts import CURRENT, NOTICES
from service.access.guardian_codes import Outcome
from service.pages.guardian import TypedCode, code_page, refuse_spent_codes, spend_code, spend_try, unknown
from service.pages.guardian_views import TypedRegistration
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.parent import LinkDigest
from service.pages.rendering import language_of, page
from service.pages.responses import go_to
from service.pages.visitor_forms import OwnForm, visitor_page

router = APIRouter(max_body_size=MAX_FORM_BYTES)

SAID = {
    "nhan": ("Đã nhận. Từ nay người này nhận thông báo của em.", "Accepted. This person is told from now on."),
    "tu-choi": ("Đã từ chối và xóa liên lạc.", "Refused, and the contact is erased."),
}

Field = Annotated[str, Form(max_length=300)]


@router.get("/dk/{token}")
def register_form(request: Request, token: str, digest: LinkDigest, desk: OpenDesk, xong: str = "") -> Response:
    """Show the form, or that the registration now waits for the school."""
    return _form(request, token, digest, desk, done=xong == "1")


@router.post("/dk/{token}")
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    ho_ten: Field = "",
    quan_he: Field = "",
    lien_lac: Field = "",
    dong_y: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Send a code to the contact that was typed; nothing is stored of a form that is not in order."""
    del form
    typed = TypedRegistration(clean_text(ho_ten), quan_he, clean_text(lien_lac), dong_y)
    refuse_spent_codes(request, digest)
    try:
        code_id = desk.ask_to_register(digest, typed, language_of(request), parts_of(request).clock())
    except Refused as wrong:
        return _form(request, token, digest, desk, typed=typed, fault=wrong.message)
    if code_id is None:
        raise unknown(request)
    # A form that was not in order costs nothing. Raised from here, the code is neither kept nor sent.
    spend_code(request, digest)
    return RedirectResponse(f"/dk/{token}/ma/{code_id}", status_code=303)


@router.get("/dk/{token}/ma/{code_id}")
def code_form(request: Request, token: str, digest: LinkDigest, desk: OpenDesk, code_id: uuid.UUID) -> Response:
    """Show the form for the code."""
    sent = desk.register_code(digest, code_id, parts_of(request).clock())
    if sent is None:
        raise unknown(request)
    return code_page(request, f"/dk/{token}", sent)


@router.post("/dk/{token}/ma/{code_id}")
def finish(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    code_id: uuid.UUID,
    ma: TypedCode = "",
) -> Response:
    """Try the code; a right one stores the registration."""
    del form
    spend_try(request)
    now = parts_of(request).clock()
    outcome = desk.finish_registering(digest, code_id, ma, now)
    if outcome is Outcome.RIGHT:
        return RedirectResponse(f"/dk/{token}?xong=1", status_code=303)
    sent = None if outcome is None else desk.register_code(digest, code_id, now)
    if sent is None:
        raise unknown(request)
    return code_page(request, f"/dk/{token}", sent, outcome)


@router.get("/van-phong/lien-he")
def waiting(request: Request, visit: StaffVisit, desk: OpenDesk, xong: str = "") -> Response:
    """List the contacts that families entered and nobody has confirmed."""
    found = desk.waiting_contacts(visit.who, visit.place)
    now = parts_of(request).clock()
    return page(request, "guardian_waiting.html", visit=visit, found=found, now=now, said=SAID.get(xong))


@router.post("/van-phong/lien-he/{registration_id}/nhan")
def accept(request: Request, visit: StaffVisit, desk: OpenDesk, registration_id: uuid.UUID) -> Response:
    """Confirm that this person belongs to the child."""
    desk.accept_contact(visit.who, visit.place, registration_id, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/lien-he", xong="nhan")


@router.post("/van-phong/lien-he/{registration_id}/tu-choi")
def refuse(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    registration_id: uuid.UUID,
    ly_do: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Refuse a contact; name and contact are erased."""
    reason = clean_text(ly_do)
    if not reason:
        raise Refused("Chưa ghi lý do từ chối. Xin ghi lý do, ví dụ: không phải phụ huynh của em.")
    desk.refuse_contact(visit.who, visit.place, registration_id, reason, parts_of(request).clock())
    return go_to(visit.place, "/van-phong/lien-he", xong="tu-choi")


def _form(  # noqa: PLR0913  what was typed and what is wrong come back together
    request: Request,
    token: str,
    digest: bytes,
    desk: OpenDesk,
    *,
    typed: TypedRegistration | None = None,
    fault: str = "",
    done: bool = False,
) -> Response:
    view = desk.register_page(digest, parts_of(request).clock())
    if view is None:
        raise unknown(request)
    return visitor_page(
        request,
        "guardian_register.html",
        status=422 if fault else 200,
        view=view,
        token=token,
        typed=typed or TypedRegistration(),
        fault=fault,
        done=done,
        wording=CURRENT[NOTICES],
    )
