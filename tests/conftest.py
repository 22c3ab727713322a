"""What all tests share: real servers, a fresh database for each test, a fixed school day."""

from __future__ import annotations

import gc
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.event import listen

from billing.vault import Vault
from service.database import Database, libpq_url, make_engine
from service.embedded import Servers, ServersFailed, erase
from service.preparing import Addresses, prepare, role_url
from tests.clean_databases import KEPT, CleanDatabases
from tests.shared_template import shared_template

# Each of several test processes, and the hundred programs that they start, would compile the same files anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Speed is measured in benchmarks, not in tests. Changes meet the same cases each time; `make proof` rolls dice.
settings.register_profile("change", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("proof", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("proof" if os.environ.get("HOCPHI_PROOF") else "change")

SCHOOL_DAY = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)  # 8 o'clock on a Monday in Viet Nam
TEST_SECRET = bytes(range(32))


@dataclass(frozen=True, slots=True)
class TestServers:
    """The addresses that tests use: an owner who may make databases, the application's role, Valkey or Redis."""

    __test__ = False

    owner_url: str
    app_url: str
    redis_url: str

    def addresses(self, name: str) -> Addresses:
        """Return the addresses of one database."""
        return Addresses(
            owner=_in_database(self.owner_url, name),
            app=_in_database(self.app_url, name),
            door=role_url(_in_database(self.app_url, name), "hocphi_door", TEST_SECRET),
            sealer=role_url(_in_database(self.app_url, name), "hocphi_sealer", TEST_SECRET),
        )


def _in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServers]:
    """The servers: those of the environment, or our own; of these, all test processes share one PostgreSQL."""
    given = [os.environ.get(name) for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")]
    app, owner, redis = given
    if app and owner and redis:
        yield TestServers(owner, app, _redis_of_this_process(redis))
        return
    shared, own = _folder_of_all(tmp_path_factory) / "servers", tmp_path_factory.mktemp("servers")
    with Servers.start(shared, valkey=False) as postgres, Servers.start(own, postgres=False) as valkey:
        owner = postgres.superuser_url
        _hurry(owner)
        yield TestServers(owner, role_url(owner, "hocphi_app", TEST_SECRET), valkey.redis_url)
    erase(own)
    with suppress(ServersFailed):  # others still use it; the last one erases it
        erase(shared)


def _folder_of_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this run that all its test processes see."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def superuser(servers: TestServers) -> None:
    """For tests that go behind the guards, which only a superuser can; an owner of the environment may be none."""
    with psycopg.connect(libpq_url(servers.owner_url)) as connection:
        if connection.info.parameter_status("is_superuser") != "on":
            pytest.skip("goes behind the guards, and the owner in DATABASE_OWNER_URL is no superuser")


def _redis_of_this_process(url: str) -> str:
    """Return a database of a given Redis for each of several test processes: what one rings, another must not hear."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")
    return urlsplit(url)._replace(path=f"/{int(worker) + 1}").geturl()


def _hurry(owner_url: str) -> None:
    """Let a throw-away server not wait for the disk; only a power cut would tell the difference, no ``kill -9``.

    Nor does it sweep by itself, which would make plans anew at any moment; ``CleanDatabases`` sweeps.
    """
    with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


# The files that take longest begin, longest first; a long one at the end would keep one worker busy alone.
LONGEST = (
    "/journeys/",
    "/pages/test_in_chromium.py",
    "/pages/test_every_route_is_guarded.py",
    "/pages/test_office_rows.py",
    "/pages/test_a_fresh_accountant.py",
    "/service/test_running.py",
    "/service/test_embedded.py",
    "/people/test_roster.py",
    "/rounds/test_any_order.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the other workers have the rest meanwhile. All generated cases belong to proofs."""
    if os.environ.get("HOCPHI_PROOF"):
        for item in items:
            if is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("proof")
    places = {name: place for place, name in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        return next((place for name, place in places.items() if name in item.nodeid), len(places))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays: modules, tables and tests are a million things.

    It also comes more rarely: at its usual 700 new things it took a twelfth of the time of the tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture(scope="session")
def template(servers: TestServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database made by the real migrations, once for all test processes of a run; tests get copies."""
    name = f"hocphi_template_{os.environ.get('PYTEST_XDIST_TESTRUNUID', secrets.token_hex(4))[:8]}"
    with shared_template(
        servers.owner_url, name, _folder_of_all(tmp_path_factory), lambda draft: prepare(servers.addresses(draft))
    ):
        yield name


@pytest.fixture(scope="session")
def clean_databases(servers: TestServers, template: str) -> Iterator[CleanDatabases]:
    """The databases that tests use one after the other."""
    databases = CleanDatabases(servers.owner_url, template)
    yield databases
    databases.close()


@pytest.fixture
def addresses(servers: TestServers, clean_databases: CleanDatabases) -> Iterator[Addresses]:
    """The addresses of a database that is as the migrations leave it."""
    name = clean_databases.take()
    yield servers.addresses(name)
    clean_databases.give_back(name)


@pytest.fixture(scope="session")
def engines() -> Iterator[Callable[[str], Engine]]:
    """The engine of an address: one that is handed out again remembers how each statement is written, and its
    connections know the tables.
    """
    made: dict[str, Engine] = {}

    def engine(url: str) -> Engine:
        if url not in made:
            named = make_url(url).update_query_dict({"application_name": KEPT})
            made[url] = make_engine(named.render_as_string(hide_password=False), pool_size=5)
            listen(made[url], "connect", _remember_plans)
        return made[url]

    yield engine
    for each in made.values():
        each.dispose()


def _remember_plans(connection: psycopg.Connection[Any], _record: object) -> None:
    """Let a connection that serves thousands of tests plan each statement once, for whatever values come.

    In the product it keeps the plans of the hundred statements that it ran last, from their fifth run on.
    """
    connection.prepare_threshold = 1
    connection.prepared_max = 2000
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.commit()


@pytest.fixture
def database(addresses: Addresses, engines: Callable[[str], Engine], clean_databases: CleanDatabases) -> Database:
    """A fresh database, opened as the application's role; who listens to its engine does so in this test only."""
    rows = clean_databases.rows(make_url(addresses.app).database or "")
    return Database(engines(addresses.app).execution_options(rows=rows))


@pytest.fixture
def vault() -> Vault:
    """A vault with a test key."""
    return Vault(bytes(range(32)))


@pytest.fixture
def now() -> datetime:
    """The fixed school day of the tests: Monday, 2025-10-06, 08:00 in Viet Nam."""
    return SCHOOL_DAY
