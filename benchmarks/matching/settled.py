"""Settled transfers a second through Celery with two workers, beside bare transactions of one insert each.

On a durable server of its own: transfers are heard of and read into rows first; timed is from the ring until none is
left in state *new*, each settled with decision, evidence, entry, receipt and event in a transaction of its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
from pydantic import SecretStr
from sqlmodel import func, select

from benchmarks.own_server import own_server
from reconciliation.tables import Transfer
from service.database import EVERYTHING, libpq_url
from service.jobs import reconciling
from service.jobs.bells import make_bell
from service.preparing import prepare
from service.running import ROOT, environment_of
from service.settings import Settings
from service.wiring import Wiring, wire
from tests.conftest import TEST_SECRET
from tests.factories.collecting import Collecting, make_collecting

TRANSFERS = 200
WORKERS = 2
_LONGEST_SECONDS = 120
_SETTLE = "reconciliation.settle"


def settled_a_second(transfers: int = TRANSFERS) -> tuple[float, float]:
    """Return transfers settled a second by two Celery processes, and bare transactions a second on two connections."""
    with own_server() as own:
        with psycopg.connect(libpq_url(own.owner_url), autocommit=True) as connection:
            connection.execute("CREATE DATABASE settling")
        addresses = own.addresses("settling")
        prepare(addresses)
        key = SecretStr(TEST_SECRET.hex())
        wiring = wire(
            Settings.model_construct(secret=key, vault_key=key), addresses, own.redis_url, make_bell(own.redis_url)
        )
        world = make_collecting(wiring.database, addresses, wiring.vault, dues=(650_000,) * transfers)
        bare = _bare(addresses.owner, transfers)
        _hear(world, wiring)
        with _workers(wiring):
            settled = transfers / _seconds_to_settle(wiring)
        wiring.close()
    return settled, bare


def _hear(world: Collecting, wiring: Wiring) -> None:
    """Let one transfer for each request arrive and be read; nothing is settled yet."""
    world.receive(*(world.bank.callback(world.pays(request.reference)) for request in world.requests))
    while reconciling.normalise(wiring):
        pass


def _seconds_to_settle(wiring: Wiring) -> float:
    started = time.perf_counter()
    for _ in range(WORKERS):
        wiring.ring(_SETTLE)
    while _left(wiring):
        if time.perf_counter() - started > _LONGEST_SECONDS:
            raise TimeoutError("the workers did not settle everything")
        time.sleep(0.05)
    return time.perf_counter() - started


def _left(wiring: Wiring) -> int:
    with wiring.database.transaction(EVERYTHING) as session:
        return session.exec(select(func.count()).select_from(Transfer).where(Transfer.state == "new")).one()


@contextmanager
def _workers(wiring: Wiring) -> Iterator[None]:
    """Run the product's worker program with two processes until the block ends; one first ring warms them up."""
    command = [sys.executable, "-m", "service", "worker", "--processes", str(WORKERS)]
    with subprocess.Popen(command, cwd=ROOT, env=environment_of(wiring)) as process:  # noqa: S603  our own program
        try:
            wiring.ring("notifications.plan")
            time.sleep(5)
            assert process.poll() is None, "the worker did not start"
            yield
        finally:
            process.terminate()


def _bare(url: str, count: int) -> float:
    """Insert single rows, each committed, on two connections at once; return transactions a second."""
    # A table that stays: a temporary one would be committed without waiting for the disk.
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (id bigint PRIMARY KEY, amount bigint, memo text)")

    def insert(worker: int) -> None:
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            for number in range(worker, count, WORKERS):
                connection.execute("INSERT INTO bare VALUES (%s, 650000, 'FW2345678AB hoc phi')", [number])

    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(insert, range(WORKERS)))
    return count / (time.perf_counter() - started)
