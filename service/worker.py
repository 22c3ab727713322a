"""The worker: Celery processes that do a job when its bell rings."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Callable, Mapping

from celery import Celery, signals
from celery.exceptions import SecurityWarning

from service.collecting import settle
from service.jobs.queues import celery_app, queue_of
from service.lifeline import end_with_parent
from service.wiring import Wiring

_log = logging.getLogger(__name__)

Jobs = Mapping[str, Callable[[Wiring], int]]


class ProcessWiring:
    """One wiring for each process, made at its first task: connections must not be shared over a fork."""

    def __init__(self, make: Callable[[], Wiring]) -> None:
        self._make = make
        self._made: tuple[int, Wiring] | None = None

    def get(self) -> Wiring:
        """Return this process's wiring."""
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), self._make())
        return self._made[1]


def make_worker_app(redis_url: str, jobs: Jobs, make_wiring: Callable[[], Wiring]) -> Celery:
    """Return the Celery application that does the jobs; each task runs one job function once."""
    app = celery_app(redis_url)
    wiring = ProcessWiring(make_wiring)
    for name, job in jobs.items():
        queue_of(name)  # an unknown name is a mistake to be seen at the start
        app.task(_task(name, job, wiring), name=name)
    return app


def _task(name: str, job: Callable[[Wiring], int], wiring: ProcessWiring) -> Callable[[], None]:
    def run() -> None:
        done = job(wiring.get())
        if done:
            _log.info("%s: %d", name, done)

    return run


def _leaving_with(main: int) -> Callable[..., None]:
    """Return what ends a pool process with its main process, also after ``kill -9`` of that."""

    def leave(**_: object) -> None:
        end_with_parent(signal.SIGKILL)
        if os.getppid() != main:  # it was gone before the kernel had been asked
            os.kill(os.getpid(), signal.SIGKILL)

    return leave


def run_worker(app: Celery, *, processes: int = 2) -> int:
    """Work until SIGTERM; returns the exit code. Running jobs are finished first."""
    # Celery warns of root because of pickle, which is not accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    settle()
    signals.worker_process_init.connect(_leaving_with(os.getpid()), weak=False)
    worker = app.Worker(
        pool="prefork",
        concurrency=processes,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
