"""A process of its own that issues a round and is killed with signal 9 right after one of its steps.

Arguments: database address, school, round, moment (ISO), step.
"""

import os
import signal
import sys
from datetime import datetime
from uuid import UUID

from billing.rounds import issuing
from billing.rounds.issuing import issue_round
from service.database import Database, Scope, make_engine
from tests.factories.rounds import REFERENCE_KEY


def main(url: str, school: str, round_id: str, moment: str, step: str) -> None:
    """Issue, and die in the middle of it."""
    whole = getattr(issuing, step)

    def dies(*arguments: object, **details: object) -> None:
        whole(*arguments, **details)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(issuing, step, dies)
    database = Database(make_engine(url))
    with database.transaction(Scope.of(UUID(school))) as session:
        issue_round(session, UUID(round_id), datetime.fromisoformat(moment), REFERENCE_KEY)


if __name__ == "__main__":
    main(*sys.argv[1:])
