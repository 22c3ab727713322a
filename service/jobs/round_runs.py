"""A run over many schools: one job for each school's round, worked off by whoever asks and by the workers alike.

A run has a name. It can be stopped at any moment and taken up again under its name: what is done stays done, the
round that was in hand was never half done. Two processes may work off one run; they share its jobs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlmodel import Session

from billing.rounds.tables import ISSUED_STATES
from service.database import NOTHING
from service.jobs.rounds import KIND, NOT_SUBMITTED, PREVIEW, do_next
from service.wiring import Wiring

Act = Literal["preview", "issue"]
KIND_OF: dict[Act, str] = {"preview": PREVIEW, "issue": KIND}
# Issued rounds are asked for again, so that a run that is taken up counts them as done.
_STATES: dict[Act, tuple[str, ...]] = {"preview": NOT_SUBMITTED, "issue": ("approved", *ISSUED_STATES)}
LONGEST_NAME = 50

_ASK = text("""
    INSERT INTO jobs (id, kind, once_key, school_id, arguments, state, attempts, run_after, last_error, created_at)
    SELECT gen_random_uuid(), CAST(:kind AS text), format('%s:%s:%s', CAST(:kind AS text), r.id, CAST(:run AS text)),
           r.school_id, jsonb_build_object('round', r.id, 'run', CAST(:run AS text), 'user', CAST(:user AS text)),
           'queued', 0, CAST(:now AS timestamptz), '', CAST(:now AS timestamptz)
    FROM billing_rounds r
    WHERE r.code = :period AND r.state IN :states AND r.school_id IN :schools
    ON CONFLICT (once_key) DO NOTHING
""").bindparams(bindparam("states", expanding=True), bindparam("schools", expanding=True))
_PROGRESS = text("""
    SELECT count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'),
           count(*) FILTER (WHERE state = 'queued' AND run_after > :now),
           count(*) FILTER (WHERE state = 'queued' AND run_after <= :now)
    FROM jobs WHERE arguments ->> 'run' = :run
""")
_TROUBLES = text("""
    SELECT school_id, last_error FROM jobs
    WHERE arguments ->> 'run' = :run AND state <> 'done' AND last_error <> '' ORDER BY created_at, id LIMIT :most
""")
_UNFINISHED = text("""
    SELECT arguments ->> 'run' FROM jobs WHERE kind = :kind AND state = 'queued' AND arguments ->> 'run' LIKE :like
    ORDER BY created_at DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: rounds done, refused for good, put off for a later try, and still to do."""

    done: int
    failed: int
    put_off: int
    ready: int

    @property
    def left(self) -> int:
        """How many are not finished."""
        return self.put_off + self.ready

    @property
    def total(self) -> int:
        """All rounds of the run."""
        return self.done + self.failed + self.left


def ask_run(  # noqa: PLR0913  what, for whom, by whom
    session: Session, act: Act, period: str, run: str, schools: Collection[UUID], *, user_id: UUID | None, now: datetime
) -> None:
    """Queue one job for each round with this code at these schools; asking again under the same name is harmless.

    ``user_id``: who answers for a calculation. The transaction's scope must hold the schools.
    """
    if not 0 < len(run) <= LONGEST_NAME:
        raise ValueError(f"a run's name has 1 to {LONGEST_NAME} characters")
    session.execute(
        _ASK,
        {
            "kind": KIND_OF[act],
            "run": run,
            "period": period,
            "user": str(user_id) if user_id else None,
            "states": list(_STATES[act]),
            "schools": list(schools),
            "now": now,
        },
    )


def unfinished_run(session: Session, act: Act, period: str) -> str | None:
    """Return the newest run of this act and period that is not finished; runs are named by ``new_name``."""
    like = f"{act} {period} %"
    return session.execute(_UNFINISHED, {"kind": KIND_OF[act], "like": like}).scalar_one_or_none()


def new_name(act: Act, period: str, now: datetime) -> str:
    """Return the name of a new run, such as ``issue 2025-10 20251006-080000``."""
    return f"{act} {period} {now:%Y%m%d-%H%M%S}"


def progress(session: Session, run: str, now: datetime) -> Progress:
    """Return how far a run is."""
    done, failed, put_off, ready = session.execute(_PROGRESS, {"run": run, "now": now}).one()
    return Progress(done, failed, put_off, ready)


def troubles(session: Session, run: str, most: int = 100) -> list[tuple[UUID, str]]:
    """Return schools of a run whose round is not done, with the reason in words."""
    rows = session.execute(_TROUBLES, {"run": run, "most": most}).all()
    return [(school_id, reason) for school_id, reason in rows]


def work_off(wiring: Wiring, run: str) -> Iterator[Progress]:
    """Work a run off, one school after the other, and yield how far it is after each.

    Ends when nothing is ready: all is done, or what is left is put off or in another worker's hands. At any moment
    one school's round is in memory.
    """
    yield how_far(wiring, run)
    while do_next(wiring, run) is not None:
        yield how_far(wiring, run)


def how_far(wiring: Wiring, run: str) -> Progress:
    """Return how far a run is, in a transaction of its own."""
    with wiring.database.transaction(NOTHING) as session:
        return progress(session, run, wiring.clock())
