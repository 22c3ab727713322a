"""A withdrawal whose correction is rejected: nothing more becomes income, and it can be asked for again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.contracts.giving_back import ask_back_again
from billing.contracts.releasing import release_month
from billing.contracts.withdrawing import Telling, withdraw_from
from billing.errors import Conflict
from billing.money import ZERO, Money
from billing.rounds.correcting import open_corrections, reject_correction
from tests.billing.contracts.contract_world import PrivateSchool, at


def test_what_was_rejected_stays_deferred_until_it_is_asked_again_and_approved(school: PrivateSchool) -> None:
    accountant, approver = school.billing.accountant, school.billing.approver
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        school.pay_bill(session, school.bills_of(session, contract.pupil_id)[-1].bill_id)
        school.now = at(10, 20)
        telling = Telling(date(2025, 10, 17), "left", "Đơn ngày 16/10/2025")
        step, _ = withdraw_from(session, school.vault, school.id, contract.id, telling, accountant, school.now)
        with pytest.raises(Conflict, match="Không có đề nghị trả lại nào"):
            ask_back_again(session, school.id, contract.id, accountant, school.now)
        for each in open_corrections(session, school.id):
            reject_correction(session, each.id, approver, school.now, "Thiếu đơn")
        done = release_month(session, school.id, date(2025, 10, 1), accountant, school.now)
        assert done.amount == Money(4_500_000)  # September and October of nine months at 2,250,000 đ
        assert done.remains == Money(15_750_000)
        school.now += timedelta(days=1)
        assert ask_back_again(session, school.id, contract.id, accountant, school.now)
        with pytest.raises(Conflict, match="Không có đề nghị trả lại nào"):
            ask_back_again(session, school.id, contract.id, accountant, school.now)
        assert not release_month(session, school.id, date(2025, 10, 1), accountant, school.now).amount
        before = sum(school.credit(session, contract.pupil_id).values())
        school.approve_all(session)
        back = Money(step.facts["back"])
        assert Money(sum(school.credit(session, contract.pupil_id).values()) - before) >= back > ZERO
        last = release_month(session, school.id, date(2025, 10, 1), accountant, school.now)
        assert (last.amount, last.remains) == (Money(15_750_000) - back, ZERO)


def test_income_that_a_rejection_let_go_comes_back_with_the_next_close(school: PrivateSchool) -> None:
    """Rejected, asked again, rejected again: whatever the order, only months that were studied are income."""
    accountant, approver = school.billing.accountant, school.billing.approver
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        school.now = at(10, 20)
        telling = Telling(date(2025, 10, 17), "left", "Đơn ngày 16/10/2025")
        withdraw_from(session, school.vault, school.id, contract.id, telling, accountant, school.now)
        for _ in range(2):
            for each in open_corrections(session, school.id):
                reject_correction(session, each.id, approver, school.now, "Thiếu đơn")
            school.now += timedelta(days=1)
            ask_back_again(session, school.id, contract.id, accountant, school.now)
        school.now = at(5, 31)
        assert release_month(session, school.id, date(2026, 5, 1), accountant, school.now).remains == Money(15_750_000)
        school.approve_all(session)
        assert release_month(session, school.id, date(2026, 5, 1), accountant, school.now).remains == ZERO
