"""A family's own page of its contract: read in full first, then agreed to with a one-time code."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from service.access.guardian_codes import Outcome
from service.pages.guardian import TypedCode, code_page, refuse_spent_codes, spend_code, spend_try, unknown
from service.pages.guardian_contract_views import TypedAgreement
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, parts_of
from service.pages.parent import LinkDigest
from service.pages.rendering import language_of
from service.pages.visitor_forms import OwnForm, visitor_page

router = APIRouter(prefix="/hd/{token}", max_body_size=MAX_FORM_BYTES)


@router.get("")
def contract(request: Request, token: str, digest: LinkDigest, desk: OpenDesk) -> Response:
    """Show the contract with everything that follows from it in đồng, or that it was agreed to."""
    view = desk.family_contract(digest, token, parts_of(request).clock())
    if view is None:
        raise unknown(request)
    return visitor_page(request, "guardian_contract.html", view=view)


@router.post("")
def ask(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    lien_lac: Annotated[int, Form(ge=1, le=2**62)],
    dong_y: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Send a code to the chosen contact, for just the words that were ticked."""
    del form
    refuse_spent_codes(request, digest)
    typed = TypedAgreement(dong_y, lien_lac)
    code_id = desk.ask_to_agree(digest, typed, language_of(request), parts_of(request).clock())
    if code_id is None:
        raise unknown(request)
    # What was refused costs nothing. Raised from here, the code is neither kept nor sent.
    spend_code(request, digest)
    return RedirectResponse(f"/hd/{token}/ma/{code_id}", status_code=303)


@router.get("/ma/{code_id}")
def code_form(request: Request, token: str, digest: LinkDigest, desk: OpenDesk, code_id: uuid.UUID) -> Response:
    """Show the form for the code."""
    sent = desk.agree_code(digest, code_id, parts_of(request).clock())
    if sent is None:
        raise unknown(request)
    return code_page(request, f"/hd/{token}", sent)


@router.post("/ma/{code_id}")
def finish(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    token: str,
    digest: LinkDigest,
    form: OwnForm,
    desk: OpenDesk,
    code_id: uuid.UUID,
    ma: TypedCode = "",
) -> Response:
    """Try the code; a right one is the family's agreement."""
    del form
    spend_try(request)
    now = parts_of(request).clock()
    outcome = desk.finish_agreeing(digest, code_id, ma, now)
    if outcome is Outcome.RIGHT:
        return RedirectResponse(f"/hd/{token}", status_code=303)
    sent = None if outcome is None else desk.agree_code(digest, code_id, now)
    if sent is None:
        raise unknown(request)
    # Not raised: the try must be committed with this request.
    return code_page(request, f"/hd/{token}", sent, outcome)
