"""Card money on a real database: paid, declined, refunded, disputed, paid out; told in any order, once in the book."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from random import Random

import pytest
from sqlmodel import col, select

from billing.credits.refunding import Wanted, approve_refund, ask_refund
from billing.errors import Conflict, OwnFamily, Refused
from billing.events.tables import Event
from billing.money import Money
from billing.people.kinship_tables import OwnChild
from reconciliation.cards.payouts import open_payouts, tie_payout
from reconciliation.cards.settling import unsettled
from reconciliation.cards.tables import CardCheckout, CardRefundAnswer
from reconciliation.lists.tables import Poll
from reconciliation.reports.filling import report_record
from reconciliation.returning.asking import ask_return
from service.database import EVERYTHING
from service.invariants import check_all
from service.jobs import reconciling
from service.jobs.cards import cards as job
from service.jobs.finding import waiting
from service.standins.stripe_books import DISPUTE_FEE, fee_of
from tests.factories.cards import Carding, carding
from tests.factories.collecting import PAID_AT, Collecting
from tests.reconciliation.test_decided_elsewhere import TO

FEE = fee_of(650_000)
MONEY = ("I1", "I2", "I3", "I5", "I6", "I7")  # the bills of this school have no lines, which I4 looks at


@pytest.fixture
def cards(collecting: Collecting) -> Iterator[Carding]:
    with carding(collecting) as made:
        yield made


def _violations(cards: Carding) -> list[str]:
    with cards.collecting.database.transaction(EVERYTHING) as session:
        results = check_all(session, cards.collecting.wiring.vault, cards.clock())
    return [line for result in results if result.id in MONEY for line in result.problems]


def test_a_card_pays_a_bill_once_with_a_receipt(cards: Carding) -> None:
    cards.pay()
    bodies = cards.events()
    cards.hear(*bodies)
    cards.hear(*bodies)
    assert cards.collecting.receipts() == [(1, 650_000)]
    assert cards.collecting.rests() == [0, 300_000]
    assert cards.collecting.books()["113T"] == 650_000
    assert [fact.kind for fact in cards.facts()] == ["paid"]
    assert cards.ask() == 1
    books = cards.collecting.books()
    assert (books["113T"], books["642T"]) == (650_000 - FEE, FEE)
    assert _violations(cards) == []


def test_a_declined_card_and_an_abandoned_page_pay_nothing(cards: Carding) -> None:
    cards.pay(outcome="declined")
    cards.hear()
    assert cards.collecting.receipts() == []
    cards.clock.later(minutes=50)
    assert cards.ask() == 1
    cards.standin.books.expire_session(cards.standin.books.of_kind("checkout.session")[0]["id"])
    cards.hear()
    assert cards.collecting.receipts() == []
    assert "113T" not in cards.collecting.books()


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


@pytest.mark.parametrize(("back", "rest"), [(650_000, 650_000), (200_000, 200_000)])
def test_money_given_back_opens_the_bill_by_so_much(cards: Carding, back: int, rest: int) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(back))
    assert cards.collecting.rests()[0] == 0, "not before Stripe says so"
    cards.ask()
    assert cards.collecting.rests()[0] == rest
    assert cards.collecting.books().get("113T", 0) == 650_000 - back - FEE
    live = 650_000 - back
    assert cards.collecting.receipts() == [(1, 650_000), *([(2, live)] if live else [])]
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert len(cards.standin.books.of_kind("refund")) == 1
    assert cards.collecting.rests()[0] == rest
    with cards.collecting.database.transaction(EVERYTHING) as session:
        told = session.exec(select(Event.id).where(Event.kind == "payment_received")).all()
    assert len(told) == 1, "what is left is no new money"
    assert _violations(cards) == []


def test_a_refund_that_fails_later_comes_back(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(650_000))
    cards.ask()
    cards.standin.books.fail_refund(cards.standin.books.of_kind("refund")[0]["id"])
    late, last = cards.events()[-2:], cards.standin.books.events[-1]
    assert last["type"] == "refund.failed"
    cards.hear(*reversed(late))
    assert cards.collecting.rests()[0] == 0
    assert cards.collecting.books()["113T"] == 650_000 - FEE
    assert _violations(cards) == []


def test_a_killed_sender_gives_money_back_once(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    refund_id = cards.refund(checkout, Money(100_000))
    cards.client().refund(cards.intent_of(checkout), Money(100_000), str(refund_id), "another-key-a-day-later")
    cards.ask()
    assert len(cards.standin.books.of_kind("refund")) == 1
    assert cards.collecting.rests()[0] == 100_000


def test_what_stripe_refuses_is_written_down(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    refund_id = cards.refund(checkout, Money(100_000))
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout)})
    cards.ask()
    with cards.collecting.database.transaction(EVERYTHING) as session:
        answer = session.get_one(CardRefundAnswer, refund_id)
    assert "charge_already_refunded" in answer.refused
    assert cards.collecting.rests()[0] == 650_000, "given back in Stripe's own page: told, and booked"


def test_no_more_is_given_back_than_was_paid(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(600_000))
    with pytest.raises(Refused, match=r"50\.000"):
        cards.refund(checkout, Money(50_001))


def test_nobody_gives_money_back_to_the_own_family(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    mother = cards.maker.user_id
    assert mother is not None
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        child = cards.collecting.requests[0].pupil_id
        session.add(
            OwnChild(school_id=cards.collecting.school.id, user_id=mother, pupil_id=child, made_by=mother, at=PAID_AT)
        )
    with pytest.raises(OwnFamily):
        cards.refund(checkout, Money(1_000))


def test_a_chargeback_reverses_and_a_won_dispute_brings_it_back(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    dispute = cards.standin.books.dispute(cards.intent_of(checkout))
    cards.hear()
    assert cards.collecting.rests()[0] == 650_000
    assert cards.collecting.books().get("113T", 0) == -DISPUTE_FEE
    with pytest.raises(Refused, match="tranh chấp"):
        cards.refund(checkout, Money(1_000))
    cards.standin.books.close_dispute(dispute["id"], "won")
    cards.hear(*reversed(cards.events()))
    assert cards.collecting.rests()[0] == 0
    assert cards.collecting.books()["113T"] == 650_000
    assert _violations(cards) == []


def test_a_payout_is_tied_to_the_banks_transfer_and_is_no_income(cards: Carding) -> None:
    cards.pay()
    cards.hear()
    payout = cards.standin.books.pay_out()
    cards.clock.later(minutes=6)
    cards.ask()
    collecting = cards.collecting
    collecting.hear_of(collecting.pays("STRIPE PAYMENTS UK PAYOUT", payout["amount"]))
    assert collecting.states() == ["matched"]
    assert {code: amount for code, amount in collecting.books().items() if code in {"112", "113T", "3388S"}} == {
        "112": payout["amount"]
    }
    assert collecting.receipts() == [(1, 650_000)]
    assert _violations(cards) == []
    with collecting.database.transaction(collecting.scope) as session:
        report = report_record(session, collecting.school.id, date(2025, 10, 1), date(2025, 10, 31), cards.clock())
    (account,) = report.accounts
    assert (account.bank_in.dong, account.own.dong, account.waiting.dong) == (payout["amount"], payout["amount"], 0)
    assert [line.own.dong for line in report.transfers] == [payout["amount"]]


@pytest.mark.parametrize("memo", ["chuyen tien", "STRIPE"])
def test_a_doubtful_payout_waits_for_a_person(cards: Carding, memo: str) -> None:
    cards.pay()
    cards.hear()
    amount = cards.standin.books.pay_out()["amount"]
    cards.clock.later(minutes=6)
    cards.ask()
    collecting = cards.collecting
    collecting.hear_of(
        collecting.pays(memo, amount), *([collecting.pays("STRIPE", amount)] if memo == "STRIPE" else [])
    )
    assert "matched" not in collecting.states()


def test_the_rule_passes_over_money_that_is_asked_back(cards: Carding) -> None:
    cards.pay()
    cards.hear()
    amount = cards.standin.books.pay_out()["amount"]
    late, collecting = cards.events(), cards.collecting
    collecting.hear_of(collecting.pays("STRIPE chuyen nham", amount))
    with collecting.database.transaction(collecting.scope) as session:
        (transfer,) = collecting.transfers()
        vault, school = collecting.wiring.vault, collecting.school.id
        ask_return(session, vault, cards.maker, school, transfer.id, TO, "Không rõ", cards.clock())
    cards.hear(*late)
    assert collecting.states() == ["waiting"]
    with collecting.database.transaction(collecting.scope) as session:
        (payout,) = open_payouts(session, school)
        assert payout.transfers == ()
        with pytest.raises(Conflict):
            tie_payout(session, cards.maker, school, payout.payout.stripe_id, transfer.id, cards.clock())


def test_foreign_money_and_another_sum_are_put_aside(cards: Carding) -> None:
    checkout = cards.pay()
    session = cards.standin.books.rows[cards.session_of(checkout)]
    for change in ({"client_reference_id": "0199b3c0-0000-7000-8000-00000000000f"}, {"amount_total": 1_000}):
        body = json.dumps({**session, **change}).encode()
        cards.hear(body)
    assert len(cards.put_aside()) == 2
    assert cards.facts() == []
    cards.hear()
    assert cards.collecting.receipts() == [(1, 650_000)]


def test_what_is_paid_twice_becomes_credit(cards: Carding) -> None:
    checkout = cards.checkout()
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[0].reference))
    cards.standin.books.pay(cards.session_of(checkout), "paid")
    cards.hear()
    assert cards.collecting.books()["3383"] == -650_000
    assert [amount for _, amount in cards.collecting.receipts()] == [650_000, 650_000]
    cards.refund(checkout, Money(650_000))
    cards.ask()
    assert "3383" not in cards.collecting.books()
    assert cards.collecting.rests()[0] == 0


def _story(cards: Carding, chance: Random) -> list[bytes]:
    """Let much happen to two payments and return every message about it."""
    books = cards.standin.books
    for number in (0, 1):
        checkout = cards.pay(number)
        intent = cards.intent_of(checkout)
        for _ in range(chance.randrange(3)):
            refund = books.refund({"payment_intent": intent, "amount": str(chance.randrange(1_000, 90_000))})
            if chance.random() < 0.4:
                books.fail_refund(refund["id"])
        if chance.random() < 0.6:
            dispute = books.dispute(intent, 100_000)
            if chance.random() < 0.7:
                books.close_dispute(dispute["id"], chance.choice(["won", "lost"]))
    return cards.events()


def _scatter(cards: Carding, chance: Random) -> None:
    """Tell it shuffled, repeated, part of it lost, the rest three days late; then ask."""
    bodies = _story(cards, chance)
    heard = [body for body in bodies if chance.random() < 0.7]
    heard += [body for body in heard if chance.random() < 0.4]
    chance.shuffle(heard)
    for place, body in enumerate(heard):
        if place == len(heard) // 2:
            cards.clock.later(days=3)
            cards.ask()
        cards.hear(body)
    cards.clock.later(minutes=6)
    cards.ask()
    books = cards.standin.books
    assert cards.collecting.books().get("113T", 0) == books.balance(), "the book holds what Stripe holds"
    expected = sum(row["amount"] for row in books.of_kind("balance_transaction"))
    assert sum(amount for _, amount in _live_receipts(cards)) == expected
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert unsettled(session, 10) == []
    assert _violations(cards) == []


def _live_receipts(cards: Carding) -> list[tuple[str, int]]:
    with cards.collecting.database.transaction(EVERYTHING) as session:
        rows = session.connection().exec_driver_sql(
            "SELECT id::text, amount FROM receipts r WHERE NOT EXISTS "
            "(SELECT FROM receipt_voids v WHERE v.receipt_id = r.id)"
        )
        return [(row[0], int(row[1])) for row in rows]


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_repeated_late_and_lost_is_one_posting(cards: Carding, seed: int) -> None:
    _scatter(cards, Random(seed))  # noqa: S311  chance, not secrecy


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 140))
def test_forty_stories_told_in_any_way_are_one_posting(cards: Carding, seed: int) -> None:
    _scatter(cards, Random(seed))  # noqa: S311  chance, not secrecy


def test_settling_twice_at_once_does_it_once(cards: Carding) -> None:
    cards.pay()
    cards.collecting.receive(*cards.events(), feed=cards.hooks)
    reconciling.normalise(cards.collecting.wiring)
    assert [reconciling.settle(cards.collecting.wiring) for _ in range(2)] == [1, 0]


def paid_twice(cards: Carding) -> CardCheckout:
    """Return a checkout whose bill was paid by a transfer too: all that the card brought is credit."""
    checkout = cards.checkout()
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[0].reference))
    cards.standin.books.pay(cards.session_of(checkout), "paid")
    cards.hear()
    assert cards.collecting.books()["3383"] == -650_000
    return checkout


def hand_out(cards: Carding) -> None:
    """Give the family's credit back in cash, by two people."""
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        wanted = [Wanted(collecting.requests[0].pupil_id, None, Money(650_000))]
        school, vault = collecting.school.id, collecting.wiring.vault
        refund = ask_refund(session, vault, cards.maker, school, wanted, "Nộp hai lần", cards.clock())
        approve_refund(session, refund.id, cards.approver, cards.clock())


