"""Money given back to a card: by two people, once, and never what went elsewhere."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.credits.reading import Kept, credit_of, free_credit
from billing.errors import OwnFamily, Refused
from billing.events.tables import Event
from billing.money import Money
from billing.people import agreeing
from billing.people.kinship_tables import OwnChild
from reconciliation.cards.refunding import ask_refund, decide_refund
from reconciliation.cards.tables import CardRefundAnswer
from service.database import EVERYTHING
from service.standins.stripe_books import StripeBooks
from tests.factories.cards import Carding
from tests.factories.collecting import PAID_AT
from tests.reconciliation.cards.acts import FEE, difference, hand_out, paid_twice, pending, violations


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
    assert violations(cards) == []


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
    assert violations(cards) == []


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


def test_a_child_declared_after_asking_stops_the_refund(cards: Carding, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = cards.pay()
    cards.hear()
    asked, mother = cards.ask_refund(checkout, Money(1_000)), cards.maker.user_id
    assert mother is not None
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        child = cards.collecting.requests[0].pupil_id
        session.add(
            OwnChild(school_id=cards.collecting.school.id, user_id=mother, pupil_id=child, made_by=mother, at=PAID_AT)
        )
    with pytest.raises(OwnFamily, match="trong nhà của người đề nghị"):
        cards.agree_refund(asked)
    monkeypatch.setattr(agreeing, "refuse_askers_family", lambda *_: None)
    with pytest.raises(IntegrityError, match="family of who asked"):
        cards.agree_refund(asked)


def test_what_was_handed_out_does_not_go_back_to_the_card_too(cards: Carding) -> None:
    checkout = paid_twice(cards)
    hand_out(cards)
    with pytest.raises(Refused, match="trả hai lần"):
        cards.refund(checkout, Money(650_000))
    cards.ask()
    assert cards.standin.books.of_kind("refund") == []


def test_credit_that_went_after_the_approval_is_not_sent_to_the_card(
    cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = paid_twice(cards)
    cards.refund(checkout, Money(650_000))
    monkeypatch.setattr("billing.credits.refunding.free_credit", credit_of)  # a door that does not look
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


def test_money_under_way_to_a_card_is_neither_handed_out_nor_used(
    cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = paid_twice(cards)
    pupil, books = cards.collecting.requests[0].pupil_id, cards.standin.books
    assert free(cards) == {(pupil, None): Money(650_000)}
    refund_id = cards.refund(checkout, Money(650_000))
    assert free(cards) == {}, "asked for and approved"
    monkeypatch.setattr(StripeBooks, "refund", pending)
    cards.ask()
    (row,) = books.of_kind("refund")
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert session.get_one(CardRefundAnswer, refund_id).stripe_id == row["id"]
    with pytest.raises(Refused, match="tiền tồn còn dùng được"):
        hand_out(cards)
    row["status"] = "succeeded"
    books.tell("refund.updated", row)
    cards.hear()
    assert cards.collecting.books().get("3383", 0) == 0
    assert cards.collecting.books()["113T"] == 650_000 - 650_000 - FEE
    assert violations(cards) == []


def test_a_refund_that_nobody_agrees_to_or_stripe_refuses_frees_the_credit(cards: Carding) -> None:
    checkout = paid_twice(cards)
    collecting, pupil = cards.collecting, cards.collecting.requests[0].pupil_id
    all_of_it = {(pupil, None): Money(650_000)}
    with collecting.database.transaction(collecting.scope) as session:
        row = ask_refund(session, cards.maker, collecting.school.id, checkout.id, Money(1_000), "thử", cards.clock())
    assert free(cards) == {}, "the payment is reversed whole: all that it left over must be there"
    with collecting.database.transaction(collecting.scope) as session:
        school, now = collecting.school.id, cards.clock()
        decide_refund(session, cards.approver, school, row.id, now, approved=False, reason="không")
    assert free(cards) == all_of_it
    cards.refund(checkout, Money(1_000))
    cards.refund(checkout, Money(2_000))
    cards.ask()
    assert free(cards) == {(pupil, None): Money(647_000)}, "two refunds of one payment do not stand in each other's way"
    assert violations(cards) == []


def test_what_was_disputed_after_the_asking_is_neither_approved_nor_sent(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        school, now = collecting.school.id, cards.clock()
        row = ask_refund(session, cards.maker, school, checkout.id, Money(100_000), "Nộp thừa", now)
    approved = cards.refund(checkout, Money(200_000))
    cards.standin.books.dispute(cards.intent_of(checkout), 300_000)
    cards.hear()
    with (
        pytest.raises(Refused, match="tranh chấp"),
        collecting.database.transaction(collecting.scope) as session,
    ):
        decide_refund(session, cards.approver, school, row.id, now, approved=True)
    cards.ask()
    assert cards.standin.books.of_kind("refund") == []
    with collecting.database.transaction(EVERYTHING) as session:
        assert "tranh chấp" in session.get_one(CardRefundAnswer, approved).refused
    assert violations(cards) == []


def free(cards: Carding) -> Kept:
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        return free_credit(session, collecting.school.id)


def test_what_a_lost_dispute_left_can_be_given_back_once_it_is_over(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    books = cards.standin.books
    dispute = books.dispute(cards.intent_of(checkout), 100_000)
    cards.hear()
    with pytest.raises(Refused, match="khi tranh chấp chưa xong"):
        cards.refund(checkout, Money(550_000))
    books.close_dispute(dispute["id"], "lost")
    cards.hear()
    with pytest.raises(Refused, match=r"từ 1 đ đến 550\.000 đ"):
        cards.refund(checkout, Money(550_001))
    cards.refund(checkout, Money(550_000))
    cards.clock.later(minutes=6)
    cards.ask()
    assert (cards.collecting.books().get("3383", 0), cards.collecting.rests()[0]) == (0, 650_000)
    assert (difference(cards), violations(cards)) == (Money(0), [])


def test_a_second_dispute_that_is_open_holds_the_rest_back(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    books = cards.standin.books
    first = books.dispute(cards.intent_of(checkout), 100_000)
    books.close_dispute(first["id"], "lost")
    books.dispute(cards.intent_of(checkout), 50_000)
    cards.hear()
    with pytest.raises(Refused, match="khi tranh chấp chưa xong"):
        cards.refund(checkout, Money(500_000))
