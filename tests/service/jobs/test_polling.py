"""The poller on a real database: what is due, what is kept, what is made of it, and that failures cost minutes only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.audit.recording import Actor
from billing.money import Money
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.feeds.sepay import API_KEY
from reconciliation.lists import casso, sepay
from reconciliation.lists.again import ask_span, waiting_span
from reconciliation.lists.polling import covered_to, late_feeds
from reconciliation.tables import Feed, TransferStep
from service.database import Database
from service.jobs import polling
from service.jobs.finding import waiting
from service.preparing import Addresses
from service.standins import bank_list
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.listing import Listing, listing

TASK = "reconciliation.poll"


@pytest.fixture
def collecting(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault)


@pytest.fixture
def asked(collecting: Collecting) -> Iterator[Listing]:
    with listing(collecting) as made:
        yield made


def test_what_no_callback_told_is_fetched_and_settled(asked: Listing) -> None:
    collecting = asked.collecting
    told, lost = (
        collecting.pays(collecting.requests[0].reference),
        collecting.pays(collecting.requests[1].reference, 300_000),
    )
    collecting.hear_of(told)
    asked.tell(told, lost)
    assert asked.poll_and_reconcile() == 1

    assert collecting.states() == ["matched", "matched"]
    assert [amount for _, amount in collecting.receipts()] == [650_000, 300_000]
    assert collecting.books()["112"] == 950_000
    (poll,) = asked.polls()
    assert (poll.kind, poll.outcome, poll.pages, poll.listed, poll.fresh, poll.odd) == ("window", "done", 1, 2, 1, 0)
    assert "reconciliation.normalise" in collecting.rung

    collecting.hear_of(lost)
    assert collecting.states() == ["matched", "matched"], "the callback that comes after all doubles nothing"
    assert collecting.books()["112"] == 950_000


def test_asked_every_five_minutes_and_a_page_without_news_is_not_kept(asked: Listing) -> None:
    asked.tell(asked.collecting.pays("hoc phi"))
    assert [asked.poll(), asked.poll()] == [1, 0]
    asked.later(minutes=4)
    assert waiting(asked.collecting.wiring, TASK) is None
    assert asked.poll() == 0
    asked.collecting.reconcile()
    asked.later(minutes=1)
    found = waiting(asked.collecting.wiring, TASK)
    assert found is not None
    assert found.rows == 1
    assert asked.poll() == 1
    assert [poll.fresh for poll in asked.polls()] == [1, 0]
    assert asked.pages_kept() == 1


def test_the_span_begins_48_hours_before_what_was_covered_however_long_the_poller_slept(asked: Listing) -> None:
    asked.poll()
    asked.later(days=5)
    asked.poll()
    spans = [(poll.first, poll.last) for poll in asked.polls() if poll.kind == "window"]
    covered = spans[0][1]
    assert covered == PAID_AT + timedelta(seconds=30)
    assert spans[1] == (PAID_AT.replace(day=3, hour=17), covered + timedelta(days=5)), "the 4th, 00:00 in Viet Nam"


def test_on_sunday_the_week_is_compared_and_finds_what_was_listed_late(asked: Listing) -> None:
    """A row of Monday that the provider lists on Friday: no span of the days after it reaches back so far."""
    late = asked.collecting.pays("hoc phi muon")
    for day in (6, 8, 10):
        asked.clock.now = PAID_AT.replace(day=day, minute=1)
        asked.poll_and_reconcile()
    asked.tell(late)
    asked.clock.now = PAID_AT.replace(day=11, hour=22, minute=59)  # 05:59 of Sunday the 12th in Viet Nam
    asked.poll_and_reconcile()
    assert asked.collecting.states() == []
    asked.later(minutes=1)
    asked.poll_and_reconcile()
    (week,) = [poll for poll in asked.polls() if poll.kind == "week"]
    assert (week.first, week.last) == (
        PAID_AT.replace(day=4, hour=17),
        PAID_AT.replace(day=11, hour=16, minute=59, second=59),
    )
    assert (week.outcome, week.fresh, asked.collecting.states()) == ("done", 1, ["waiting"])

    for _ in range(3):
        asked.later(days=1)
        asked.poll_and_reconcile()
    assert [poll.kind for poll in asked.polls()].count("week") == 1, "once a week"
    assert asked.collecting.states() == ["waiting"]
    asked.clock.now = PAID_AT.replace(day=21)
    asked.poll()
    missed = [poll for poll in asked.polls() if poll.kind == "week"][-1]
    assert (missed.first, missed.last) == (week.last + timedelta(seconds=1), week.last + timedelta(days=7))


def test_days_that_a_person_asks_for_are_compared_once_and_move_no_watermark(asked: Listing) -> None:
    collecting = asked.collecting
    late = collecting.pays("hoc phi muon")
    asked.poll()
    asked.clock.now = PAID_AT.replace(day=10)
    asked.poll()
    asked.tell(late)
    with collecting.database.transaction(collecting.scope) as session:
        before = covered_to(session, collecting.school.id, asked.feed.id, "window", asked.clock.now)
        days = (PAID_AT.date(), PAID_AT.date())
        request = ask_span(session, Actor(new_id(), "accountant"), collecting.school.id, asked.feed.id, days,
                           asked.clock.now)  # fmt: skip
    asked.bank.trouble.order("500", 3)
    assert asked.poll() == 0
    asked.later(minutes=5)
    asked.poll_and_reconcile()
    failed, done = (poll for poll in asked.polls() if poll.kind == "span")
    assert (failed.outcome, done.outcome, done.request_id, done.fresh) == ("failed", "done", request.id, 1)
    assert (done.first, done.last) == (
        PAID_AT.replace(day=5, hour=17),
        PAID_AT.replace(hour=16, minute=59, second=59),
    )
    assert collecting.states() == ["waiting"]
    with collecting.database.transaction(collecting.scope) as session:
        after = covered_to(session, collecting.school.id, asked.feed.id, "window", asked.clock.now)
        windows = [poll.last for poll in asked.polls() if poll.kind == "window" and poll.outcome == "done"]
        assert before == windows[1]
        assert after == windows[-1], "the span of the past moves nothing"
        assert waiting_span(session, collecting.school.id, asked.feed.id, asked.clock.now) is None
    asked.later(hours=2)
    asked.poll()
    assert [poll.kind for poll in asked.polls()].count("span") == 2


def test_a_failing_provider_costs_minutes_and_says_why(asked: Listing) -> None:
    asked.tell(asked.collecting.pays("hoc phi"))
    asked.bank.trouble.order("500", 3)
    assert asked.poll() == 0
    asked.later(minutes=5)
    asked.bank.trouble.order("garbage", 1)
    assert asked.poll() == 0
    asked.later(minutes=5)
    assert asked.poll_and_reconcile() == 1
    away, garbage, good = asked.polls()
    assert [each.outcome for each in (away, garbage, good)] == ["failed", "failed", "done"]
    assert "sẽ hỏi lại sau" in away.reason
    assert "không đọc được" in garbage.reason
    assert good.first == away.first, "what was not covered is asked for again"
    assert asked.collecting.states() == ["waiting"]


def test_a_provider_that_is_away_is_not_asked_for_every_feed_in_turn(
    asked: Listing, addresses: Addresses, vault: Vault
) -> None:
    other = make_collecting(asked.collecting.database, addresses, vault)
    other.wiring = asked.collecting.wiring
    with other.database.transaction(other.scope) as session:
        session.add(Feed(**{**asked.feed.model_dump(exclude={"id"}), "school_id": other.school.id,
                            "bank_account_id": other.account.id, "path_hash": b"2" * 32}))  # fmt: skip
    asked.bank.trouble.order("500", 1_000)
    assert asked.poll() == 0
    assert [poll.outcome for poll in asked.polls()] == ["failed", "failed"]
    assert len(asked.bank.asked) == 3, "three tries, for the first feed only"


def test_the_day_is_compared_whole_at_six_and_days_that_were_missed_are_too(asked: Listing) -> None:
    collecting = asked.collecting
    listed, unlisted = collecting.pays("mot"), collecting.pays("hai", 5_000)
    collecting.hear_of(listed, unlisted)
    asked.tell(listed)
    asked.poll()
    asked.clock.now = PAID_AT.replace(hour=22, minute=59)  # 05:59 of the 7th in Viet Nam
    asked.poll()
    assert [poll.kind for poll in asked.polls()] == ["window", "window"]
    asked.later(minutes=1)
    asked.poll()
    day = asked.polls()[-1]
    assert (day.kind, day.outcome, day.listed, day.fresh, day.unlisted) == ("day", "done", 1, 0, 1)
    assert (day.first, day.last) == (PAID_AT.replace(day=5, hour=17), PAID_AT.replace(hour=16, minute=59, second=59))
    asked.later(hours=1)
    asked.poll()
    assert [poll.kind for poll in asked.polls()].count("day") == 1, "once a day"

    asked.later(days=3)
    asked.poll()
    missed = [poll for poll in asked.polls() if poll.kind == "day"][-1]
    assert missed.last - missed.first == timedelta(days=3, seconds=-1)
    assert missed.first == day.last + timedelta(seconds=1)


def test_a_full_page_is_fetched_in_halves_until_nothing_is_left_out(
    asked: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sepay, "LIMIT", 4)
    paid = [asked.collecting.pays("x", 1_000 + n, at=PAID_AT - timedelta(minutes=7 * n)) for n in range(30)]
    asked.tell(*paid)
    assert asked.poll_and_reconcile() == 1
    assert {transfer.amount for transfer in asked.collecting.transfers()} == {each.amount for each in paid}
    (poll,) = asked.polls()
    assert (poll.listed, poll.fresh) == (30, 30)


def test_casso_is_paged_through_and_rows_told_twice_are_one(
    collecting: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casso, "PAGE_SIZE", 10)
    with listing(collecting, "casso") as asked:
        asked.bank.repeats = True
        paid = [collecting.pays("x", 1_000 + n, at=PAID_AT - timedelta(minutes=n)) for n in range(25)]
        foreign = [each for each in paid if each.id % 2]
        asked.tell(*paid, *(replace(each, id=each.id + 10_000, account="999") for each in foreign))
        assert asked.poll_and_reconcile() == 1
        assert len(collecting.transfers()) == 25, "rows of another account of the same key are left alone"
        assert {transfer.provider for transfer in collecting.transfers()} == {"casso"}
        assert asked.put_aside() == []


def test_one_odd_row_keeps_no_other_out_and_is_kept_once(asked: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    collecting = asked.collecting
    good, odd = collecting.pays("mot"), collecting.pays("hai", 5_000, at=PAID_AT - timedelta(days=1))
    asked.tell(good, odd)
    row_of = bank_list._sepay_row
    monkeypatch.setattr(
        bank_list, "_sepay_row", lambda each: row_of(each) | ({"amount_in": "5000.50"} if each == odd else {})
    )
    asked.poll_and_reconcile()
    assert [transfer.amount for transfer in collecting.transfers()] == [Money(650_000)]
    assert len(asked.put_aside()) == 1
    asked.later(minutes=5)
    asked.tell(collecting.pays("ba", 7_000))
    asked.poll_and_reconcile()
    asked.later(minutes=5)
    asked.poll_and_reconcile()
    assert [poll.odd for poll in asked.polls()] == [1, 1, 1]
    assert asked.pages_kept() == 2, "the page with news; nothing for the odd row alone"


def test_held_money_is_let_go_by_the_list_and_settled(database: Database, addresses: Addresses, vault: Vault) -> None:
    collecting = make_collecting(database, addresses, vault, scheme=API_KEY, hold_above=Money(500_000))
    with listing(collecting) as asked:
        movement = collecting.pays(collecting.requests[0].reference)
        collecting.hear_of(movement)
        assert collecting.states() == ["held"]
        asked.tell(movement)
        asked.poll_and_reconcile()
        assert collecting.states() == ["matched"]
        assert collecting.receipts() == [(1, 650_000)]
        with database.transaction(collecting.scope) as session:
            steps = session.exec(select(TransferStep).order_by("id")).all()
        assert [(step.from_state, step.to_state, step.reason) for step in steps][1] == ("held", "new", "listed")


def test_held_money_of_which_the_list_tells_another_sum_leaves_the_book(
    database: Database, addresses: Addresses, vault: Vault
) -> None:
    collecting = make_collecting(database, addresses, vault, scheme=API_KEY, hold_above=Money(500_000))
    with listing(collecting) as asked:
        movement = collecting.pays(collecting.requests[0].reference, 20_000)
        forged = collecting.bank.callback(movement).replace(b"20000,", b"65000000,")
        collecting.receive(forged)
        collecting.reconcile()
        assert (collecting.states(), collecting.books()["112"]) == (["held"], 65_000_000)
        asked.tell(movement)
        asked.poll_and_reconcile()
        assert collecting.states() == ["quarantined"]
        assert not {"112", "3388S"} & set(collecting.books())
        [reason] = asked.put_aside()
        assert "20.000" in reason
        assert "65.000.000" in reason
        asked.later(minutes=5)
        asked.poll_and_reconcile()
        assert len(asked.put_aside()) == 1


def test_believed_money_of_which_the_list_tells_another_sum_stays_and_a_person_is_told(asked: Listing) -> None:
    collecting = asked.collecting
    movement = collecting.pays(collecting.requests[0].reference)
    collecting.receive(collecting.bank.callback(movement).replace(b"650000,", b"640000,"))
    collecting.reconcile()
    asked.tell(movement)
    asked.poll_and_reconcile()
    assert collecting.states() == ["matched"]
    assert collecting.books()["112"] == 640_000
    assert len(asked.put_aside()) == 1


def test_a_feed_is_asked_by_one_process_at_a_time(asked: Listing) -> None:
    asked.tell(asked.collecting.pays("x"))
    with asked.collecting.database.alone(f"poll {asked.feed.id}") as mine:
        assert mine
        assert asked.poll() == 0
    assert asked.poll() == 1


def test_a_feed_that_breaks_stops_no_other_and_stays_due(asked: Listing, caplog: pytest.LogCaptureFixture) -> None:
    with asked.collecting.database.transaction(asked.collecting.scope) as session:
        feed = session.get_one(Feed, asked.feed.id)
        feed.secret_sealed = bytes(40)
        session.add(feed)
    assert asked.poll() == 0
    assert f"asking for feed {asked.feed.id} failed" in caplog.text
    assert waiting(asked.collecting.wiring, TASK) is not None
    assert asked.polls() == []


def test_a_closed_feed_is_not_asked_and_nothing_due_opens_no_connection(
    asked: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked.collecting.database.transaction(asked.collecting.scope) as session:
        feed = session.get_one(Feed, asked.feed.id)
        feed.closed_at = PAID_AT
        session.add(feed)
    monkeypatch.setattr(polling, "trusted", lambda: pytest.fail("nothing is to be asked"))
    assert polling.poll(asked.collecting.wiring) == 0


def test_the_job_itself_asks_over_http(asked: Listing) -> None:
    asked.tell(asked.collecting.pays("x"))
    assert polling.poll(asked.collecting.wiring) == 1
    assert asked.pages_kept() == 1


@pytest.mark.parametrize("first", ["callback", "list"])
def test_where_list_and_callback_number_one_movement_differently_it_is_not_written_twice(
    asked: Listing, first: str
) -> None:
    collecting = asked.collecting
    movement, other = collecting.pays(collecting.requests[0].reference), collecting.pays("phi", 5_000)
    renumbered = replace(movement, id=movement.id + 50_000)
    if first == "callback":
        collecting.hear_of(movement)
        asked.tell(renumbered, other)
        asked.poll_and_reconcile()
    else:
        asked.tell(renumbered, other)
        asked.poll_and_reconcile()
        collecting.hear_of(movement)
    assert collecting.states() == ["matched", "waiting"], "the row beside it is written"
    assert collecting.receipts() == [(1, 650_000)]
    [reason] = asked.put_aside()
    assert "đánh số khác nhau" in reason


def test_two_movements_of_one_feed_that_are_alike_are_two(asked: Listing) -> None:
    collecting = asked.collecting
    movement = collecting.pays(collecting.requests[0].reference, 100_000)
    asked.tell(movement, replace(movement, id=movement.id + 50_000))
    asked.poll_and_reconcile()
    assert collecting.books()["112"] == 200_000


def test_a_clock_that_once_ran_ahead_keeps_no_feed_unasked_and_is_reported(asked: Listing) -> None:
    asked.poll()
    asked.later(days=30)
    asked.poll()
    asked.later(days=-30)
    asked.later(minutes=10)
    asked.tell(asked.collecting.pays(asked.collecting.requests[0].reference))
    assert asked.poll_and_reconcile() == 1
    assert asked.collecting.states() == ["matched"]
    with asked.collecting.database.transaction(asked.collecting.scope) as session:
        assert late_feeds(session, asked.collecting.wiring.clock()) == 1


@pytest.mark.parametrize("killed_at", ["keep_page", "record_poll"])
def test_whoever_is_killed_in_the_middle_leaves_the_feed_due_and_nothing_doubled(
    asked: Listing, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    asked.tell(asked.collecting.pays(asked.collecting.requests[0].reference))
    with monkeypatch.context() as patched:
        patched.setattr(polling, killed_at, _killed)
        with pytest.raises(SystemExit):
            asked.poll()
    asked.collecting.reconcile()
    assert asked.polls() == []
    assert waiting(asked.collecting.wiring, TASK) is not None
    assert asked.poll_and_reconcile() == 1, "the hold on the feed ended with the one who was killed"
    assert asked.collecting.receipts() == [(1, 650_000)]


def _killed(*_: object) -> None:
    raise SystemExit(137)
