"""Tests of cash that comes back to the till, and of a till that never pays out more than it holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.cash import undoing
from billing.cash.counting import agree_count
from billing.cash.depositing import IN_TRANSIT
from billing.cash.handing_over import to_hand
from billing.cash.tables import CashTaking
from billing.cash.till_tables import CashWithdrawal, CashWithdrawalEnd
from billing.cash.undoing import approve_reversal, ask_reversal
from billing.cash.withdrawing import Fetched, take_back_withdrawal, withdraw_cash
from billing.credits import paying_out
from billing.credits.paying_out import pay_cash
from billing.credits.refunding import Wanted, approve_refund, ask_refund, lines_of
from billing.credits.tables import RefundLine, RefundStep
from billing.errors import Conflict, NotAllowed, NotFound, Refused, SamePerson
from billing.ledger.balances import debit_balance
from billing.ledger.till import in_the_till
from billing.money import Money
from billing.storage import new_id
from tests.billing.cash.cash_world import Till
from tests.billing.cash.test_till import brings, counts


def fetches(till: Till, session: Session, dong: int, slip: str = "SEC 1", *, treasury: bool = False) -> CashWithdrawal:
    account = None if treasury else till.school.billing.account.id
    fetched = Fetched(account_id=account, amount=Money(dong), slip=slip, form=new_id())
    return withdraw_cash(session, till.cashier, till.id, fetched, till.now)


def refund(till: Till, session: Session, child: int, dong: int) -> RefundStep:
    """Let three people give a child's credit back in cash."""
    wanted = [Wanted(till.school.pupil(child), None, Money(dong))]
    asked = ask_refund(session, till.school.vault, till.accountant, till.id, wanted, "Nộp thừa", till.now)
    approve_refund(session, asked.id, till.approver, till.now)
    [line] = lines_of(session, asked)
    return pay_cash(session, line.id, till.cashier, "Nguyễn Văn Hòa", till.now.date(), till.now)


def test_cash_comes_from_a_bank_by_113_and_from_the_treasury_at_once(till: Till) -> None:
    with till.open() as session:
        fetches(till, session, 70_000)
        fetches(till, session, 50_000, treasury=True)
        held = {code: debit_balance(session, till.id, code).dong for code in ("111", IN_TRANSIT, "112KB")}
        assert held == {"111": 120_000, IN_TRANSIT: -70_000, "112KB": -50_000}
        counts(till, session, 120_000)
        assert len(to_hand(session, till.id).entries) == 2
        brings(till, session, 20_000)
        assert debit_balance(session, till.id, IN_TRANSIT) == Money(-50_000)


def test_the_same_form_again_is_the_first_and_a_paper_stands_for_one(till: Till) -> None:
    account = till.school.billing.account.id
    with till.open() as session:
        fetched = Fetched(account_id=account, amount=Money(50_000), slip="SEC 1", form=new_id())
        first = withdraw_cash(session, till.cashier, till.id, fetched, till.now)
        assert withdraw_cash(session, till.cashier, till.id, fetched, till.now).id == first.id
        for other in (
            replace(fetched, amount=Money(40_000)),
            replace(fetched, slip="SEC 2"),
            replace(fetched, account_id=None),
        ):
            with pytest.raises(Conflict, match=r"một lần rút khác: 50\.000"):
                withdraw_cash(session, till.cashier, till.id, other, till.now)
        with pytest.raises(Conflict, match=r"SEC 1 đã ghi cho lần rút 50\.000"):
            fetches(till, session, 60_000, " sec1 ")
        fetches(till, session, 60_000, "SEC 1", treasury=True)
        take_back_withdrawal(session, till.approver, till.id, first.id, "Ghi nhầm", till.now)
        fetches(till, session, 50_000)
        assert till.cash(session) == 110_000
    twice = CashWithdrawal(
        school_id=till.id, form=new_id(), bank_account_id=account, amount=Money(1), slip="Sec 1", entry_id=1,
        made_by=first.made_by, at=till.now,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="stands for another withdrawal"):
        till.store(twice)


def test_sums_papers_accounts_and_people_that_cannot_be(till: Till) -> None:
    with till.open() as session:
        for wrong in (0, 10_000_000_001):
            with pytest.raises(Refused, match="từ 1 đ đến"):
                fetches(till, session, wrong)
        with pytest.raises(Refused, match="số giấy rút tiền"):
            fetches(till, session, 1_000, " ")
        fetched = Fetched(account_id=new_id(), amount=Money(1_000), slip="x", form=new_id())
        with pytest.raises(NotFound):
            withdraw_cash(session, till.cashier, till.id, fetched, till.now)
        for person in (till.accountant, till.approver, Actor(user_id=None, role="cashier")):
            with pytest.raises(NotAllowed):
                withdraw_cash(session, person, till.id, replace(fetched, account_id=None), till.now)


