"""Two people change one round at the same moment: one after the other, and each looks at what the other left."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import psycopg
import pytest
from sqlmodel import Session

from billing.errors import Conflict
from billing.rounds.approving import approve_round, submit_round, withdraw_round
from billing.rounds.drafting import draft_round, find_round
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from service.database import Database, libpq_url
from tests.billing.rounds.makers import as_school
from tests.billing.rounds.test_approving import plan
from tests.factories.rounds import REFERENCE_KEY, BillingSchool, register

Deed = Callable[[Session], object]
_PATIENCE_SECONDS = 120.0
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def submitted(database: Database, billing: BillingSchool, now: datetime) -> tuple[UUID, str]:
    """Return a round that waits for its approver, and the digest of what the approver was shown."""
    with as_school(database, billing) as session:
        made = draft_round(session, billing.accountant, plan(billing), now)
        digest = preview_round(session, made.id, billing.accountant, now).digest
        submit_round(session, made.id, billing.accountant, now)
        return made.id, digest


def meet(database: Database, billing: BillingSchool, first: Deed, second: Deed) -> Future[object]:
    """Do the second deed while the first is done but not yet committed; return what became of the second."""

    def do_second() -> object:
        with as_school(database, billing) as session:
            return second(session)

    with ThreadPoolExecutor(1) as pool:
        with as_school(database, billing) as session:
            first(session)
            later = pool.submit(do_second)
            wait_until_it_waits(database, later)
        later.exception(_PATIENCE_SECONDS)
    return later


def wait_until_it_waits(database: Database, later: Future[object]) -> None:
    """Wait until the database holds the second deed back."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    url = libpq_url(database.engine.url.render_as_string(hide_password=False))
    with psycopg.connect(url, autocommit=True) as looking:
        while looking.execute(_WAITING).fetchone() == (0,):
            assert not later.done(), "it did not wait"
            assert time.monotonic() < deadline, "it never came so far"
            time.sleep(0.02)


def test_what_is_calculated_anew_meanwhile_is_not_what_was_approved(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    round_id, digest = submitted(database, billing, now)

    def calculate_anew(session: Session) -> None:
        register(session, billing.pupils[1], "BANTRU", "TIENAN")
        preview_round(session, round_id, billing.accountant, now)
        submit_round(session, round_id, billing.accountant, now)

    later = meet(
        database,
        billing,
        calculate_anew,
        lambda session: approve_round(session, round_id, billing.approver, now, confirm=True, shown=digest),
    )
    with pytest.raises(Conflict, match="tính lại sau khi mở trang"):
        later.result()
    with as_school(database, billing) as session:
        assert (find_round(session, round_id).state, find_round(session, round_id).approved_by) == ("submitted", None)


def test_an_approval_falls_away_when_it_is_calculated_anew_right_behind_it(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    round_id, digest = submitted(database, billing, now)
    later = meet(
        database,
        billing,
        lambda session: approve_round(session, round_id, billing.approver, now, confirm=True, shown=digest),
        lambda session: preview_round(session, round_id, billing.accountant, now),
    )
    assert later.exception() is None
    with as_school(database, billing) as session:
        assert (find_round(session, round_id).state, find_round(session, round_id).approved_by) == ("previewed", None)


def test_who_withdraws_while_the_bills_are_issued_is_told_so(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    round_id, _ = submitted(database, billing, now)
    with as_school(database, billing) as session:
        approve_round(session, round_id, billing.approver, now, confirm=True)
    later = meet(
        database,
        billing,
        lambda session: issue_round(session, round_id, now, REFERENCE_KEY),
        lambda session: withdraw_round(session, round_id, billing.accountant, now, "Nhầm tháng"),
    )
    with pytest.raises(Conflict, match="đã phát hành, không thể hủy"):
        later.result()


def test_who_issues_while_it_is_withdrawn_issues_nothing(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    round_id, _ = submitted(database, billing, now)
    with as_school(database, billing) as session:
        approve_round(session, round_id, billing.approver, now, confirm=True)
    later = meet(
        database,
        billing,
        lambda session: withdraw_round(session, round_id, billing.accountant, now, "Nhầm tháng"),
        lambda session: issue_round(session, round_id, now, REFERENCE_KEY),
    )
    with pytest.raises(Conflict, match="chưa được duyệt"):
        later.result()
