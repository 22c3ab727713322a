"""Calculating and issuing rounds: one job row for each round, one transaction for each school, resumable at any point.

An approved round is queued by its approver; a run over many schools (``round_runs.py``) queues one job for each.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from billing.audit.recording import Actor
from billing.errors import Conflict
from billing.rounds.drafting import find_round
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from billing.rounds.tables import BillingRound
from service.jobs.doing import do_one
from service.jobs.tables import Job
from service.wiring import Wiring

KIND = "rounds.issue"
PREVIEW = "rounds.preview"
# What a run may calculate anew; a round that was handed to its approver meanwhile is left alone.
NOT_SUBMITTED = ("draft", "previewed")
MOST_PER_CALL = 200
_NOTHING_ISSUED = "Chưa thông báo nào được phát hành."


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

    def do(session: Session, job: Job) -> bool:
        _do(session, job, wiring)
        return True

    return do_one(wiring, lambda session, now: _lock_next(session, now, run), do, _NOTHING_ISSUED)


def _do(session: Session, job: Job, wiring: Wiring) -> None:
    round_id, now = UUID(job.arguments["round"]), wiring.clock()
    if job.kind == KIND:
        issue_round(session, round_id, now, wiring.reference_key)
    elif find_round(session, round_id).state in NOT_SUBMITTED:
        preview_round(session, round_id, Actor(UUID(job.arguments["user"]), "accountant"), now)


def _lock_next(session: Session, now: datetime, run: str | None) -> Job | None:
    of_run = col(Job.arguments)["run"].astext == run if run else true()
    return session.exec(
        select(Job)
        .where(col(Job.kind).in_((KIND, PREVIEW)), Job.state == "queued", Job.run_after <= now, of_run)
        .order_by(col(Job.created_at), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True),
    ).first()
