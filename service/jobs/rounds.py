"""Issuing approved rounds: one job row for each round, one transaction for each school, resumable at any point."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, or_, select, update

from billing.errors import HocphiError
from billing.rounds.issuing import issue_round
from billing.rounds.tables import BillingRound
from service.database import EVERYTHING, Scope
from service.jobs.tables import Job
from service.wiring import Wiring

KIND = "rounds.issue"
LEASE = timedelta(minutes=5)
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

    A round whose turn was lost (its worker died) is taken up when its lease is over. What our rules refuse is
    written on the job for a person to read; anything else is raised, and the job comes back after its lease.
    """
    done = 0
    for _ in range(MOST_PER_CALL):
        job = _claim(wiring)
        if job is None:
            break
        done += _run(wiring, job)
    if done:
        wiring.ring("notifications.plan")
    return done


def _claim(wiring: Wiring) -> Job | None:
    now = wiring.clock()
    with wiring.database.transaction(EVERYTHING) as session:
        job = session.exec(
            select(Job)
            .where(
                Job.kind == KIND,
                Job.run_after <= now,
                or_(
                    Job.state == "queued",
                    (col(Job.state) == "running") & (col(Job.lease_until) < now),
                ),
            )
            .order_by(col(Job.created_at), col(Job.id))
            .limit(1)
            .with_for_update(skip_locked=True),
        ).first()
        if job is None:
            return None
        job.state, job.attempts, job.lease_until = "running", job.attempts + 1, now + LEASE
        session.add(job)
        return job


def _run(wiring: Wiring, job: Job) -> int:
    if job.school_id is None:
        raise ValueError(f"job {job.id} names no school")
    round_id = UUID(job.arguments["round"])
    try:
        with wiring.database.transaction(Scope.of(job.school_id)) as session:
            issue_round(session, round_id, wiring.clock(), wiring.reference_key)
            _finish(session, job, "done", wiring.clock())
    except HocphiError as refusal:
        with wiring.database.transaction(Scope.of(job.school_id)) as session:
            _finish(session, job, "failed", wiring.clock(), refusal.message)
        return 0
    return 1


def _finish(session: Session, job: Job, state: str, now: datetime, error: str = "") -> None:
    session.execute(
        update(Job).where(col(Job.id) == job.id).values(state=state, last_error=error, done_at=now, lease_until=None)
    )
