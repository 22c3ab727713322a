"""Stripe's money that no payment tells: what it held before, and what the school itself paid in there."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from billing.errors import Conflict, NotFound, Refused
from billing.money import Money
from reconciliation.cards.balances import balances
from reconciliation.cards.explaining import ask_explain, ask_opening, ask_top_up, topped_up, unclear
from reconciliation.cards.tables import CardAct, CardOpening
from reconciliation.matching import Direction
from reconciliation.outgoing.classifying import Purpose, classify, take_back
from reconciliation.outgoing.kinds import Tie
from reconciliation.outgoing.reading import waiting_for_money
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import decide, difference, violations


def held_before(cards: Carding, dong: int) -> None:
    """Let Stripe hold money from a month before its feeds were opened, and be asked after a payment."""
    cards.clock.later(days=-30)
    cards.standin.books.move("topup", dong, "before us")
    cards.clock.later(days=30)
    cards.pay()
    cards.hear()
    asked(cards)


def asked(cards: Carding) -> None:
    cards.clock.later(minutes=6)
    cards.ask()


def wish_opening(cards: Carding) -> CardAct:
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        account, now = collecting.account.id, cards.clock()
        return ask_opening(session, cards.maker, collecting.school.id, account, "Dùng Stripe từ tháng 9", now)


@pytest.mark.parametrize("dong", [50_000, -50_000])
def test_what_stripe_held_before_is_an_opening_that_two_agree_to(cards: Carding, dong: int) -> None:
    held_before(cards, dong)
    assert difference(cards) == Money(dong)
    act = wish_opening(cards)
    with pytest.raises(Conflict, match="đang chờ"):
        wish_opening(cards)
    decide(cards, act)
    assert difference(cards) == Money(0)
    books = cards.collecting.books()
    assert (books["3389T"], books["113T"]) == (-dong, cards.standin.books.balance())
    asked(cards)
    assert difference(cards) == Money(0)
    assert violations(cards) == []
    with pytest.raises(NotFound, match="không lệch"):
        wish_opening(cards)


def test_an_opening_of_which_the_sum_has_changed_is_asked_for_anew(cards: Carding) -> None:
    held_before(cards, 50_000)
    act = wish_opening(cards)
    cards.clock.later(days=-30)
    cards.standin.books.move("topup", 10_000, "before us too")
    cards.clock.later(days=30)
    asked(cards)
    collecting = cards.collecting
    with pytest.raises(Conflict, match="đã đổi"):
        decide(cards, act)
    decide(cards, act, approved=False)
    decide(cards, wish_opening(cards))
    assert (difference(cards), collecting.books()["3389T"]) == (Money(0), -60_000)


def test_the_database_takes_no_opening_that_two_have_not_agreed_to(cards: Carding) -> None:
    held_before(cards, 50_000)
    act, collecting = wish_opening(cards), cards.collecting
    row = CardOpening(
        act_id=act.id,
        school_id=collecting.school.id,
        bank_account_id=collecting.account.id,
        amount=Money(50_000),
        entry_id=1,
        at=cards.clock(),
    )
    with collecting.database.transaction(collecting.scope) as session:
        session.add(row)
        with pytest.raises(IntegrityError, match="agreed to"):
            session.flush()
        session.rollback()


def topped(cards: Carding) -> tuple[str, CardAct]:
    """Let the school pay 500.000 đ in at Stripe, and two people say so."""
    moved = str(cards.standin.books.move("topup", 500_000, "Top-up")["id"])
    asked(cards)
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        act = ask_top_up(session, cards.maker, collecting.school.id, moved, "Nạp để hoàn thẻ", cards.clock())
        with pytest.raises(Conflict, match="đang chờ"):
            ask_explain(session, cards.maker, collecting.school.id, moved, "hay là phí", cards.clock())
    decide(cards, act)
    return moved, act


def money_out(cards: Carding) -> UUID:
    collecting = cards.collecting
    collecting.hear_of(collecting.pays("STRIPE TOPUP", 500_000, direction=Direction.OUT))
    return next(each.id for each in collecting.transfers() if each.direction == "out")


def test_the_schools_own_money_at_stripe_meets_the_banks_money_out(cards: Carding) -> None:
    moved, act = topped(cards)
    collecting, school, now = cards.collecting, cards.collecting.school.id, cards.clock()
    assert collecting.books()["1388T"] == -500_000
    with collecting.database.transaction(collecting.scope) as session:
        assert topped_up(session, school) == {moved}
        with pytest.raises(Conflict, match="đã được nhận"):
            ask_top_up(session, cards.maker, school, moved, "lần nữa", now)
    out = money_out(cards)
    with collecting.database.transaction(collecting.scope) as session:
        (waiting,) = [each for each in waiting_for_money(session, school) if each.tie is Tie.CARD]
        assert (waiting.id, waiting.amount) == (str(act.id), Money(500_000))
        purpose = Purpose("card", tie=Tie.CARD, tied_id=act.id)
        (row,) = classify(session, cards.maker, school, out, [purpose], now)
    assert {"1388", "1388T"} & collecting.books().keys() == set(), "neither cost nor income"
    assert collecting.books()["113T"] == cards.standin.books.balance()
    assert violations(cards) == []
    with collecting.database.transaction(collecting.scope) as session:
        assert unclear(session, school) == []
        with pytest.raises(NotFound, match="đã được giải thích"):
            ask_explain(session, cards.maker, school, moved, "phí", now)
    with collecting.database.transaction(collecting.scope) as session:
        take_back(session, cards.maker, school, row.id, "Nhầm giao dịch", now)
        assert [each.stripe_id for each in unclear(session, school)] == [moved]
    assert violations(cards) == []


def test_a_movement_that_was_taken_for_a_cost_meets_no_money_out(cards: Carding) -> None:
    moved, act = topped(cards)
    collecting, school, now = cards.collecting, cards.collecting.school.id, cards.clock()
    with collecting.database.transaction(collecting.scope) as session:
        explained = ask_explain(session, cards.maker, school, moved, "Stripe trả lại phí", now)
    decide(cards, explained)
    out = money_out(cards)
    with (
        pytest.raises(Conflict, match="không còn chờ"),
        collecting.database.transaction(collecting.scope) as session,
    ):
        classify(session, cards.maker, school, out, [Purpose("card", tie=Tie.CARD, tied_id=act.id)], now)
    assert violations(cards) == []


def test_a_cost_that_was_asked_for_while_the_money_was_tied_is_not_carried_out(cards: Carding) -> None:
    moved, act = topped(cards)
    collecting, school, now = cards.collecting, cards.collecting.school.id, cards.clock()
    with collecting.database.transaction(collecting.scope) as session:
        explained = ask_explain(session, cards.maker, school, moved, "Stripe trả lại phí", now)
    out = money_out(cards)
    with collecting.database.transaction(collecting.scope) as session:
        classify(session, cards.maker, school, out, [Purpose("card", tie=Tie.CARD, tied_id=act.id)], now)
    with pytest.raises(Conflict, match="đã gắn với tiền ra"):
        decide(cards, explained)
    assert violations(cards) == []


def test_money_that_stripe_took_is_not_the_schools_own(cards: Carding) -> None:
    moved = str(cards.standin.books.move("adjustment", -7_000, "Correction")["id"])
    asked(cards)
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        with pytest.raises(Refused, match="tiền vào Stripe"):
            ask_top_up(session, cards.maker, collecting.school.id, moved, "x", cards.clock())
        assert [each.difference for each in balances(session, collecting.school.id)] == [Money(0)]
