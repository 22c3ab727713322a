"""Who may do what (pure): one row for every route of the web. The actors stand in ``actors.py``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.access.account_routes import ACCOUNT_ROUTES
from service.access.actors import ROLE_NAMES, ROLES, Actor, Grant, Place, SignedIn
from service.access.api_routes import API_ROUTES
from service.access.cash_routes import CASH_ROUTES
from service.access.charging_routes import CHARGING_ROUTES
from service.access.circles import EVERYBODY
from service.access.family_routes import FAMILY_ROUTES
from service.access.money_routes import MONEY_ROUTES
from service.access.queue_routes import QUEUE_ROUTES
from service.access.school_routes import SCHOOL_ROUTES
from service.access.settling_routes import SETTLING_ROUTES

__all__ = ["EVERYBODY", "MATRIX", "PARTS", "ROLES", "ROLE_NAMES", "Actor", "Grant", "Place", "SignedIn", "may"]

PARTS = (
    ACCOUNT_ROUTES,
    FAMILY_ROUTES,
    SCHOOL_ROUTES,
    CHARGING_ROUTES,
    MONEY_ROUTES,
    QUEUE_ROUTES,
    SETTLING_ROUTES,
    CASH_ROUTES,
    API_ROUTES,
)
# Every route × every actor. A route that is missing here does not start (service/web.py), and a test calls each route
# as each actor. A route stands in one part only (tests/service/access/test_roles.py).
MATRIX: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {route: actors for part in PARTS for route, actors in part.items()}
)


def may(actor: Actor, method: str, path: str) -> bool:
    """Say whether an actor may use a route, given as method and path template; unknown routes are denied."""
    return actor in MATRIX.get((method, path), frozenset())
