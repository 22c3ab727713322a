"""Printing the slips of whole rounds: one piece (a class) is one transaction, and at most one piece is in memory.

A print and its job are locked while a piece is made, so two workers make the pieces of two prints, never of one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from service.database import EVERYTHING
from service.jobs.doing import do_one
from service.jobs.tables import Job
from service.papers.class_slips import Press
from service.papers.round_prints import KIND, make_next_piece, wipe_expired
from service.wiring import Wiring

TASK = "billing.print_slips"
# So that a school of eighty classes does not keep a worker from the others' prints for minutes.
MOST_PER_CALL = 20
_NOTHING_OFFERED = "Chưa có tệp nào để tải."


def print_slips(wiring: Wiring) -> int:
    """Make what is missing, piece by piece, take away what has expired, and return how many of both."""
    with wiring.database.transaction(EVERYTHING) as session:
        done = wipe_expired(session, wiring.clock())
    for _ in range(MOST_PER_CALL):
        outcome = make_next(wiring)
        if outcome is None:
            return done
        done += outcome
    wiring.ring(TASK)
    return done


def make_next(wiring: Wiring) -> int | None:
    """Make one piece: 1 when made, 0 when refused or put off, None when nothing is asked for."""

    def do(session: Session, job: Job) -> bool:
        press = Press(wiring.settings.base_url, wiring.link_key, wiring.clock())
        ready = make_next_piece(session, UUID(job.arguments["print"]), press, wiring.vault)
        job.attempts, job.last_error = 0, ""  # what went wrong before has gone right now
        session.add(job)
        session.flush()
        return ready

    return do_one(wiring, _lock_next, do, _NOTHING_OFFERED)


def _lock_next(session: Session, now: datetime) -> Job | None:
    return session.exec(
        select(Job)
        .where(Job.kind == KIND, Job.state == "queued", Job.run_after <= now)
        .order_by(col(Job.created_at), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True),
    ).first()
