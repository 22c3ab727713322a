"""The web: pages, the API, errors, health and the bank's door put together."""

from __future__ import annotations

from functools import cache
from os.path import commonpath

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.roles import MATRIX
from service.api import document
from service.api.faults import TooLargeAsJson
from service.front import Front
from service.pages import (
    attendance,
    auditing,
    bank_accounts,
    bank_feeds,
    cards,
    cash,
    claims,
    class_teacher,
    closing,
    contracts,
    enquiries,
    family_account,
    faults,
    former,
    guardian,
    guardian_choices,
    guardian_contract,
    guardian_registration,
    health,
    insurance,
    items,
    kin,
    late,
    leftovers,
    login,
    matching,
    messages,
    money_out,
    moving,
    newyear,
    numbers,
    offers,
    office,
    opt_ins,
    papers,
    parent,
    places,
    plans,
    public,
    queue,
    reductions,
    refund_bulk,
    relief,
    reminders,
    returning,
    rounds,
    shortfalls,
    statements,
    till,
    till_filling,
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
    kin.router,
    users.router,
    parent.router,
    public.router,
    guardian.router,
    guardian_choices.router,
    family_account.router,
    guardian_contract.router,
    guardian_registration.router,
    class_teacher.router,
    attendance.router,
    attendance.sheets,
    rounds.router,
    papers.router,
    late.router,
    office.router,
    queue.router,
    items.router,
    places.router,
    plans.router,
    offers.router,
    opt_ins.router,
    reductions.router,
    claims.router,
    refund_bulk.router,
    returning.router,
    leftovers.router,
    insurance.router,
    contracts.router,
    moving.router,
    newyear.router,
    former.router,
    relief.router,
    reminders.router,
    messages.router,
    numbers.router,
    bank_accounts.router,
    bank_feeds.router,
    statements.router,
    money_out.router,
    shortfalls.router,
    cards.router,
    cards.paying,
    cards.returning,
    cash.router,
    till.router,
    till_filling.router,
    closing.router,
    matching.router,
    uploading.router,
    auditing.router,
)
# For programs of banks: no session and no form, so no form token either; each question carries its own proof.
MACHINE_ROUTERS: tuple[APIRouter, ...] = (enquiries.router,)


class _Narrowed(BaseRoute):
    """A router that is asked only about paths that begin as all of its routes do.

    The framework would compare each request with every route of every router: two milliseconds of it.
    """

    def __init__(self, included: BaseRoute, start: str) -> None:
        self._included = included
        self._start = start

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].removeprefix(scope.get("root_path", "")).startswith(self._start):
            return Match.NONE, {}
        return self._included.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._included.handle(scope, receive, send)


def build_app(wiring: Wiring) -> ASGIApp:
    """Return the whole web as one ASGI application on the house's own rows."""
    return assemble(web_parts(wiring))


def assemble(parts: WebParts) -> ASGIApp:
    """Put the parts together.

    Raises ``RuntimeError`` when a route has no row in the matrix of ``service/access/roles.py``, so that no
    page can be forgotten there.
    """
    missing = sorted({*served(), *machine_served(), *document.api_served()} - set(MATRIX))
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
    for router in (*ROUTERS, *MACHINE_ROUTERS, *document.ROUTERS):
        app.include_router(router)
        app.router.routes[-1] = _Narrowed(app.router.routes[-1], _start_of(router))
    return TooLargeAsJson(app)


def _start_of(router: APIRouter) -> str:
    """Return how the paths of all routes of a router begin, up to the first part that varies."""
    start = commonpath([route.path for route in router.routes if isinstance(route, APIRoute)])
    return start.partition("{")[0]


def served() -> list[tuple[str, str]]:
    """Return method and path template of every route of the pages."""
    return _routes_of(ROUTERS)


def machine_served() -> list[tuple[str, str]]:
    """Return the same of the routes that programs of banks call."""
    return _routes_of(MACHINE_ROUTERS)


def _routes_of(routers: tuple[APIRouter, ...]) -> list[tuple[str, str]]:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return [(method, route.path_format) for route in routes for method in sorted(route.methods or ())]
