"""Asking Stripe for what nobody told: lost webhooks, pages, its own movements, its balance, killed jobs."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from billing.errors import Conflict
from billing.money import Money
from reconciliation.cards.client import StripeClient
from reconciliation.cards.errors import CardProviderAway
from reconciliation.cards.explaining import ask_explain, unclear
from reconciliation.cards.objects import Refund
from reconciliation.cards.switching import ask_switch
from reconciliation.cards.tables import CardEnd, CardRefundAnswer
from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.opening import forget_old_secret, open_feed, rotate_secret
from reconciliation.lists.base import LIST
from reconciliation.lists.tables import Poll
from reconciliation.tables import Feed
from service.database import EVERYTHING
from service.jobs.cards import EVENTS_KEPT
from service.jobs.cards import cards as job
from service.jobs.finding import waiting
from service.standins.stripe_books import Row, StripeBooks
from service.standins.stripe_wire import WireError
from tests.factories.cards import Carding
from tests.factories.collecting import PAID_AT
from tests.reconciliation.cards.acts import FEE, decide, difference, violations


def test_a_lost_webhook_is_found_by_asking(cards: Carding) -> None:
    cards.pay()
    cards.clock.later(minutes=6)
    assert cards.ask() == 1
    assert cards.collecting.receipts() == [(1, 650_000)]
    before = len(cards.facts())
    cards.clock.later(minutes=6)
    cards.ask()
    cards.hear()
    assert len(cards.facts()) == before, "what comes after all is known"
    assert cards.collecting.receipts() == [(1, 650_000)]


def test_the_job_asks_by_itself_and_is_due_again_in_five_minutes(cards: Carding) -> None:
    wiring = cards.collecting.wiring
    cards.pay()
    assert waiting(wiring, "reconciliation.cards") is not None
    assert job(wiring) == 1
    assert waiting(wiring, "reconciliation.cards") is None
    assert job(wiring) == 0
    cards.collecting.reconcile()
    assert cards.collecting.receipts() == [(1, 650_000)]
    cards.clock.later(minutes=5)
    assert waiting(wiring, "reconciliation.cards") is not None


def test_a_wrong_key_and_a_silent_provider_are_written_down_and_asked_again(cards: Carding) -> None:
    cards.pay()
    right, cards.standin.key = cards.standin.key, "sk_test_another"
    assert cards.ask() == 0
    cards.standin.key = right
    cards.clock.later(minutes=6)
    cards.standin.trouble.order("500", 4)
    assert cards.ask() == 0
    cards.clock.later(minutes=6)
    assert cards.ask() == 1
    with cards.collecting.database.transaction(EVERYTHING) as session:
        polls = session.exec(select(Poll).order_by(col(Poll.id))).all()
    assert [poll.outcome for poll in polls] == ["failed", "failed", "done"]
    assert "HTTP 401" in polls[0].reason
    assert polls[2].first == polls[0].first, "what was not covered is asked for again"
    assert cards.collecting.receipts() == [(1, 650_000)]


def test_a_page_of_which_no_event_tells_is_asked_for(cards: Carding) -> None:
    cards.pay()
    cards.standin.books.events.clear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert cards.collecting.receipts() == [(1, 650_000)]


@pytest.mark.parametrize(("asked_before", "days"), [(True, 10), (False, 10), (True, 40)])
def test_what_happened_while_no_feed_was_open_is_asked_for(
    cards: Carding,
    asked_before: bool,  # noqa: FBT001  of the table
    days: int,
) -> None:
    collecting, books = cards.collecting, cards.standin.books
    checkout = cards.pay()
    if asked_before:
        cards.clock.later(minutes=6)
        cards.ask()
    with collecting.database.transaction(EVERYTHING) as session:
        for feed in (cards.api, cards.hooks):
            session.get_one(Feed, feed.id).closed_at = cards.clock()
    cards.clock.later(days=1)
    books.dispute(cards.intent_of(checkout))
    books.move("stripe_fee", -25_000)
    if days > EVENTS_KEPT.days:
        books.events.clear()
    cards.clock.later(days=days - 1)
    with collecting.database.transaction(EVERYTHING) as session:
        open_feed(
            session, collecting.wiring.vault, collecting.account, "stripe", LIST, cards.standin.key, None, cards.clock()
        )
    assert cards.ask() == 1
    assert sorted(fact.kind for fact in cards.facts()) == ["disputed", "fee", "fee", "fee", "paid"]
    assert difference(cards) == Money(0)
    assert violations(cards) == []


def test_half_a_character_in_a_field_that_nobody_reads_ends_no_asking(cards: Carding) -> None:
    cards.pay()
    for row in cards.standin.books.of_kind("balance_transaction"):
        row["description"] = "A\ud800"
    cards.clock.later(minutes=6)
    assert cards.ask() == 1
    assert (cards.collecting.receipts(), difference(cards), cards.put_aside()) == ([(1, 650_000)], Money(0), [])


def test_money_of_stripes_test_mode_pays_nothing_where_the_key_is_real(cards: Carding) -> None:
    cards.pay()
    bodies = cards.events()
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        api = session.get_one(Feed, cards.api.id)
        rotate_secret(session, collecting.wiring.vault, api, "sk_live_xin_chao")
        forget_old_secret(session, api)
    cards.hear(*bodies)
    assert (cards.facts(), collecting.receipts()) == ([], [])
    (why,) = set(cards.put_aside())
    payment = cards.standin.books.of_kind("payment_intent")[0]["id"]
    words = "Tin này thuộc chế độ thử của Stripe, khác với khóa API của trường: không ghi gì"
    assert why == f"{words} · {payment}", "with what it is looked up by"


def test_what_stripe_takes_by_itself_is_in_the_book_and_the_rest_is_looked_at_by_two(cards: Carding) -> None:
    cards.pay()
    books = cards.standin.books
    books.move("stripe_fee", -25_000, "Radar")
    odd = books.move("adjustment", -7_000, "Correction")
    books.move("reserve_transaction", -100_000)
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    collecting = cards.collecting
    book = collecting.books()
    assert (book["642T"], book["1388T"]) == (FEE + 25_000, 7_000)
    assert book["113T"] == books.balance() + 100_000, "what is held back is the school's"
    assert difference(cards) == Money(0)
    assert violations(cards) == []
    with collecting.database.transaction(collecting.scope) as session:
        assert [fact.note.split()[0] for fact in unclear(session, collecting.school.id)] == ["adjustment"]
        act = ask_explain(session, cards.maker, collecting.school.id, odd["id"], "Stripe trừ nhầm", cards.clock())
    decide(cards, act)
    book = collecting.books()
    assert (book["642T"], "1388T" in book) == (FEE + 32_000, False)
    assert violations(cards) == []


def test_what_stripe_holds_is_asked_for_and_compared(cards: Carding) -> None:
    cards.pay()
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert difference(cards) == Money(0)
    cards.standin.books.rows["txn_foreign"] = cards.standin.books.of_kind("balance_transaction")[0] | {
        "id": "txn_foreign", "type": "charge", "amount": 90_000, "fee": 0, "net": 90_000,
    }  # fmt: skip
    cards.clock.later(minutes=6)
    cards.ask()
    assert difference(cards) == Money(90_000), "a charge that is none of ours"


def test_a_page_that_was_not_made_in_time_is_asked_for_under_a_new_row(cards: Carding) -> None:
    cards.standin.trouble.order("500", 4)
    with pytest.raises(CardProviderAway):
        cards.checkout()
    cards.clock.later(minutes=17)
    cards.checkout()
    assert len(cards.standin.books.of_kind("checkout.session")) == 1


def test_a_page_on_which_too_much_would_be_paid_is_closed(cards: Carding) -> None:
    checkout = cards.checkout()
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[0].reference))
    cards.ask()
    assert cards.standin.books.rows[cards.session_of(checkout)]["status"] == "expired"
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert session.exec(select(CardEnd.checkout_id)).all() == [checkout.id]


def test_such_a_page_is_closed_however_many_older_ones_are_open(
    cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciliation.cards.asking._MOST_SESSIONS", 1)
    older = cards.checkout(0)
    cards.clock.later(minutes=1)
    superfluous = cards.checkout(1)
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[1].reference, 300_000))
    cards.clock.later(minutes=6)
    cards.ask()
    rows = cards.standin.books.rows
    assert [rows[cards.session_of(each)]["status"] for each in (older, superfluous)] == ["open", "expired"]


def test_a_refund_that_stripe_never_takes_holds_up_nothing(cards: Carding, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = cards.pay(0), cards.pay(1)
    cards.hear()
    takes, bad = StripeBooks.refund, cards.intent_of(first)

    def fails(books: StripeBooks, form: Mapping[str, Any]) -> Row:
        if form["payment_intent"] == bad:
            raise WireError(500, "api_error", "always")
        return takes(books, form)

    stuck = cards.refund(first, Money(1_000))
    with monkeypatch.context() as patch:
        patch.setattr(StripeBooks, "refund", fails)
        cards.refund(second, Money(2_000))
        cards.standin.books.move("stripe_fee", -25_000, "Radar")
        for _ in range(2):
            assert cards.ask() == 1, "what Stripe lists is heard all the same"
            cards.clock.later(minutes=31)
    assert [row["amount"] for row in cards.standin.books.of_kind("refund")] == [2_000]
    assert difference(cards) == Money(0)
    assert violations(cards) == [f"card refund {stuck} of 1000 is approved, and Stripe has not answered"]
    cards.standin._answers.clear()
    cards.ask()
    cards.clock.later(minutes=6)
    cards.ask()
    assert cards.collecting.rests() == [1_000, 2_000]
    assert violations(cards) == []


@pytest.mark.parametrize("dong", [400_000, 325_000])
def test_a_refund_whose_fault_stripe_keeps_is_asked_for_anew_where_it_cannot_be_done_twice(
    cards: Carding, dong: int
) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(dong))
    cards.standin.trouble.order("kept-500", 99)
    cards.ask()
    cards.standin.trouble.order("kept-500", 0)
    assert cards.standin.books.of_kind("refund") == []
    cards.clock.later(minutes=6)
    cards.ask()
    assert len(cards.standin.books.of_kind("refund")) == (dong > 325_000), "a half might be given back twice"
    for _ in range(2):
        cards.clock.later(minutes=6)
        cards.ask()
    if dong > 325_000:
        left_behind = {"payment_intent": cards.intent_of(checkout), "amount": str(dong)}
        with pytest.raises(WireError, match="greater than"):
            cards.standin.books.refund(left_behind)
    cards.standin._answers.clear()  # as Stripe does after a day
    cards.clock.later(days=1)
    cards.ask()
    assert [row["amount"] for row in cards.standin.books.of_kind("refund")] == [dong]
    assert cards.collecting.rests()[0] == dong
    assert violations(cards) == []


@pytest.mark.parametrize("seen_after", [1, 2, 3])
def test_a_refund_that_was_done_in_spite_of_a_fault_that_is_kept_is_found_whenever_stripe_shows_it(
    cards: Carding, monkeypatch: pytest.MonkeyPatch, seen_after: int
) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(650_000))
    takes, shows, asked = StripeBooks.refund, StripeClient.refunds_of, []

    def done_all_the_same(books: StripeBooks, form: Mapping[str, Any]) -> Row:
        takes(books, form)
        raise WireError(500, "api_error", "done, and not told")

    def late(client: StripeClient, intent: str) -> list[Refund]:
        asked.append(intent)
        return shows(client, intent) if len(asked) > seen_after else []

    monkeypatch.setattr(StripeClient, "refunds_of", late)
    with monkeypatch.context() as patch:
        patch.setattr(StripeBooks, "refund", done_all_the_same)
        cards.ask()
    for _ in range(2):
        cards.clock.later(minutes=6)
        cards.ask()
    assert [row["amount"] for row in cards.standin.books.of_kind("refund")] == [650_000]
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert [row.refused for row in session.exec(select(CardRefundAnswer)).all()] == [""]
    assert violations(cards) == []


def test_a_refund_of_which_stripes_answer_cannot_be_read_is_not_taken_for_refused(
    cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = cards.pay()
    cards.hear()
    refund_id = cards.refund(checkout, Money(1_000))

    def unreadable(*_: object) -> None:
        raise CallbackUnreadable("Câu trả lời không đọc được")

    with monkeypatch.context() as patch:
        patch.setattr("service.jobs.cards.read_refund", unreadable)
        cards.ask()
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert session.get(CardRefundAnswer, refund_id) is None
    cards.clock.later(minutes=6)
    cards.ask()
    with cards.collecting.database.transaction(EVERYTHING) as session:
        answer = session.get_one(CardRefundAnswer, refund_id)
    (refund,) = cards.standin.books.of_kind("refund")
    assert (answer.stripe_id, answer.refused) == (refund["id"], "")


def test_a_page_that_the_key_does_not_know_ends_with_its_time(cards: Carding) -> None:
    unknown = cards.checkout()
    del cards.standin.books.rows[cards.session_of(unknown)]
    cards.clock.later(minutes=6)
    assert cards.ask() == 1
    cards.clock.later(minutes=60)
    assert cards.ask() == 1
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert session.exec(select(CardEnd.checkout_id)).all() == [unknown.id]


def test_one_school_whose_payout_cannot_be_tied_stops_nothing_else(
    cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = cards.pay()
    cards.hear()
    amount = cards.standin.books.pay_out()["amount"]
    cards.clock.later(minutes=6)
    cards.ask()
    cards.collecting.hear_of(cards.collecting.pays("chuyen tien", amount))
    cards.clock.later(minutes=1)
    refund_id = cards.refund(checkout, Money(1_000))

    def broken(*_: object) -> int:
        raise RuntimeError("a lock that was not given in time, for example")

    monkeypatch.setattr("service.jobs.cards.tie_by_rule", broken)
    assert job(cards.collecting.wiring) == 1
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert session.get(CardRefundAnswer, refund_id) is not None


def test_two_who_ask_for_the_switch_at_once_ask_once(cards: Carding) -> None:
    collecting = cards.collecting
    gate = Barrier(2)

    def ask(_: int) -> str:
        gate.wait()
        try:
            with collecting.database.transaction(collecting.scope) as session:
                ask_switch(
                    session, cards.maker, collecting.school.id, collecting.account.id, "tắt", PAID_AT, turn_on=False
                )
                session.execute(text("SELECT pg_sleep(0.2)"))
        except Conflict:
            return "refused"
        return "asked"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, range(2))) == ["asked", "refused"]


class _Killed(BaseException):
    """Stands for a process that is gone."""


@pytest.mark.parametrize("where", ["answer_refund", "record_asking", "keep_rows", "keep_balance"])
def test_a_job_that_is_killed_between_stripes_answer_and_our_commit_does_it_once(
    cards: Carding, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(100_000))

    def killed(*_: object, **__: object) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"service.jobs.cards.{where}", killed)
        with pytest.raises(_Killed):
            cards.ask()
    cards.standin._answers.clear()
    for _ in range(2):
        cards.clock.later(minutes=6)
        cards.ask()
    assert len(cards.standin.books.of_kind("refund")) == 1
    assert cards.collecting.rests()[0] == 100_000
    assert difference(cards) == Money(0)
    assert violations(cards) == []


def test_a_page_that_the_key_does_not_know_holds_up_nothing_behind_it(cards: Carding) -> None:
    unknown = cards.checkout(0)
    cards.clock.later(seconds=1)
    cards.pay(1)
    del cards.standin.books.rows[cards.session_of(unknown)]
    cards.standin.books.events.clear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert [amount for _, amount in cards.collecting.receipts()] == [300_000]
