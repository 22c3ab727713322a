"""The state folder of the embedded servers: its files, its locks, its passwords.

``<state>/servers/`` holds: ``start.lock`` (who starts or stops), ``users.lock`` (shared by all who use the servers),
``users.fifo`` (its readers are the guard, its writers the users: the kernel counts both, also after ``kill -9``),
``keys.json`` (passwords and ports, mode 0600), ``status.json`` (what runs now), ``place`` (where the data lies when
the unprivileged account cannot reach this folder), ``logs/``, and normally the data itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCK_WAIT_SECONDS = 60.0


class ServersFailed(RuntimeError):  # noqa: N818  named sentences read better than a row of "…Error"
    """The embedded servers could not be started; the message says why and what to do."""


class Folder:
    """Paths and small files below one state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state.absolute()
        self.root = self.state / "servers"
        self.start_lock = self.root / "start.lock"
        self.users_lock = self.root / "users.lock"
        self.fifo = self.root / "users.fifo"
        self.keys = self.root / "keys.json"
        self.status = self.root / "status.json"
        self.place = self.root / "place"
        self.logs = self.root / "logs"

    def make(self) -> None:
        """Make what is missing. As root the folders may be passed through, but not listed, by other accounts."""
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.state.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.state, self.root, self.logs):
                with contextlib.suppress(FileExistsError):
                    folder.mkdir()
                    folder.chmod(mode)  # ours and new: the umask must not decide
                    self._hand_over(folder)
            with contextlib.suppress(FileExistsError):
                os.mkfifo(self.fifo, 0o600)
                self._hand_over(self.fifo)
        except PermissionError as error:
            raise ServersFailed(
                f"{self.state} belongs to another account ({error}); set HOCPHI_STATE to a folder of your own"
            ) from error

    @contextlib.contextmanager
    def locked(self, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
        """Hold the right to start or stop; raises ``ServersFailed`` when another holder does not let go."""
        handle = os.open(self.start_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + wait_seconds
            while not try_lock(handle, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise ServersFailed(f"{self.start_lock} is held for over {wait_seconds:.0f} s by another start")
                time.sleep(0.02)
            yield
        finally:
            os.close(handle)

    def write_private(self, path: Path, text: str) -> None:
        """Write a file of mode 0600 in one step: a reader sees the old or the new text, never a part."""
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._hand_over(draft)
        draft.replace(path)

    def _hand_over(self, path: Path) -> None:
        """Give what root makes inside a user's folder to that user."""
        owner = self.state.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:
            os.chown(path, owner.st_uid, owner.st_gid)

    def read_status(self) -> dict[str, Any]:
        """Return what runs: ``{"guard": pid, "servers": {name: {"port", "pid"} or {"error"}}}``; empty if nothing."""
        return _read_json(self.status)

    def read_keys(self) -> dict[str, Any]:
        """Return passwords and ports, made at the first call (by the guard, or by a user holding the lock)."""
        keys = _read_json(self.keys)
        if keys:
            return keys
        keys = {
            "postgres": {"password": secrets.token_urlsafe(24), "port": 0},
            "valkey": {"password": secrets.token_urlsafe(24), "port": 0},
        }
        self.write_private(self.keys, json.dumps(keys))
        return keys

    def remember_port(self, name: str, port: int) -> None:
        """Keep a server's port, so that connection addresses stay the same from start to start."""
        keys = self.read_keys()
        keys[name]["port"] = port
        self.write_private(self.keys, json.dumps(keys))

    def log_tail(self, name: str, lines: int = 12) -> str:
        """Return the last lines of a server's log, for an error message."""
        try:
            text = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])


def try_lock(handle: int, kind: int) -> bool:
    """Take a lock of the kind ``fcntl.LOCK_SH`` or ``LOCK_EX`` if it is free; False if not."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise ServersFailed(f"{path} belongs to another account; set HOCPHI_STATE to a folder of your own") from error
    return value if isinstance(value, dict) else {}
