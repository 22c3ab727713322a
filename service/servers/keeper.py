"""Keeps one server running: starts it, waits until it answers, starts it again on the same port when it falls."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from service.servers.folder import Folder, ServersFailed
from service.servers.postgres import Postgres
from service.servers.valkey import Valkey

START_SECONDS = 60.0
STOP_SECONDS = 10.0
FIRST_TRIES = 3
BACKOFF_SECONDS = (0.0, 0.1, 0.3, 1.0, 2.0, 5.0)
LOG_BYTES = 10_000_000
TICK_SECONDS = 0.01


@dataclass(slots=True)
class Run:
    """One life of a server process."""

    process: subprocess.Popen[bytes]
    port: int
    deadline: float
    ready: bool = False


class Keeper:
    """One server and how it is doing. ``tick`` is called often and never waits long."""

    def __init__(self, server: Postgres | Valkey, folder: Folder) -> None:
        self.server = server
        self.folder = folder
        self.run: Run | None = None
        self.error: str | None = None
        self.error_at = 0.0
        self._failures = 0
        self._next_start = 0.0
        self._port: int | None = None  # handed out to users, so it stays

    def wish(self) -> None:
        """Somebody new needs the server: try again if it was given up."""
        if self.error is not None:
            self.error, self._failures, self._next_start = None, 0, 0.0

    def tick(self) -> bool:
        """Look after the server; True when something changed that users may want to know."""
        if self.run is None:
            if self.error is None and time.monotonic() >= self._next_start:
                self._start()
                return self.error is not None
            return False
        if self.run.process.poll() is not None:
            return self._fallen(f"{self.server.name} ended with code {self.run.process.returncode}")
        if not self.run.ready and self.server.ready(self.run.process, self.run.port):
            return self._risen(self.run)
        if not self.run.ready and time.monotonic() > self.run.deadline:
            self.run.process.kill()
        return False

    def wait_seconds(self) -> float | None:
        """Return how long the guard may sleep; None if nothing is due here."""
        if self.run is not None:
            return None if self.run.ready else TICK_SECONDS
        return None if self.error is not None else max(0.0, self._next_start - time.monotonic())

    def status(self) -> dict[str, object] | None:
        """Return what users read of this server; None while it is not to be used."""
        if self.error is not None:
            return {"error": self.error, "at": self.error_at}
        if self.run is not None and self.run.ready:
            return {"port": self.run.port, "pid": self.run.process.pid}
        return None

    def _start(self) -> None:
        try:
            self.server.prepare()
            port = self._port or self._choose_port()
            with self._log().open("ab") as log:
                process = self.server.spawn(port, log)
        except (ServersFailed, OSError, subprocess.SubprocessError) as error:
            self._give_up(str(error))
            if self._port is not None:  # it ran before: users hold its address, so go on trying
                self.error, self._next_start = None, time.monotonic() + BACKOFF_SECONDS[-1]
            return
        self.run = Run(process, port, time.monotonic() + START_SECONDS)

    def _risen(self, run: Run) -> bool:
        run.ready = True
        self._failures = 0
        self._port = run.port
        self.folder.remember_port(self.server.name, run.port)
        return True

    def _fallen(self, what: str) -> bool:
        self.run = None
        self._next_start = time.monotonic() + BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        if self._failures == FIRST_TRIES - 1:
            self.server.set_aside()
        if self._failures >= FIRST_TRIES and self._port is None:
            self._give_up(f"{what}; its log ends with:\n{self.folder.log_tail(self.server.name)}")
        return True

    def _give_up(self, message: str) -> None:
        self.error, self.error_at = message, time.time()

    def _choose_port(self) -> int:
        """Return the port of the last time if it is free, else any free one."""
        remembered = int(self.folder.read_keys()[self.server.name]["port"])
        if remembered and self._failures == 0:
            with contextlib.suppress(OSError):
                return _bind(remembered)
        return _bind(0)

    def _log(self) -> Path:
        path = self.folder.logs / f"{self.server.name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path


def stop_all(keepers: list[Keeper]) -> None:
    """Stop servers together: ask, ask harder, kill; returns when no process of theirs is left."""
    running = [keeper for keeper in keepers if keeper.run is not None]
    for stage in range(max((len(keeper.server.stop_signals) for keeper in running), default=0)):
        for keeper in running:
            if keeper.run and keeper.run.process.poll() is None:
                signals = keeper.server.stop_signals
                keeper.run.process.send_signal(signals[min(stage, len(signals) - 1)])
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if all(keeper.run is None or keeper.run.process.poll() is not None for keeper in running):
                return
            time.sleep(TICK_SECONDS)


def _bind(port: int) -> int:
    """Return a port of 127.0.0.1 that is free now; raises OSError if the given one is not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])
