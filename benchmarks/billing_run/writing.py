"""The three ways to write one school's round, each a job for a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, select
from sqlmodel import Session, SQLModel

from billing.rounds.issuing import issue_round
from service.collecting import settle
from service.database import Database, Scope, libpq_url, make_engine, metadata

# Nothing of the tests is imported here: what they load would be counted as memory of the product.
ISSUED_AT = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)
REFERENCE_KEY = bytes(range(32))
# Written by the issue of a round, in the order of their keys.
TABLES = (
    "bills",
    "bill_lines",
    "bill_reductions",
    "journal_entries",
    "postings",
    "payment_requests",
    "payment_request_bills",
    "reference_registry",
    "events",
)


def come_up(_: int) -> None:
    """Make a process import what this file needs, and wait for its brother to do the same."""
    settle()  # as a worker does when it begins
    time.sleep(1)


@cache
def _opened(address: str) -> Database:
    """Return the database of this process: like a worker, it keeps its connection from one school to the next."""
    return Database(make_engine(address, pool_size=1))


def issue_one(address: str, school: UUID, round_id: UUID) -> float:
    """Issue one school's round; return the largest memory of this process so far in megabytes."""
    with _opened(address).transaction(Scope.of(school)) as session:
        issue_round(session, round_id, ISSUED_AT, REFERENCE_KEY)
    return most_megabytes()


def most_megabytes() -> float:
    """Return the largest memory that this program has had, as Linux counts it (VmHWM).

    Not ``ru_maxrss``: that outlives the start of a program, so a small child of a large parent shows the parent's.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


@contextmanager
def _connected(address: str) -> Iterator[psycopg.Connection[Any]]:
    """Lend the plain connection that this process keeps, for one transaction."""
    connection = _plain(address)
    with connection.transaction():
        yield connection


@cache
def _plain(address: str) -> psycopg.Connection[Any]:
    return psycopg.connect(libpq_url(address))


def insert_one(address: str, school: UUID) -> None:
    """Write one school's ready rows by bare statements, in one transaction, as the application's role."""
    with _connected(address) as connection:
        connection.execute("SELECT set_config('app.schools', %s, true)", (str(school),))
        for table in TABLES:
            columns = sql.SQL(", ").join(map(sql.Identifier, columns_of(table)))
            connection.execute(
                sql.SQL(
                    "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM staged.{} WHERE school_id = %s"
                ).format(sql.Identifier(table), columns, columns, sql.Identifier(table)),
                (school,),
            )


def add_one(address: str, school: UUID) -> float:
    """Write one school's ready rows as SQLModel objects; return the seconds without the reading of them."""
    with _opened(address).transaction(Scope.of(school)) as session:
        found = {table: _read(session, table, school) for table in TABLES}
        start = time.perf_counter()
        for table, rows in found.items():
            model = _model(table)
            session.add_all(model(**row) for row in rows)
            session.flush()
            session.expunge_all()
    return time.perf_counter() - start  # with the commit and what is checked only there, as in the other two ways


def _read(session: Session, table: str, school: UUID) -> list[dict[str, Any]]:
    """Return the ready rows with values as the models take them: Money for đồng."""
    staged = metadata().tables[table].to_metadata(MetaData(), schema="staged")
    columns = [staged.c[name] for name in columns_of(table)]
    return [dict(row) for row in session.execute(select(*columns).where(staged.c.school_id == school)).mappings()]


def _model(table: str) -> Any:  # noqa: ANN401  a table class
    tables = metadata().tables
    return next(
        mapper.class_
        for mapper in SQLModel._sa_registry.mappers  # noqa: SLF001  the registry has no public name
        if mapper.local_table is tables[table]
    )


def columns_of(table: str) -> list[str]:
    """Return the columns of a table that are given, not computed."""
    return [column.name for column in metadata().tables[table].columns if column.computed is None]
