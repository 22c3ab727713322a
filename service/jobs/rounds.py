"""Calculating and issuing rounds: one job row for each round, one transaction for each school, resumable at any point.

An approved round is queued by its approver; a run over many schools (``round_runs.py``) queues one job for each.
"""

from __future__ import annotations

import logging
import traceback
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from billing.audit.recording import Actor
from billing.errors import Conflict, HocphiError
from billing.rounds.drafting import find_round
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from billing.rounds.tables import BillingRound
from service.database import NOTHING, Scope, use_scope
from service.jobs.tables import Job
from service.wiring import Wiring

_log = logging.getLogger(__name__)

KIND = "rounds.issue"
PREVIEW = "rounds.preview"
# What a run may calculate anew; a round that was handed to its approver meanwhile is left alone.
NOT_SUBMITTED = ("draft", "previewed")
# How long a round waits after each fault of ours or of the database; after the last one a person is asked.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 5 * 60, 15 * 60, 60 * 60))
MOST_PER_CALL = 200


def ask_to_issue(session: Session, billing_round: BillingRound, now: datetime) -> None:
    """Queue the issue of a round; asking again is harmless, and after a failed try it is tried anew and at once."""
    key = _key(billing_round.id)
    session.execute(
        insert(Job)
        .values(
            kind=KIND,
            once_key=key,
            school_id=billing_round.school_id,
            arguments={"round": str(billing_round.id)},
            run_after=now,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    session.execute(
        update(Job)
        .where(col(Job.once_key) == key, col(Job.state).in_(("queued", "failed")), col(Job.last_error) != "")
        .values(state="queued", run_after=now, last_error="", attempts=0)
    )


def ask_again(session: Session, billing_round: BillingRound, now: datetime) -> None:
    """Ask once more for the bills of an approved round; raises ``Conflict`` when nothing went wrong with it."""
    if billing_round.state != "approved" or not trouble_of(session, billing_round.id):
        raise Conflict("Đợt thu này không có lỗi phát hành để thử lại. Xin mở lại trang đợt thu.")
    ask_to_issue(session, billing_round, now)


def trouble_of(session: Session, round_id: UUID) -> str:
    """Return in Vietnamese why an approved round is not issued yet, empty if nothing went wrong."""
    found = session.exec(select(Job.last_error).where(Job.once_key == _key(round_id), Job.state != "done")).first()
    return found or ""


def _key(round_id: UUID) -> str:
    return f"{KIND}:{round_id}"


def issue(wiring: Wiring) -> int:
    """Do what is queued, round by round, and return how many rounds were issued or calculated.

    A round and its job end in one transaction, and the job's row is locked while it runs: whoever is killed leaves
    nothing behind, and the next one finds the job as it was. What our rules refuse is written on the job for a
    person to read. Any other fault is logged and puts its own job off, ever longer and at last for good; the other
    rounds go on.
    """
    done = 0
    for _ in range(MOST_PER_CALL):
        outcome = do_next(wiring)
        if outcome is None:
            break
        done += outcome
    if done:
        wiring.ring("notifications.plan")
        wiring.ring("ledger.seal")
    return done


def do_next(wiring: Wiring, run: str | None = None) -> int | None:
    """Do the oldest free job (of a run): 1 when done, 0 when refused or put off, None when there is no job."""
    job_id: UUID | None = None  # kept apart: a rollback empties the row object
    try:
        with wiring.database.transaction(NOTHING) as session:
            job = _lock_next(session, wiring.clock(), run)
            if job is None:
                return None
            job_id = job.id
            use_scope(session, Scope.of(_school_of(job)))
            _do(session, job, wiring)
            _finish(session, job_id, "done", wiring.clock())
    except HocphiError as refusal:
        with wiring.database.transaction(NOTHING) as session:
            _finish(session, job_id, "failed", wiring.clock(), refusal.message)
        return 0
    except Exception as fault:
        if job_id is None:
            raise
        # A mistake in one round must not keep all other schools waiting, so it is written down and not raised.
        # Where it happened, and not the error's own text: a database repeats whole rows in it.
        where = "".join(traceback.format_tb(fault.__traceback__))
        _log.error("a round failed, job %s: %s\n%s", job_id, type(fault).__name__, where)
        with wiring.database.transaction(NOTHING) as session:
            _put_off(session, job_id, wiring.clock(), type(fault).__name__)
        return 0
    return 1


def _do(session: Session, job: Job, wiring: Wiring) -> None:
    round_id, now = UUID(job.arguments["round"]), wiring.clock()
    if job.kind == KIND:
        issue_round(session, round_id, now, wiring.reference_key)
    elif find_round(session, round_id).state in NOT_SUBMITTED:
        preview_round(session, round_id, Actor(UUID(job.arguments["user"]), "accountant"), now)


def _school_of(job: Job) -> UUID:
    if job.school_id is None:
        raise ValueError(f"job {job.id} names no school")
    return job.school_id


def _lock_next(session: Session, now: datetime, run: str | None) -> Job | None:
    of_run = col(Job.arguments)["run"].astext == run if run else true()
    return session.exec(
        select(Job)
        .where(col(Job.kind).in_((KIND, PREVIEW)), Job.state == "queued", Job.run_after <= now, of_run)
        .order_by(col(Job.created_at), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True),
    ).first()


def _finish(session: Session, job_id: UUID | None, state: str, now: datetime, error: str = "") -> None:
    session.execute(
        update(Job)
        .where(col(Job.id) == job_id)
        .values(state=state, attempts=col(Job.attempts) + 1, last_error=error, done_at=now)
    )


def _put_off(session: Session, job_id: UUID, now: datetime, fault: str) -> None:
    """Let a job wait longer after each fault; after the last pause mark it failed. The sentence is for the office."""
    job = session.exec(select(Job).where(Job.id == job_id, Job.state == "queued").with_for_update()).one_or_none()
    if job is None:
        return  # somebody else was faster and finished it
    if job.attempts >= len(PAUSES):
        sentence = (
            f"Lỗi kỹ thuật ({fault}) sau {job.attempts + 1} lần thử; máy không tự thử nữa. "
            "Chưa thông báo nào được phát hành. Bấm “Thử lại”; nếu vẫn lỗi, báo quản trị hệ thống tên lỗi này."
        )
        _finish(session, job_id, "failed", now, sentence)
        return
    pause = PAUSES[job.attempts]
    job.attempts += 1
    job.run_after = now + pause
    job.last_error = (
        f"Lỗi kỹ thuật ({fault}) ở lần thử {job.attempts}. Chưa thông báo nào được phát hành; "
        f"máy tự thử lại sau {_in_words(pause)}."
    )
    session.add(job)


def _in_words(pause: timedelta) -> str:
    seconds = int(pause.total_seconds())
    return f"{seconds} giây" if seconds < 60 else f"{seconds // 60} phút"  # noqa: PLR2004  a minute
