"""Whatever months are closed and whenever a child leaves: released + deferred + given back is what was billed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from billing.contracts.admitting import decline
from billing.contracts.prepaid import prepaid_lines
from billing.contracts.reading import DEPOSIT_ACCOUNT, OTHER_INCOME
from billing.contracts.releasing import release_month
from billing.contracts.tables import Contract, IncomeRelease
from billing.contracts.withdrawing import Telling, withdraw_from
from billing.ledger.accounts import deferred_code
from billing.money import ZERO, Money, total
from tests.billing.contracts.contract_world import DEPOSIT, STARTS, PrivateSchool

DEFERRED = deferred_code("5113")
INCOME = "5113"
MONTHS = [date(2025, month, 1) for month in range(9, 13)] + [date(2026, month, 1) for month in range(1, 6)]
CLOSED = st.lists(st.sampled_from(MONTHS), max_size=6)
LAST = st.dates(date(2025, 8, 20), date(2026, 5, 31))
END = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)


def moment(day: date) -> datetime:
    return datetime.combine(day, time(3), UTC)


def add_up(school: PrivateSchool, session: Session, enrolment: object, billed: Money, back: Money) -> None:
    """Assert that the year's line, its releases and the book say the same."""
    (line,) = prepaid_lines(session, school.id)
    assert line.enrolment_id == enrolment
    assert line.released + line.deferred + back == billed
    rows = session.exec(select(IncomeRelease).where(col(IncomeRelease.line_id) == line.line_id)).all()
    assert total(row.amount for row in rows) == line.released
    assert school.balance(session, DEFERRED) == line.deferred


def play(
    school: PrivateSchool, session: Session, contract: Contract, story: tuple[list[date], date, list[date]]
) -> None:
    """Close some months, let the child leave, let another person agree, close further months and the last one."""
    early, last_day, late = story
    actor = school.billing.accountant
    (line,) = prepaid_lines(session, school.id)
    billed, enrolment = line.net, line.enrolment_id
    for month in early:
        release_month(session, school.id, month, actor, END)
        add_up(school, session, enrolment, billed, ZERO)
    now = moment(max(last_day, date(2025, 8, 31)))
    step, _ = withdraw_from(
        session, school.vault, school.id, contract.id, Telling(last_day, "left", "Theo đơn"), actor, now
    )
    back = Money(step.facts["back"])
    add_up(school, session, enrolment, billed, ZERO)
    school.now = END
    school.approve_all(session)
    add_up(school, session, enrolment, billed, back)
    for month in [*late, MONTHS[-1]]:
        release_month(session, school.id, month, actor, END)
        add_up(school, session, enrolment, billed, back)
    assert school.balance(session, DEFERRED) == ZERO


def any_story(school: PrivateSchool, examples: int) -> None:
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        school.pay_bill(session, school.bills_of(session, contract.pupil_id)[-1].bill_id)

        @settings(max_examples=examples, deadline=None)
        @given(story=st.tuples(CLOSED, LAST, CLOSED))
        def check(story: tuple[list[date], date, list[date]]) -> None:
            trial = session.begin_nested()
            try:
                play(school, session, contract, story)
            finally:
                trial.rollback()
                session.expire_all()

        check()


def test_any_closings_around_any_last_day_lose_no_dong(school: PrivateSchool) -> None:
    any_story(school, 6)


@pytest.mark.proof
def test_any_closings_around_any_last_day_lose_no_dong_in_full(school: PrivateSchool) -> None:
    any_story(school, 60)


def test_deposit_is_credit_given_back_or_kept_on_any_day(school: PrivateSchool) -> None:
    """Paid in part or whole, told on any day: paid = kept + given back, and nothing stays on the deposit's account."""
    with school.open() as session:
        contract = school.apply(session)
        bill = school.sign(session, contract)

        @settings(max_examples=6, deadline=None)
        @given(paid=st.integers(0, DEPOSIT.dong).map(Money), told=st.dates(date(2025, 6, 10), STARTS))
        def check(paid: Money, told: date) -> None:
            trial = session.begin_nested()
            try:
                if paid:
                    school.pay_bill(session, bill, paid)
                school.now = moment(told)
                step = decline(session, school.id, contract.id, told, "Đổi ý", school.billing.accountant, school.now)
                school.approve_all(session)
                kept = school.balance(session, OTHER_INCOME)
                back = sum(school.credit(session, contract.pupil_id).values())
                assert kept.dong + back == paid.dong == step.facts["kept"] + step.facts["back"]
                assert school.balance(session, DEPOSIT_ACCOUNT) == ZERO
            finally:
                trial.rollback()
                session.expire_all()

        check()
