"""A durable server of a benchmark's own, thrown away at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from service.database import libpq_url
from service.embedded import Servers, erase
from service.preparing import role_url
from tests.conftest import TEST_SECRET, TestServers


@contextmanager
def own_server() -> Iterator[TestServers]:
    """Start PostgreSQL and Valkey, with room for their work as a province would give it."""
    folder = Path(tempfile.mkdtemp())
    with Servers.start(folder) as servers:
        url = servers.superuser_url
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
            connection.execute("SELECT pg_reload_conf()")
        yield TestServers(url, role_url(url, "hocphi_app", TEST_SECRET), servers.redis_url)
    erase(folder)
