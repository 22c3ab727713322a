"""A province's run: one job for each school, stopped and taken up again, shared by workers, each school for itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlmodel import Session, col, func, select

from billing.bills.tables import Bill
from billing.people.tables import Enrolment
from billing.rounds.approving import submit_round
from billing.rounds.drafting import RoundPlan, draft_round, find_round
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from billing.rounds.tables import BillingRound
from billing.vault import Vault
from service.__main__ import main
from service.access.tables import User
from service.commands import rounds as door
from service.database import EVERYTHING, Database
from service.jobs import rounds
from service.jobs.round_runs import Progress, ask_run, how_far, new_name, troubles, unfinished_run, work_off
from service.jobs.tables import Job
from service.preparing import Addresses
from service.settings import Settings, read_settings
from service.wiring import Wiring
from tests.factories.fees import OCTOBER, weekdays
from tests.factories.rounds import BillingSchool, approved_round, make_billing_school
from tests.factories.schools import SCHOOL_YEAR

PERIOD = "2025-10"


@dataclass
class Province:
    """Five schools, each with a round of the same code."""

    wiring: Wiring
    schools: list[BillingSchool]
    later: timedelta = timedelta(0)

    @contextmanager
    def everything(self) -> Iterator[Session]:
        with self.wiring.database.transaction(EVERYTHING) as session:
            yield session

    def ask(self, name: str = "r", act: Any = "issue", user: UUID | None = None) -> None:  # noqa: ANN401  one of two words
        ids = [school.id for school in self.schools]
        with self.everything() as session:
            ask_run(session, act, PERIOD, name, ids, user_id=user, now=self.wiring.clock())

    def states(self) -> list[str]:
        with self.everything() as session:
            return sorted(session.exec(select(BillingRound.state)).all())

    def bills(self) -> int:
        with self.everything() as session:
            return session.exec(select(func.count()).select_from(Bill)).one()


@pytest.fixture
def province(database: Database, addresses: Addresses, vault: Vault, now: datetime) -> Province:
    settings = Settings.model_construct(secret=SecretStr(bytes(range(32)).hex()))
    with database.transaction(EVERYTHING) as session:
        schools = [make_billing_school(session, vault, pupils=2) for _ in range(5)]
    province: Province
    wiring = Wiring(settings, addresses, "", database, vault, lambda: now + province.later)
    province = Province(wiring, schools)
    return province


def approve_all(province: Province, now: datetime) -> None:
    with province.everything() as session:
        for school in province.schools:
            approved_round(session, school, now)


def draft_all(province: Province, now: datetime) -> None:
    with province.everything() as session:
        for school in province.schools:
            days = OCTOBER
            plan = RoundPlan(school.id, SCHOOL_YEAR, PERIOD, "Tháng 10", days, weekdays(days), days.start)
            draft_round(session, school.accountant, plan, now)


def test_every_school_is_issued_and_the_run_says_how_far_it_is(province: Province, now: datetime) -> None:
    approve_all(province, now)
    province.ask()
    steps = list(work_off(province.wiring, "r"))
    assert [step.done for step in steps] == [0, 1, 2, 3, 4, 5]
    assert steps[-1] == Progress(done=5, failed=0, put_off=0, ready=0)
    assert province.states() == ["issued"] * 5
    assert province.bills() == 10


def test_a_run_that_was_stopped_is_taken_up_where_it_was(
    province: Province, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve_all(province, now)
    province.ask()
    whole = issue_round
    calls = 0

    def stopped(*arguments: Any) -> object:  # noqa: ANN401  as the real one
        nonlocal calls
        calls += 1
        made = whole(*arguments)
        if calls == 3:
            raise KeyboardInterrupt  # after everything was written, before it is kept
        return made

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "issue_round", stopped)
        with pytest.raises(KeyboardInterrupt):
            list(work_off(province.wiring, "r"))
    assert province.bills() == 4
    with province.everything() as session:
        assert unfinished_run(session, "issue", PERIOD) is None  # "r" is no name of ours
    province.ask()  # again, under its name
    assert how_far(province.wiring, "r") == Progress(2, 0, 0, 3)
    assert list(work_off(province.wiring, "r"))[-1] == Progress(5, 0, 0, 0)
    assert province.bills() == 10


def test_two_who_work_off_one_run_share_it(province: Province, now: datetime) -> None:
    approve_all(province, now)
    province.ask()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: list(work_off(province.wiring, "r")), range(2)))
    assert how_far(province.wiring, "r") == Progress(5, 0, 0, 0)
    assert province.bills() == 10


def test_one_refused_school_keeps_no_other_waiting(province: Province, now: datetime) -> None:
    approve_all(province, now)
    with province.everything() as session:
        enrolment = session.get_one(Enrolment, province.schools[2].pupils[0].enrolment.id)
        enrolment.ended_on = enrolment.started_on
        session.add(enrolment)
    province.ask()
    assert list(work_off(province.wiring, "r"))[-1] == Progress(4, 1, 0, 0)
    with province.everything() as session:
        ((school, reason),) = troubles(session, "r")
    assert school == province.schools[2].id
    assert "xem trước và trình duyệt lại" in reason


def test_a_fault_is_put_off_and_comes_again_later(
    province: Province, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve_all(province, now)
    province.ask()
    whole = issue_round
    with monkeypatch.context() as patch:
        broken = province.schools[0].id

        def stumbles(session: Session, round_id: UUID, *more: Any) -> object:  # noqa: ANN401  as the real one
            if find_round(session, round_id).school_id == broken:
                raise ZeroDivisionError
            return whole(session, round_id, *more)

        patch.setattr(rounds, "issue_round", stumbles)
        assert list(work_off(province.wiring, "r"))[-1] == Progress(4, 0, 1, 0)
    province.later = timedelta(minutes=1)
    assert list(work_off(province.wiring, "r"))[-1] == Progress(5, 0, 0, 0)


def test_a_run_calculates_in_the_name_of_a_person_and_leaves_submitted_rounds_alone(
    province: Province, now: datetime
) -> None:
    draft_all(province, now)
    accountant = province.schools[0].accountant
    with province.everything() as session:
        handed_in = session.exec(select(BillingRound).where(BillingRound.school_id == province.schools[4].id)).one()
        preview_round(session, handed_in.id, province.schools[4].accountant, now)
    province.ask(act="preview", user=accountant.user_id)
    with province.everything() as session:
        submit_round(session, handed_in.id, province.schools[4].accountant, now)
    assert list(work_off(province.wiring, "r"))[-1] == Progress(5, 0, 0, 0)
    assert province.states() == ["previewed"] * 4 + ["submitted"]
    with province.everything() as session:
        made_by = session.exec(select(col(BillingRound.made_by)).where(BillingRound.state == "previewed")).all()
    assert set(made_by) == {accountant.user_id}


def test_the_workers_do_a_runs_jobs_too(province: Province, now: datetime) -> None:
    draft_all(province, now)
    province.ask(act="preview", user=province.schools[0].accountant.user_id)
    assert rounds.issue(province.wiring) == 5
    assert how_far(province.wiring, "r").done == 5


def test_a_name_is_asked_for(province: Province) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        province.ask(name="")


class Bystander:
    """Stands in for the wiring that the door opens for itself."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    def __enter__(self) -> Wiring:
        return self.wiring

    def __exit__(self, *_: object) -> None:
        """Leave the test's wiring open."""


