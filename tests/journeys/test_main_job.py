"""The main job, from two commands: what it prints, what it leaves, and that no kill changes a đồng of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from openpyxl import load_workbook

from service.embedded import erase
from tests.journeys.playing import Demo, count, is_alive, kill, looking, start, wait_for

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    erase(tmp_path)


def test_the_books_are_right(undisturbed: Demo) -> None:
    together = undisturbed.summary["all"]
    assert together["ledger_sum"] == 0
    assert together["bank_minus_book"] == 0
    assert together["receipts"] > 0
    assert together["allocated"] + together["credit"] == together["receipted"]
    assert "Mọi bất biến của sổ sách đều đúng." in undisturbed.words


def test_everything_that_really_happens_happened(undisturbed: Demo) -> None:
    together = undisturbed.summary["all"]
    assert together["duplicates"] > 0
    assert {"matched", "partial", "overpaid", "credited", "split"} <= set(together["matched_alone_by_outcome"])
    assert len(together["waiting_by_rule"]) >= 3
    assert together["held"] == 1
    assert together["transfers_out"] > 0
    assert together["statement_lines"] > 0


def test_families_got_their_notices_and_receipts(undisturbed: Demo) -> None:
    messages = undisturbed.summary["all"]["messages"]
    assert messages["zalo"]["accepted"] > 0
    assert messages["email"]["accepted"] > 0
    states = {state for by_state in messages.values() for state in by_state}
    assert states <= {"accepted", "superseded"}


def test_every_school_has_its_report(undisturbed: Demo) -> None:
    reports = sorted((undisturbed.state / "demo").glob("doi-soat-*.xlsx"))
    assert len(reports) == 4
    for report in reports:
        book = load_workbook(report, read_only=True)
        assert {"Tổng hợp", "Giao dịch", "Chờ xử lý", "Biên lai", "Chưa nộp"} <= set(book.sheetnames)
        book.close()


def test_nothing_is_left_running(undisturbed: Demo) -> None:
    assert undisturbed.everybody().keys() & {"web", "worker", "sweeper"} == set()


def money(demo: Demo) -> dict[str, Any]:
    """Return the summary without the messages: which of them became unneeded hangs on the moment of sending."""
    figures = demo.summary
    parts = [figures["all"], *figures["schools"].values()]
    for part in parts:
        part.pop("messages")
    return figures


def callbacks_come(demo: Demo, at_least: int) -> None:
    """Wait until the bank has posted some callbacks and not all transfers are settled."""
    with looking(demo) as connection:
        wait_for(lambda: count(connection, "inbox") >= at_least, f"{at_least} callbacks")


def flush(demo: Demo) -> None:
    redis.Redis.from_url(demo.environment_of("worker")["REDIS_URL"]).flushall()


def killing(name: str) -> Callable[[Demo], None]:
    def fault(demo: Demo) -> None:
        pid = demo.server(name) if name in {"postgres", "valkey"} else demo.child(name)
        assert pid is not None
        kill(pid)

    return fault


FAULTS = {
    "worker": killing("worker"),
    "web": killing("web"),
    "valkey": killing("valkey"),
    "sweeper": killing("sweeper"),
    "postgres": killing("postgres"),
    "flushall": flush,
}


@pytest.mark.proof
def test_after_kills_and_a_flush_the_summary_is_the_same(undisturbed: Demo, state: Path) -> None:
    demo = start(state)
    callbacks_come(demo, 60)
    for name in ("worker", "web", "valkey", "flushall"):
        FAULTS[name](demo)
    callbacks_come(demo, 420)  # the second act
    everybody = demo.everybody()
    assert {"web", "worker", "sweeper", "postgres", "valkey", "guard"} <= everybody.keys()
    kill(demo.process.pid)
    demo.process.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in everybody.values()), "the end of every program", 30)
    again = start(state)
    assert again.finish() == 0, again.words
    assert money(again) == money(undisturbed)


@pytest.mark.proof
@pytest.mark.parametrize("at_least", [20, 200, 420])
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_after_one_fault_the_summary_is_the_same(undisturbed: Demo, state: Path, name: str, at_least: int) -> None:
    demo = start(state)
    callbacks_come(demo, at_least)
    FAULTS[name](demo)
    assert demo.finish() == 0, demo.words
    assert money(demo) == money(undisturbed)


@pytest.mark.proof
@pytest.mark.parametrize("at_least", [0, 20, 200, 340, 420, 500])
def test_after_the_demo_itself_was_killed_the_summary_is_the_same(
    undisturbed: Demo, state: Path, at_least: int
) -> None:
    demo = start(state)
    callbacks_come(demo, at_least)
    everybody = demo.everybody()
    kill(demo.process.pid)
    demo.process.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in everybody.values()), "the end of every program", 30)
    again = start(state)
    assert again.finish() == 0, again.words
    assert money(again) == money(undisturbed)
