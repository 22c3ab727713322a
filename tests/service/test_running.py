"""Everything running at once: it starts, it stands up again, it ends cleanly, and it leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import text

import service
from service.database import NOTHING, libpq_url
from service.embedded import erase
from service.preparing import Addresses
from service.running import NotGiven, environment_of, given_addresses, open_wiring
from service.settings import Settings
from service.wiring import wire
from tests.conftest import TEST_SECRET, TestServers

REPOSITORY = Path(service.__file__).parent.parent
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def settings(**changes: object) -> Settings:
    """Return settings that come from this call alone."""
    keys = {"secret": SecretStr(TEST_SECRET.hex()), "vault_key": SecretStr(TEST_SECRET.hex())}
    return Settings.model_construct(**{**keys, **changes})  # type: ignore[arg-type]  # checked by the test itself


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder that every account can reach."""
    top = Path(tempfile.mkdtemp(prefix="hocphi-test-"))
    top.chmod(0o755)
    yield top / ".hocphi"
    erase(top / ".hocphi")
    shutil.rmtree(top)


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310  our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def children(pid: int) -> dict[str, int]:
    """Return our programs below a process by their name."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if b"service" in words:
                found[words[words.index(b"service") + 1].decode()] = int(child)
    return found


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state.rpartition(")")[2].split()[0] in "ZX"


@contextmanager
def running_up(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``up`` on a free port; the process and its address. Killed at the end if it still runs."""
    port = free_port()
    command = [sys.executable, "-m", "service", "up", "--port", str(port), "--processes", "1"]
    keys = {"HOCPHI_SECRET": TEST_SECRET.hex(), "HOCPHI_VAULT_KEY": TEST_SECRET.hex()}
    with subprocess.Popen(  # noqa: S603  our own program
        command,
        cwd=REPOSITORY,
        env={**os.environ, **keys, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert process.stderr
            assert line.startswith("Hocphi: http"), line or process.stderr.read()
            yield process, line.removeprefix("Hocphi: ").strip()
        finally:
            process.kill()


@needs_proc
def test_up_answers_stands_up_again_and_ends_cleanly(addresses: Addresses, servers: TestServers) -> None:
    given = {
        "DATABASE_URL": addresses.app,
        "DATABASE_OWNER_URL": addresses.owner,
        "REDIS_URL": servers.redis_url,
    }
    with running_up(given) as (process, url):
        assert answers(f"{url}/livez")
        assert answers(f"{url}/readyz")
        first = children(process.pid)
        assert set(first) == {"web", "worker", "sweeper"}
        for pid in first.values():
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"DATABASE_OWNER_URL" not in environment
        for name in ("web", "sweeper", "worker"):
            os.kill(first[name], signal.SIGKILL)
        wait_for(lambda: answers(f"{url}/readyz") and len(children(process.pid)) == 3)
        second = children(process.pid)
        assert not set(second.values()) & set(first.values())
        process.terminate()
        assert process.wait(60) == 0
        assert all(gone(pid) for pid in second.values())


@needs_proc
def test_nothing_is_left_after_kill_9_of_up(state: Path) -> None:
    nothing_given = {"DATABASE_URL": "", "DATABASE_OWNER_URL": "", "REDIS_URL": "", "HOCPHI_STATE": str(state)}
    with running_up(nothing_given) as (process, url):
        assert answers(f"{url}/livez")
        programs = children(process.pid)
        servers = _server_pids(state)
        assert len(programs) == 3
        assert len(servers) == 3
        process.kill()
        process.wait()
        wait_for(lambda: all(gone(pid) for pid in (*programs.values(), *servers)))
        assert not answers(f"{url}/livez")


def _server_pids(state: Path) -> list[int]:
    """Return guard, PostgreSQL and Valkey of a state folder."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _belongs_to(entry, str(state).encode())
    ]


def _belongs_to(process: Path, state: bytes) -> bool:
    try:
        command = (process / "cmdline").read_bytes()
        where = os.fsencode((process / "cwd").resolve())
    except OSError:
        return False
    if command.startswith(b"postgres:"):  # a helper process of PostgreSQL
        return False
    server = b"valkey-server" in command or b"redis-server" in command or b"postgres\0-D" in command
    return (state in command and b"service.servers.guard" in command) or (server and where.startswith(state))


def test_wiring_on_our_own_servers_is_ready_to_use_and_shared(state: Path) -> None:
    given = settings(state=state, database_url=None, database_owner_url=None, redis_url=None)
    with open_wiring(given) as wiring, open_wiring(given, database="other") as second:
        with wiring.database.transaction(NOTHING) as session:
            row = session.execute(text("SELECT current_database(), current_user")).one()
            assert tuple(row) == ("hocphi", "hocphi_app")
        with second.database.transaction(NOTHING) as session:
            assert session.execute(text("SELECT current_database()")).scalar() == "other"
        assert wiring.redis_url == second.redis_url
        wiring.ring("ledger.seal")


def test_programs_get_the_keys_but_never_the_owner(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", addresses.owner)
    given = settings(database_owner_url=addresses.owner, zalo_app_secret=SecretStr("bí mật"))
    wiring = wire(given, addresses, "redis://127.0.0.1:1/0")
    environment = environment_of(wiring, ZALO_BASE_URL="http://127.0.0.1:9")
    wiring.close()
    assert "DATABASE_OWNER_URL" not in environment
    assert addresses.owner not in environment.values()
    assert environment["DATABASE_URL"] == addresses.app
    assert environment["DATABASE_DOOR_URL"] == addresses.door
    assert environment["HOCPHI_SECRET"] == TEST_SECRET.hex()
    assert environment["ZALO_APP_SECRET"] == "bí mật"  # noqa: S105  invented
    assert environment["ZALO_BASE_URL"] == "http://127.0.0.1:9"


def test_a_program_of_its_own_says_what_it_lacks() -> None:
    with pytest.raises(NotGiven, match="Cần DATABASE_URL và REDIS_URL"):
        given_addresses(settings(database_url=None, redis_url="redis://127.0.0.1:1/0"))
    with pytest.raises(NotGiven, match="Cần DATABASE_URL và REDIS_URL"):
        given_addresses(settings(database_url="postgresql://a:b@127.0.0.1/c", redis_url=None))


def test_databases_are_made_and_prepared_at_once_without_harm(servers: TestServers) -> None:
    """Roles belong to the whole server. In processes, since Alembic keeps its state in module variables."""
    names = [f"hocphi_made_{os.getpid()}_{number}" for number in range(3)]
    preparing = []
    for name in [*names, names[0]]:
        addresses = servers.addresses(name)
        given = {
            "DATABASE_URL": addresses.app,
            "DATABASE_OWNER_URL": addresses.owner,
            "HOCPHI_SECRET": TEST_SECRET.hex(),
        }
        command = [sys.executable, "-m", "service", "db", "prepare"]
        preparing.append(
            subprocess.Popen(  # noqa: S603  our own program
                command, cwd=REPOSITORY, env={**os.environ, **given}, stderr=subprocess.PIPE, text=True
            )
        )
    said = [process.communicate(timeout=60)[1] for process in preparing]
    with psycopg.connect(libpq_url(servers.owner_url), autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    assert [process.returncode for process in preparing] == [0] * 4, said
