"""Issue a province's rounds, two schools at a time, beside two peers that write the very same rows.

``python -m benchmarks.billing_run [--schools 100] [--pupils 2000] [--rounds 3]``. In each round some schools are
issued by ``issue_round`` (what the worker calls: rules, explanations, references, postings, all checks); then the
rows it wrote are written once more into a database of the same shape, constraints, triggers and policies: by a bare
``INSERT … SELECT`` of ready rows, and (for two schools, since it is slow) by SQLModel's ``add_all``. Prints rows a
second with medians and ratios; exit 1 when a demanded ratio or the limit of memory is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.billing_run.world import make_province
from benchmarks.billing_run.writing import TABLES, add_one, columns_of, come_up, insert_one, issue_one
from benchmarks.own_server import own_server
from service.database import Database, libpq_url, make_engine, metadata
from service.preparing import Addresses, prepare
from tests.conftest import TestServers

AT_A_TIME = 2
SLOW_SCHOOLS = 2
DEMANDED = {"add_all": 15.0, "insert_select": 0.6}
MOST_MEGABYTES = 256
Pairs = Sequence[tuple[UUID, UUID]]


@dataclass
class Speeds:
    """Rows a second, one figure a round."""

    ours: list[float] = field(default_factory=list)
    insert_select: list[float] = field(default_factory=list)
    add_all: list[float] = field(default_factory=list)


def two_at_a_time(job: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> tuple[float, list[Any]]:
    """Run the calls in two processes that are up already; return the seconds and the answers."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_A_TIME, mp_context=context) as pool:
        list(pool.map(come_up, range(AT_A_TIME)))
        start = time.perf_counter()
        answers = [waiting.result() for waiting in [pool.submit(job, *call) for call in calls]]
        return time.perf_counter() - start, answers


def stage(own: TestServers, source: str, target: str, schools: Sequence[UUID]) -> int:
    """Copy the rows of these schools from one database into plain tables of another; return how many."""
    count = 0
    listed = sql.SQL(", ").join(sql.Literal(str(school)) for school in schools)
    with (
        psycopg.connect(libpq_url(own.addresses(source).owner)) as ours,
        psycopg.connect(libpq_url(own.addresses(target).owner)) as bare,
    ):
        bare.execute("CREATE SCHEMA IF NOT EXISTS staged; GRANT USAGE ON SCHEMA staged TO hocphi_app")
        for table in TABLES:
            name = sql.Identifier(table)
            columns = sql.SQL(", ").join(map(sql.Identifier, columns_of(table)))
            plain = sql.SQL("CREATE TABLE IF NOT EXISTS staged.{} AS SELECT {} FROM public.{} WITH NO DATA")
            bare.execute(plain.format(name, columns, name))
            bare.execute(sql.SQL("GRANT SELECT ON staged.{} TO hocphi_app").format(name))
            bare.execute(
                sql.SQL("CREATE INDEX IF NOT EXISTS {} ON staged.{} (school_id)").format(
                    sql.Identifier(f"of_school_{table}"), name
                )
            )
            chosen = sql.SQL("COPY (SELECT {} FROM {} WHERE school_id IN ({})) TO STDOUT").format(columns, name, listed)
            filled = sql.SQL("COPY staged.{} ({}) FROM STDIN").format(name, columns)
            with ours.cursor().copy(chosen) as out, bare.cursor() as cursor:
                with cursor.copy(filled) as into:
                    for data in out:
                        into.write(data)
                count += cursor.rowcount
        bare.commit()
        bare.autocommit = True
        bare.execute("VACUUM ANALYZE")
    return count


def count_rows(own: TestServers, name: str, schools: Sequence[UUID]) -> int:
    """Return how many rows of these schools stand in the written tables."""
    counts = sql.SQL(" + ").join(
        sql.SQL("(SELECT count(*) FROM {} WHERE school_id = ANY(%(schools)s))").format(sql.Identifier(table))
        for table in TABLES
    )
    with psycopg.connect(libpq_url(own.addresses(name).owner)) as connection:
        row = connection.execute(sql.SQL("SELECT ") + counts, {"schools": list(schools)}).fetchone()
    return int(row[0]) if row else 0