def test_taken_back_by_another_while_the_till_holds_it(till: Till) -> None:
    with till.open() as session:
        row = fetches(till, session, 90_000)
        with pytest.raises(SamePerson):
            take_back_withdrawal(session, till.cashier, till.id, row.id, "Nhầm", till.now)
        with pytest.raises(Refused, match="lý do"):
            take_back_withdrawal(session, till.approver, till.id, row.id, " ", till.now)
        with pytest.raises(NotFound):
            take_back_withdrawal(session, till.approver, till.id, new_id(), "Nhầm", till.now)
        counts(till, session, 90_000)
        brings(till, session, 10_000)
        with pytest.raises(Refused, match=r"chỉ còn 80\.000"):
            take_back_withdrawal(session, till.approver, till.id, row.id, "Nhầm", till.now)
        fetches(till, session, 10_000, "SEC 2")
        take_back_withdrawal(session, till.approver, till.id, row.id, "Nhầm", till.now)
        assert till.cash(session) == 0
        with pytest.raises(Conflict, match="đã được rút lại"):
            take_back_withdrawal(session, till.approver, till.id, row.id, "Nhầm", till.now)
        mine = fetches(till, session, 1_000, "SEC 3")
    end = CashWithdrawalEnd(
        withdrawal_id=mine.id, school_id=till.id, reason="x", entry_id=mine.entry_id, made_by=mine.made_by, at=till.now
    )
    with pytest.raises(IntegrityError, match="taken back by another"):
        till.store(end)


def with_credit(till: Till, session: Session, child: int) -> int:
    """Take so much for a child that 70.000 đ and some become credit; return what the till holds then."""
    open_ = till.school.bill(session, 9, child).rest + till.school.bill(session, 10, child).rest
    amount = open_.dong + 70_000
    amount += -amount % 1_000
    till.take(session, till.handed(amount, child))
    return amount


def test_a_refund_in_cash_after_the_deposit_waits_for_cash_from_the_bank(till: Till) -> None:
    with till.open() as session:
        held = with_credit(till, session, 1)
        counts(till, session, held)
        brings(till, session, held - 10_000)
        with pytest.raises(Refused, match=r"chỉ còn 10\.000.*Rút về quỹ"):
            refund(till, session, 1, 50_000)
    with till.open() as session:
        fetches(till, session, 40_000)
        [line] = session.exec(select(RefundLine)).all()
        pay_cash(session, line.id, till.cashier, "Nguyễn Văn Hòa", till.now.date(), till.now)
        assert till.cash(session) == 0


def test_what_a_waiting_count_found_missing_is_not_paid_out(till: Till) -> None:
    with till.open() as session:
        held = with_credit(till, session, 1)
        less = counts(till, session, 20_000, "Mất trong cặp")
        assert in_the_till(session, till.id) == Money(20_000)
        with pytest.raises(Refused, match=r"chỉ còn 20\.000"):
            refund(till, session, 1, 50_000)
    with till.open() as session:
        asked = ask_reversal(session, till.cashier, till.id, session.exec(select(CashTaking)).one().id, "x", till.now)
        with pytest.raises(Refused, match=r"chỉ còn 20\.000"):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)
        agree_count(session, till.accountant, till.id, less.id, till.now)
        assert held > till.cash(session) == 20_000


def test_the_database_lets_nothing_out_of_a_short_till(till: Till) -> None:
    with till.open() as session:
        held = with_credit(till, session, 1) + 1_000
        taken = till.take(session, till.handed(1_000, 2)).id
        counts(till, session, held)
        brings(till, session, held)
        with pytest.raises(Refused):
            refund(till, session, 1, 50_000)
        [line] = session.exec(select(RefundLine)).all()
    with pytest.MonkeyPatch.context() as unguarded:
        unguarded.setattr(paying_out, "refuse_short", lambda *_: None)
        with pytest.raises(IntegrityError, match="holds less than is paid out"), till.open() as session:
            pay_cash(session, line.id, till.cashier, "Nguyễn Văn Hòa", till.now.date(), till.now)
    with till.open() as session:
        asked = ask_reversal(session, till.cashier, till.id, taken, "x", till.now).id
    with pytest.MonkeyPatch.context() as unguarded:
        unguarded.setattr(undoing, "_refuse_short", lambda *_: None)
        with pytest.raises(IntegrityError, match="holds less than is paid out"), till.open() as session:
            approve_reversal(session, till.approver, till.id, asked, till.now)
