"""Forms of people without a staff account: bound to their browser by a random cookie."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import HTMLResponse

from service.access import csrf, sessions
from service.pages.guards import FormToken, own_origin, parts_of, visitor
from service.pages.rendering import page


def visitor_page(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """Answer with a page whose forms carry ``csrf``; a new visitor gets a cookie."""
    parts = parts_of(request)
    value, new = visitor(request)
    token = csrf.make_token(parts.secret, value.encode())
    answer = page(request, template, status=status, csrf=token, **context)
    if new:
        cookie = sessions.visitor_cookie(production=parts.production)
        answer.headers.append("set-cookie", cookie.header(value))
    return answer


def own_form(request: Request, token: FormToken) -> None:
    """Raise ``ForgedRequest`` unless the form came from a page that this browser got from us."""
    value, new = visitor(request)
    binding = None if new else value.encode()
    csrf.refuse_forged(parts_of(request).secret, binding, token, request.headers, own_origin(request))


OwnForm = Annotated[None, Depends(own_form, scope="function")]