def copy_database(own: TestServers, source: str, target: str) -> None:
    """Make a database that is like another one."""
    with psycopg.connect(libpq_url(own.owner_url), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source))
        )


def let_keys_be_given(own: TestServers, name: str) -> None:
    """Let objects bring the numbers that the database gives otherwise; the rows must be the same."""
    with psycopg.connect(libpq_url(own.addresses(name).owner), autocommit=True) as connection:
        for table in TABLES:
            for column in metadata().tables[table].columns:
                if column.identity is not None:
                    connection.execute(
                        sql.SQL("ALTER TABLE {} ALTER {} SET GENERATED BY DEFAULT").format(
                            sql.Identifier(table), sql.Identifier(column.name)
                        )
                    )


def calm(own: TestServers) -> None:
    """Let the server write what it still has to, and take the used files of its log again: each way begins alike."""
    with psycopg.connect(libpq_url(own.owner_url), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def measure(own: TestServers, pairs: Pairs, rounds: int) -> tuple[Speeds, float]:
    """Interleave ours and the peers, each round on other schools; return the speeds and the memory of ours."""
    speeds, memory = Speeds(), 0.0
    for number in range(rounds):
        some = pairs[number::rounds]
        schools = [school for school, _ in some]
        ours: Addresses = own.addresses("ours")
        calm(own)
        seconds, peaks = two_at_a_time(issue_one, [(ours.app, *pair) for pair in some])
        memory = max(memory, max(peaks) * AT_A_TIME)
        rows = stage(own, "ours", "bare", schools)
        speeds.ours.append(rows / seconds)
        calm(own)
        seconds, _ = two_at_a_time(insert_one, [(own.addresses("bare").app, school) for school in schools])
        assert count_rows(own, "bare", schools) == rows
        speeds.insert_select.append(rows / seconds)
        few = schools[:SLOW_SCHOOLS]
        copied = stage(own, "ours", "slow", few)
        calm(own)
        _, each = two_at_a_time(add_one, [(own.addresses("slow").app, school) for school in few])
        assert count_rows(own, "slow", few) == copied
        speeds.add_all.append(copied / max(each))
        print(
            f"  round {number + 1}: {rows:>9,} rows   ours {speeds.ours[-1]:>9,.0f}/s   "
            f"INSERT … SELECT {speeds.insert_select[-1]:>9,.0f}/s   add_all {speeds.add_all[-1]:>9,.0f}/s",
            flush=True,
        )
    return speeds, memory


def report(speeds: Speeds, memory: float) -> bool:
    """Print the table; return whether every demand is met."""
    met = memory <= MOST_MEGABYTES
    print(f"\n{'billing run':<34}{'rows/s (median)':>18}{'ours ÷ it':>12}{'demanded':>10}")
    print(f"{'issue_round, two at a time':<34}{statistics.median(speeds.ours):>18,.0f}")
    for name, title in (("insert_select", "bare INSERT … SELECT, same rows"), ("add_all", "SQLModel add_all")):
        peer: list[float] = getattr(speeds, name)
        ratio = statistics.median(one / other for one, other in zip(speeds.ours, peer, strict=True))
        met = met and ratio >= DEMANDED[name]
        print(f"{title:<34}{statistics.median(peer):>18,.0f}{ratio:>12.2f}{DEMANDED[name]:>10.1f}")
    print(f"memory of both clients together: {memory:.0f} MB (at most {MOST_MEGABYTES} MB)")
    return met


def main(arguments: Sequence[str]) -> int:
    """Make the province, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.billing_run")
    parser.add_argument("--schools", type=int, default=100)
    parser.add_argument("--pupils", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    with own_server() as own:
        with psycopg.connect(libpq_url(own.owner_url), autocommit=True) as connection:
            connection.execute("CREATE DATABASE ours")
        prepare(own.addresses("ours"))
        database = Database(make_engine(own.addresses("ours").app))
        pairs = make_province(database, given.schools, given.pupils)
        database.close()
        with psycopg.connect(libpq_url(own.addresses("ours").owner), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        for copy in ("bare", "slow"):
            copy_database(own, "ours", copy)
        let_keys_be_given(own, "slow")
        print(f"{given.schools} schools × {given.pupils} pupils × 6 items are ready", flush=True)
        return 0 if report(*measure(own, pairs, given.rounds)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
