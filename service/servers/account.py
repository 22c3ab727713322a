"""As whom the servers run, and how they die with us.

PostgreSQL refuses to run as root, and nothing here may create accounts or change the rights of folders that are not
ours. So root starts the servers as ``nobody``; where a container forbids that, inside a user namespace that shows
them as ``nobody``. An ordinary user starts them as himself.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_NOBODY = 65534
# Only what the servers need: a PGPORT or PGOPTIONS of the person who types must not steer them.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# Looked up before any fork: loading a library between fork and exec is not safe.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """The account that servers run under: ``uid`` None is ourselves, ``namespaced`` is ourselves shown as nobody."""

    uid: int | None = None
    gid: int | None = None
    namespaced: bool = False

    def run(self, command: Sequence[str], *, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a short command to its end as this account."""
        return subprocess.run(  # noqa: S603  our own command lines, no shell
            command,
            cwd=cwd or "/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            preexec_fn=self._before_exec(signal.SIGKILL),  # the guard has one thread
        )

    def spawn(
        self, command: Sequence[str], *, cwd: Path, log: IO[bytes], stdin: int, death: signal.Signals
    ) -> subprocess.Popen[bytes]:
        """Start a server as this account; it gets the signal ``death`` when the process that calls this dies."""
        return subprocess.Popen(  # noqa: S603  our own command lines, no shell
            command,
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=stdin,
            stdout=log,
            stderr=log,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            preexec_fn=self._before_exec(death),  # noqa: PLW1509  the guard has one thread
        )

    def may_enter(self, folder: Path) -> bool:
        """Tell whether this account gets through to a folder; tried, since mode bits do not show everything."""
        return self.run(["/bin/sh", "-c", 'cd -- "$0"', str(folder)]).returncode == 0

    def owns(self, path: Path) -> bool:
        """Tell whether a file belongs to this account."""
        return path.stat().st_uid == (os.geteuid() if self.uid is None else self.uid)

    def take(self, path: Path) -> None:
        """Give a fresh file or folder of ours to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def _before_exec(self, death: signal.Signals) -> Callable[[], None]:
        """Return what the child does after fork and setuid (which clears a parent-death signal) and before exec."""
        parent = os.getpid()

        def prepare() -> None:
            if self.namespaced:
                _enter_namespace()
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)
                if os.getppid() != parent:  # the parent died before the signal was set
                    os._exit(1)

        return prepare


def _enter_namespace() -> None:
    """Show this process as nobody, to itself; files stay those of the real account."""
    real_uid, real_gid = os.geteuid(), os.getegid()
    if _LIBC is None or _LIBC.unshare(_CLONE_NEWUSER) != 0:
        os._exit(126)
    # Not Path.write_text: between fork and exec as little as possible should happen.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NOBODY} {real_uid} 1"),
        ("gid_map", f"{_NOBODY} {real_gid} 1"),
    ):
        handle = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(handle, text.encode())
        os.close(handle)


def choose_account(data: Path | None) -> Account:
    """Return the account for the servers; data that exists (``data``, a folder) keeps its owner."""
    if os.geteuid() != 0:
        return Account()
    if data is not None:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid) if owner.st_uid else Account(namespaced=True)
    account = Account(*_nobody())
    try:
        if account.run(["/bin/sh", "-c", ":"]).returncode == 0:
            return account
    except (OSError, subprocess.SubprocessError):
        pass  # a container without the right to change accounts
    return Account(namespaced=True)


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY, _NOBODY
    return entry.pw_uid, entry.pw_gid


def for_initdb(account: Account) -> Account:
    """Return the account for ``initdb``, which looks up its user's name and fails where there is none."""
    try:
        pwd.getpwuid(os.geteuid() if account.uid is None else account.uid)
    except KeyError:
        return Account(account.uid, account.gid, namespaced=True)
    return account
