"""Payouts tied to the bank: by the rule, by one person, by two; taken apart again."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from billing.errors import Conflict, Refused
from reconciliation.cards.acting import ask_untie, decide_act, tie_payout
from reconciliation.cards.payouts import for_two, names_stripe, open_payouts, recent_ties, tie
from reconciliation.matching import Direction
from reconciliation.reports.filling import report_record
from reconciliation.returning.asking import ask_return
from reconciliation.reversing.asking import agree_reversal, ask_reversal
from reconciliation.transfers import PAYER_CONTEXT
from service.pages.card_rows import card_page
from tests.factories.cards import Carding
from tests.factories.collecting import PAID_AT
from tests.reconciliation.cards.acts import decide, payout_waits, tie_it, violations
from tests.reconciliation.test_decided_elsewhere import TO

A_YEAR = timedelta(days=365)


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
    assert violations(cards) == []
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
            tie_payout(session, vault, cards.maker, school, payout.payout.stripe_id, transfer.id, "x", cards.clock())


def test_money_that_does_not_name_stripe_is_a_payout_only_for_two(cards: Carding) -> None:
    payout_waits(cards, "nguyen van 0 nop hoc phi")
    with pytest.raises(Refused, match="người thứ hai"):
        tie_it(cards)
    act = tie_it(cards, "Số tiền đúng, sao kê ghi nhầm nội dung")
    collecting = cards.collecting
    assert collecting.states() == ["waiting"]
    with collecting.database.transaction(collecting.scope) as session:
        assert [each.transfers for each in open_payouts(session, collecting.school.id)] == [()], "it is being decided"
    decide(cards, act)
    assert collecting.states() == ["matched"]
    assert violations(cards) == []


def test_a_payer_who_is_stripe_is_tied_by_one(cards: Carding) -> None:
    payout_waits(cards, "chuyen tien quoc te")
    vault, (transfer,) = cards.collecting.wiring.vault, cards.collecting.transfers()
    assert not names_stripe(vault, transfer)
    told = json.dumps({"account": "9704000000000018", "name": "Stripe Payments Europe"})
    transfer.payer_sealed = vault.seal(told, PAYER_CONTEXT)
    assert names_stripe(vault, transfer)


def test_a_tie_is_undone_by_two_and_the_money_waits_and_can_be_tied_anew(cards: Carding) -> None:
    payout = payout_waits(cards, "STRIPE PAYOUT")
    collecting = cards.collecting
    assert collecting.states() == ["matched"]
    before = collecting.books()
    cards.standin.books.fail_payout(payout)
    cards.hear()
    with collecting.database.transaction(collecting.scope) as session:
        act = ask_untie(session, cards.maker, collecting.school.id, payout, "Ngân hàng đã trả lại", cards.clock())
    decide(cards, act)
    assert collecting.states() == ["waiting"]
    after = collecting.books()
    assert after["113T"] - before.get("113T", 0) == -after["3388S"] > 0
    assert after["113T"] == cards.standin.books.balance()
    assert violations(cards) == []
    collecting.reconcile()
    assert collecting.states() == ["waiting"], "a payout that failed is tied to nothing"
    again = cards.standin.books.pay_out()
    cards.clock.later(minutes=6)
    cards.ask()
    assert again["amount"] == before["112"]
    assert collecting.states() == ["matched"], "the same money brought the next one"
    assert violations(cards) == []


def test_money_that_the_bank_takes_back_after_a_failed_payout_has_a_way(cards: Carding) -> None:
    payout = payout_waits(cards, "STRIPE PAYOUT")
    collecting, now = cards.collecting, cards.clock()
    amount = cards.standin.books.rows[payout]["amount"]
    cards.standin.books.fail_payout(payout)
    cards.hear()
    collecting.hear_of(collecting.pays("STRIPE PAYOUT RETURN", amount, direction=Direction.OUT))
    school = collecting.school.id
    out, came = sorted(collecting.transfers(), key=lambda each: each.direction == "in")
    with (
        pytest.raises(Conflict, match="gỡ khoản chi trả ở trang Thẻ"),
        collecting.database.transaction(collecting.scope) as session,
    ):
        ask_reversal(session, cards.maker, school, out.id, came.id, "Ngân hàng báo", now)
    with collecting.database.transaction(collecting.scope) as session:
        act = ask_untie(session, cards.maker, school, payout, "Ngân hàng đã trả lại Stripe", now)
    decide(cards, act)
    with collecting.database.transaction(collecting.scope) as session:
        asked = ask_reversal(session, cards.maker, school, out.id, came.id, "Ngân hàng báo", now)
        agree_reversal(session, cards.approver, school, asked.id, now)
    assert collecting.states() == ["ignored_out", "reversed"]
    books = collecting.books()
    assert {"112", "1388", "3388S"} & books.keys() == set(), "it came and went"
    cards.clock.later(minutes=6)
    cards.ask()
    assert collecting.books()["113T"] == cards.standin.books.balance()
    cards.clock.later(hours=2)
    assert violations(cards) == []


def test_a_payout_that_failed_after_its_tie_is_told_until_two_untie_it(cards: Carding) -> None:
    payout = payout_waits(cards, "STRIPE PAYOUT")
    collecting, far = cards.collecting, date(2026, 12, 31)
    with collecting.database.transaction(collecting.scope) as session:
        assert recent_ties(session, collecting.school.id, far) == []
    cards.standin.books.fail_payout(payout)
    cards.hear()
    assert violations(cards) == [], "a person has an hour"
    cards.clock.later(hours=2)
    (broken,) = violations(cards)
    assert payout in broken
    assert "failed" in broken
    with collecting.database.transaction(collecting.scope) as session:
        ((tie, _, failed),) = recent_ties(session, collecting.school.id, far)
        page = card_page(session, collecting.wiring.vault, collecting.school.id, tie.id, 0, cards.clock() + A_YEAR)
        assert failed
        assert [(row.payout_id, row.failed) for row in page.tied] == [(payout, True)]
        act = ask_untie(session, cards.maker, collecting.school.id, payout, "Ngân hàng đã trả lại", cards.clock())
    decide(cards, act)
    assert violations(cards) == []
    with collecting.database.transaction(collecting.scope) as session:
        assert recent_ties(session, collecting.school.id, far) == []


@pytest.mark.parametrize(("days", "kept"), [(12, 0), (1, 15_000)])
def test_a_payout_that_came_late_or_less_is_tied_by_two(cards: Carding, days: int, kept: int) -> None:
    cards.pay()
    cards.hear()
    amount = cards.standin.books.pay_out()["amount"]
    cards.clock.later(minutes=6)
    cards.ask()
    cards.clock.later(days=days)
    collecting = cards.collecting
    collecting.hear_of(collecting.pays("STRIPE PAYOUT", amount - kept, at=PAID_AT + timedelta(days=days)))
    assert collecting.states() == ["waiting"], "the rule leaves it"
    with collecting.database.transaction(collecting.scope) as session:
        ((payout, transfer),) = [
            (each.payout, one)
            for each in open_payouts(session, collecting.school.id)
            for one in for_two(session, each.payout)
        ]
        vault, school = collecting.wiring.vault, collecting.school.id
        (row,) = card_page(session, vault, school, transfer.id, 0, cards.clock()).payouts
        assert [(each.late, each.less.dong) for each in row.choices] == [(not kept, kept)]
        with pytest.raises(Refused, match="thứ hai"):
            tie_payout(session, vault, cards.maker, school, payout.stripe_id, transfer.id, "", cards.clock())
        act = tie_payout(session, vault, cards.maker, school, payout.stripe_id, transfer.id, "Phí", cards.clock())
    with collecting.database.transaction(collecting.scope) as session:
        (asked,) = card_page(session, vault, school, transfer.id, 0, cards.clock()).acts
    assert ("phí ngân hàng: 15.000 đ" in asked.words) == bool(kept)
    assert collecting.states() == ["waiting"]
    decide(cards, act)
    assert collecting.states() == ["matched"]
    books = collecting.books()
    assert (books.get("113T", 0), books.get("3388S", 0), books.get("642", 0)) == (0, 0, kept)
    assert books["112"] == amount - kept
    assert violations(cards) == []


def test_the_database_ties_no_less_than_was_paid_out_without_two(cards: Carding) -> None:
    cards.pay()
    cards.hear()
    amount = cards.standin.books.pay_out()["amount"]
    cards.clock.later(minutes=6)
    cards.ask()
    collecting = cards.collecting
    collecting.hear_of(collecting.pays("STRIPE PAYOUT", amount - 1))
    with collecting.database.transaction(collecting.scope) as session:
        (each,) = open_payouts(session, collecting.school.id)
        (transfer,) = for_two(session, each.payout)
        with pytest.raises(IntegrityError, match="agreed to"):
            tie(session, each.payout, transfer, None, cards.clock())
        session.rollback()


def test_an_act_is_carried_out_once_however_many_agree_at_once(cards: Carding) -> None:
    payout = payout_waits(cards, "STRIPE PAYOUT")
    collecting, school, gate = cards.collecting, cards.collecting.school.id, Barrier(3)
    with collecting.database.transaction(collecting.scope) as session:
        act = ask_untie(session, cards.maker, school, payout, "Tiền của đơn vị khác", cards.clock())

    def agree(_: int) -> str:
        gate.wait()
        try:
            with collecting.database.transaction(collecting.scope) as session:
                decide_act(session, cards.approver, school, act.id, cards.clock(), approved=True)
        except Conflict:
            return "refused"
        return "agreed"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(agree, range(3))) == ["agreed", "refused", "refused"]
    assert collecting.states() == ["waiting"]
    assert violations(cards) == []


def test_the_rule_does_not_tie_again_what_two_untied(cards: Carding) -> None:
    payout = payout_waits(cards, "STRIPE PAYOUT")
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        act = ask_untie(session, cards.maker, collecting.school.id, payout, "Tiền của đơn vị khác", cards.clock())
    decide(cards, act)
    collecting.reconcile()
    assert collecting.states() == ["waiting"]
    assert tie_it(cards) is None, "a person may still"
    assert collecting.states() == ["matched"]


def test_one_who_said_no_leaves_the_money_waiting(cards: Carding) -> None:
    payout_waits(cards, "chuyen tien")
    decide(cards, tie_it(cards, "Có lẽ là Stripe"), approved=False)
    assert cards.collecting.states() == ["waiting"]
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        (each,) = open_payouts(session, cards.collecting.school.id)
        assert len(each.transfers) == 1
