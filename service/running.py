"""Everything that runs: embedded servers where none are given, the wiring of this process, and the programs.

``open_wiring`` is for one process; ``Programs`` starts web, worker and sweeper as processes of their own, starts them
again when they fall, and takes them along when it ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Self
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from service import lifeline
from service.database import libpq_url
from service.embedded import Servers
from service.jobs.bells import make_bell
from service.preparing import Addresses, prepare_local
from service.settings import Settings
from service.wiring import Wiring, addresses_from, wire

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ("web", "worker", "sweeper")
STOP_SECONDS = 10.0
READY_SECONDS = 60.0
_BACKOFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS = 30.0
_TICK_SECONDS = 0.1


@contextlib.contextmanager
def open_wiring(settings: Settings, *, ring: bool = True, database: str = "hocphi") -> Iterator[Wiring]:
    """Return this process's wiring, with servers started (or shared) for every address that is not given.

    The database is made and brought to its newest shape where we may: on our own server (named ``database``), and on a
    given one whose owner's address is given too, outside production (there ``db prepare`` is a step of its own).
    Raises ``ServersFailed``, ``OtherShape``, or psycopg's errors for a given server that does not answer.
    """
    with contextlib.ExitStack() as stack:
        postgres, valkey = not settings.database_url, not settings.redis_url
        servers = None
        if postgres or valkey:
            servers = stack.enter_context(Servers.start(settings.state, postgres=postgres, valkey=valkey))
        superuser = _in_database(servers.superuser_url, database) if servers and postgres else None
        addresses = addresses_from(settings, superuser)
        if superuser or (settings.database_owner_url and settings.env != "production"):
            make_database(addresses.owner)
            prepare_local(addresses)
        redis_url = settings.redis_url or (servers.redis_url if servers else "")
        wiring = wire(settings, addresses, redis_url)
        stack.callback(wiring.close)
        if ring:
            bell = make_bell(redis_url)
            stack.callback(bell.close)
            wiring = replace(wiring, ring=bell)
        yield wiring


class NotGiven(ValueError):  # noqa: N818  named sentences read better than a row of "…Error"
    """A program of its own was started without the addresses that it needs."""


def given_addresses(settings: Settings) -> tuple[Addresses, str]:
    """Return the database's addresses and the broker's from the settings; raises ``NotGiven``."""
    if not settings.database_url or not settings.redis_url:
        raise NotGiven("Cần DATABASE_URL và REDIS_URL; để chạy tất cả trên một máy: python -m service up")
    return addresses_from(settings), settings.redis_url


def make_program_wiring(settings: Settings) -> Wiring:
    """Return the wiring, with a bell, of a program whose servers run elsewhere; raises ``NotGiven``."""
    addresses, redis_url = given_addresses(settings)
    return wire(settings, addresses, redis_url, make_bell(redis_url))


@contextlib.contextmanager
def program_wiring(settings: Settings) -> Iterator[Wiring]:
    """Hold the wiring of one program and close it; raises ``NotGiven``."""
    wiring = make_program_wiring(settings)
    try:
        yield wiring
    finally:
        wiring.close()


def make_database(owner_url: str) -> None:
    """Make the database of an address if it is missing (and if its owner may)."""
    name = str(make_url(owner_url).database)
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(libpq_url(owner_url), connect_timeout=10):
        return
    maintenance = libpq_url(_in_database(owner_url, "postgres"))
    with psycopg.connect(maintenance, autocommit=True, connect_timeout=10) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another start was faster


def _in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def environment_of(wiring: Wiring, **changes: str) -> dict[str, str]:
    """Return the environment from which a program of its own reads the same settings as ours.

    The owner's address stays here. ``changes`` replaces settings by their names in the environment.
    """
    settings = wiring.settings
    given = {
        str(field.validation_alias): _as_text(value)
        for name, field in Settings.model_fields.items()
        if (value := getattr(settings, name)) is not None
    }
    known = {
        "DATABASE_URL": wiring.addresses.app,
        "DATABASE_DOOR_URL": wiring.addresses.door,
        "REDIS_URL": wiring.redis_url,
        "HOCPHI_SECRET": settings.key("secret").hex(),
        "HOCPHI_VAULT_KEY": settings.key("vault_key").hex(),
    }
    environment = {**os.environ, **given, **known, **changes}
    environment.pop("DATABASE_OWNER_URL", None)
    return environment


def _as_text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


@dataclass(slots=True)
class _Child:
    """One program: its process now, when it was started, and how often it fell since it ran steadily."""

    name: str
    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    falls: int = 0
    next_start: float = 0.0


class Programs:
    """Web, worker and sweeper as child processes that are started again when they fall."""

    def __init__(
        self,
        wiring: Wiring,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        processes: int = 2,
        log: IO[str] | None = None,
        **changes: str,
    ) -> None:
        self.url = f"http://{host}:{port}"
        self._log: IO[str] = log or sys.stderr
        self._environment = environment_of(wiring, **changes)
        self._children = [
            _Child("web", ("web", "--host", host, "--port", str(port))),
            _Child("worker", ("worker", "--processes", str(processes))),
            _Child("sweeper", ("sweeper",)),
        ]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="hocphi-programs", daemon=True)
        self._lifeline, self._lifeline_end = os.pipe()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the programs that run now."""
        running = [(child.name, child.process) for child in self._children]
        return {name: process.pid for name, process in running if process and process.poll() is None}

    def start(self) -> None:
        """Start all; returns when the web says that it is ready. Raises ``RuntimeError`` if it does not."""
        self._thread.start()
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(f"{self.url}/readyz"):
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.url} was not ready within {READY_SECONDS:.0f} s")
            time.sleep(_TICK_SECONDS)

    def wait(self) -> None:
        """Wait for SIGTERM or SIGINT; only in the main thread."""
        asked = threading.Event()
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        for number in before:
            signal.signal(number, lambda *_: asked.set())
        asked.wait()
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(self) -> None:
        """End all programs: ask, and after a while insist. Harmless when repeated."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for handle in (self._lifeline, self._lifeline_end):
            with contextlib.suppress(OSError):
                os.close(handle)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _keep(self) -> None:
        """Start what is down; runs in one thread for the whole life, since the kernel ends children with it."""
        try:
            while not self._ended.wait(_TICK_SECONDS):
                for child in self._children:
                    self._look_after(child)
        finally:
            self._end_children()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.next_start:
                child.process, child.started = self._spawn(child), now
            return
        if child.process.poll() is None:
            return
        child.falls = 1 if now - child.started > _STEADY_SECONDS else child.falls + 1
        child.next_start = now + _BACKOFF_SECONDS[min(child.falls, len(_BACKOFF_SECONDS)) - 1]
        print(f"hocphi: {child.name} ended with code {child.process.returncode}", file=self._log, flush=True)
        child.process = None

    def _spawn(self, child: _Child) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own programs
            [sys.executable, "-m", "service", *child.command],
            cwd=ROOT,
            env={**self._environment, lifeline.VARIABLE: str(self._lifeline)},
            stdin=subprocess.DEVNULL,
            stdout=self._log.fileno() if _has_fileno(self._log) else subprocess.DEVNULL,
            stderr=self._log.fileno() if _has_fileno(self._log) else None,
            pass_fds=[self._lifeline],
            start_new_session=True,  # Ctrl-C is for us; we end the programs in order
        )

    def _end_children(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            running = [child.process for child in self._children if child.process and child.process.poll() is None]
            for process in running:
                process.send_signal(number)
            deadline = time.monotonic() + STOP_SECONDS
            for process in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310  our own address, http only
            return bool(answer.status == 200)  # noqa: PLR2004  OK
    except (URLError, OSError):
        return False


def _has_fileno(stream: object) -> bool:
    try:
        return stream is not None and stream.fileno() >= 0  # type: ignore[attr-defined]  # may have been replaced
    except (AttributeError, OSError, ValueError):
        return False
