"""PostgreSQL as the guard runs it: initdb with SCRAM, 127.0.0.1 only, no Unix socket."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from service.servers.account import Account, for_initdb
from service.servers.binaries import Program, find_postgres
from service.servers.folder import Folder, ServersFailed

_STATUS_LINE = 7  # of postmaster.pid, counted from 0: "starting", "ready   ", "stopping"
_ORPHAN_WAIT_SECONDS = 20.0
# The laptop's disk is trusted to sync; JIT only slows small queries down.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    # A transfer split over a whole school holds each pupil and bill while it is booked (docs/queue.md).
    "max_locks_per_transaction": "1024",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "jit": "off",
}


class Postgres:
    """One PostgreSQL cluster below ``place``."""

    name = "postgres"
    # Fast shutdown, then immediate, then nothing is left to ask.
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    def __init__(self, folder: Folder, account: Account, place: Path) -> None:
        self.folder = folder
        self.account = account
        self.place = place
        self.data = place / "postgres"
        self._program: Program | None = None

    def prepare(self) -> None:
        """Find the programs, make the cluster at the first start, clear what a killed server left."""
        made_by = _version_of(self.data)
        self._program = find_postgres(self.account, self.place, made_by)
        if made_by is None:
            self._initdb(self._program.path)
        elif not self.account.owns(self.data):
            raise ServersFailed(f"{self.data} belongs to another account; set HOCPHI_STATE to another folder")
        self._clear_stale_pid()

    def spawn(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server on a port; returns before it is ready."""
        if self._program is None:
            raise RuntimeError("prepare() comes first")
        settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": str(port)}.items()]
        return self.account.spawn(
            [str(self._program.path / "postgres"), "-D", str(self.data), *settings],
            cwd=self.place,
            log=log,
            stdin=subprocess.DEVNULL,
            death=signal.SIGINT,
        )

    def ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """Tell whether this very server takes connections, by the status it writes into its pid file."""
        del port
        lines = self._pid_file()
        return len(lines) > _STATUS_LINE and lines[0] == str(process.pid) and lines[_STATUS_LINE].strip() == "ready"

    def set_aside(self) -> None:
        """Keep the data: it is the truth, and only a person may give it up."""

    def _initdb(self, programs: Path) -> None:
        """Make the cluster beside its final place, so that a start cut in half leaves nothing that looks whole."""
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.account.take(draft)
        secret = draft.with_name("postgres.password")
        secret.unlink(missing_ok=True)
        handle = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, self.folder.read_keys()["postgres"]["password"].encode())
            os.close(handle)
            self.account.take(secret)
            result = for_initdb(self.account).run(
                [
                    *(str(programs / "initdb"), "-D", str(draft), "-U", "postgres", "-E", "UTF8", "--no-locale"),
                    *("-A", "scram-sha-256", f"--pwfile={secret}"),
                ],
                cwd=self.place,
            )
        finally:
            secret.unlink()
        if result.returncode != 0:
            raise ServersFailed(f"initdb failed: {result.stderr.strip()[-2000:]}")
        draft.replace(self.data)

    def _clear_stale_pid(self) -> None:
        """Stop a postmaster that outlived its guard; forget one that is gone.

        PostgreSQL itself refuses to start while the number in the file belongs to any living process, also when
        that number was given to a stranger after a crash.
        """
        lines = self._pid_file()
        if not lines:
            return
        pid = int(lines[0]) if lines[0].isdigit() else 0
        deadline = time.monotonic() + _ORPHAN_WAIT_SECONDS
        for number in self.stop_signals:
            while pid and _is_postgres_on(pid, self.data):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                time.sleep(0.1)
                if time.monotonic() > deadline:
                    deadline = time.monotonic() + _ORPHAN_WAIT_SECONDS
                    break
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []


def _version_of(data: Path) -> int | None:
    """Return the major version that made a cluster; None if there is none."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise ServersFailed(f"{data} belongs to another account; set HOCPHI_STATE to a folder of your own") from error


def _is_postgres_on(pid: int, data: Path) -> bool:
    """Tell whether a process is a PostgreSQL server on this data folder (and not a zombie)."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        shown = subprocess.run(  # noqa: S603  a number and fixed words
            ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
        )
        command = shown.stdout.split()
    return str(data).encode() in command
