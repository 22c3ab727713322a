"""A private school's year as its accountant tells it: deposit, enrolment, prepaid year, release, withdrawal."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import Session, col, select

from billing.bills.tables import BillLine
from billing.contracts.admitting import decline, preview_decline, refund_deposit
from billing.contracts.prepaid import prepaid_lines
from billing.contracts.reading import DEPOSIT_ACCOUNT, OTHER_INCOME, steps_of
from billing.contracts.releasing import preview_release, release_month
from billing.contracts.tables import Contract
from billing.contracts.withdrawing import Telling, preview_withdrawal, withdraw_from
from billing.credits.tables import RefundLine
from billing.errors import Conflict, Refused
from billing.ledger.accounts import deferred_code
from billing.money import ZERO, Money, total
from billing.moving.leaving import settle_leaving
from billing.moving.tables import Leaving
from billing.payments.tables import PaymentRequest, Receipt
from billing.people.tables import Contact, Enrolment
from billing.rounds.calculating import calculate
from billing.rounds.tables import BillingRound
from tests.billing.contracts.contract_world import DEPOSIT, MONTHLY, STARTS, PrivateSchool, at

DEFERRED = deferred_code("5113")
YEAR = (9 * MONTHLY).percent(90)
OCTOBER = at(10, 20)
LEFT = date(2025, 10, 15)


def lines_of(session: Session, contract: Contract) -> dict[str, Money]:
    """Return what was billed to the child after the deposit, by item."""
    enrolled = steps_of(session, contract)["enrolled"].enrolment_id
    bills = [line.bill_id for line in prepaid_lines(session, contract.school_id, enrolled)]
    rows = session.exec(select(BillLine).where(col(BillLine.bill_id).in_(bills))).all()
    return {row.item_code: row.family_share for row in rows}


def told(last_day: date = LEFT, shown: Money | None = None) -> Telling:
    return Telling(last_day, "left", "Theo đơn của gia đình", shown)


def test_applicant_is_no_pupil_and_pays_the_deposit_by_its_own_reference(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session)
        assert session.exec(select(Enrolment).where(Enrolment.pupil_id == contract.pupil_id)).all() == []
        assert all(b"345678" not in sealed for sealed in session.exec(select(col(Contact.sealed))).all())
        bill_id = school.sign(session, contract)
        (request,) = session.exec(select(PaymentRequest).where(PaymentRequest.pupil_id == contract.pupil_id)).all()
        assert len(request.reference) == 11
        assert school.balance(session, DEPOSIT_ACCOUNT) == DEPOSIT
        school.pay_bill(session, bill_id)
        (bill,) = school.bills_of(session, contract.pupil_id)
        assert (bill.status, bill.paid) == ("paid", DEPOSIT)
        with pytest.raises(Refused, match="trang Hợp đồng"):
            calculate(session, session.exec(select(BillingRound)).one())
        assert [receipt.amount for receipt in session.exec(select(Receipt)).all()] == [DEPOSIT]


def test_deposit_becomes_credit_when_the_child_is_enrolled_and_pays_the_first_bill(school: PrivateSchool) -> None:
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        assert school.balance(session, DEPOSIT_ACCOUNT) == ZERO
        billed = lines_of(session, contract)
        assert billed.keys() == {"HOCPHI-NAM", "TIENAN"}
        assert billed["HOCPHI-NAM"] == YEAR
        deposit, year = school.bills_of(session, contract.pupil_id)
        assert (deposit.status, year.family_due) == ("covered", total(billed.values()))
        assert (year.leftover, year.rest) == (DEPOSIT, year.family_due - DEPOSIT)
        assert school.credit(session, contract.pupil_id) == {}


def test_year_is_billed_once_and_becomes_income_month_by_month(school: PrivateSchool) -> None:
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        assert school.balance(session, DEFERRED) == YEAR
        school.now = at(10, 6)
        school.issue(session, school.october)
        newest = school.bills_of(session, contract.pupil_id)[-1]
        items = session.exec(select(BillLine.item_code).where(BillLine.bill_id == newest.bill_id)).all()
        assert items == ["TIENAN"]
        actor = school.billing.accountant
        done = release_month(session, school.id, STARTS, actor, school.now)
        assert (done.amount, done.remains) == (Money(YEAR.dong // 9), YEAR - Money(YEAR.dong // 9))
        again = release_month(session, school.id, STARTS, actor, school.now)
        assert (again.amount, again.remains) == (ZERO, done.remains)
        assert school.balance(session, DEFERRED) == done.remains
        with pytest.raises(Refused, match="chưa đến"):
            release_month(session, school.id, date(2026, 1, 1), actor, school.now)
        school.now = at(5, 31)
        assert release_month(session, school.id, date(2026, 5, 1), actor, school.now).remains == ZERO
        earlier = release_month(session, school.id, date(2025, 12, 1), actor, school.now)
        assert (earlier.amount, earlier.remains) == (ZERO, ZERO)
        assert school.balance(session, DEFERRED) == ZERO


def test_child_does_not_come_and_the_contract_says_what_is_kept(school: PrivateSchool) -> None:
    """Told 45 days before the start: half is kept and is income, half comes back after another's approval."""
    with school.open() as session:
        contract = school.apply(session)
        school.pay_bill(session, school.sign(session, contract))
        school.now = at(7, 18)
        shown = preview_decline(session, school.id, contract.id, school.now.date())
        assert (shown.paid, shown.kept, shown.back) == (DEPOSIT, DEPOSIT.percent(50), DEPOSIT.percent(50))
        actor = school.billing.accountant
        decline(session, school.id, contract.id, school.now.date(), "Gia đình chuyển nơi ở", actor, school.now)
        assert school.balance(session, OTHER_INCOME) == shown.kept
        with pytest.raises(Refused, match="được duyệt trước"):
            refund_deposit(session, school.vault, school.id, contract.id, actor, school.now)
        school.approve_all(session)
        refund_deposit(session, school.vault, school.id, contract.id, actor, school.now)
        (line,) = session.exec(select(RefundLine)).all()
        assert (line.pupil_id, line.amount) == (contract.pupil_id, shown.back)
        assert school.balance(session, DEPOSIT_ACCOUNT) == ZERO


