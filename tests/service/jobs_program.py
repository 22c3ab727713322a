"""A worker of its own for tests that kill it: its only job closes rows of ``jobs``, slowly if the row says so."""

import sys
import time

from sqlalchemy import text

from service import lifeline
from service.database import EVERYTHING
from service.jobs.queues import TASKS
from service.running import make_program_wiring
from service.settings import read_settings
from service.wiring import Wiring
from service.worker import make_worker_app, run_worker

CLAIM = text(
    "UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE kind = 'rounds.issue' AND state <> 'done' "
    "RETURNING id, coalesce((arguments ->> 'seconds')::float, 0) AS seconds"
)


def close_jobs(wiring: Wiring) -> int:
    """Close all open rows, each after its time; the attempt is counted at once."""
    with wiring.database.transaction(EVERYTHING) as session:
        claimed = session.execute(CLAIM).all()
    for row in claimed:
        time.sleep(row.seconds)
        with wiring.database.transaction(EVERYTHING) as session:
            session.execute(text("UPDATE jobs SET state = 'done' WHERE id = :id"), {"id": row.id})
    return len(claimed)


def do_nothing(wiring: Wiring) -> int:
    """Find no work."""
    del wiring
    return 0


JOBS = {task: close_jobs if task == "billing.issue_rounds" else do_nothing for task in TASKS}


def main() -> int:
    """Run the worker."""
    lifeline.hold()
    settings = read_settings()
    app = make_worker_app(str(settings.redis_url), JOBS, lambda: make_program_wiring(settings))
    return run_worker(app, processes=2)


if __name__ == "__main__":
    sys.exit(main())
