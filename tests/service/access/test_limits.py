from collections.abc import Callable

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisGone
from redis.retry import Retry

from service.access.errors import TooManyTries
from service.access.limits import LOGIN_BY_ACCOUNT, Limit, LocalLimiter, RedisLimiter
from tests.conftest import TestServers

FEW = Limit("few", tries=3, seconds=60)


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


def gone_redis() -> Redis:
    """Return a client of a Redis that is not there."""
    return Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["local", "redis", "gone"])
def limiter(request: pytest.FixtureRequest, clock: Clock) -> LocalLimiter | RedisLimiter:
    if request.param == "local":
        return LocalLimiter(clock)
    if request.param == "gone":
        return RedisLimiter(gone_redis(), clock)
    servers: TestServers = request.getfixturevalue("servers")
    redis = Redis.from_url(servers.redis_url)
    redis.flushdb()
    return RedisLimiter(redis, clock)


def spend(limiter: LocalLimiter | RedisLimiter, key: str, times: int) -> None:
    for _ in range(times):
        limiter.spend(FEW, key)


def test_the_limit_holds_with_and_without_redis(limiter: LocalLimiter | RedisLimiter) -> None:
    spend(limiter, "a", 3)
    with pytest.raises(TooManyTries):
        limiter.spend(FEW, "a")
    spend(limiter, "b", 3)


def test_the_window_slides(limiter: LocalLimiter | RedisLimiter, clock: Clock) -> None:
    limiter.spend(FEW, "a")
    clock.now += 40
    spend(limiter, "a", 2)
    clock.now += 15
    with pytest.raises(TooManyTries) as refused:
        limiter.spend(FEW, "a")
    assert refused.value.wait_seconds == 5
    clock.now += 6
    limiter.spend(FEW, "a")
    with pytest.raises(TooManyTries):
        limiter.spend(FEW, "a")


def test_looking_does_not_count(limiter: LocalLimiter | RedisLimiter) -> None:
    spend(limiter, "a", 2)
    for _ in range(10):
        limiter.refuse_spent(FEW, "a")
    limiter.spend(FEW, "a")
    with pytest.raises(TooManyTries):
        limiter.refuse_spent(FEW, "a")


def test_forgetting_starts_anew(limiter: LocalLimiter | RedisLimiter) -> None:
    spend(limiter, "a", 3)
    limiter.forget(FEW, "a")
    spend(limiter, "a", 3)


def test_losing_redis_gives_no_new_tries(clock: Clock, monkeypatch: pytest.MonkeyPatch, servers: TestServers) -> None:
    redis = Redis.from_url(servers.redis_url)
    redis.flushdb()
    limiter = RedisLimiter(redis, clock)
    spend(limiter, "a", 3)

    def gone(*_: object, **__: object) -> None:
        raise RedisGone("killed")

    monkeypatch.setattr(limiter, "_script", gone)
    with pytest.raises(TooManyTries):
        limiter.spend(FEW, "a")


def test_flushing_redis_gives_no_new_tries_either(clock: Clock, servers: TestServers) -> None:
    redis = Redis.from_url(servers.redis_url)
    limiter = RedisLimiter(redis, clock)
    spend(limiter, "flushed", 3)
    redis.flushdb()
    with pytest.raises(TooManyTries):
        limiter.spend(FEW, "flushed")


def test_a_flood_of_keys_takes_bounded_memory_and_does_not_open_the_door(clock: Clock) -> None:
    limiter = LocalLimiter(clock, max_keys=100)
    spend(limiter, "victim", 3)
    refused = 0
    for number in range(1_000):
        try:
            limiter.spend(FEW, f"made up {number}")
        except TooManyTries:
            refused += 1
    assert len(limiter._tries) <= 101
    assert refused > 800
    with pytest.raises(TooManyTries):
        limiter.spend(FEW, "victim")


def test_old_keys_make_room(clock: Clock) -> None:
    limiter = LocalLimiter(clock, max_keys=100)
    for number in range(100):
        limiter.spend(FEW, f"morning {number}")
    clock.now += 4000
    for number in range(90):
        limiter.spend(FEW, f"evening {number}")


def test_logins_are_not_written_into_redis_in_the_clear(clock: Clock, servers: TestServers) -> None:
    redis = Redis.from_url(servers.redis_url)
    redis.flushdb()
    RedisLimiter(redis, clock).spend(LOGIN_BY_ACCOUNT, "ketoan@truong.example")
    keys = list(redis.scan_iter("*"))
    assert len(keys) == 1
    assert "ketoan" not in str(keys[0])


def test_the_clock_may_be_any_function() -> None:
    ticks: Callable[[], float] = iter([0.0, 0.0, 0.0, 0.0]).__next__
    LocalLimiter(ticks).spend(FEW, "a")
