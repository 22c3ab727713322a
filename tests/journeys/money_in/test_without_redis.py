"""The broker is away for a minute, under load: every callback is taken meanwhile, and all are posted on its return."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis

from service.embedded import Servers, erase
from tests.journeys.money_in.conftest import MakeTown
from tests.journeys.money_in.town import MARKS, PROOF

AWAY_SECONDS = 60 if PROOF else 3
A_SECOND = 10
# The demand of R-05; elsewhere a machine may have others to serve, and only that it happens is tested.
WITHIN_SECONDS = 30.0 if PROOF else 300.0

pytestmark = MARKS


def is_up(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def test_callbacks_are_taken_without_redis_and_posted_when_it_is_back(make_town: MakeTown, tmp_path: Path) -> None:
    folder = tmp_path / "valkey"
    broker = Servers.start(folder, postgres=False)
    town = make_town(AWAY_SECONDS * A_SECOND, broker.redis_url)
    try:
        web, *_ = town.start("web", "worker", "sweeper")
        bodies = [town.pay(place)[1] for place in range(AWAY_SECONDS * A_SECOND)]
        broker.stop()
        assert not is_up(town.environment["REDIS_URL"])
        with ThreadPoolExecutor(8) as pool:
            posted = []
            for body in bodies:
                posted.append(pool.submit(town.post, web.url, body))
                time.sleep(1 / A_SECOND)
            assert {each.result() for each in posted} == {200}
        assert not is_up(town.environment["REDIS_URL"])
        assert len(town.messages()) == len(bodies)
        broker = Servers.start(folder, postgres=False)
        assert broker.redis_url == town.environment["REDIS_URL"]
        town.wait_until_settled(len(bodies), WITHIN_SECONDS)
        town.demand_sound([50_000] * len(bodies))
    finally:
        town.running.close()
        broker.stop()
        erase(folder)
