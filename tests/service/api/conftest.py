"""One world for each file: a school on its first day, in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing.vault import Vault
from service.database import Database, make_engine
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.service.pages.fresh import Fresh, fresh_school


@pytest.fixture(scope="module")
def fresh(servers: TestServers, clean_databases: CleanDatabases) -> Iterator[Fresh]:
    """A school on its first day; all tests of a file share it."""
    name = clean_databases.take()
    addresses = servers.addresses(name)
    database = Database(make_engine(addresses.app, pool_size=5))
    yield fresh_school(database, addresses, Vault(bytes(range(32))), servers)
    database.close()
    clean_databases.give_back(name)
