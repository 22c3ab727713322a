"""A payout that came in several transfers, and several payouts in one: by two people, to the đồng, and undone whole."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.errors import Conflict, NotFound, Refused
from reconciliation.cards.acting import ask_untie
from reconciliation.cards.payouts import open_payouts
from reconciliation.cards.several import ask_several, may_be_several
from reconciliation.cards.tables import CardAct, CardActDecision, CardActPart, CardPayoutTie
from reconciliation.decided_elsewhere import AS_PAYOUT, decided_elsewhere
from service.database import EVERYTHING
from service.pages.card_rows import card_page
from service.pages.card_views import CardPage
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import decide, difference, violations

REASON = "Sao kê ngân hàng ghi hai lần"


def paid_out(cards: Carding, *numbers: int) -> list[tuple[str, int]]:
    """Let Stripe pay out after each of some payments; return id and sum of each payout."""
    found = []
    for number in numbers:
        cards.pay(number)
        cards.hear()
        payout = cards.standin.books.pay_out()
        found.append((str(payout["id"]), int(payout["amount"])))
        cards.clock.later(minutes=6)
        cards.ask()
    return found


def came(cards: Carding, *sums: int) -> list[UUID]:
    """Let the bank bring money of these sums; return the transfers in that order."""
    collecting = cards.collecting
    collecting.hear_of(*[collecting.pays(f"STRIPE PAYOUT {place}", dong) for place, dong in enumerate(sums)])
    by_sum = {each.amount.dong: each.id for each in collecting.transfers()}
    return [by_sum[dong] for dong in sums]


def ask(cards: Carding, payouts: Collection[str], transfers: Collection[UUID]) -> CardAct:
    school, now = cards.collecting.school.id, cards.clock()
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        return ask_several(session, cards.maker, school, payouts, transfers, REASON, now)


def untied(cards: Carding, payout: str) -> None:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        act = ask_untie(session, cards.maker, cards.collecting.school.id, payout, "Nhầm", cards.clock())
    decide(cards, act)


def shown(cards: Carding) -> CardPage:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        return card_page(session, None, cards.collecting.school.id, UUID(int=0), 0, cards.clock())


def test_a_payout_in_two_parts_is_tied_by_two_people_and_taken_apart_whole(cards: Carding) -> None:
    ((payout, amount),) = paid_out(cards, 0)
    parts = came(cards, 400_000, amount - 400_000)
    assert [each.amount.dong for each in shown(cards).parts] == [400_000, amount - 400_000]
    act = ask(cards, {payout}, set(parts))
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        assert [decided_elsewhere(session, each) for each in cards.collecting.transfers()] == [AS_PAYOUT, AS_PAYOUT]
    page = shown(cards)
    assert [(row.kind, row.amount.dong) for row in page.acts] == [("tie_several", amount)]
    assert (page.payouts[0].asked, page.parts) == (True, ())
    decide(cards, act)
    assert cards.collecting.states() == ["matched", "matched"]
    assert cards.collecting.books()["112"] == amount
    assert not cards.collecting.books().get("113T")
    assert (violations(cards), difference(cards).dong) == ([], 0)
    untied(cards, payout)
    assert cards.collecting.states() == ["waiting", "waiting"]
    assert violations(cards) == []
    decide(cards, ask(cards, {payout}, set(parts)))
    assert violations(cards) == []


def test_two_payouts_in_one_transfer_are_tied_by_two_people_and_taken_apart_whole(cards: Carding) -> None:
    (first, one), (second, other) = paid_out(cards, 0, 1)
    (transfer,) = came(cards, one + other)
    decide(cards, ask(cards, {first, second}, {transfer}))
    assert cards.collecting.states() == ["matched"]
    assert not cards.collecting.books().get("113T")
    assert violations(cards) == []
    tied = {(row.payout_id, row.amount.dong, row.several) for row in shown(cards).tied}
    assert tied == {(first, one, True), (second, other, True)}
    untied(cards, second)
    assert cards.collecting.states() == ["waiting"]
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        assert {each.payout.stripe_id for each in open_payouts(session, cards.collecting.school.id)} == {first, second}
    assert violations(cards) == []


def test_what_does_not_fit_to_the_dong_or_is_gone_is_refused(cards: Carding) -> None:
    ((payout, amount),) = paid_out(cards, 0)
    less, rest, more = came(cards, 400_000, amount - 400_001, amount - 399_999)
    for wrong in ({less, rest}, {less, more}):
        with pytest.raises(Refused, match="từng đồng"):
            ask(cards, {payout}, wrong)
    for payouts, transfers in (({payout}, {less}), (set(), {less, rest}), ({payout, "po_2"}, {less, rest})):
        with pytest.raises(Refused, match="Hãy chọn một khoản"):
            ask(cards, payouts, transfers)
    with pytest.raises(NotFound):
        ask(cards, {payout, "po_unknown"}, {less})
    with pytest.raises(Conflict):
        ask(cards, {payout}, {less, UUID(int=7)})


def test_the_database_refuses_more_than_the_payout_and_what_nobody_agreed_to(cards: Carding) -> None:
    ((payout, amount),) = paid_out(cards, 0)
    first, rest, more = came(cards, 400_000, amount - 400_000, 300_000)
    collecting, school, now = cards.collecting, cards.collecting.school.id, cards.clock()
    act = ask(cards, {payout}, {first, rest})

    def refused(transfer: UUID, act_id: UUID | None, words: str) -> None:
        row = CardPayoutTie(school_id=school, payout_id=payout, transfer_id=transfer, entry_id=1, act_id=act_id, at=now)
        with pytest.raises(IntegrityError, match=words), collecting.database.transaction(collecting.scope) as session:
            session.add(row)

    refused(first, act.id, "as another person agreed")
    decide(cards, act)
    refused(more, act.id, "as another person agreed")
    refused(first, act.id, "waiting money")
    refused(more, None, "same sum")
    late = CardActPart(act_id=act.id, payout_id=payout, transfer_id=more, school_id=school)
    with (
        pytest.raises(IntegrityError, match="before it is decided"),
        collecting.database.transaction(collecting.scope) as session,
    ):
        session.add(late)
    with collecting.database.transaction(EVERYTHING) as session:
        assert len(session.exec(select(CardPayoutTie)).all()) == 2


def test_parts_that_two_people_would_tie_without_fitting_are_refused_by_the_database(cards: Carding) -> None:
    ((payout, amount),) = paid_out(cards, 0)
    first, rest, more = came(cards, 400_000, amount - 400_000, 300_000)
    school, scope = cards.collecting.school.id, cards.collecting.scope
    act = ask(cards, {payout}, {first, rest})
    with cards.collecting.database.transaction(scope) as session:
        session.add(CardActPart(act_id=act.id, payout_id=payout, transfer_id=more, school_id=school))
        session.flush()
        session.add(
            CardActDecision(act_id=act.id, school_id=school, approved=True, decided_by=UUID(int=9), at=cards.clock())
        )
    tie = CardPayoutTie(
        school_id=school, payout_id=payout, transfer_id=more, entry_id=1, act_id=act.id, at=cards.clock()
    )
    with (
        pytest.raises(IntegrityError, match="fit together"),
        cards.collecting.database.transaction(scope) as session,
    ):
        session.add(tie)


def test_a_payout_that_failed_meanwhile_is_not_tied_with_others(cards: Carding) -> None:
    (first, one), (second, other) = paid_out(cards, 0, 1)
    (transfer,) = came(cards, one + other)
    act = ask(cards, {first, second}, {transfer})
    cards.standin.books.fail_payout(second)
    cards.hear()
    school, scope = cards.collecting.school.id, cards.collecting.scope
    with pytest.raises(NotFound):
        decide(cards, act)
    assert cards.collecting.states() == ["waiting"]
    with cards.collecting.database.transaction(scope) as session:
        assert may_be_several(session, school) == [], "it is still asked for"
