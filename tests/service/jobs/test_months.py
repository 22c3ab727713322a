"""Prepaid months close by themselves when they are over: once, in order, each as income of its own month."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.contracts import closing
from billing.contracts.prepaid import prepaid_lines
from billing.contracts.releasing import release_month
from billing.contracts.tables import IncomeClosing, IncomeRelease
from billing.ledger.tables import JournalEntry
from billing.money import Money
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.jobs import months
from service.jobs.finding import waiting
from service.jobs.tasks import JOBS
from service.preparing import Addresses
from service.settings import Settings
from service.sweeper import sweep
from service.wiring import Wiring
from tests.billing.contracts.contract_world import PrivateSchool, make_private_school
from tests.conftest import TestServers
from tests.factories.closing import shut
from tests.service.pages.worlds import Moving
from tests.standing import standing

EACH = Money(2_250_000)  # a month, ten of a hundred off since the year was paid ahead
TASK = "billing.close_months"


def midnight(year: int, month: int, day: int) -> datetime:
    """Return the first moment of a day in Viet Nam."""
    return datetime(year, month, day, tzinfo=UTC) - timedelta(hours=7)


@pytest.fixture
@standing
def school(database: Database, vault: Vault) -> PrivateSchool:
    """A child that paid the year ahead, billed in August."""
    made = make_private_school(database, vault)
    with made.open() as session:
        made.yearly_child(session)
    return made


@pytest.fixture
def wiring(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Wiring:
    return Wiring(Settings.model_construct(), addresses, servers.redis_url, database, vault, Moving(), lambda _: None)


def at(wiring: Wiring, now: datetime) -> None:
    assert isinstance(wiring.clock, Moving)
    wiring.clock.now = now


def released(session: Session) -> list[tuple[date, Money, date]]:
    rows = session.exec(
        select(col(IncomeRelease.month), col(IncomeRelease.amount), col(JournalEntry.value_date))
        .join(JournalEntry, col(JournalEntry.id) == col(IncomeRelease.entry_id))
        .order_by(col(IncomeRelease.id))
    ).all()
    return list(rows)


def test_a_month_is_closed_when_it_is_over_and_only_once(school: PrivateSchool, wiring: Wiring) -> None:
    at(wiring, midnight(2025, 10, 1) - timedelta(seconds=1))
    assert (waiting(wiring, TASK), months.close_months(wiring)) == (None, 0)
    at(wiring, midnight(2025, 10, 1) + timedelta(minutes=5))
    found = waiting(wiring, TASK)
    assert found is not None
    assert (found.since, found.rows) == (midnight(2025, 10, 1), 1)
    assert (months.close_months(wiring), months.close_months(wiring)) == (1, 0)
    assert waiting(wiring, TASK) is None
    with school.open() as session:
        assert released(session) == [(date(2025, 9, 1), EACH, date(2025, 9, 30))], "it is September's income"
        (row,) = session.exec(select(IncomeClosing)).all()
        assert (row.month, row.lines, row.amount) == (date(2025, 9, 1), 1, EACH)


def test_after_a_long_silence_each_month_bears_its_own_and_the_year_is_whole(
    school: PrivateSchool, wiring: Wiring
) -> None:
    with school.open() as session:
        release_month(session, school.id, date(2025, 11, 1), school.billing.accountant, midnight(2025, 11, 20))
    at(wiring, midnight(2026, 6, 2))
    assert sweep(wiring, JOBS, lambda _: False)[TASK] == "done", "no worker: the sweeper does it itself"
    with school.open() as session:
        (line,) = prepaid_lines(session, school.id)
        assert (line.released, line.deferred) == (9 * EACH, Money(0))
        by_hand, *by_job = released(session)
        assert by_hand == (date(2025, 11, 1), 3 * EACH, date(2025, 11, 20)), "as whoever did it by hand wrote it"
        ends = [date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
        assert [(amount, day) for _, amount, day in by_job] == [(EACH, day) for day in (*ends, date(2026, 5, 31))]
        rows = session.exec(select(col(IncomeClosing.month)).order_by(col(IncomeClosing.month))).all()
        assert list(rows) == sorted({*rows}), "each once"
        assert [rows[0], rows[-1]] == [date(2025, 9, 1), date(2026, 5, 1)]
        assert len(rows) == 9, "also those with nothing left to release"


def test_income_of_a_month_whose_book_is_closed_stands_in_the_open_one(school: PrivateSchool, wiring: Wiring) -> None:
    with school.open() as session:
        shut(session, school.id, date(2025, 9, 1), midnight(2025, 10, 1) + timedelta(minutes=1))
    at(wiring, midnight(2025, 10, 1) + timedelta(minutes=5))
    assert months.close_months(wiring) == 1
    with school.open() as session:
        assert released(session) == [(date(2025, 9, 1), EACH, date(2025, 10, 1))]
        entries = session.exec(select(JournalEntry).where(JournalEntry.kind == "income_released")).all()
        assert [entry.true_day for entry in entries] == [date(2025, 9, 30)]


def test_two_at_once_close_it_once(school: PrivateSchool, wiring: Wiring) -> None:
    at(wiring, midnight(2025, 12, 1))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: months.close_months(wiring), range(2)))
    assert sum(done) == 3
    with school.open() as session:
        assert [month for month, _, _ in released(session)] == [date(2025, month, 1) for month in (9, 10, 11)]


def test_one_schools_fault_keeps_no_other_waiting_and_is_tried_again(
    school: PrivateSchool, wiring: Wiring, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_private_school(wiring.database, vault)
    close = closing.close_income

    def broken(session: Session, school_id: UUID, month: date, now: datetime) -> Money | None:
        if school_id == other.id:
            raise RuntimeError("planted")
        return close(session, school_id, month, now)

    at(wiring, midnight(2025, 11, 1))
    monkeypatch.setattr(months, "close_income", broken)
    assert months.close_months(wiring) == 2
    monkeypatch.undo()
    assert months.close_months(wiring) == 2, "the other school's months, when it goes again"
    with school.open() as session:
        assert len(session.exec(select(IncomeClosing)).all()) == 2, "and a school sees its own only"


@pytest.mark.usefixtures("school")
def test_a_closed_month_is_never_opened_again(wiring: Wiring) -> None:
    at(wiring, midnight(2025, 10, 1))
    months.close_months(wiring)
    for statement in ("UPDATE income_closings SET lines = 0", "DELETE FROM income_closings"):
        with pytest.raises(DBAPIError, match="permission denied"), wiring.database.transaction(EVERYTHING) as session:
            session.execute(text(statement))
