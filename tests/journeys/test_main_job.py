"""The main job, from two commands: what it prints, what it leaves, and that no kill changes a đồng of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import redis
from openpyxl import load_workbook

from tests.journeys.playing import LONGEST_SECONDS, Demo, count, kill, looking, wait_for

pytestmark = pytest.mark.timeout(2 * LONGEST_SECONDS)


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
    assert messages["zalo"].keys() <= {"accepted", "superseded", "failed"}
    assert messages["zalo"]["failed"] == messages["sms"]["accepted"] > 0, "who has no Zalo got a text instead"
    states = {state for channel in ("sms", "email") for state in messages[channel]}
    assert states <= {"accepted", "superseded"}


def test_every_school_has_its_report(undisturbed: Demo) -> None:
    reports = sorted((undisturbed.state / "demo").glob("doi-soat-*.xlsx"))
    assert len(reports) == 4
    for report in reports:
        book = load_workbook(report, read_only=True)
        assert {"Tổng hợp", "Giao dịch", "Chờ xử lý", "Biên lai", "Chưa nộp"} <= set(book.sheetnames)
        book.close()


def test_nothing_is_left_running(undisturbed: Demo) -> None:
    wait_for(lambda: not undisturbed.everybody(), "the end of every process", 30)


def money(demo: Demo) -> dict[str, Any]:
    """Return the summary without the messages: which of them became unneeded hangs on the moment of sending."""
    figures = demo.summary
    parts = [figures["all"], *figures["schools"].values()]
    for part in parts:
        part.pop("messages")
    return figures


def receipts(demo: Demo) -> dict[str, list[tuple[str, int, str]]]:
    """Return pupil, amount and bank transfer of every receipt, by school; its number hangs on the order of work."""
    found = {}
    for report in (demo.state / "demo").glob("doi-soat-*.xlsx"):
        rows = list(load_workbook(report)["Biên lai"].iter_rows(min_row=2, values_only=True))
        kept = [row for row in rows if isinstance(row[0], int)]
        assert [row[2] for row in kept] == list(range(1, len(kept) + 1))
        found[report.name] = sorted((str(row[5]), int(str(row[6])), str(row[7])) for row in kept)
    return found


def is_the_same(demo: Demo, as_ever: Demo) -> None:
    assert money(demo) == money(as_ever)
    assert receipts(demo) == receipts(as_ever)
    assert sum(map(len, receipts(demo).values())) == demo.summary["all"]["receipts"]


def callbacks_come(demo: Demo, at_least: int) -> None:
    """Wait until the bank has told of some movements; work on them goes on meanwhile."""
    with looking(demo) as connection:
        wait_for(lambda: count(connection, "inbox") >= at_least or demo.has_ended(), f"{at_least} callbacks")
    assert not demo.has_ended()


def flush(demo: Demo) -> None:
    """Empty the broker as soon as it and the worker are there: they may be on their way back from another fault."""

    def is_empty() -> bool:
        with contextlib.suppress(OSError, redis.RedisError):
            address = demo.environment_of("worker").get("REDIS_URL")
            if address is not None:
                with redis.Redis.from_url(address) as client:
                    return bool(client.flushall())
        return False

    wait_for(is_empty, "an empty broker")


def killing(find: Callable[[Demo], int | None]) -> Callable[[Demo], None]:
    def fault(demo: Demo) -> None:
        pid = find(demo)
        assert pid is not None
        kill(pid)

    return fault


FAULTS = {
    "worker": killing(lambda demo: demo.child("worker")),
    "web": killing(lambda demo: demo.child("web")),
    "sweeper": killing(lambda demo: demo.child("sweeper")),
    "valkey": killing(lambda demo: demo.server("valkey")),
    "postgres": killing(lambda demo: demo.server("postgres")),
    "guard": killing(lambda demo: demo.server("guard")),
    "flushall": flush,
}


@pytest.mark.proof
def test_after_kills_and_a_flush_the_summary_is_the_same(undisturbed: Demo, play: Callable[[], Demo]) -> None:
    demo = play()
    callbacks_come(demo, 60)
    for name in ("worker", "web", "valkey", "flushall"):
        FAULTS[name](demo)
    callbacks_come(demo, 420)  # the second act
    demo.end()
    again = play()
    assert again.finish() == 0, again.words
    is_the_same(again, undisturbed)


# One moment for each, spread over both acts: early, in the thick of it, and while the second act's stragglers come.
@pytest.mark.proof
@pytest.mark.parametrize(
    ("name", "at_least"),
    [
        ("worker", 200),
        ("web", 20),
        ("sweeper", 200),
        ("valkey", 200),
        ("postgres", 420),
        ("guard", 20),
        ("flushall", 420),
    ],
)
def test_after_one_fault_the_summary_is_the_same(
    undisturbed: Demo, play: Callable[[], Demo], name: str, at_least: int
) -> None:
    demo = play()
    callbacks_come(demo, at_least)
    FAULTS[name](demo)
    assert demo.finish() == 0, demo.words
    is_the_same(demo, undisturbed)


@pytest.mark.proof
@pytest.mark.parametrize("at_least", [0, 200, 420])
def test_after_the_demo_itself_was_killed_the_summary_is_the_same(
    undisturbed: Demo, play: Callable[[], Demo], at_least: int
) -> None:
    demo = play()
    callbacks_come(demo, at_least)
    demo.end()
    again = play()
    assert again.finish() == 0, again.words
    is_the_same(again, undisturbed)
