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

from service.jobs.finding import waiting_since
from service.jobs.queues import TASKS
from service.wiring import Wiring

_log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
FRESH = timedelta(seconds=2)  # its bell has just been rung
LATE = timedelta(seconds=20)

Jobs = Mapping[str, Callable[[Wiring], int]]


def sweep(wiring: Wiring, jobs: Jobs, ring: Callable[[str], bool]) -> dict[str, str]:
    """Look once for work of every task; returns what was done about it: "rung", "done" or "failed"."""
    acts: dict[str, str] = {}
    for task in TASKS:
        age = waiting_since(wiring, task)
        if age is None or age < FRESH:
            continue
        if age < LATE and ring(task):
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
    while not ended.wait(EVERY_SECONDS):
        try:
            sweep(wiring, jobs, ring)
        except SQLAlchemyError as error:
            _log.warning("the database is away: %s", error)
