"""The database that all test processes of a run copy: made by the real migrations, by the first who needs it."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from service.database import libpq_url
from service.servers.folder import try_lock


@contextmanager
def shared_template(owner_url: str, name: str, folder: Path, fill: Callable[[str], None]) -> Iterator[None]:
    """Hold a database of this name; the first holder makes and fills it, the last one drops it.

    ``folder`` is seen by all who share it. It gets its name when it is filled: one half made is never copied.
    """
    with (folder / f"{name}.making").open("w") as making, (folder / f"{name}.holders").open("w") as holders:
        fcntl.flock(making, fcntl.LOCK_EX)
        fcntl.flock(holders, fcntl.LOCK_SH)
        with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
            _make(connection, name, fill)
        fcntl.flock(making, fcntl.LOCK_UN)
        yield
        fcntl.flock(making, fcntl.LOCK_EX)
        if try_lock(holders.fileno(), fcntl.LOCK_EX):
            with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _make(connection: psycopg.Connection, name: str, fill: Callable[[str], None]) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    draft = f"{name}_draft"
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
    fill(draft)
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))
