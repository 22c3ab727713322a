"""Giving money back: asked for by one, approved by another, paid out once; nothing is credited again."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.credits.choosing import Choice, wanted_in_bulk
from billing.credits.history import history_of
from billing.credits.payee import Payee
from billing.credits.paying_out import mark_sent, pay_cash, states_of, take_back, undo_step
from billing.credits.reading import free_credit
from billing.credits.refunding import (
    REFUND_PAYABLE,
    Wanted,
    approve_refund,
    ask_refund,
    lines_of,
    payee_of,
    reject_refund,
)
from billing.credits.tables import Refund, RefundLine, RefundStep
from billing.errors import Conflict, Refused, SamePerson
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money
from billing.storage import new_id
from tests.billing.credits.credit_world import MEAL, School
from tests.factories.schools import make_user

BANK = Payee("Nguyễn Văn Hòa", "970436", "0071000123456", proof="Đơn ngày 02/10/2025, đã gọi lại số trong hồ sơ")


def leftover(school: School, session: Session) -> Money:
    school.lower(session, 9, "TIENAN", 2 * MEAL)
    return 2 * MEAL


def ask(school: School, session: Session, amount: Money, payee: Payee = Payee()) -> Refund:  # noqa: B008  frozen
    wanted = [Wanted(school.pupil(), "TIENAN", amount, payee)]
    return ask_refund(session, school.vault, school.billing.accountant, school.id, wanted, "Cháu nghỉ học", school.now)


def approved(school: School, session: Session, payee: Payee = Payee()) -> RefundLine:  # noqa: B008  frozen
    refund = ask(school, session, leftover(school, session), payee)
    approve_refund(session, refund.id, school.billing.approver, school.now)
    (line,) = lines_of(session, refund)
    return line


def books(school: School, session: Session) -> tuple[Money, Money]:
    """Return what the book keeps as credit and what it owes as refunds."""
    return -debit_balance(session, school.id, "3383"), -debit_balance(session, school.id, REFUND_PAYABLE)


def test_a_cash_refund_is_never_credited_again(school: School) -> None:
    """MISA 13216: paid out in cash, and the next month credited it once more."""
    with school.open() as session:
        line = approved(school, session)
        assert books(school, session) == (ZERO, 2 * MEAL)
        cashier = make_user(session, school.billing.school, "cashier")
        before = debit_balance(session, school.id, "111")
        pay_cash(session, line.id, cashier, "Nguyễn Văn Hòa", school.now.date(), school.now)
        assert books(school, session) == (ZERO, ZERO)
        assert before - debit_balance(session, school.id, "111") == 2 * MEAL
        school.bill_month(session, 10)
        assert (school.bill(session, 10).paid, school.kept(session)) == (ZERO, {})
        moves = history_of(session, school.id, school.pupil())
        assert [(move.what, move.amount.dong, move.note) for move in moves] == [
            ("Ghi giảm thông báo đã nộp", 64_000, ""),
            ("Hoàn cho gia đình", -64_000, "đã chi tiền mặt 06/10/2025"),
        ]
        with pytest.raises(Conflict, match="đã chi tiền mặt"):
            pay_cash(session, line.id, cashier, "Nguyễn Văn Hòa", school.now.date(), school.now)
        with pytest.raises(Conflict, match="đã chi tiền mặt"):
            take_back(session, line.id, school.billing.accountant, "Nhầm", school.now)


def test_what_is_asked_back_is_not_used_meanwhile(school: School) -> None:
    with school.open() as session:
        refund = ask(school, session, leftover(school, session))
        assert free_credit(session, school.id) == {}
        school.bill_month(session, 10)
        assert school.bill(session, 10).paid == ZERO
        with pytest.raises(Refused, match="từ 1 đ đến 0 đ"):
            ask(school, session, Money(1))
        reject_refund(session, refund.id, school.billing.accountant, "Gia đình muốn trừ tiếp", school.now)
        school.bill_month(session, 11)
        assert school.bill(session, 10).paid == 2 * MEAL, "meals of the older bill come first"


def test_two_people_and_one_decision(school: School) -> None:
    with school.open() as session:
        refund = ask(school, session, leftover(school, session))
        with pytest.raises(SamePerson, match="không được tự duyệt"):
            approve_refund(session, refund.id, school.billing.accountant, school.now)
        with pytest.raises(Refused, match="lý do"):
            reject_refund(session, refund.id, school.billing.approver, "", school.now)
        (line,) = lines_of(session, refund)
        with pytest.raises(Conflict, match="chờ duyệt"):
            pay_cash(session, line.id, school.billing.accountant, "A", school.now.date(), school.now)
        assert approve_refund(session, refund.id, school.billing.approver, school.now) == 2 * MEAL
        with pytest.raises(Conflict, match="đã được duyệt"):
            approve_refund(session, refund.id, school.billing.approver, school.now)


def test_by_bank_it_stays_owed_until_the_bank_says_so(school: School) -> None:
    with school.open() as session:
        line = approved(school, session, BANK)
        assert payee_of(school.vault, line) == BANK
        assert (line.account_masked, line.way) == ("…3456", "bank")
        with pytest.raises(Refused, match="chuyển khoản"):
            pay_cash(session, line.id, school.billing.accountant, "A", school.now.date(), school.now)
        mark_sent(session, line.id, school.billing.accountant, school.now.date(), school.now)
        assert books(school, session) == (ZERO, 2 * MEAL)
        assert states_of(session, school.id, [line.id])[line.id].word == "sent"


def test_taken_back_before_it_is_paid_it_is_credit_again(school: School) -> None:
    with school.open() as session:
        line = approved(school, session)
        with pytest.raises(Refused, match="lý do"):
            take_back(session, line.id, school.billing.accountant, " ", school.now)
        take_back(session, line.id, school.billing.accountant, "Cháu học lại", school.now)
        assert school.kept(session) == {"TIENAN": 64_000}
        with pytest.raises(Conflict, match="đã rút lại"):
            pay_cash(session, line.id, school.billing.accountant, "A", school.now.date(), school.now)


def test_a_payout_written_down_by_mistake_is_undone_and_paid_again(school: School) -> None:
    with school.open() as session:
        line = approved(school, session)
        day, cashier = school.now.date(), school.billing.accountant
        pay_cash(session, line.id, cashier, "Nguyễn Văn Hòa", day, school.now)
        undo_step(session, line.id, cashier, "Ghi nhầm dòng", school.now)
        assert books(school, session) == (ZERO, 2 * MEAL)
        pay_cash(session, line.id, cashier, "Nguyễn Văn Hòa", day, school.now)
        assert books(school, session) == (ZERO, ZERO)


def test_a_fee_lowered_after_payment_is_refunded_in_one_request(school: School) -> None:
    """MISA 32431: 425,000 becomes 400,000; all who paid get the difference back, in one request and one approval."""
    with school.open() as session:
        for child in (1, 2):
            school.pay(session, 9, child)
        for child in range(3):
            school.lower(session, 9, "BANTRU", Money(25_000), child)
        school.lower(session, 9, "TIENAN", MEAL)
        first = school.billing.pupils[0].class_group.id
        choice = Choice("BANTRU", first, school.rounds[9])
        wanted = wanted_in_bulk(session, school.id, choice, school.now.date())
        assert wanted_in_bulk(session, school.id, Choice("BANTRU", new_id()), school.now.date()) == []
        refund = ask_refund(
            session, school.vault, school.billing.accountant, school.id, wanted, "Hạ mức thu", school.now
        )
        assert approve_refund(session, refund.id, school.billing.approver, school.now) == Money(75_000)
        assert books(school, session) == (MEAL, Money(75_000))
        assert len(session.exec(select(RefundLine)).all()) == 3


@pytest.mark.parametrize(
    ("payee", "sentence"),
    [
        (Payee("A", "97043", "0071000123456"), "6 chữ số"),
        (Payee("A", "970436", "12-3"), "số tài khoản"),
        (Payee("", "970436", "0071000123456"), "chủ tài khoản"),
        (Payee("A", "000000", "0071000123456"), "Không có ngân hàng nào"),
        (Payee("Мария", "970436", "0071000123456"), "bằng chữ Việt"),
        (Payee("'.' 12", "970436", "0071000123456"), "bằng chữ Việt"),
    ],
)
def test_a_payee_that_cannot_be_paid_is_refused(school: School, payee: Payee, sentence: str) -> None:
    with school.open() as session:
        amount = leftover(school, session)
        with pytest.raises(Refused, match=sentence):
            ask(school, session, amount, payee)


def test_days_to_come_signatures_and_reasons_are_asked_for(school: School) -> None:
    with school.open() as session:
        line = approved(school, session)
        tomorrow = school.now.date() + timedelta(days=1)
        with pytest.raises(Refused, match="chưa đến"):
            pay_cash(session, line.id, school.billing.accountant, "A", tomorrow, school.now)
        with pytest.raises(Refused, match="ký nhận"):
            pay_cash(session, line.id, school.billing.accountant, " ", school.now.date(), school.now)


def test_nothing_is_paid_before_the_day_it_was_approved(school: School) -> None:
    eve = school.now.date() - timedelta(days=1)
    with school.open() as session:
        cash, bank = approved(school, session), approved(school, session, BANK)
        accountant = school.billing.accountant
        with pytest.raises(Refused, match="được duyệt ngày 06/10/2025"):
            pay_cash(session, cash.id, accountant, "A", eve, school.now)
        with pytest.raises(Refused, match="được duyệt ngày 06/10/2025"):
            mark_sent(session, bank.id, accountant, eve, school.now)
        assert books(school, session) == (ZERO, 4 * MEAL)
        assert accountant.user_id
        whose, by = (school.id, bank.id), accountant.user_id
    with pytest.raises(IntegrityError, match="not paid before it is approved"), school.open() as session:
        write(session, *whose, eve, by)


def write(session: Session, school_id: UUID, line_id: UUID, day: date, by: UUID) -> None:
    at = datetime.combine(day, time(9), UTC)
    session.add(RefundStep(school_id=school_id, line_id=line_id, turn=1, kind="sent", day=day, made_by=by, at=at))
    session.flush()
