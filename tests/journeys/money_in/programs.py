"""Our programs as processes that a test may kill: as the product starts them, or with one deadly point in their way.

The points are those of the way of a callback: K1 body read, K2 signature checked, K4 committed but not answered, K5
answered but nobody rung for, K6 rung, K7 task begun; and of settling: K8 ledger rows written, K9 allocation written,
K10 number of the receipt taken, K11 before the commit, K12 committed but not acknowledged to the broker. (K3, in the
middle of the insert, needs no point: a test holds the row and kills an ordinary web.) A deadly program is put together
from the product's own parts; only what it is handed (vault, bell, jobs) or what stands around it (the server's side of
an ASGI application, a listener on the database) kills it, by SIGKILL.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError
from urllib.request import urlopen

import uvicorn
from sqlalchemy import Engine, event
from sqlmodel import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing.vault import Vault
from service import lifeline
from service.commands import sweeper, web, worker
from service.jobs import reconciling
from service.jobs.tasks import JOBS
from service.running import make_program_wiring
from service.settings import read_settings
from service.web import build_app
from service.wiring import Wiring
from service.worker import make_worker_app, run_worker

WEB_POINTS = ("body_read", "signature_checked", "committed", "answered", "rung")
WORKER_POINTS = ("task_begun", "message_opened")
SETTLING_POINTS = ("allocated", "posted", "numbered", "committing", "settled")
_WRITES = {
    "allocated": "INSERT INTO allocations",
    "posted": "INSERT INTO postings",
    "numbered": "UPDATE receipt_counters",
}
_PATIENCE_SECONDS = 300.0  # the machine may have others to serve

# A process forked from one that has imported everything is up in a fraction of the time.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True)
class Program:
    """One running program; ``url`` is the web's address."""

    process: ForkServerProcess
    url: str = ""

    def died(self) -> bool:
        """Wait for its end; tell whether it was killed (and did not end by itself)."""
        self.process.join(_PATIENCE_SECONDS)
        return self.process.exitcode == -signal.SIGKILL

    def kill(self) -> None:
        """End it and the processes it has started, the hard way."""
        if self.process.is_alive() and self.process.pid is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join(_PATIENCE_SECONDS)


@contextmanager
def running(name: str, environment: Mapping[str, str], point: str = "") -> Iterator[Program]:
    """Run web, worker or sweeper until the block ends; a web answers from the start of it."""
    port = _free_port()
    process = _CONTEXT.Process(target=_run, args=(name, port, dict(environment), point))
    process.start()
    program = Program(process, f"http://127.0.0.1:{port}")
    try:
        if name == "web":
            wait_for(lambda: _answers(f"{program.url}/livez") or not process.is_alive(), "the web")
        yield program
    finally:
        program.kill()


def wait_for(look: Callable[[], object], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310  our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _run(name: str, port: int, environment: Mapping[str, str], point: str) -> None:
    """Be a program, in a process of its own."""
    os.setsid()
    lifeline.end_with_parent(signal.SIGKILL)
    os.environ.update(environment)
    with Path(environment["LOG_OF_PROGRAMS"]).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.exit(_deadly(name, port, point) if point else _ordinary(name, port))


def _ordinary(name: str, port: int) -> int:
    """Do as ``python -m service`` does."""
    if name == "web":
        return web.run(argparse.Namespace(host="127.0.0.1", port=port))
    if name == "worker":
        return worker.run(argparse.Namespace(processes=1))
    return sweeper.run(argparse.Namespace())


def _deadly(name: str, port: int, point: str) -> int:
    wiring = make_program_wiring(read_settings())
    if name == "worker":
        return _deadly_worker(wiring, point)
    answered = threading.Event()
    if point == "signature_checked":
        wiring = replace(wiring, vault=_DeadlyVault(wiring.settings.key("vault_key")))
    if point in {"answered", "rung"}:
        wiring = replace(wiring, ring=_deadly_bell(wiring, point, answered))
    app = _around(build_app(wiring), point, answered)
    uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)).run()
    return 1


def _deadly_worker(wiring: Wiring, point: str) -> int:
    settings = wiring.settings
    wiring.close()

    def make() -> Wiring:
        made = make_program_wiring(settings)
        key = settings.key("vault_key")
        return replace(made, vault=_DeadlyVault(key)) if point == "message_opened" else made

    jobs = dict(JOBS)
    if point == "task_begun":
        jobs["reconciliation.normalise"] = _die
    if point in SETTLING_POINTS:
        jobs["reconciliation.settle"] = _deadly_settling(point)
    return run_worker(make_worker_app(wiring.redis_url, jobs, make), processes=1)


def _deadly_settling(point: str) -> Callable[[Wiring], int]:
    """Return the job that settles, and kills on its way: behind a write, or around the commit of a settled transfer."""

    def settle_and_die(wiring: Wiring) -> int:
        settled = threading.Event()

        def written(*executed: object) -> None:
            statement = str(executed[2])
            if point in _WRITES and statement.startswith(_WRITES[point]):
                _die()
            if statement.startswith("INSERT INTO receipts"):
                settled.set()

        def around_commit(_: object) -> None:
            if settled.is_set():
                _die()

        event.listen(Engine, "after_cursor_execute", written)
        if point == "committing":
            event.listen(Engine, "commit", around_commit)
        if point == "settled":
            event.listen(Session, "after_commit", around_commit)
        return reconciling.settle(wiring)

    return settle_and_die


def _die(_: object = None) -> NoReturn:
    """Kill this process and all of its group; no handler, no cleaning up."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("still alive")


class _DeadlyVault(Vault):
    """Kills when a body is to be sealed (the signature is checked then) or opened (a worker has claimed it)."""

    def seal_bytes(self, data: bytes, context: str) -> NoReturn:
        _die((data, context))

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        if context == "inbox.body":
            _die()
        return super().open_bytes(sealed, context)


def _deadly_bell(wiring: Wiring, point: str, answered: threading.Event) -> Callable[[str], None]:
    """Return a bell that kills, once the answer is out: before it rings, or when it has rung."""

    def ring(task: str) -> None:
        answered.wait(_PATIENCE_SECONDS)
        if point == "rung":
            wiring.ring(task)
        _die()

    return ring


def _around(app: ASGIApp, point: str, answered: threading.Event) -> ASGIApp:
    """Return the application with the deadly points that lie outside of it."""

    async def deadly(scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_all() -> Message:
            message = await receive()
            if point == "body_read" and not message.get("more_body", False):
                _die()
            return message

        async def send_all(message: Message) -> None:
            if point == "committed" and message["type"] == "http.response.start":
                _die()
            await send(message)
            if message["type"] == "http.response.body":
                asyncio.get_running_loop().call_later(0.05, answered.set)  # in a later turn, when it is written

        if scope["type"] == "http" and scope["method"] == "POST":
            await app(scope, receive_all, send_all)
        else:
            await app(scope, receive, send)

    return deadly
