"""A town for each test of money in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.collecting import Collecting, make_collecting
from tests.factories.sound_world import make_billed
from tests.journeys.money_in.town import Town, environment_for

MakeTown = Callable[..., Town]


@pytest.fixture
def collecting(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    """A school that collects, without any program around it."""
    return make_collecting(database, addresses, vault)


@pytest.fixture
def make_town(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers, tmp_path: Path
) -> Iterator[MakeTown]:
    """Return what makes a town of so many families, all billed, on the test's broker or another."""
    with ExitStack() as stack:

        def make(families: int, redis_url: str | None = None) -> Town:
            collecting = make_billed(database, addresses, vault, families)
            log = tmp_path / "programs.log"
            environment, clock = environment_for(collecting, redis_url or servers.redis_url, str(log))
            return Town(collecting, environment, clock, stack)

        with redis.Redis.from_url(servers.redis_url) as client:
            client.flushdb()
        yield make
