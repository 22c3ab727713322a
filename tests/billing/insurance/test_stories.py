"""A year of health insurance as the accountant tells it: who buys which months, and what becomes of it."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import text
from sqlmodel import select

from billing.cards.entering import NewCard
from billing.cards.months import under_six_end
from billing.cards.reading import live_cards
from billing.credits.refunding import approve_refund, lines_of
from billing.errors import Conflict, NotFound, Refused
from billing.events.tables import Event
from billing.fees.insurance import PROVINCE_PAYS, STATE_PAYS, InsuranceRule
from billing.fees.insured import load_insurance_rules
from billing.fees.items import Span
from billing.insurance.doubling import OtherCard, ask_back, doubled_months, doubles_of, show_other_card
from billing.insurance.listing import lists_of, sent_pupils
from billing.insurance.opening import open_item
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money
from tests.billing.insurance.insurance_world import FAMILY, MONTH, NUMBER, STATE, Insuring


def test_a_card_that_ends_on_30_september_is_followed_by_three_months(insuring: Insuring) -> None:
    with insuring.open() as session:
        insuring.enter(session, insuring.buys(0, card_end=date(2025, 9, 30), number=NUMBER))
        insuring.bill_month(session, 10)
        line = insuring.line(session, 10)
        assert line is not None
        assert (line.quantity, line.unit_price, line.gross) == (3, MONTH, 3 * MONTH)
        assert line.family_share == Money(157_950)
        assert insuring.by_others(session, line) == {STATE_PAYS: 157_950}
        assert insuring.line(session, 10, 1) is None  # nothing is known of her: nothing is charged
        # Only what families pay is the school's receivable; the State pays the insurer itself.
        assert debit_balance(session, insuring.school.id, "131N") == ZERO
        assert insuring.tie(session).unpaid == Money(157_950)


def test_a_new_pupil_in_january_buys_the_whole_year_and_pays_in_two_parts(insuring: Insuring) -> None:
    with insuring.open() as session:
        insuring.enter(
            session,
            NewCard(
                insuring.school.pupil(), 2026, starts_on=date(2026, 1, 12), at_a_time=6, collected_in=date(2026, 1, 1)
            ),
        )
        insuring.bill_month(session, 1, 2026)
        insuring.bill_month(session, 2, 2026)
        line = insuring.line(session, 1)
        assert line is not None
        assert (line.quantity, line.family_share) == (6, 6 * FAMILY)
        assert insuring.line(session, 2) is None
        with pytest.raises(Refused, match="Ngày 01/07/2026 có 0 bộ tham số"):
            insuring.bill_month(session, 7, 2026)  # the wage of July is not known: nothing is guessed


def test_a_first_grader_follows_the_free_card_of_a_small_child(insuring: Insuring) -> None:
    born = insuring.school.billing.pupils[0].pupil.birth_date
    with insuring.open() as session:
        insuring.enter(session, insuring.buys(0, card_end=under_six_end(born)))
        insuring.bill_month(session, 10)
        line = insuring.line(session, 10)
        assert line is not None
        assert (born.year, line.quantity) == (2019, 3)


def test_a_province_that_pays_all_leaves_the_family_nothing(insuring: Insuring) -> None:
    rule = InsuranceRule(
        Money(2_340_000), 45, 50, "Luật BHYT", Span(date(2025, 10, 1), date(2026, 6, 30)), 50, "Nghị quyết thử"
    )
    with insuring.open() as session:
        load_insurance_rules(session, insuring.school.billing.school.province_id, [rule])
        insuring.enter(session, insuring.buys(0, card_end=date(2025, 9, 30)))
        insuring.bill_month(session, 10)
        line = insuring.line(session, 10)
        assert line is not None
        assert (line.gross, line.family_share) == (3 * MONTH, ZERO)
        assert insuring.by_others(session, line) == {STATE_PAYS: 157_950, PROVINCE_PAYS: 157_950}
        insuring.school.pay(session, 10)  # the meals
        sums = insuring.draft(session).sums
        assert (sums.province, sums.family, sums.gross) == (3 * STATE, ZERO, 3 * MONTH)
        card = OtherCard(insuring.school.pupil(), 2025, date(2025, 12, 1), "military")
        [double] = show_other_card(
            session, insuring.school.vault, insuring.school.billing.accountant, insuring.school.id, card,
            insuring.school.now,
        )  # fmt: skip
        assert (double.months, double.amount, double.correction_id) == (1, ZERO, None)
        assert insuring.draft(session).sums.gross == 2 * MONTH  # no money of the family: it counts at once


def test_the_wage_changes_in_mid_year_for_who_buys_afterwards_only(insuring: Insuring) -> None:
    risen = InsuranceRule(Money(2_530_000), 45, 50, "Nghị định thử", Span(date(2025, 11, 1)))
    with insuring.open() as session:
        load_insurance_rules(session, insuring.school.billing.school.province_id, [risen])
        insuring.enter(session, insuring.buys(0, card_end=date(2025, 9, 30)))
        insuring.enter(session, insuring.buys(1, card_end=date(2025, 10, 31), collected_in=date(2025, 11, 1)))
        for month in (10, 11):
            insuring.bill_month(session, month)
        before, after = insuring.line(session, 10), insuring.line(session, 11, 1)
        assert before is not None
        assert after is not None
        assert (before.unit_price, after.unit_price) == (MONTH, Money(113_850))
        assert (after.quantity, after.family_share) == (2, Money(113_850))
        assert insuring.line(session, 11) is None  # no difference is charged on what was bought before


def test_a_poor_households_child_is_not_charged_and_no_bill_or_event_says_why(insuring: Insuring) -> None:
    with insuring.open() as session:
        insuring.enter(session, NewCard(insuring.school.pupil(0), 2025, "poor", number=NUMBER))
        insuring.enter(session, insuring.buys(1, card_end=date(2025, 9, 30)))
        insuring.bill_month(session, 10)
        assert insuring.line(session, 10) is None
        assert insuring.line(session, 10, 1) is not None
        told = json.dumps([event.facts for event in session.exec(select(Event)).all()], ensure_ascii=False)
        assert "poor" not in told
        assert "nghèo" not in told


def test_double_cover_shown_after_the_list_was_sent(insuring: Insuring) -> None:
    """Two children paid and were listed; one shows her father's military card from 15 October on."""
    school = insuring.school
    with insuring.open() as session:
        for child in (0, 1):
            insuring.enter(session, insuring.buys(child, card_end=date(2025, 9, 30), number=NUMBER))
        insuring.bill_month(session, 10)
        school.pay(session, 10)
        school.pay(session, 10, 1)
    with insuring.open() as session:
        first = insuring.send(session)
        assert (first.number, first.lines, first.family) == (1, 2, 6 * FAMILY)
    with insuring.open() as session:
        shown = OtherCard(school.pupil(), 2025, date(2025, 10, 15), "military", "TE4757587654321")
        accountant = school.billing.accountant
        [back] = doubled_months(session, school.id, shown)
        assert (back.months, back.amount) == (2, 2 * FAMILY)  # October has begun: November and December come back
        [double] = show_other_card(session, school.vault, accountant, school.id, shown, school.now)
        with pytest.raises(Conflict, match="đang chờ duyệt"):
            show_other_card(session, school.vault, accountant, school.id, shown, school.now)
        assert insuring.draft(session).lines == ()  # nothing counts before it is approved
        with pytest.raises(NotFound, match="không có tiền BHYT"):
            ask_back(session, school.vault, accountant, school.id, school.pupil(), school.now)
    with insuring.open() as session:
        assert double.correction_id is not None
        insuring.approve(session, double.correction_id)
        assert [stands for _, stands in doubles_of(session, school.id, school.pupil())] == ["approved"]
        assert doubled_months(session, school.id, shown) == []  # never twice
        [change] = [change for change, _ in insuring.draft(session).lines]
        assert (change.months, change.amounts.family, change.amounts.gross) == (-2, -2 * FAMILY, -2 * MONTH)
        assert change.first_month == date(2025, 11, 1)
        second = insuring.send(session)
        assert (second.number, second.family) == (2, -2 * FAMILY)
        found = insuring.tie(session)
        assert (found.collected, found.given_back, found.told) == (6 * FAMILY, 2 * FAMILY, 4 * FAMILY)
        assert found.not_told == ZERO
        assert found.odd == ()
    with insuring.open() as session:
        refund = ask_back(session, school.vault, accountant, school.id, school.pupil(), school.now)
        [line] = lines_of(session, refund)
        assert (line.item_code, line.amount) == ("BHYT", 2 * FAMILY)
        assert approve_refund(session, refund.id, school.billing.approver, school.now) == 2 * FAMILY
        # The card that counts now is the other one: nothing more is collected for the year.
        assert live_cards(session, school.id, 2025, [school.pupil()])[school.pupil()].source == "other"
        assert [len(sent_pupils(session, school.vault, each)) for each in lists_of(session, school.id, 2025)] == [2, 1]


def test_one_sum_for_everybody_and_months_by_pupil_are_never_charged_together(insuring: Insuring) -> None:
    school = insuring.school
    with insuring.open() as session:
        insuring.enter(session, insuring.buys(0, card_end=date(2025, 9, 30)))
        session.execute(text("UPDATE fee_prices SET withdrawn_at = NULL"))
        with pytest.raises(Refused, match=r"mức chung .*3 tháng.* Hãy dừng một trong hai"):
            insuring.bill_month(session, 10)
    with insuring.open() as session, pytest.raises(Conflict, match="đã có khoản thu mã BHYT"):
        open_item(
            session, school.billing.school, school.billing.account.id, school.billing.accountant, date(2025, 10, 1),
            school.now,
        )  # fmt: skip
