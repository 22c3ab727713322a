"""Many rows at once: COPY into a temporary table, from which the caller inserts.

COPY straight into a table under row-level security is refused by PostgreSQL; a temporary table has no policy, and
the INSERT … SELECT that follows goes through all checks of the real one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import psycopg
from psycopg import sql
from sqlmodel import Session

_Shared = TypeVar("_Shared")


def number_shared(objects: Iterable[_Shared]) -> dict[int, tuple[int, _Shared]]:
    """Give numbers to objects that many rows share, by ``id``: what a thousand rows hold in common is sent once.

    The objects stay alive with the answer, so no ``id`` is given away twice.
    """
    known: dict[int, tuple[int, _Shared]] = {}
    for each in objects:
        if id(each) not in known:
            known[id(each)] = (len(known), each)
    return known


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
    connection = cast("psycopg.Connection[Any]", session.connection().connection.dbapi_connection)
    table = sql.Identifier("pg_temp", name)
    defined = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()
    )
    named = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        create = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP")
        cursor.execute(create.format(sql.Identifier(name), defined))
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, named)) as copy:
            for row in rows:
                copy.write_row(row)
        if joined_by:
            looked_at = sql.SQL(", ").join(map(sql.Identifier, joined_by))
            cursor.execute(sql.SQL("ANALYZE {} ({})").format(table, looked_at))
