"""A real worker process on a real broker: it works, it may be killed, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

import service
from billing.storage import new_id
from billing.vault import Vault
from service import lifeline
from service.database import EVERYTHING, Database
from service.jobs.bells import make_bell
from service.jobs.queues import TASKS, celery_app
from service.preparing import Addresses
from service.settings import Settings
from service.sweeper import sweep
from service.wiring import Wiring
from service.worker import make_worker_app
from tests.conftest import TEST_SECRET, TestServers
from tests.service.jobs_program import JOBS

REPOSITORY = Path(service.__file__).parent.parent


@pytest.fixture
def environment(addresses: Addresses, servers: TestServers) -> Iterator[dict[str, str]]:
    """The environment of a worker on this test's database, with an empty broker."""
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushdb()
        yield {
            **os.environ,
            "DATABASE_URL": addresses.app,
            "REDIS_URL": servers.redis_url,
            "HOCPHI_SECRET": TEST_SECRET.hex(),
            "HOCPHI_VAULT_KEY": TEST_SECRET.hex(),
        }
        client.flushdb()


@contextmanager
def running_worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that ends with the block, and whose lifeline the block holds."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.service.jobs_program"],
        cwd=REPOSITORY,
        env={**environment, lifeline.VARIABLE: str(reading)},
        pass_fds=[reading],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(reading)
    try:
        yield process
    finally:
        os.close(writing)
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def add_job(database: Database, seconds: float = 0) -> None:
    with database.transaction(EVERYTHING) as session:
        session.execute(
            text(
                "INSERT INTO jobs (id, kind, once_key, arguments, state, attempts, run_after, last_error, created_at)"
                " VALUES (:id, 'rounds.issue', :key, jsonb_build_object('seconds', cast(:seconds AS float)),"
                " 'queued', 0, :now, '', :now)"
            ),
            {"id": new_id(), "key": str(new_id()), "seconds": seconds, "now": datetime.now(UTC)},
        )


def states(database: Database) -> list[str]:
    with database.transaction(EVERYTHING) as session:
        return list(session.execute(text("SELECT state FROM jobs")).scalars())


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in found]


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return True
    return state.rpartition(")")[2].split()[0] in "ZX"


def test_a_ring_starts_the_job_and_sigterm_ends_the_worker(environment: dict[str, str], database: Database) -> None:
    bell = make_bell(environment["REDIS_URL"])
    with running_worker(environment) as worker:
        add_job(database, seconds=1.5)
        assert bell.ring("billing.issue_rounds")
        wait_for(lambda: states(database) == ["running"])
        worker.terminate()
        assert worker.wait(60) == 0
        assert states(database) == ["done"]  # what runs is finished first
    bell.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_work_of_a_killed_worker_is_done_by_the_sweeper(
    environment: dict[str, str], database: Database, addresses: Addresses, vault: Vault
) -> None:
    bell = make_bell(environment["REDIS_URL"])
    with running_worker(environment) as worker:
        add_job(database, seconds=60)
        bell.ring("billing.issue_rounds")
        wait_for(lambda: states(database) == ["running"])
        pool = children(worker.pid)
        assert len(pool) == 2
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        wait_for(lambda: all(gone(pid) for pid in pool))
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        client.flushdb()  # and the broker forgets as well
    with database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE jobs SET lease_until = run_after"))
    seconds_later = datetime.now(UTC) + timedelta(seconds=25)
    wiring = Wiring(Settings.model_construct(), addresses, "", database, vault, lambda: seconds_later)
    quick = {**JOBS, "billing.issue_rounds": lambda _: _close(database)}
    assert sweep(wiring, quick, bell.ring) == {"billing.issue_rounds": "done"}
    assert states(database) == ["done"]
    bell.close()


def _close(database: Database) -> int:
    with database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE jobs SET state = 'done'"))
    return 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_worker_and_its_pool_end_with_the_program_that_started_them(environment: dict[str, str]) -> None:
    with running_worker(environment) as worker:
        wait_for(lambda: len(children(worker.pid)) == 2)
        pids = [worker.pid, *children(worker.pid)]
    wait_for(lambda: all(gone(pid) for pid in pids))


def test_a_worker_hears_again_after_the_broker_forgot_everything(
    environment: dict[str, str], database: Database
) -> None:
    bell = make_bell(environment["REDIS_URL"])
    with running_worker(environment):
        add_job(database)
        bell("billing.issue_rounds")
        wait_for(lambda: states(database) == ["done"])
        with redis.Redis.from_url(environment["REDIS_URL"]) as client:
            client.flushdb()
        add_job(database)
        bell("billing.issue_rounds")
        wait_for(lambda: states(database) == ["done", "done"])
    bell.close()


def test_the_worker_is_set_up_to_lose_nothing_and_to_stay_quiet() -> None:
    app = make_worker_app("memory://", JOBS, lambda: pytest.fail("no task runs here"))
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_ignore_result
    assert not app.conf.worker_redirect_stdouts
    assert {name for name in app.tasks if not name.startswith("celery.")} == set(TASKS)


def test_an_unknown_task_is_refused_when_the_worker_is_made() -> None:
    with pytest.raises(KeyError, match=r"billing\.forget"):
        make_worker_app("memory://", {"billing.forget": lambda _: 0}, lambda: pytest.fail("not asked"))
    assert celery_app("memory://").conf.task_routes.keys() == set(TASKS)
