"""The web: pages, the API, errors, health and the bank's door put together."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from service.access.roles import MATRIX
from service.api import document
from service.api.faults import TooLargeAsJson
from service.front import Front
from service.pages import (
    attendance,
    auditing,
    bank_accounts,
    bank_feeds,
    claims,
    class_teacher,
    contracts,
    faults,
    former,
    guardian,
    guardian_choices,
    guardian_registration,
    health,
    insurance,
    items,
    leftovers,
    login,
    moving,
    newyear,
    offers,
    office,
    opt_ins,
    papers,
    parent,
    plans,
    public,
    reductions,
    relief,
    rounds,
    tokens,
    uploading,
    users,
)
from service.pages.desk import WebParts
from service.pages.parts import web_parts
from service.wiring import Wiring

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    login.router,
    tokens.router,
    users.router,
    parent.router,
    public.router,
    guardian.router,
    guardian_choices.router,
    guardian_registration.router,
    class_teacher.router,
    attendance.router,
    attendance.sheets,
    rounds.router,
    papers.router,
    office.router,
    items.router,
    plans.router,
    offers.router,
    opt_ins.router,
    reductions.router,
    claims.router,
    leftovers.router,
    insurance.router,
    contracts.router,
    moving.router,
    newyear.router,
    former.router,
    relief.router,
    bank_accounts.router,
    bank_feeds.router,
    uploading.router,
    auditing.router,
)


def build_app(wiring: Wiring) -> ASGIApp:
    """Return the whole web as one ASGI application on the house's own rows."""
    return assemble(web_parts(wiring))


def assemble(parts: WebParts) -> ASGIApp:
    """Put the parts together.

    Raises ``RuntimeError`` when a route has no row in the matrix of ``service/access/roles.py``, so that no
    page can be forgotten there.
    """
    missing = sorted({*served(), *document.api_served()} - set(MATRIX))
    if missing:
        raise RuntimeError(f"routes without a row in the matrix: {missing}")
    return Front(_pages(), parts.door, production=parts.production, given={"parts": parts})


@cache
def _pages() -> ASGIApp:
    """Return pages and API without what they run on, put together once: the framework takes half a second for it."""
    app = FastAPI(
        title="Hocphi",
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=uploading.MAX_BODY_BYTES,
    )
    faults.install(app)
    for router in (*ROUTERS, *document.ROUTERS):
        app.include_router(router)
    return TooLargeAsJson(app)


def served() -> list[tuple[str, str]]:
    """Return method and path template of every route of the pages."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return [(method, route.path) for route in routes for method in sorted(route.methods or ())]
