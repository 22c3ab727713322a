"""For machines: is the process alive, may it get traffic, and our own static files."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from billing.errors import NotFound
from service.pages.guards import MAX_FORM_BYTES, parts_of
from service.pages.rendering import ASSETS

router = APIRouter(max_body_size=MAX_FORM_BYTES)

_FOREVER = "public, max-age=31536000, immutable"


@router.get("/livez")
async def livez() -> Response:
    """Say that the process answers; asks nothing and nobody."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Say whether the database answers and has the right shape; other parts may be away (``degraded``)."""
    state = parts_of(request).ready()
    body = {
        "ready": state.ready,
        "database_ms": state.database_ms,
        "schema": state.schema,
        "degraded": list(state.degraded),
    }
    return JSONResponse(body, status_code=200 if state.ready else 503)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Tell the house's figures to a program that knows the token; to everybody else there is no such page."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    told = parts_of(request).figures(token.strip()) if scheme.lower() == "bearer" else None
    if told is None:
        raise NotFound("Không có trang này.")
    return PlainTextResponse(told, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/robots.txt")
async def robots() -> Response:
    """Ask search engines to stay outside."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """Hand out one of our own files, packed where the browser can unpack."""
    found = ASSETS.get(name)
    if found is None:
        raise NotFound("Không có tệp này.")
    current = request.query_params.get("v") == found.version
    headers = {"Cache-Control": _FOREVER if current else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)
