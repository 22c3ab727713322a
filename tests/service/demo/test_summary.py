"""Tests of the bank's stage, of waiting for quiet and of the summary: small schools, a real door, a torn connection."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from billing.vault import Vault
from reconciliation.feeds.sepay import HMAC
from reconciliation.feeds.stand_in import Door as Address
from reconciliation.feeds.stand_in import Postman
from reconciliation.tables import StatementFile
from service.database import EVERYTHING, Database
from service.demo import bank_stage, billing_stage
from service.demo.bank_stage import NotTakenError, play_october, play_september
from service.demo.moving_in import move_in
from service.demo.payments import OCTOBER, SEPTEMBER
from service.demo.quiet import StillBusyError, left_to_do, wait_until_quiet, wait_until_settled
from service.demo.roll_stage import tick_september
from service.demo.schools import PRESCHOOL, PRIMARY, PRIVATE, UPPER_SECONDARY, DemoSchool
from service.demo.stage import Stage, feed_addresses
from service.demo.summary import as_json, print_summary, summarise
from service.door import Door
from service.jobs import notifying, reconciling, rounds, sealing
from service.preparing import Addresses
from service.settings import Settings
from service.wiring import Wiring
from tests.conftest import SCHOOL_DAY
from tests.factories.serving import serving

SIZE = 14
USUAL_SHARE = bank_stage.COMES_AGAIN
LARGE_SHARE = 0.5


def small(school: DemoSchool) -> DemoSchool:
    return replace(school, classes=(replace(school.classes[0], size=SIZE),))


SCHOOLS = tuple(small(school) for school in (PRIMARY, PRESCHOOL, UPPER_SECONDARY, PRIVATE))


@pytest.fixture
def stage(database: Database, addresses: Addresses, vault: Vault, tmp_path: Path) -> Iterator[Stage]:
    """A stage whose bells are answered at once, in this process; the door rings no bell."""
    settings = Settings(state=tmp_path, _env_file=None)  # type: ignore[call-arg]  # pydantic's own
    workers = Wiring(settings, addresses, "", database, vault, lambda: SCHOOL_DAY)

    def ring(task: str) -> None:
        if task == "billing.issue_rounds":
            rounds.issue(workers)
        if task == "reconciliation.settle":
            reconciling.normalise(workers)
            reconciling.settle(workers)

    with serving(Door(workers)) as url:
        wiring = replace(workers, ring=ring)
        yield Stage(wiring, url, tmp_path, SCHOOLS, feed_addresses(settings, SCHOOLS, url))


def bill_september(stage: Stage) -> None:
    move_in(stage)
    billing_stage.bill_month(stage, billing_stage.SEPTEMBER)


def finish(stage: Stage) -> None:
    """Do what the workers do when nobody plays any more."""
    notifying.plan(stage.wiring)
    sealing.seal(stage.wiring)
    wait_until_quiet(stage.wiring, 5)


def test_from_the_first_bill_to_the_summary_with_a_torn_connection(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill_september(stage)
    torn = threading.Event()
    deliver = Postman.deliver

    def deliver_or_tear(self: Postman, movement_id: int, body: bytes, door: Address) -> object:
        if not torn.is_set() and movement_id % 11 == 0:
            torn.set()
            raise ConnectionError("the demo was killed here")
        return deliver(self, movement_id, body, door)

    monkeypatch.setattr(Postman, "deliver", deliver_or_tear)
    with pytest.raises(ConnectionError):
        play_september(stage)
    assert torn.is_set()
    play_september(stage)
    billing_stage.bill_month(stage, billing_stage.OCTOBER)
    tick_september(stage)
    monkeypatch.setattr(bank_stage, "COMES_AGAIN", LARGE_SHARE)
    play_october(stage)
    finish(stage)

    summary = summarise(stage.wiring)
    figures = summary.all.numbers
    callbacks, anew = told_anew_of_both(stage, monkeypatch)
    assert (figures["callbacks"], figures["duplicates"]) == (callbacks, anew)
    assert anew > 0
    assert (figures["ledger_sum"], figures["bank_minus_book"], figures["unreadable"]) == (0, 0, 0)
    assert figures["pupils"] == SIZE * len(SCHOOLS)
    assert figures["held"] == 1
    assert [each.count("absences") > 0 for each in summary.schools] == [True] * len(SCHOOLS)
    assert figures["receipted"] == figures["allocated"] + figures["credit"]
    assert figures["money_in"] == figures["receipted"] + figures["waiting_amount"] + figures["held_amount"]
    assert figures["transfers_in"] == summary.all.matched_alone + figures["waiting"] + figures["held"]
    assert set(summary.all.alone) == {"matched", "partial", "overpaid", "credited", "split"}
    waiting = {"nothing_found", "corrected_reference", "several_references", "another_school"}
    assert set(summary.all.waiting_for) == waiting
    assert sum(summary.all.waiting_for.values()) == figures["waiting"]

    played_again(stage, json.dumps(as_json(summary)))


def told_anew_of_both(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Count September's callbacks with the usual share that comes again, October's with the share of this test."""
    total_callbacks, total_anew = 0, 0
    for month, so_far, share in ((SEPTEMBER, (SEPTEMBER,), USUAL_SHARE), (OCTOBER, (SEPTEMBER, OCTOBER), LARGE_SHARE)):
        monkeypatch.setattr(bank_stage, "COMES_AGAIN", share)
        letters = list(bank_stage._callbacks(stage, month, bank_stage._bank(stage, so_far)[0]))
        bodies = {(letter.door.url, letter.body) for letter in letters}
        total_callbacks += len(bodies)
        total_anew += len(bodies) - len({letter.movement_id for letter in letters})
    return total_callbacks, total_anew


