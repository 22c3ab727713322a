"""The API as a whole: its routes, and the OpenAPI document that describes them (no page: that would need scripts)."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from service.api import (
    bills,
    catalogues,
    claims,
    corrections,
    items,
    people,
    reductions,
    registrations,
    rounds,
    support,
    workbooks,
)
from service.api.calling import MAX_JSON_BYTES

router = APIRouter(prefix="/api/v1", max_body_size=MAX_JSON_BYTES)

ROUTERS: tuple[APIRouter, ...] = (
    router,
    people.own_router,
    people.router,
    catalogues.router,
    items.router,
    registrations.router,
    reductions.router,
    bills.router,
    rounds.router,
    corrections.router,
    claims.router,
    support.router,
    workbooks.router,
)

ABOUT = (
    "Another program of the school does the accountant's and the approver's work, in the name of a person. "
    "`Authorization: Bearer` with a token from the page /toi; no cookies. Amounts are whole đồng, moments UTC in ISO "
    "8601, days school days of Viet Nam. Lists: `limit` up to 200 and `cursor`. A creating POST may carry an "
    "`Idempotency-Key`: the same request within 24 hours gets the same answer. Errors: "
    '`{"error": {"code", "message", "field"}}`, in Vietnamese, partly in English by `Accept-Language`. '
    "A request with an unknown field is refused; another school's ids are not found."
)


@router.get("/openapi.json", include_in_schema=False)
def openapi() -> Response:
    """Return the OpenAPI 3.1 document."""
    return JSONResponse(document())


@cache
def document() -> dict[str, Any]:
    """Return the description of every route of the API."""
    routes = [route for each in ROUTERS for route in each.routes]
    made = get_openapi(title="Hocphi", version="1", description=ABOUT, routes=routes)
    made["info"]["summary"] = "Học phí: API của văn phòng nhà trường"
    return made


def api_served() -> list[tuple[str, str]]:
    """Return method and path template of every route of the API."""
    routes = [route for each in ROUTERS for route in each.routes if isinstance(route, APIRoute)]
    return [(method, route.path_format) for route in routes for method in sorted(route.methods or ())]
