"""The sweeper against a real database: what it leaves, rings for, and does itself."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from billing.audit.recording import SYSTEM, Deed, record_deed
from billing.events.recording import record_event
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.tables import Feed
from service import sweeper
from service.database import EVERYTHING, Database
from service.jobs import sealing
from service.jobs.finding import _WAITING, Backlog, waiting
from service.jobs.queues import TASKS
from service.preparing import Addresses
from service.settings import Settings
from service.sweeper import run_sweeper, sweep
from service.wiring import Wiring
from tests.factories.schools import make_account, make_school
from tests.service.jobs_program import JOBS


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def wiring(database: Database, addresses: Addresses, vault: Vault, clock: Clock) -> Wiring:
    settings = Settings.model_construct()
    return Wiring(settings, addresses, "redis://127.0.0.1:1/0", database, vault, clock)


class Ring:
    """Notes who was rung for; hears or not."""

    def __init__(self, *, hears: bool) -> None:
        self.hears = hears
        self.rung: list[str] = []

    def __call__(self, task: str) -> bool:
        self.rung.append(task)
        return self.hears


def add_job(wiring: Wiring, **changes: object) -> None:
    row = {"id": new_id(), "key": str(new_id()), "now": wiring.clock(), "state": "queued", "lease": None, **changes}
    with wiring.database.transaction(EVERYTHING) as session:
        session.execute(
            text(
                "INSERT INTO jobs (id, kind, once_key, arguments, state, attempts, run_after, lease_until, last_error,"
                " created_at) VALUES (:id, 'rounds.issue', :key, '{}', :state, 0, :now, :lease, '', :now)"
            ),
            row,
        )


def open_jobs(wiring: Wiring) -> int:
    with wiring.database.transaction(EVERYTHING) as session:
        return int(session.execute(text("SELECT count(*) FROM jobs WHERE state <> 'done'")).scalar_one())


def test_every_task_can_be_looked_for(wiring: Wiring) -> None:
    assert set(_WAITING) == set(TASKS)
    assert [waiting(wiring, task) for task in TASKS] == [None] * len(TASKS)


def test_unsealed_deeds_and_entries_unplanned_events_and_unread_messages_are_found(
    wiring: Wiring, clock: Clock
) -> None:
    began = clock.now
    with wiring.database.transaction(EVERYTHING) as session:
        school = make_school(session)
        account = make_account(session, school)
        record_deed(session, SYSTEM, Deed(school.id, "test", "school", str(school.id)), began)
        record_event(session, school.id, "bill_issued", new_id(), began + timedelta(seconds=1))
        feed = Feed(
            school_id=school.id,
            bank_account_id=account.id,
            provider="sepay",
            scheme="hmac",
            path_hash=b"0" * 32,
            opened_at=began,
        )
        session.add(feed)
        session.flush()
        message = {"feed": feed.id, "body": b"x", "digest": b"1" * 32, "at": began + timedelta(seconds=2)}
        session.execute(
            text(
                "INSERT INTO inbox (feed_id, digest, body_sealed, headers, received_at)"
                " VALUES (:feed, :digest, :body, '{}', :at)"
            ),
            message,
        )
    clock.now = began + timedelta(seconds=10)
    found = {task: work.age.total_seconds() for task in TASKS if (work := waiting(wiring, task))}
    assert found == {"ledger.seal": 10, "notifications.plan": 9, "reconciliation.normalise": 8}
    assert sealing.seal(wiring) == 1
    assert waiting(wiring, "ledger.seal") is None


def test_fresh_work_is_left_to_its_bell(wiring: Wiring, clock: Clock) -> None:
    add_job(wiring)
    clock.now += timedelta(seconds=1)
    ring = Ring(hears=True)
    assert sweep(wiring, JOBS, ring) == {}
    assert ring.rung == []
    assert open_jobs(wiring) == 1


def test_forgotten_work_is_rung_for_and_left_to_the_worker(wiring: Wiring, clock: Clock) -> None:
    add_job(wiring)
    clock.now += timedelta(seconds=5)
    ring = Ring(hears=True)
    assert sweep(wiring, JOBS, ring) == {"billing.issue_rounds": "rung"}
    assert ring.rung == ["billing.issue_rounds"]
    assert open_jobs(wiring) == 1


@pytest.mark.parametrize(("age", "hears"), [(5, False), (21, True), (21, False)])
def test_unheard_or_late_work_is_done_here(wiring: Wiring, clock: Clock, age: int, *, hears: bool) -> None:
    add_job(wiring)
    add_job(wiring, state="running", lease=clock.now + timedelta(seconds=1))  # its worker died, the lease ends
    clock.now += timedelta(seconds=age)
    assert sweep(wiring, JOBS, Ring(hears=hears)) == {"billing.issue_rounds": "done"}
    assert open_jobs(wiring) == 0
    assert sweep(wiring, JOBS, Ring(hears=hears)) == {}


def test_a_long_backlog_that_workers_get_through_is_left_to_them(wiring: Wiring, clock: Clock) -> None:
    for _ in range(3):
        add_job(wiring)
    clock.now += timedelta(seconds=40)
    ring = Ring(hears=True)
    seen = {"billing.issue_rounds": Backlog(clock.now - timedelta(seconds=40), timedelta(seconds=35), rows=4)}
    assert sweep(wiring, JOBS, ring, seen) == {"billing.issue_rounds": "rung"}  # one row less: somebody works
    assert seen["billing.issue_rounds"].rows == 3
    assert sweep(wiring, JOBS, Ring(hears=False), dict(seen)) == {"billing.issue_rounds": "done"}
    assert open_jobs(wiring) == 0


def test_a_backlog_that_stands_still_is_done_here(wiring: Wiring, clock: Clock) -> None:
    add_job(wiring)
    seen: dict[str, Backlog] = {}
    clock.now += timedelta(seconds=18)
    assert sweep(wiring, JOBS, Ring(hears=True), seen) == {"billing.issue_rounds": "rung"}
    clock.now += timedelta(seconds=5)
    assert sweep(wiring, JOBS, Ring(hears=True), seen) == {"billing.issue_rounds": "done"}
    assert sweep(wiring, JOBS, Ring(hears=True), seen) == {}
    assert seen == {}


def test_leased_and_later_work_is_not_touched(wiring: Wiring, clock: Clock) -> None:
    add_job(wiring, state="running", lease=clock.now + timedelta(minutes=5))
    add_job(wiring, now=clock.now + timedelta(minutes=5))
    clock.now += timedelta(seconds=60)
    assert sweep(wiring, JOBS, Ring(hears=False)) == {}


def test_a_failing_job_does_not_keep_the_others_waiting(
    wiring: Wiring, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Wiring) -> int:
        raise ZeroDivisionError

    add_job(wiring)
    clock.now += timedelta(seconds=30)
    late = Backlog(clock.now - timedelta(seconds=30), timedelta(seconds=30), rows=1)
    busy = {"reconciliation.normalise", "billing.issue_rounds"}
    monkeypatch.setattr(sweeper, "waiting", lambda _, task: late if task in busy else None)
    acts = sweep(wiring, {**JOBS, "reconciliation.normalise": fail}, Ring(hears=False))
    assert acts == {"reconciliation.normalise": "failed", "billing.issue_rounds": "done"}
    assert open_jobs(wiring) == 0


def test_it_goes_on_until_told_to_end(wiring: Wiring, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "EVERY_SECONDS", 0.01)
    add_job(wiring)
    clock.now += timedelta(seconds=30)
    ended = threading.Event()
    jobs: dict[str, Callable[[Wiring], int]] = {**JOBS}

    def close_and_end(given: Wiring) -> int:
        ended.set()
        return JOBS["billing.issue_rounds"](given)

    jobs["billing.issue_rounds"] = close_and_end
    run_sweeper(wiring, jobs, Ring(hears=False), ended)
    assert open_jobs(wiring) == 0


def test_a_database_that_is_away_is_waited_for(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "EVERY_SECONDS", 0.01)
    ended = threading.Event()
    sweeps = []

    def fail(*_: object) -> None:
        sweeps.append(1)
        if len(sweeps) == 3:
            ended.set()
        raise OperationalError("SELECT 1", {}, ConnectionError("gone"))

    monkeypatch.setattr(sweeper, "sweep", fail)
    run_sweeper(wiring, JOBS, Ring(hears=False), ended)
    assert len(sweeps) == 3