def test_what_was_handed_out_does_not_go_back_to_the_card_too(cards: Carding) -> None:
    checkout = paid_twice(cards)
    hand_out(cards)
    with pytest.raises(Refused, match="trả hai lần"):
        cards.refund(checkout, Money(650_000))
    cards.ask()
    assert cards.standin.books.of_kind("refund") == []


def test_credit_that_was_handed_out_after_the_approval_is_not_sent_to_the_card(cards: Carding) -> None:
    checkout = paid_twice(cards)
    cards.refund(checkout, Money(650_000))
    hand_out(cards)
    cards.ask()
    assert cards.standin.books.of_kind("refund") == []
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert "trả hai lần" in session.exec(select(CardRefundAnswer.refused)).one()


def test_surplus_that_nobody_used_goes_back_to_the_card(cards: Carding) -> None:
    checkout = paid_twice(cards)
    cards.refund(checkout, Money(650_000))
    cards.ask()
    cards.hear()
    assert [row["amount"] for row in cards.standin.books.of_kind("refund")] == [650_000]
    assert cards.collecting.books().get("3383", 0) == 0


def test_a_page_that_the_key_does_not_know_holds_up_nothing_behind_it(cards: Carding) -> None:
    unknown = cards.checkout(0)
    cards.clock.later(seconds=1)
    cards.pay(1)
    del cards.standin.books.rows[cards.session_of(unknown)]
    cards.standin.books.events.clear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert [amount for _, amount in cards.collecting.receipts()] == [300_000]
