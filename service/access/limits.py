"""Limits on tries: counted in Redis, and in this process when Redis is away; they never fail open."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from redis import Redis
from redis.exceptions import RedisError

from service.access.errors import TooManyTries

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``tries`` in ``seconds``, sliding; ``name`` separates what is counted."""

    name: str
    tries: int
    seconds: int


# By login and address together: whoever knows a login and types wrong passwords locks nobody out but himself.
LOGIN_BY_ACCOUNT = Limit("login-account", tries=5, seconds=15 * 60)
# By login alone, from wherever: after so many wrong passwords each try waits so many seconds, and none is refused.
LOGIN_SLOWED = (
    (Limit("login-slow", tries=20, seconds=60 * 60), 2.0),
    (Limit("login-slower", tries=60, seconds=60 * 60), 5.0),
    (Limit("login-slowest", tries=200, seconds=60 * 60), 10.0),
)
LOGIN_BY_ADDRESS = Limit("login-address", tries=20, seconds=60)
WRONG_LINKS = Limit("wrong-links", tries=20, seconds=10 * 60)
PUBLIC_PAGES = Limit("public-pages", tries=60, seconds=60)
# A token by itself; a program that reads a whole school page by page stays below it.
API = Limit("api", tries=600, seconds=60)
WRONG_TOKENS = Limit("wrong-tokens", tries=20, seconds=10 * 60)
# A bank's counter asks for one bill at a time; addresses that are none are somebody's guesses.
ENQUIRIES = Limit("enquiries", tries=600, seconds=60)
WRONG_ENQUIRIES = Limit("wrong-enquiries", tries=20, seconds=10 * 60)
# Each time the card provider is asked for a page; one that is open already costs nothing.
CARD_PAGES = Limit("card-pages", tries=10, seconds=10 * 60)
EXPORTS = Limit("exports", tries=5, seconds=60)
# Slips are printed class by class: a school has thirty.
PAPERS = Limit("papers", tries=60, seconds=60)
# Whole rounds: asked for or taken away.
WHOLE_PRINTS = Limit("whole-prints", tries=10, seconds=60)

# One sliding window in one step: forget what is older, count, and add only what is allowed.
# Answer: 0 = allowed, otherwise milliseconds until the oldest try leaves the window.
_SLIDE = """
local now, span, tries, write = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - span)
if redis.call('ZCARD', KEYS[1]) >= tries then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(1, tonumber(oldest[2]) + span - now)
end
if write == '1' then
  redis.call('ZADD', KEYS[1], now, ARGV[5])
  redis.call('PEXPIRE', KEYS[1], span)
end
return 0
"""


class Limiter(Protocol):
    """Counts tries."""

    def spend(self, limit: Limit, key: str) -> None:
        """Count one try; raises ``TooManyTries`` when the limit is reached (that try is not counted)."""

    def refuse_spent(self, limit: Limit, key: str) -> None:
        """Raise ``TooManyTries`` when the limit is reached, without counting."""

    def forget(self, limit: Limit, key: str) -> None:
        """Start anew, for example after a right password."""


def login_at(login: str, address: str) -> str:
    """Return the key of a login tried from an address."""
    return f"{login}\0{address}"


def login_delay(limiter: Limiter, login: str) -> float:
    """Return how many seconds a try at a login has to wait because of wrong passwords from anywhere."""
    return max((seconds for limit, seconds in LOGIN_SLOWED if _is_spent(limiter, limit, login)), default=0.0)


def count_wrong_password(limiter: Limiter, login: str) -> None:
    """Count a wrong password towards the delay of a login."""
    for limit, _ in LOGIN_SLOWED:
        with contextlib.suppress(TooManyTries):
            limiter.spend(limit, login)


def _is_spent(limiter: Limiter, limit: Limit, key: str) -> bool:
    try:
        limiter.refuse_spent(limit, key)
    except TooManyTries:
        return True
    return False


class LocalLimiter:
    """Counts in this process; bounded, and what does not fit shares one strict count."""

    def __init__(self, clock: Callable[[], float], max_keys: int = 50_000) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._tries: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, limit: Limit, key: str) -> None:
        """Count one try."""
        with self._lock:
            times = self._window(limit, key)
            self._refuse(limit, times)
            times.append(self._clock())

    def refuse_spent(self, limit: Limit, key: str) -> None:
        """Look without counting."""
        with self._lock:
            self._refuse(limit, self._window(limit, key))

    def forget(self, limit: Limit, key: str) -> None:
        """Start anew."""
        with self._lock:
            self._tries.pop((limit.name, key), None)

    def _refuse(self, limit: Limit, times: deque[float]) -> None:
        if len(times) >= limit.tries:
            raise TooManyTries(max(1, round(times[0] + limit.seconds - self._clock())))

    def _window(self, limit: Limit, key: str) -> deque[float]:
        slot = (limit.name, key)
        if slot not in self._tries and len(self._tries) >= self._max_keys:
            self._make_room()
            if len(self._tries) >= self._max_keys:
                slot = (limit.name, "")
        times = self._tries.setdefault(slot, deque(maxlen=limit.tries))
        self._tries.move_to_end(slot)
        while times and times[0] <= self._clock() - limit.seconds:
            times.popleft()
        return times

    def _make_room(self) -> None:
        """Drop keys whose last try is older than any window; a key that still counts is never dropped."""
        horizon = self._clock() - 3600
        stale = [slot for slot, times in self._tries.items() if not times or times[-1] < horizon]
        for slot in stale:
            del self._tries[slot]


class RedisLimiter:
    """Counts in Redis for all web processes; falls back to ``LocalLimiter`` while Redis is away.

    The local count runs along always, so that losing Redis does not give new tries.
    """

    def __init__(self, redis: Redis, clock: Callable[[], float], local: LocalLimiter | None = None) -> None:
        self._redis = redis
        self._clock = clock
        self._local = local or LocalLimiter(clock)
        self._script: Callable[..., Any] = redis.register_script(_SLIDE)
        self._count = 0

    def spend(self, limit: Limit, key: str) -> None:
        """Count one try."""
        self._slide(limit, key, write=True)
        self._local.spend(limit, key)

    def refuse_spent(self, limit: Limit, key: str) -> None:
        """Look without counting."""
        self._slide(limit, key, write=False)
        self._local.refuse_spent(limit, key)

    def forget(self, limit: Limit, key: str) -> None:
        """Start anew."""
        self._local.forget(limit, key)
        try:
            self._redis.delete(_name(limit, key))
        except RedisError:
            _log.warning("limits: Redis is away, forgot in this process only")

    def _slide(self, limit: Limit, key: str, *, write: bool) -> None:
        now = int(self._clock() * 1000)
        self._count += 1
        member = f"{now}-{id(self)}-{self._count}"
        arguments = [now, limit.seconds * 1000, limit.tries, "1" if write else "0", member]
        try:
            wait = int(self._script(keys=[_name(limit, key)], args=arguments))
        except RedisError:
            _log.warning("limits: Redis is away, counting in this process")
            return
        if wait:
            raise TooManyTries(-(-wait // 1000))


def _name(limit: Limit, key: str) -> str:
    """Return the Redis key; logins and addresses are not written there in the clear."""
    return f"hocphi:limit:{limit.name}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
