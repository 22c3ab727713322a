"""The sweeper: every few seconds it looks in the database for work that nobody has done.

Young work gets another ring. Where ringing fails, or work has waited for long, the sweeper does the job itself: a
killed worker or a lost broker then costs half a minute and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from service.jobs.finding import Backlog, waiting
from service.jobs.queues import TASKS
from service.wiring import Wiring

_log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
FRESH = timedelta(seconds=2)  # its bell has just been rung
LATE = timedelta(seconds=20)

Jobs = Mapping[str, Callable[[Wiring], int]]


def sweep(
    wiring: Wiring, jobs: Jobs, ring: Callable[[str], bool], seen: dict[str, Backlog] | None = None
) -> dict[str, str]:
    """Look once for work of every task; returns what was done about it: "rung", "done" or "failed".

    ``seen`` is what the last look saw and is brought up to date: a long backlog that workers are getting through is
    theirs, however old its rows are.
    """
    acts: dict[str, str] = {}
    seen = {} if seen is None else seen
    for task in TASKS:
        before, found = seen.pop(task, None), waiting(wiring, task)
        if found is None or found.age < FRESH:
            continue
        seen[task] = found
        if (found.age < LATE or found.moved_on_from(before)) and ring(task):
            acts[task] = "rung"
        else:
            acts[task] = _do(wiring, task, jobs[task])
    return acts


def _do(wiring: Wiring, task: str, job: Callable[[Wiring], int]) -> str:
    """Do a job here. One that fails must not keep the others waiting, so it is written down and tried again."""
    try:
        done = job(wiring)
    except Exception:  # noqa: BLE001  whatever it was, it is logged and tried again
        _log.exception("%s failed in the sweeper", task)
        return "failed"
    _log.info("%s: %d, done by the sweeper", task, done)
    return "done"


def run_sweeper(wiring: Wiring, jobs: Jobs, ring: Callable[[str], bool], ended: threading.Event) -> None:
    """Sweep until told to end. A database that is away is waited for."""
    seen: dict[str, Backlog] = {}
    while not ended.wait(EVERY_SECONDS):
        try:
            sweep(wiring, jobs, ring, seen)
        except SQLAlchemyError as error:
            _log.warning("the database is away: %s", error)
