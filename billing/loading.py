"""Many rows at once: COPY into a temporary table, from which the caller inserts.

COPY straight into a table under row-level security is refused by PostgreSQL; a temporary table has no policy, and
the INSERT … SELECT that follows goes through all checks of the real one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg import sql
from sqlmodel import Session

_Shared = TypeVar("_Shared")
_NULL = "\\N"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def number_shared(objects: Iterable[_Shared]) -> dict[int, tuple[int, _Shared]]:
    """Give numbers to objects that many rows share, by ``id``: what a thousand rows hold in common is sent once.

    The objects stay alive with the answer, so no ``id`` is given away twice.
    """
    known: dict[int, tuple[int, _Shared]] = {}
    for each in objects:
        if id(each) not in known:
            known[id(each)] = (len(known), each)
    return known


def as_text(given: UUID | str | None) -> str:
    """Return an id, a word or nothing as it stands in a line of ``load_lines``."""
    if isinstance(given, UUID):
        return f"{given.int:032x}"
    if given is None:
        return _NULL
    return given if given.isprintable() and "\\" not in given else given.translate(_ESCAPED)


def load_temporary(
    session: Session,
    name: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[object]],
    *,
    joined_by: Sequence[str] = (),
) -> None:
    """Make a temporary table that ends with the transaction (made anew if it exists) and fill it by COPY.

    ``columns``: name to PostgreSQL type, in the order of the values. Plain values only: money as whole đồng.
    ``joined_by``: the columns by which the caller joins it, of which the planner is told what they hold. To look at
    all of them takes longer than to fill them.
    """
    with _filling(session, name, columns, joined_by) as copy:
        for row in rows:
            copy.write_row(row)


def load_lines(
    session: Session, name: str, columns: Mapping[str, str], lines: Iterable[str], *, joined_by: Sequence[str] = ()
) -> None:
    """Do the same with rows that are lines already: ``as_text`` of each value, tabs between them, a line feed behind.

    A third of the time for thousands of rows that are mostly ids.
    """
    with _filling(session, name, columns, joined_by) as copy:
        copy.write("".join(lines))


@contextmanager
def _filling(
    session: Session, name: str, columns: Mapping[str, str], joined_by: Sequence[str]
) -> Iterator[psycopg.Copy]:
    make_temporary(session, name, columns)
    table = sql.Identifier("pg_temp", name)
    named = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    with _connection(session).cursor() as cursor:
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, named)) as copy:
            yield copy
        if joined_by:
            looked_at = sql.SQL(", ").join(map(sql.Identifier, joined_by))
            cursor.execute(sql.SQL("ANALYZE {} ({})").format(table, looked_at))


def make_temporary(session: Session, name: str, columns: Mapping[str, str]) -> None:
    """Make an empty temporary table as ``load_temporary`` does."""
    defined = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()
    )
    with _connection(session).cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("pg_temp", name)))
        create = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP")
        cursor.execute(create.format(sql.Identifier(name), defined))


def _connection(session: Session) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", session.connection().connection.dbapi_connection)
