"""Running the main job as a person would: a process of its own, its state in a folder, its summary read back."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from service.database import libpq_url
from service.servers.folder import Folder

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 900.0  # a demo takes half a minute; the machine may have others to serve
# In a smaller town every story still has its family; the full counts of kills need the whole one.
PUPILS = 480 if os.environ.get("HOCPHI_PROOF") else 120
OUTSIDE = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_DOOR_URL", "REDIS_URL")


@dataclass(frozen=True, slots=True)
class Demo:
    """One run of the demo in one state folder."""

    state: Path
    process: subprocess.Popen[bytes]

    def has_ended(self) -> bool:
        """Say whether it is over; raises if it ended badly, since then nothing that is waited for will come."""
        code = self.process.poll()
        assert not code, self.words + (self.state / "errors.txt").read_text(encoding="utf-8")[-2000:]
        return code is not None

    def finish(self) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(LONGEST_SECONDS)

    @property
    def words(self) -> str:
        """What it printed."""
        return (self.state / "words.txt").read_text(encoding="utf-8")

    @property
    def summary(self) -> dict[str, Any]:
        """The figures it wrote down at the end."""
        figures: dict[str, Any] = json.loads((self.state / "demo" / "summary.json").read_text(encoding="utf-8"))
        return figures

    def child(self, program: str) -> int | None:
        """Return the process id of web, worker or sweeper (of the worker its main process, not one of its pool)."""
        wanted = f"\0-m\0service\0{program}\0"
        found = (pid for pid, command in _commands().items() if wanted in command)
        return next((pid for pid in found if _parent_of(pid) == self.process.pid), None)

    def server(self, name: str) -> int | None:
        """Return the process id of postgres, valkey or their guard."""
        status = Folder(self.state).read_status()
        pid: int | None = status.get(name) or status.get("servers", {}).get(name, {}).get("pid")
        return pid

    def everybody(self) -> set[int]:
        """Return the ids of all processes that live in this state folder: demo, programs, guard, servers."""
        folder = Folder(self.state)
        shelf = folder.place.read_text(encoding="utf-8") if folder.place.exists() else str(folder.root)
        return {pid for pid in _commands() if self._owns(pid) or _works_below(pid, shelf)}

    def environment_of(self, program: str) -> dict[str, str]:
        """Return the environment of one of its programs; empty if it does not run."""
        with contextlib.suppress(OSError):
            entries = Path(f"/proc/{self.child(program)}/environ").read_bytes().decode().split("\0")
            return dict(entry.split("=", 1) for entry in entries if "=" in entry)
        return {}

    def end(self) -> None:
        """End it the hard way, and wait until the last of its processes is gone."""
        self.process.kill()
        self.process.wait()
        wait_for(lambda: not self.everybody(), f"the end of every process of {self.state}", 120)

    def _owns(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return f"HOCPHI_STATE={self.state}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False


def start(state: Path, given: Mapping[str, str] | None = None) -> Demo:
    """Start ``demo --once`` on a state folder; on its own servers unless addresses are given."""
    command = [sys.executable, "-m", "service", "demo", "--once", "--pupils", str(PUPILS)]
    state.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in OUTSIDE} | dict(given or {})
    environment["HOCPHI_STATE"] = str(state)
    with (state / "words.txt").open("ab") as words, (state / "errors.txt").open("ab") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=words, stderr=errors)  # noqa: S603  our own
    return Demo(state, process)


def _parent_of(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


def _works_below(pid: int, folder: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(folder)
    return False


def _commands() -> dict[int, str]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
    return found


@contextlib.contextmanager
def looking(demo: Demo) -> Iterator[psycopg.Connection[Any]]:
    """Look into the running demo's database, as soon as its programs run."""
    wait_for(lambda: "DATABASE_URL" in demo.environment_of("worker") or demo.has_ended(), "the worker")
    url = demo.environment_of("worker")["DATABASE_URL"]
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute("SELECT set_config('app.schools', '*', false)")
        yield connection


def kill(pid: int) -> None:
    """End a process the hard way."""
    os.kill(pid, signal.SIGKILL)


def wait_for(look: Callable[[], object], what: str, seconds: float = LONGEST_SECONDS) -> None:
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.05)


def count(connection: psycopg.Connection[Any], table: str) -> int:
    """Count the rows of one of our tables."""
    [number] = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() or [0]  # noqa: S608  ours
    return int(number)