def played_again(stage: Stage, before: str) -> None:
    """Play both months once more, as a restarted demo does: nothing changes, no statement is read twice."""
    tick_september(stage)
    play_october(stage)
    finish(stage)

    assert json.dumps(as_json(summarise(stage.wiring))) == before
    with stage.wiring.database.transaction(EVERYTHING) as session:
        assert len(session.exec(select(StatementFile)).all()) == len((SEPTEMBER, OCTOBER))


def test_what_is_printed(stage: Stage) -> None:
    bill_september(stage)
    play_september(stage)
    finish(stage)
    paper = io.StringIO()
    summary = summarise(stage.wiring)
    print_summary(summary, paper)
    lines = paper.getvalue().splitlines()

    billed = str(summary.all.money("billed"))
    assert any(line.startswith("Thông báo thu, số phải nộp") and line.endswith(billed) for line in lines)
    assert any(line.startswith("Chênh lệch ngân hàng và sổ") and line.endswith(" 0 đ") for line in lines)
    table = lines[: lines.index("")]
    assert [line.split("  ")[0] for line in table] == [
        "Trường",
        *(school.name for school in SCHOOLS),
        table[-2],
        "Tất cả",
    ]
    assert len({len(line) for line in table}) == 1


def test_work_that_is_left_is_named(stage: Stage) -> None:
    bill_september(stage)
    heard: list[object] = []

    with pytest.raises(StillBusyError, match="sự kiện chưa lập tin báo: ") as busy:
        wait_until_quiet(stage.wiring, 0, heard.append)
    assert heard == [busy.value.left] == [left_to_do(stage.wiring)]
    wait_until_settled(stage.wiring, 0)


ADDRESS = Address("http://bank.invalid/callbacks/x", HMAC, "bí mật")


def postman(*answers: int) -> Postman:
    """Return a postman whose door gives these answers, and the last one for ever."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        del request
        status = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(status, json={"success": status < 300})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    return Postman(client, lambda: SCHOOL_DAY, time.sleep, minute_seconds=0)


def test_a_callback_is_posted_until_it_is_taken() -> None:
    bank_stage._deliver(postman(*[503] * 20, 200), bank_stage._Letter(1, b"{}", ADDRESS))


def test_a_callback_that_is_never_taken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_stage, "PATIENCE_SECONDS", 0.05)

    with pytest.raises(NotTakenError, match="giao dịch 92704"):
        bank_stage._deliver(postman(503), bank_stage._Letter(92_704, b"{}", ADDRESS))
