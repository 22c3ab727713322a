"""The bell: rings when it can, and costs nobody anything when it cannot."""

import socket
from contextlib import suppress

import pytest
import redis

from service.jobs.bells import Bell, make_bell
from tests.conftest import TestServers


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def callers(listener: socket.socket) -> int:
    """Return how many connections came in since the last look."""
    listener.setblocking(False)  # noqa: FBT003  the standard library's own signature
    count = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


def test_a_ring_waits_in_its_room_s_queue_also_after_everything_was_flushed(servers: TestServers) -> None:
    bell = make_bell(servers.redis_url)
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushdb()
        assert bell.ring("ledger.seal")
        assert client.llen("ledger") == 1
        client.flushdb()
        bell("ledger.seal")
        assert client.llen("ledger") == 1
        client.flushdb()
    bell.close()


def test_a_name_that_does_not_exist_is_a_mistake_and_no_silence(servers: TestServers) -> None:
    bell = make_bell(servers.redis_url)
    with pytest.raises(KeyError, match=r"ledger\.seel"):
        bell.ring("ledger.seel")
    bell.close()


def test_a_dead_broker_is_asked_again_only_after_a_while() -> None:
    clock = Clock()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        bell = Bell(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", clock)
        assert not bell.ring("ledger.seal")
        assert callers(silent) >= 1
        for _ in range(100):
            assert not bell.ring("ledger.seal")
        assert callers(silent) == 0, "nobody waits while it is known to be away"
        clock.now += 3.1
        assert not bell.ring("ledger.seal")
        assert callers(silent) >= 1
        bell.close()


def test_a_refused_connection_is_no_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    bell = make_bell(f"redis://127.0.0.1:{port}/0")
    assert not bell.ring("ledger.seal")
    bell.close()


def test_a_broker_that_came_back_hears_again(servers: TestServers) -> None:
    clock = Clock()
    bell = Bell(servers.redis_url, clock)
    assert bell.ring("ledger.seal")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
        first = bell.ring("ledger.seal")  # may go through at once or be given up for a while
        clock.now += 3.1
        assert first or bell.ring("ledger.seal")
        client.flushdb()
    bell.close()