def test_unpaid_deposit_is_no_debt_of_a_child_that_does_not_come(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session)
        school.sign(session, contract)
        decline(session, school.id, contract.id, school.now.date(), "Đổi ý", school.billing.accountant, school.now)
        school.approve_all(session)
        (bill,) = school.bills_of(session, contract.pupil_id)
        assert (bill.status, bill.rest) == ("covered", ZERO)
        assert school.balance(session, DEPOSIT_ACCOUNT) == ZERO


def test_child_withdraws_in_the_second_month_and_gets_back_by_the_table(school: PrivateSchool) -> None:
    """Two of nine months are used; of the seven left 70 % come back, the rest is the school's at once."""
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        school.pay_bill(session, school.bills_of(session, contract.pupil_id)[-1].bill_id)
        school.now = OCTOBER
        actor = school.billing.accountant
        release_month(session, school.id, STARTS, actor, school.now)
        used = Money(YEAR.dong * 2 // 9)
        back = (YEAR - used).percent(70)
        shown = preview_withdrawal(session, school.id, contract.id, told(), school.now)
        assert (shown.percent, shown.back, shown.kept) == (70, back, YEAR - used - back)
        assert shown.leaving.to_credit == back
        with pytest.raises(Conflict, match="Hãy xem lại"):
            withdraw_from(session, school.vault, school.id, contract.id, told(shown=back - Money(1)), actor, school.now)
        _, leaving = withdraw_from(session, school.vault, school.id, contract.id, told(shown=back), actor, school.now)
        waiting = preview_release(session, school.id, date(2025, 12, 1))
        assert waiting.amount == used - Money(YEAR.dong // 9)
        school.approve_all(session)
        settle_leaving(session, school.vault, actor, leaving, school.now)
        (line,) = session.exec(select(RefundLine)).all()
        assert line.amount == back
        done = release_month(session, school.id, LEFT, actor, school.now)
        assert (done.remains, school.balance(session, DEFERRED)) == (ZERO, ZERO)


def test_what_was_released_too_far_is_taken_back_when_a_child_withdraws(school: PrivateSchool) -> None:
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        school.now = at(12, 5)
        actor = school.billing.accountant
        release_month(session, school.id, date(2025, 12, 1), actor, school.now)
        withdraw_from(session, school.vault, school.id, contract.id, told(), actor, school.now)
        assert school.balance(session, DEFERRED) == YEAR - Money(YEAR.dong * 2 // 9)
        school.approve_all(session)
        release_month(session, school.id, date(2025, 12, 1), actor, school.now)
        assert school.balance(session, DEFERRED) == ZERO


def test_child_that_never_comes_gets_everything_back_less_the_deposit(school: PrivateSchool) -> None:
    with school.open() as session:
        contract, enrolment = school.yearly_child(session)
        school.pay_bill(session, school.bills_of(session, contract.pupil_id)[-1].bill_id)
        billed = lines_of(session, contract)
        last = date(2025, 8, 28)
        school.now = at(8, 29)
        shown = preview_withdrawal(session, school.id, contract.id, told(last), school.now)
        assert (shown.percent, shown.back) == (100, YEAR - DEPOSIT)
        assert shown.leaving.gives_back == total(billed.values()) - DEPOSIT
        withdraw_from(session, school.vault, school.id, contract.id, told(last), school.billing.accountant, school.now)
        school.approve_all(session)
        assert session.get_one(Enrolment, enrolment).state == "never_came"
        assert [row.state for row in session.exec(select(Leaving)).all()] == ["never_came"]
        release_month(session, school.id, last, school.billing.accountant, school.now)
        assert school.balance(session, DEFERRED) == ZERO
        assert sum(school.credit(session, contract.pupil_id).values()) == (total(billed.values()) - DEPOSIT).dong


def test_term_that_no_price_opens_is_told_before_anybody_is_enrolled(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session, starts_on=date(2025, 11, 1), months=7)
        school.sign(session, contract)
        with pytest.raises(Refused, match="chưa có kỳ bắt đầu từ tháng 11/2025"):
            school.admit(session, contract)


def test_half_years_are_billed_in_the_months_in_which_they_begin(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session, plan="half")
        school.sign(session, contract)
        school.now = at(8, 20)
        enrolment = school.admit(session, contract)
        school.issue(session)
        (line,) = prepaid_lines(session, school.id, enrolment)
        assert (line.months, line.net, line.first) == (5, (5 * MONTHLY).percent(95), STARTS)
