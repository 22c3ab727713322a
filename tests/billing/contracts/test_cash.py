"""Cash for a deposit goes through the till as for any bill, also of who only applied; reversed by two people."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.cash.tables import CashTaking
from billing.cash.taking import Handed, Screen, plan_taking, take_cash
from billing.cash.undoing import approve_reversal, ask_reversal
from billing.contracts.reading import state_of, steps_of
from billing.contracts.tables import Contract
from billing.errors import SamePerson
from billing.ledger.balances import debit_balance
from billing.money import ZERO
from billing.payments.balances import BillBalance
from billing.payments.tables import ReceiptVoid
from billing.storage import new_id
from tests.billing.contracts.contract_world import DEPOSIT, PrivateSchool, at
from tests.factories.schools import make_user
from tests.factories.unbroken import violations


def takes(school: PrivateSchool, session: Session, contract: Contract, cashier: Actor) -> CashTaking:
    """Let the cashier take the whole deposit."""
    handed = Handed(pupil_id=contract.pupil_id, amount=DEPOSIT, form=new_id(), collector="Lê Thị Quỹ")
    plan = plan_taking(session, school.id, contract.pupil_id, DEPOSIT, None, [])
    return take_cash(session, cashier, school.id, handed, Screen(plan.mark), school.now)


def test_a_deposit_taken_wrongly_is_reversed_by_two_and_taken_again(school: PrivateSchool) -> None:
    with school.open() as session:
        cashier, contract = make_user(session, school.billing.school, "cashier"), school.apply(session)
        school.sign(session, contract)
        taking = takes(school, session, contract, cashier)
        assert school.bills_of(session, contract.pupil_id)[0].paid == DEPOSIT
        assert debit_balance(session, school.id, "111") == DEPOSIT
        asked = ask_reversal(session, school.billing.accountant, school.id, taking.id, "Nhầm em", school.now)
        with pytest.raises(SamePerson):
            approve_reversal(session, school.billing.accountant, school.id, asked.id, school.now)
        with pytest.raises(SamePerson):
            approve_reversal(session, cashier, school.id, asked.id, school.now)
        approve_reversal(session, school.billing.approver, school.id, asked.id, school.now)
        [deposit] = school.bills_of(session, contract.pupil_id)
        assert (deposit.paid, deposit.rest) == (ZERO, DEPOSIT)
        assert debit_balance(session, school.id, "111") == ZERO
        assert len(session.exec(select(ReceiptVoid)).all()) == 1
        assert state_of(steps_of(session, contract)) == "agreed", "only the money is undone"
        takes(school, session, contract, cashier)
        assert school.bills_of(session, contract.pupil_id)[0].rest == ZERO


def test_after_the_deposit_became_credit_and_paid_a_bill_its_reversal_leaves_it_to_be_paid(
    school: PrivateSchool,
) -> None:
    """What the credit paid stays paid; the deposit that nobody has brought is open again, and the book ties out."""
    with school.open() as session:
        cashier, contract = make_user(session, school.billing.school, "cashier"), school.apply(session)
        school.sign(session, contract)
        taking = takes(school, session, contract, cashier)
        school.now = at(8, 20)
        school.admit(session, contract)
        school.issue(session)
        assert school.credit(session, contract.pupil_id) == {}, "the first bill has used it"
        before = {bill.number: bill for bill in school.bills_of(session, contract.pupil_id)}
        asked = ask_reversal(session, school.billing.accountant, school.id, taking.id, "Nhầm em", school.now)
        approve_reversal(session, school.billing.approver, school.id, asked.id, school.now)
        after = school.bills_of(session, contract.pupil_id)
        [deposit] = [bill for bill in after if bill.number.startswith(before_deposit(before))]
        assert (deposit.paid, deposit.rest) == (ZERO, DEPOSIT)
        assert [(bill.paid, bill.rest) for bill in after if bill is not deposit] == [
            (bill.paid, bill.rest) for bill in before.values() if bill.number != deposit.number
        ]
        assert school.credit(session, contract.pupil_id) == {}
        assert debit_balance(session, school.id, "111") == ZERO
        assert violations(session, school.now, ("I1",)) == []


def before_deposit(bills: dict[str, BillBalance]) -> str:
    """Return the number of the deposit: the bill that comes to nothing once it has become credit."""
    [number] = [bill.number for bill in bills.values() if not bill.due]
    return number
