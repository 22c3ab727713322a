"""Doing a job row once: in one transaction with its work, refused in words, or put off ever longer after a fault."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing.errors import HocphiError
from service.database import NOTHING, Scope, use_scope
from service.jobs.tables import Job
from service.wiring import Wiring

_log = logging.getLogger(__name__)

# How long a job waits after each fault of ours or of the database; after the last one a person is asked.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 5 * 60, 15 * 60, 60 * 60))


def do_one(
    wiring: Wiring,
    lock: Callable[[Session, datetime], Job | None],
    do: Callable[[Session, Job], bool],
    nothing_happened: str,
) -> int | None:
    """Do one job: 1 when some of it was done, 0 when it was refused or put off, None when there is no job.

    ``lock`` hands out a free job's row, locked; ``do`` works within the job's school and says whether the job is done
    with that. Both run in one transaction: whoever is killed leaves nothing behind, and the next one finds the job as
    it was. What our rules refuse is written on the job for a person to read. ``nothing_happened``: the sentence with
    which an office is told that a fault left nothing half done.
    """
    job_id: UUID | None = None  # kept apart: a rollback empties the row object
    try:
        with wiring.database.transaction(NOTHING) as session:
            job = lock(session, wiring.clock())
            if job is None:
                return None
            job_id = job.id
            use_scope(session, Scope.of(_school_of(job)))
            if do(session, job):
                finish(session, job_id, "done", wiring.clock())
    except HocphiError as refusal:
        with wiring.database.transaction(NOTHING) as session:
            finish(session, job_id, "failed", wiring.clock(), refusal.message)
        return 0
    except Exception as fault:
        if job_id is None:
            raise
        # A mistake in one job must not keep all other schools waiting, so it is written down and not raised.
        # Where it happened, and not the error's own text: a database repeats whole rows in it.
        where = "".join(traceback.format_tb(fault.__traceback__))
        _log.error("a job failed, %s: %s\n%s", job_id, type(fault).__name__, where)
        with wiring.database.transaction(NOTHING) as session:
            _put_off(session, job_id, wiring.clock(), type(fault).__name__, nothing_happened)
        return 0
    return 1


def finish(session: Session, job_id: UUID | None, state: str, now: datetime, error: str = "") -> None:
    """Write how a job ended: ``done``, or ``failed`` with the reason in Vietnamese."""
    session.execute(
        update(Job)
        .where(col(Job.id) == job_id)
        .values(state=state, attempts=col(Job.attempts) + 1, last_error=error, done_at=now)
    )


def _school_of(job: Job) -> UUID:
    if job.school_id is None:
        raise ValueError(f"job {job.id} names no school")
    return job.school_id


def _put_off(session: Session, job_id: UUID, now: datetime, fault: str, nothing_happened: str) -> None:
    """Let a job wait longer after each fault; after the last pause mark it failed. The sentence is for the office."""
    job = session.exec(select(Job).where(Job.id == job_id, Job.state == "queued").with_for_update()).one_or_none()
    if job is None:
        return  # somebody else was faster and finished it
    if job.attempts >= len(PAUSES):
        sentence = (
            f"Lỗi kỹ thuật ({fault}) sau {job.attempts + 1} lần thử; máy không tự thử nữa. "
            f"{nothing_happened} Bấm “Thử lại”; nếu vẫn lỗi, báo quản trị hệ thống tên lỗi này."
        )
        finish(session, job_id, "failed", now, sentence)
        return
    pause = PAUSES[job.attempts]
    job.attempts += 1
    job.run_after = now + pause
    job.last_error = (
        f"Lỗi kỹ thuật ({fault}) ở lần thử {job.attempts}. {nothing_happened.removesuffix('.')}; "
        f"máy tự thử lại sau {_in_words(pause)}."
    )
    session.add(job)


def _in_words(pause: timedelta) -> str:
    seconds = int(pause.total_seconds())
    return f"{seconds} giây" if seconds < 60 else f"{seconds // 60} phút"  # noqa: PLR2004  a minute
