"""Queued rounds are issued once, whoever runs them, and a refusal is there to be read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, func, select

from billing.bills.tables import Bill
from billing.fees.charges import Charge
from billing.money import Money
from billing.people.tables import Enrolment
from billing.rounds.drafting import find_round
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.jobs import doing, rounds
from service.jobs.doing import PAUSES
from service.jobs.finding import waiting
from service.jobs.tables import Job
from service.preparing import Addresses
from service.settings import Settings
from service.wiring import Wiring
from tests.factories.rounds import BillingSchool, approved_round, make_billing_school

SOMEBODY = "Nguyễn Thị Bí Mật"


@dataclass
class Works:
    """Two schools, each with an approved round, and the wiring of a worker."""

    wiring: Wiring
    schools: list[BillingSchool]
    rounds: list[UUID]
    rung: list[str] = field(default_factory=list)
    later: timedelta = timedelta(0)

    @contextmanager
    def everything(self) -> Iterator[Session]:
        with self.wiring.database.transaction(EVERYTHING) as session:
            yield session

    def ask(self, number: int) -> None:
        with self.everything() as session:
            rounds.ask_to_issue(session, find_round(session, self.rounds[number]), self.wiring.clock())

    def job(self) -> Job:
        with self.everything() as session:
            return session.exec(select(Job)).one()

    def bills(self) -> int:
        with self.everything() as session:
            return session.exec(select(func.count()).select_from(Bill)).one()


@pytest.fixture
def works(database: Database, addresses: Addresses, vault: Vault, now: datetime) -> Works:
    settings = Settings.model_construct(secret=SecretStr(bytes(range(32)).hex()))
    with database.transaction(EVERYTHING) as session:
        schools = [make_billing_school(session, vault) for _ in range(2)]
        made = [approved_round(session, school, now) for school in schools]
    rung: list[str] = []
    works: Works
    wiring = Wiring(settings, addresses, "", database, vault, lambda: now + works.later, rung.append)
    works = Works(wiring, schools, made, rung)
    return works


def test_what_is_asked_for_is_issued_families_are_told_and_books_sealed_next(works: Works) -> None:
    works.ask(0)
    works.ask(1)
    assert rounds.issue(works.wiring) == 2
    assert works.bills() == 6
    assert works.rung == ["notifications.plan", "ledger.seal"]
    with works.everything() as session:
        assert {job.state for job in session.exec(select(Job)).all()} == {"done"}
        assert {find_round(session, each).state for each in works.rounds} == {"issued"}


def test_nothing_to_do_rings_no_bell(works: Works) -> None:
    assert rounds.issue(works.wiring) == 0
    assert works.rung == []


def test_asking_twice_and_running_twice_is_once(works: Works) -> None:
    works.ask(0)
    works.ask(0)
    assert rounds.issue(works.wiring) == 1
    works.ask(0)
    assert rounds.issue(works.wiring) == 0
    assert works.bills() == 3
    assert works.job().attempts == 1


def test_two_workers_share_the_work(works: Works) -> None:
    works.ask(0)
    works.ask(1)
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(rounds.issue, [works.wiring] * 2)) == 2
    assert works.bills() == 6


def test_a_refusal_stands_on_the_job_and_the_others_go_on(works: Works) -> None:
    with works.everything() as session:
        enrolment = session.get_one(Enrolment, works.schools[0].pupils[0].enrolment.id)
        enrolment.ended_on = enrolment.started_on
        session.add(enrolment)
    works.ask(0)
    works.ask(1)
    assert rounds.issue(works.wiring) == 1
    assert works.bills() == 3
    with works.everything() as session:
        refused = session.exec(select(Job).where(Job.state == "failed")).one()
        assert "xem trước và trình duyệt lại" in refused.last_error
        assert find_round(session, works.rounds[0]).state == "approved"


def test_after_a_refusal_it_can_be_asked_for_again(works: Works, now: datetime) -> None:
    with works.everything() as session:
        school = works.schools[0]
        preview_round(session, works.rounds[0], school.accountant, now)
    works.ask(0)
    assert rounds.issue(works.wiring) == 0
    with works.everything() as session:
        works.rounds[0] = approved_round(session, works.schools[0], now, code="2025-10b")
    works.ask(0)
    assert rounds.issue(works.wiring) == 1


def test_a_worker_killed_in_the_middle_leaves_the_job_for_the_next(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    works.ask(0)
    with monkeypatch.context() as patch:
        patch.setattr(doing, "finish", _killed)
        with pytest.raises(KeyboardInterrupt):
            rounds.issue(works.wiring)
    assert (works.bills(), works.job().state) == (0, "queued")
    assert rounds.issue(works.wiring) == 1
    assert works.bills() == 3


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_database_fault_puts_the_job_off_and_is_heard(
    works: Works, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    works.ask(0)
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "issue_round", _fault)
        assert rounds.issue(works.wiring) == 0
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "OperationalError" in said
    assert "in _fault" in said, "the place is written down"
    assert SOMEBODY not in caplog.text, "the error's own text may hold a row, and is not"
    assert works.job().state == "queued"
    assert "Lỗi kỹ thuật (OperationalError) ở lần thử 1" in works.job().last_error
    assert "tự thử lại sau 30 giây" in works.job().last_error
    assert rounds.issue(works.wiring) == 0
    works.later = PAUSES[0]
    assert rounds.issue(works.wiring) == 1
    assert (works.job().state, works.job().last_error) == ("done", "")


def test_a_round_with_a_programming_error_keeps_no_other_waiting(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    works.ask(0)
    works.ask(1)

    def stumbles(session: Session, round_id: UUID, *more: Any) -> object:  # noqa: ANN401  as the real one
        if round_id == works.rounds[0]:
            raise KeyError("BANTRU")
        return issue_round(session, round_id, *more)

    monkeypatch.setattr(rounds, "issue_round", stumbles)
    assert rounds.issue(works.wiring) == 1
    with works.everything() as session:
        assert [find_round(session, each).state for each in works.rounds] == ["approved", "issued"]
    assert waiting(works.wiring, "billing.issue_rounds") is None, "the sweeper leaves it in peace for now"


def test_after_some_tries_ever_further_apart_a_person_is_asked(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    works.ask(0)
    tries: list[timedelta] = []

    def stumbles(*_: object) -> None:
        tries.append(works.later)
        raise KeyError("BANTRU")

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "issue_round", stumbles)
        for _ in range(24 * 12):
            rounds.issue(works.wiring)
            works.later += timedelta(minutes=5)
    waits = [after - before for before, after in pairwise(tries)]
    assert len(tries) == len(PAUSES) + 1
    assert waits == sorted(waits)
    assert waits[-1] >= timedelta(hours=1)
    assert (works.job().state, works.job().attempts) == ("failed", len(tries))
    assert f"Lỗi kỹ thuật (KeyError) sau {len(tries)} lần thử" in works.job().last_error
    assert "Thử lại" in works.job().last_error

    works.ask(0)
    assert (works.job().state, works.job().attempts, works.job().last_error) == ("queued", 0, "")
    assert rounds.issue(works.wiring) == 1


def test_asking_again_does_not_wait_for_the_pause(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    works.ask(0)
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "issue_round", _fault)
        rounds.issue(works.wiring)
    assert rounds.issue(works.wiring) == 0
    works.ask(0)
    assert rounds.issue(works.wiring) == 1


def _fault(*_: object) -> Charge:
    raise OperationalError("SELECT 1", {}, Exception(f"Failing row contains ({SOMEBODY})"))


def test_bills_are_those_of_the_preview(works: Works) -> None:
    works.ask(0)
    rounds.issue(works.wiring)
    with works.everything() as session:
        due = session.exec(select(col(Bill.family_due))).all()
        assert due == [Money(167_950)] * 3
        assert find_round(session, works.rounds[0]).family_total == Money(3 * 167_950)
