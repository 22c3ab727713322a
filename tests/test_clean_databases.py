"""A database that was used before is as good as a new one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from service.database import EVERYTHING, Database, libpq_url, make_engine
from tests import clean_databases
from tests.clean_databases import KEPT, CleanDatabases
from tests.conftest import TestServers
from tests.factories.schools import make_school


@pytest.fixture
def databases(servers: TestServers, template: str) -> Iterator[CleanDatabases]:
    made = CleanDatabases(servers.owner_url, template)
    yield made
    made.close()


def inside(servers: TestServers, name: str, query: str) -> Any:  # noqa: ANN401  whatever is asked
    with psycopg.connect(libpq_url(servers.addresses(name).owner), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchone() if cursor.description else None


def filled(servers: TestServers, name: str) -> Database:
    database = Database(make_engine(servers.addresses(name).app))
    with database.transaction(EVERYTHING) as session:
        make_school(session)
    return database


def test_rows_numbers_and_visitors_are_gone(servers: TestServers, databases: CleanDatabases) -> None:
    name = databases.take()
    before = inside(servers, name, "SELECT sum(start_value), count(last_value) FROM pg_sequences")
    database = filled(servers, name)
    inside(servers, name, "SELECT nextval(format('%I', sequencename)::regclass) FROM pg_sequences")
    assert inside(servers, name, "SELECT count(*) FROM schools") == (1,)
    databases.give_back(name)
    assert databases.take() == name
    assert inside(servers, name, "SELECT count(*) FROM schools") == (0,)
    assert inside(servers, name, "SELECT count(*) FROM alembic_version") == (1,)
    assert inside(servers, name, "SELECT sum(start_value), count(last_value) FROM pg_sequences") == before
    visitors = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'hocphi_app' AND datname = current_database()"
    assert inside(servers, name, visitors) == (0,)
    database.close()


def test_a_kept_connection_stays_if_it_rests(servers: TestServers, databases: CleanDatabases) -> None:
    name = databases.take()
    address = libpq_url(servers.addresses(name).app)
    with psycopg.connect(address, application_name=KEPT, autocommit=True) as resting:
        busy = psycopg.connect(address, application_name=KEPT)
        busy.execute("SELECT 1")
        databases.give_back(name)
        assert databases.take() == name
        assert resting.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
        busy.close()


def test_after_many_tests_it_is_swept_and_goes_on(servers: TestServers, databases: CleanDatabases) -> None:
    name = databases.take()
    database = filled(servers, name)
    database.close()
    databases.give_back(name)
    size = "SELECT pg_relation_size('schools')"
    assert inside(servers, name, size) > (0,)
    for _ in range(clean_databases.USES - 1):
        assert databases.take() == name
        databases.give_back(name)
    assert inside(servers, name, size) == (0,)
    assert databases.take() == name


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE left_behind (id int)",
        "ALTER TABLE schools DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE receipts DISABLE TRIGGER USER",
        "GRANT DELETE ON receipts TO hocphi_app",
        "DROP POLICY in_scope ON receipts",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
def test_one_with_another_shape_is_thrown_away(servers: TestServers, databases: CleanDatabases, change: str) -> None:
    name = databases.take()
    inside(servers, name, change)
    databases.give_back(name)
    assert databases.take() != name
    query = f"SELECT count(*) FROM pg_database WHERE datname = '{name}'"  # noqa: S608  our own name
    assert inside(servers, "postgres", query) == (0,)