@pytest.fixture
def command(province: Province, monkeypatch: pytest.MonkeyPatch) -> Province:
    monkeypatch.setattr(door, "open_wiring", lambda *_, **__: Bystander(province.wiring))
    monkeypatch.setattr(door, "read_settings", read_settings)
    return province


def test_the_door_issues_all_schools(command: Province, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    approve_all(command, now)
    assert main(["rounds", "run", "--period", PERIOD]) == 0
    told = capsys.readouterr()
    assert told.out == "xong 5, từ chối 0, chờ thử lại 0\n"
    assert "5/5" in told.err
    assert command.bills() == 10
    assert main(["rounds", "run", "--period", PERIOD]) == 0  # again: nothing changes
    assert command.bills() == 10


def test_the_door_takes_up_an_unfinished_run_and_names_who_was_refused(
    command: Province, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    approve_all(command, now)
    with command.everything() as session:
        enrolment = session.get_one(Enrolment, command.schools[1].pupils[0].enrolment.id)
        enrolment.ended_on = enrolment.started_on
        session.add(enrolment)
    name = new_name("issue", PERIOD, now)
    command.ask(name)
    assert main(["rounds", "run", "--period", PERIOD]) == 1
    told = capsys.readouterr()
    assert name in told.err
    assert told.out.startswith("xong 4, từ chối 1, chờ thử lại 0\n")
    assert f"{command.schools[1].school.code} {command.schools[1].school.name}: Dữ liệu đã đổi" in told.out
    with command.everything() as session:
        assert session.exec(select(func.count()).select_from(Job)).one() == 5


def test_the_door_calculates_only_where_its_user_is_accountant(
    command: Province, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    draft_all(command, now)
    with command.everything() as session:
        login = session.get_one(User, command.schools[0].accountant.user_id).login
    call = ["rounds", "run", "--period", PERIOD, "--do", "preview"]
    assert main(call) == 2
    assert main([*call, "--as", "nobody"]) == 2
    assert main([*call, "--as", login, "--school", command.schools[1].school.code]) == 2
    assert "không phải kế toán ở đó" in capsys.readouterr().err
    assert main([*call, "--as", login]) == 0
    assert command.states() == ["draft"] * 4 + ["previewed"]


@pytest.mark.usefixtures("command")
def test_the_door_says_when_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rounds", "run", "--period", "1999-01"]) == 1
    assert "Không có đợt thu 1999-01 nào đang chờ phát hành" in capsys.readouterr().err
    assert main(["rounds", "run", "--period", PERIOD, "--school", "KHONGCO"]) == 2
