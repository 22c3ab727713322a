"""Empty databases for the tests: one that a test has used is emptied and handed out again, which is far cheaper than
to copy and drop one for each test. A database whose shape a test has changed is thrown away.

Its connections stay too, if they call themselves ``KEPT`` and rest: a server process that is new has to read the
shape of each table anew, and to plan each statement, which costs more than most tests. All others are ended.
"""

from __future__ import annotations

import secrets
import time
from functools import cache
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from service.database import libpq_url

USES = 40  # then its tables hold too much that was deleted, and are swept
_LEAVE_SECONDS = 5.0
_VERSIONS = "alembic_version"
KEPT = "hocphi-tests"  # the application_name of connections that outlive a test

_OTHERS = f"""FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND NOT (application_name = '{KEPT}' AND state = 'idle')"""
# Whatever changes a table, a right, a trigger, a policy or a function writes a row of these with a transaction of its
# own; a copy has the rows, and the transactions, of its template.
_CATALOGUES = (
    "pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_index", "pg_policy", "pg_proc",
    "pg_rewrite", "pg_sequence", "pg_trigger", "pg_type",
)  # fmt: skip
_ROWS = sql.SQL("(SELECT (count(*), sum(xmin::text::bigint))::text FROM {})")
_SETTINGS = sql.SQL(
    """(SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
        WHERE d.datname = current_database())"""
)
_VERSION = sql.SQL("(SELECT string_agg(version_num, ',') FROM {})").format(sql.Identifier(_VERSIONS))
_SHAPE = sql.SQL("SELECT {}").format(
    sql.SQL(", ").join([*(_ROWS.format(sql.Identifier(each)) for each in _CATALOGUES), _SETTINGS, _VERSION])
)
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> %s"
_RESTART = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL"""

_NUMBERS = """
    SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences WHERE last_value IS NOT NULL"""

_Connection = psycopg.Connection[Any]


class Contents(NamedTuple):
    """All rows of a database, by table, and how far its sequences are."""

    tables: dict[str, bytes]
    sequences: list[tuple[str, int]]


class Rows:
    """A hand that reads and writes all rows of a database, past triggers and policies."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def empty(self) -> bool:
        """Say whether no table has a row."""
        return not _filled(self._connection)

    def read(self) -> Contents:
        """Return all that is there."""
        tables = {}
        for table in _filled(self._connection):
            out = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            with self._connection.cursor().copy(out) as copy:
                tables[table] = b"".join(copy)
        return Contents(tables, self._connection.execute(_NUMBERS.encode()).fetchall())

    def write(self, contents: Contents) -> None:
        """Write what another database had into this one, which is empty."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for table, data in contents.tables.items():
                with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))) as copy:
                    copy.write(data)
            if contents.sequences:
                cursor.executemany("SELECT setval(%s::regclass, %s)", contents.sequences)


class _Used(NamedTuple):
    name: str
    uses: int


class CleanDatabases:
    """The databases of one test process, copies of a template."""

    def __init__(self, owner_url: str, template: str) -> None:
        self._owner_url = owner_url
        self._template = template
        with self._inside(template) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()
        self._clean: list[_Used] = []
        self._out: dict[str, int] = {}
        self._hands: dict[str, _Connection] = {}

    def take(self) -> str:
        """Return the name of a database as the migrations leave it."""
        name, uses = self._clean.pop() if self._clean else (self._copy(), 0)
        self._out[name] = uses + 1
        return name

    def give_back(self, name: str) -> None:
        """Empty a used database, or drop it where that cannot be."""
        uses = self._out.pop(name)
        if not self._emptied(name):
            self._drop(name)
            return
        if uses % USES == 0:
            self._hand(name).execute("VACUUM")
        self._clean.append(_Used(name, uses))

    def rows(self, name: str) -> Rows | None:
        """Return a hand for the rows of a database that is out; none if its owner is no superuser."""
        hand = self._hand(name)
        return Rows(hand) if _unbound(hand) else None

    def close(self) -> None:
        """Drop all databases."""
        for name in [*self._out, *(used.name for used in self._clean)]:
            self._drop(name)

    def _emptied(self, name: str) -> bool:
        connection = self._hand(name)
        if not _alone(connection) or connection.execute(_SHAPE).fetchone() != self._shape:
            return False
        if not _unbound(connection):
            return False
        for table in _filled(connection):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        connection.execute(_RESTART.encode())
        return True

    def _hand(self, name: str) -> _Connection:
        """Return the connection that empties a database; a test may have ended the one that was there."""
        held = self._hands.get(name)
        if held is None or held.closed:
            held = self._hands[name] = self._inside(name)
        return held

    def _copy(self) -> str:
        name = f"hocphi_test_{secrets.token_hex(6)}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._run(copy.format(sql.Identifier(name), sql.Identifier(self._template)))
        return name

    def _drop(self, name: str) -> None:
        if name in self._hands:
            self._hands.pop(name).close()
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, command: sql.Composed) -> None:
        with psycopg.connect(libpq_url(self._owner_url), autocommit=True) as connection:
            connection.execute(command)

    def _inside(self, name: str) -> _Connection:
        url = make_url(self._owner_url).set(database=name).render_as_string(hide_password=False)
        return psycopg.connect(libpq_url(url), autocommit=True)


def _unbound(connection: _Connection) -> bool:
    """Go on without triggers: what is written once may not be deleted, nor what others refer to."""
    try:
        connection.execute("SET session_replication_role = replica")
    except psycopg.errors.InsufficientPrivilege:  # the owner that was given is no superuser
        return False
    return True


def _alone(connection: _Connection) -> bool:
    """End whoever is still there, and wait until they are gone; False if they do not go."""
    connection.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}".encode())
    deadline = time.monotonic() + _LEAVE_SECONDS
    while connection.execute(f"SELECT 1 {_OTHERS}".encode()).fetchone():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _filled(connection: _Connection) -> list[str]:
    """Return the tables that have rows."""
    tables = tuple(name for (name,) in connection.execute(_TABLES, [_VERSIONS]))
    found = connection.execute(_looks(tables)).fetchone() or ()
    return [table for table, filled in zip(tables, found, strict=True) if filled]


@cache
def _looks(tables: tuple[str, ...]) -> bytes:
    """Return the statement that looks into each table; all databases of a run have the same ones."""
    looks = (sql.SQL("EXISTS (SELECT FROM {})").format(sql.Identifier(table)) for table in tables)
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(looks)).as_bytes()
