"""The wiring becomes the parts of the web: desk, limits, readiness."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from reconciliation.lists.polling import late_feeds
from service.access.limits import RedisLimiter
from service.api.opening import api_opener
from service.database import EVERYTHING, NOTHING
from service.door import Door
from service.figures import figures
from service.pages.binding import desk_opener
from service.pages.card_binding import card_page_opener
from service.pages.desk import WebParts
from service.pages.views import Readiness
from service.wiring import Wiring, derived_key

_MIGRATIONS = Path(__file__).parents[2] / "alembic"
# A page must not wait for Redis: without it the limits are counted in this process.
_REDIS_SECONDS = 0.3
_DATABASE_MS = 200


def web_parts(wiring: Wiring) -> WebParts:
    """Return what ``service.web.assemble`` needs."""
    production = wiring.settings.env == "production"
    once = Retry(NoBackoff(), 0)
    redis = Redis.from_url(
        wiring.redis_url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS, retry=once
    )
    return WebParts(
        production=production,
        origin=wiring.settings.base_url if production else "",
        secret=derived_key(wiring.settings, "forms 1"),
        clock=wiring.clock,
        open_desk=desk_opener(wiring),
        limiter=RedisLimiter(redis, lambda: wiring.clock().timestamp()),
        open_api=api_opener(wiring),
        ready=readiness(wiring, redis),
        figures=figures(wiring),
        door=Door(wiring),
        open_card_page=card_page_opener(wiring),
        card_origin=wiring.settings.stripe_page_origin,
    )


def readiness(wiring: Wiring, redis: Redis) -> Callable[[], Readiness]:
    """Return the check behind ``/readyz``: the database answers in 200 ms and has the shape of this code.

    Redis may be away, and so may a provider's list: callbacks are stored all the same, so that only counts as degraded.
    """
    wanted = _shape_of_this_code()

    def ready() -> Readiness:
        begun = time.monotonic()
        try:
            with wiring.database.transaction(NOTHING) as session:
                found = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        except SQLAlchemyError:
            return Readiness(ready=False, database_ms=None, schema="", degraded=_away(redis))
        spent = int((time.monotonic() - begun) * 1000)
        fit = spent <= _DATABASE_MS and found == wanted
        degraded = (*_away(redis), *(_late(wiring) if fit else ()))
        return Readiness(ready=fit, database_ms=spent, schema=str(found or ""), degraded=degraded)

    return ready


@cache
def _shape_of_this_code() -> str:
    """Return the newest migration; to know it, each of them is read and compiled."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head() or ""


def _late(wiring: Wiring) -> tuple[str, ...]:
    """Return ``lists`` when a provider's list was not read for too long: then only callbacks tell of money."""
    with wiring.database.transaction(EVERYTHING) as session:
        return ("lists",) if late_feeds(session, wiring.clock()) else ()


def _away(redis: Redis) -> tuple[str, ...]:
    try:
        redis.ping()
    except RedisError:
        return ("redis",)
    return ()
