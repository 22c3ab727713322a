"""How many callbacks a second one web process takes in, each answered only after its commit, beside two peers.

``python -m benchmarks.ingest [--seconds 5] [--rounds 3]``. Ours is ``python -m service web``, whole and as the
product starts it, under load by ``wrk`` with signed requests of distinct bodies. The limit is pgbench's insert of one
row of the same size into a table of the same shape, with the same rights, in the same database. The peer is a plain
FastAPI route with a SQLModel session. All take turns on one durable server; every ratio is of figures of one round.
Prints the table with medians; exit 1 when a demanded ratio is missed or a row that was acknowledged is not stored, 2
without ``wrk``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from math import nan
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from sqlalchemy.engine import make_url

from benchmarks.ingest.world import BARE, OURS, World, empty, make_world, sealed_like, stored, write_requests
from benchmarks.own_server import own_server
from service.running import ROOT, environment_of
from service.servers.account import Account
from service.servers.binaries import find_postgres

CONNECTIONS = (32, 64)
LIMIT = {32: 0.5, 64: 0.6}
PLAIN = 15.0
MOST_A_SECOND = 30_000  # requests are made for so many; wrk stops with an error if they do not last
NO_WRK = "Cần wrk để tạo tải: apt-get install wrk"


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one load: callbacks acknowledged a second, and how long the answers took in milliseconds."""

    a_second: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round on one number of connections."""

    connections: int
    pgbench: float
    ours: Taken
    plain: Taken


@dataclass(frozen=True, slots=True)
class Bench:
    """The world, the programs under load, and how long each load lasts."""

    world: World
    ours: str
    plain: str
    seconds: int
    folder: Path

    def round(self, connections: int, numbers: Iterator[int]) -> Round:
        """Measure all three, one after the other, each on empty tables."""
        return Round(
            connections,
            self._pgbench(connections),
            self._load(self.ours, connections, next(numbers)),
            self._load(self.plain, connections, next(numbers)),
        )

    def _load(self, url: str, connections: int, first: int) -> Taken:
        empty(self.world)
        most = MOST_A_SECOND * self.seconds
        requests = write_requests(self.world, self.folder / "requests", most, first * most)
        told = json.loads(
            run(
                [
                    "wrk",
                    "-t1",
                    f"-c{connections}",
                    f"-d{self.seconds}s",
                    "-s",
                    str(Path(__file__).parent / "ingest.lua"),
                    url,
                ],
                REQUESTS=str(requests.path),
                REQUEST_BYTES=str(requests.length),
            ).splitlines()[-1],
        )
        assert told["refused"] == told["broken"] == 0, told
        demand_stored(stored(self.world, OURS), requests.digests, told["answered"], connections)
        return Taken(told["answered"] / told["microseconds"] * 1e6, told["p50"] / 1e3, told["p99"] / 1e3)

    def _pgbench(self, connections: int) -> float:
        empty(self.world)
        script = self.folder / "insert.sql"
        script.write_text(
            "\\set number random(1, 1000000000000000)\n"
            f"INSERT INTO {BARE} (feed_id, digest, body_sealed, headers, received_at) VALUES ('{self.world.feed_id}',"
            f" sha256(int8send(:number)), '\\x{sealed_like(self.world).hex()}',"
            ' \'{"content-type": "application/json", "user-agent": "SePay"}\', now()) ON CONFLICT DO NOTHING;\n',
            encoding="ascii",
        )
        program = find_postgres(Account(), self.folder, None).path / "pgbench"
        url = make_url(self.world.addresses.door)
        where = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGDATABASE": url.database}
        answer = run(
            [str(program), "-n", "-M", "prepared", "-f", str(script), f"-c{connections}", "-j2", f"-T{self.seconds}"],
            PGPASSWORD=str(url.password),
            **{name: str(value) for name, value in where.items()},
        )
        found = re.search(r"^tps = ([0-9.]+)", answer, re.MULTILINE)
        assert found, answer
        return float(found[1])


def demand_stored(rows: Sequence[bytes], sent: Sequence[bytes], answered: int, connections: int) -> None:
    """Demand that every row that was acknowledged is there, byte for byte, and none that was not sent.

    wrk takes the requests in order and waits for each answer, so that, when it ends, of the requests it has sent all
    but one a connection have been answered; of the first so many, more must not be missing.
    """
    known = set(rows)
    missing = sum(digest not in known for digest in sent[1:answered])
    assert len(rows) == len(known) >= answered, f"{answered} acknowledged, {len(rows)} stored"
    assert known <= set(sent), "a row that nobody sent"
    assert missing <= connections, f"{missing} of the first {answered} are missing"


def run(command: Sequence[str], **environment: str) -> str:
    """Run a program to its end and return what it printed."""
    done = subprocess.run(  # noqa: S603  programs that we name
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def program(world: World, port: int, *words: str) -> Iterator[str]:
    """Run a program of ours until the block ends; hands out where callbacks go."""
    with subprocess.Popen(  # noqa: S603  our own programs
        [sys.executable, "-m", *words], cwd=ROOT, env=environment_of(world.wiring)
    ) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            while not listens(f"{base}/livez"):
                assert process.poll() is None, "the program did not start"
                time.sleep(0.05)
            yield f"{base}/callbacks/{world.token}"
        finally:
            process.terminate()


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def listens(url: str) -> bool:
    """Tell whether somebody answers, whatever it is."""
    try:
        urlopen(url, timeout=2).close()  # noqa: S310  our own address
    except URLError as error:
        return not isinstance(error.reason, OSError)
    return True


def report(rounds: Sequence[Round]) -> bool:
    """Print the table; return whether every demand is met."""
    met = True
    heads = f"{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}{'ours ÷ it':>20}{'demanded':>10}"
    print(f"\n{'callbacks taken in, one web process':<38}{heads}")
    for connections in CONNECTIONS:
        some = [each for each in rounds if each.connections == connections]
        to_limit = [each.ours.a_second / each.pgbench for each in some]
        to_plain = [each.ours.a_second / each.plain.a_second for each in some]
        print_line(f"ours, {connections} connections", [each.ours for each in some])
        limit = [Taken(each.pgbench, connections / each.pgbench * 1e3, nan) for each in some]
        print_line(f"pgbench, one row a commit, {connections}", limit, to_limit, LIMIT[connections])
        print_line(f"plain SQLModel route, {connections}", [each.plain for each in some], to_plain, PLAIN)
        met = met and statistics.median(to_limit) >= LIMIT[connections] and statistics.median(to_plain) >= PLAIN
    return met


def print_line(title: str, taken: Sequence[Taken], ratios: Sequence[float] = (), demanded: float = 0.0) -> None:
    """Print the medians of one kind; the ratio with its least and its greatest."""
    figures = [statistics.median(getattr(each, name) for each in taken) for name in ("a_second", "p50", "p99")]
    line = f"{title:<38}{figures[0]:>10,.0f}{figures[1]:>9.1f}{figures[2]:>9.1f}"
    if ratios:
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        line += f"{spread:>20}{demanded:>10.1f}"
    print(line)


def main(arguments: Sequence[str]) -> int:
    """Start everything, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        print(NO_WRK, file=sys.stderr)
        return 2
    numbers, rounds = count(), []
    with own_server() as own, tempfile.TemporaryDirectory() as folder:
        world = make_world(own)
        first, second = free_ports()
        with (
            program(world, first, "service", "web", "--port", str(first)) as ours,
            program(world, second, "benchmarks.ingest.plain", str(second)) as plain,
        ):
            bench = Bench(world, ours, plain, given.seconds, Path(folder))
            bench.round(CONNECTIONS[0], numbers)  # to warm up; not counted
            for _ in range(given.rounds):
                for connections in CONNECTIONS:
                    rounds.append(bench.round(connections, numbers))
                    print(rounds[-1], flush=True)
        world.wiring.close()
    return 0 if report(rounds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
