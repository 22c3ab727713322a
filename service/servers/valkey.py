"""Valkey (or Redis) as the guard runs it: a password, 127.0.0.1 only, every write in the append-only file."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO

from service.servers.account import Account
from service.servers.binaries import Program, find_valkey
from service.servers.folder import Folder

_ANSWER_SECONDS = 0.5


class Valkey:
    """One Valkey server below ``place``. It is a doorbell: its data may be lost, its work is in the database."""

    name = "valkey"
    stop_signals = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, folder: Folder, account: Account, place: Path) -> None:
        self.folder = folder
        self.account = account
        self.place = place
        self._program: Program | None = None

    @property
    def data(self) -> Path:
        """The data folder; Redis cannot read what Valkey wrote, so each has its own."""
        if self._program is None:
            raise RuntimeError("prepare() comes first")
        return self.place / self._program.family

    def prepare(self) -> None:
        """Find the program and make the data folder."""
        self._program = find_valkey(self.account, self.place)
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            self.account.take(self.data)

    def spawn(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server on a port; the settings go in by a pipe, since command lines can be seen by all."""
        if self._program is None:
            raise RuntimeError("prepare() comes first")
        settings = (
            f"bind 127.0.0.1\nport {port}\nrequirepass {self._password()}\ndir {_quoted(self.data)}\n"
            "daemonize no\nappendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\n"
            'save ""\nstop-writes-on-bgsave-error no\nshutdown-timeout 5\n'
        )
        reader, writer = os.pipe()
        try:
            os.write(writer, settings.encode())  # far below what a pipe holds
            os.close(writer)
            return self.account.spawn(
                [str(self._program.path), "-"], cwd=self.place, log=log, stdin=reader, death=signal.SIGTERM
            )
        finally:
            os.close(reader)

    def ready(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """Tell whether the server answers a ping with our password."""
        del process
        try:
            with socket.create_connection(("127.0.0.1", port), _ANSWER_SECONDS) as connection:
                connection.sendall(f"AUTH {self._password()}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:  # noqa: PLR2004  one line for each of the two commands
                    part = connection.recv(256)
                    if not part:
                        break
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def set_aside(self) -> None:
        """Put unreadable data away and go on empty; the sweeper finds the work again."""
        aside = self.data.with_name(f"{self.data.name}.unreadable")
        shutil.rmtree(aside, ignore_errors=True)
        if self.data.exists():
            self.data.replace(aside)

    def _password(self) -> str:
        return str(self.folder.read_keys()["valkey"]["password"])


def _quoted(path: Path) -> str:
    """Quote a path for the configuration, where a space would end it."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
