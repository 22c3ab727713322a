"""A durable server of a benchmark's own, thrown away at the end."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from service.database import libpq_url
from service.embedded import Servers, erase
from service.preparing import role_url
from tests.conftest import TEST_SECRET, TestServers

# As a province's server is given them (compose.yaml), and as the limits were measured that ours are compared with.
# Without them every school's rows push those of the one before out of memory, and a school's log waits to be written.
_ROOM = {"shared_buffers": "1GB", "wal_buffers": "64MB", "min_wal_size": "4GB", "max_wal_size": "8GB"}
_LOG_FILES = 250  # of 16 MB: what min_wal_size keeps
_RISE_SECONDS = 60.0


@contextmanager
def own_server() -> Iterator[TestServers]:
    """Start PostgreSQL and Valkey, with room for their work as a province would give it."""
    folder = Path(tempfile.mkdtemp())
    with Servers.start(folder) as servers:
        url = servers.superuser_url
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            for name, value in _ROOM.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        os.kill(servers.pids["postgres"], signal.SIGINT)  # their guard starts it again, on the same port
        _wait_for_room(url)
        _make_log_files(url)
        yield TestServers(url, role_url(url, "hocphi_app", TEST_SECRET), servers.redis_url)
    erase(folder)


def _make_log_files(url: str) -> None:
    """Leave the files of the log behind that a server has after some days: used ones, which it fills again.

    A fresh server makes and zeroes each new one while the writers wait.
    """
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        for _ in range(_LOG_FILES):
            connection.execute("SELECT pg_logical_emit_message(false, 'hocphi', 'next file'), pg_switch_wal()")
        connection.execute("CHECKPOINT")


def _wait_for_room(url: str) -> None:
    """Wait until the server answers that has the settings; it takes memory only when it starts."""
    deadline = time.monotonic() + _RISE_SECONDS
    while True:
        try:
            with psycopg.connect(libpq_url(url)) as connection:
                given = connection.execute("SELECT current_setting('shared_buffers')").fetchone()
            if given == (_ROOM["shared_buffers"],):
                return
        except psycopg.OperationalError:
            pass  # between its end and its rise
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL did not come back with {_ROOM}")
        time.sleep(0.1)
