"""Running the main job as a person would: a process of its own, its state in a folder, its summary read back."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from service.database import libpq_url
from service.servers.folder import Folder

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 400
OUTSIDE = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_DOOR_URL", "REDIS_URL")


@dataclass(frozen=True, slots=True)
class Demo:
    """One run of the demo in one state folder."""

    state: Path
    process: subprocess.Popen[bytes]

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
        """Return the process id of web, worker or sweeper."""
        wanted = f"\0-m\0service\0{program}\0"
        return next((pid for pid, command in _commands().items() if wanted in command and self._owns(pid)), None)

    def server(self, name: str) -> int | None:
        """Return the process id of postgres or valkey."""
        pid: int | None = Folder(self.state).read_status().get("servers", {}).get(name, {}).get("pid")
        return pid

    def everybody(self) -> dict[str, int]:
        """Return the process ids of all programs and servers that run now."""
        found = {name: self.child(name) for name in ("web", "worker", "sweeper")}
        found |= {name: self.server(name) for name in ("postgres", "valkey")}
        found["guard"] = Folder(self.state).read_status().get("guard")
        return {name: pid for name, pid in found.items() if pid is not None}

    def environment_of(self, program: str) -> dict[str, str]:
        """Return the environment of one of its programs."""
        pid = self.child(program)
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        return dict(entry.split("=", 1) for entry in entries if "=" in entry)

    def _owns(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return f"HOCPHI_STATE={self.state}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False


def start(state: Path, given: Mapping[str, str] | None = None) -> Demo:
    """Start ``demo --once`` on a state folder; on its own servers unless addresses are given."""
    state.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in OUTSIDE} | dict(given or {})
    environment["HOCPHI_STATE"] = str(state)
    with (state / "words.txt").open("ab") as words, (state / "errors.txt").open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "demo", "--once"], cwd=ROOT, env=environment, stdout=words, stderr=errors
        )
    return Demo(state, process)


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
    wait_for(lambda: demo.child("worker"), "the worker")
    url = demo.environment_of("worker")["DATABASE_URL"]
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute("SELECT set_config('app.schools', '*', false)")
        yield connection


def kill(pid: int) -> None:
    """End a process the hard way."""
    os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that is dead and not yet fetched does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(look: Any, what: str, seconds: float = 120.0) -> Any:  # noqa: ANN401  whatever is looked for
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


def count(connection: psycopg.Connection[Any], table: str) -> int:
    """Count the rows of one of our tables."""
    [number] = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() or [0]  # noqa: S608  ours
    return int(number)
