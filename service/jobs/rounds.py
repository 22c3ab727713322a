"""Issuing approved rounds: one job row for each round, one transaction for each school, resumable at any point."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select, update

from billing.errors import HocphiError
from billing.rounds.issuing import issue_round
from billing.rounds.tables import BillingRound
from service.database import NOTHING, Scope, use_scope
from service.jobs.tables import Job
from service.wiring import Wiring

KIND = "rounds.issue"
PAUSE = timedelta(seconds=30)
MOST_PER_CALL = 200


def ask_to_issue(session: Session, billing_round: BillingRound, now: datetime) -> None:
    """Queue the issue of a round; asking again is harmless, and after a failed try it queues it anew."""
    key = f"{KIND}:{billing_round.id}"
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
        .where(col(Job.once_key) == key, col(Job.state) == "failed")
        .values(state="queued", run_after=now, last_error="")
    )


def issue(wiring: Wiring) -> int:
    """Issue what is queued, round by round, and return how many rounds were issued.

    A round and its job end in one transaction, and the job's row is locked while it runs: whoever is killed leaves
    nothing behind, and the next one finds the job as it was. What our rules refuse is written on the job for a
    person to read; a database error puts the job off a little and is raised.
    """
    done = 0
    for _ in range(MOST_PER_CALL):
        outcome = _issue_next(wiring)
        if outcome is None:
            break
        done += outcome
    if done:
        wiring.ring("notifications.plan")
    return done


def _issue_next(wiring: Wiring) -> int | None:
    """Issue the oldest free job's round: 1 when issued, 0 when refused, None when there is no job."""
    job_id: UUID | None = None  # kept apart: a rollback empties the row object
    try:
        with wiring.database.transaction(NOTHING) as session:
            job = _lock_next(session, wiring.clock())
            if job is None:
                return None
            job_id = job.id
            if job.school_id is None:
                raise ValueError(f"job {job_id} names no school")
            use_scope(session, Scope.of(job.school_id))
            issue_round(session, UUID(job.arguments["round"]), wiring.clock(), wiring.reference_key)
            _finish(session, job_id, "done", wiring.clock())
    except HocphiError as refusal:
        with wiring.database.transaction(NOTHING) as session:
            _finish(session, job_id, "failed", wiring.clock(), refusal.message)
        return 0
    except SQLAlchemyError as fault:
        if job_id is not None:
            with wiring.database.transaction(NOTHING) as session:
                _put_off(session, job_id, wiring.clock(), type(fault).__name__)
        raise
    return 1


def _lock_next(session: Session, now: datetime) -> Job | None:
    return session.exec(
        select(Job)
        .where(Job.kind == KIND, Job.state == "queued", Job.run_after <= now)
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


def _put_off(session: Session, job_id: UUID, now: datetime, error: str) -> None:
    session.execute(
        update(Job)
        .where(col(Job.id) == job_id)
        .values(attempts=col(Job.attempts) + 1, last_error=error, run_after=now + PAUSE)
    )
