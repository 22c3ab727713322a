"""Payment requests over open bills, and virtual accounts that stay with their pupils."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from billing.bills.tables import Bill
from billing.ledger.tables import BankAccount
from billing.money import Money, total
from billing.payments.balances import request_balances
from billing.payments.reference import reference_for
from billing.payments.requests import NewRequest, open_requests
from billing.payments.tables import Allocation, IssuedReference, Payment, PaymentRequest, VirtualAccount
from billing.payments.virtual_accounts import assign_virtual_accounts, numbers_shown
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.bills import ask, make_bill
from tests.factories.rounds import REFERENCE_KEY, SEPTEMBER, BillingSchool, issued_round, make_billing_school
from tests.factories.schools import make_account
from tests.standing import standing


@pytest.fixture
@standing
def billing(database: Database, vault: Vault, now: datetime) -> BillingSchool:
    """A school of two with an issued round for September and one for October."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, pupils=2)
        issued_round(session, made, now - timedelta(days=30), SEPTEMBER, "2025-09")
        issued_round(session, made, now - timedelta(days=1))
    return made


def pay(database: Database, billing: BillingSchool, now: datetime, dong: int) -> None:
    """Pay something on the first pupil's oldest bill."""
    child = billing.pupils[0]
    with database.transaction(EVERYTHING) as session:
        oldest = session.exec(select(Bill).where(Bill.pupil_id == child.id).order_by("due_on")).first()
        assert oldest is not None
        payment = Payment(
            school_id=billing.id,
            pupil_id=child.id,
            source_kind="cash",
            source_id=new_id(),
            amount=Money(dong),
            value_date=now.date(),
            recorded_at=now,
        )
        session.add(payment)
        session.flush()
        session.add(Allocation(school_id=billing.id, payment_id=payment.id, bill_id=oldest.id, amount=Money(dong)))


def ask_again(database: Database, billing: BillingSchool, now: datetime) -> NewRequest:
    payee = (billing.pupils[0].id, billing.account.id)
    with database.transaction(EVERYTHING) as session:
        (made,) = open_requests(session, billing.id, [payee], now, REFERENCE_KEY)
        balances = request_balances(session, billing.id, [made.id])[made.id]
        assert made.amount == total(bill.rest for bill in balances)
        assert made.bill_ids == tuple(bill.bill_id for bill in balances)
    return made


def test_a_request_holds_what_is_open_and_no_other_pupils_bill(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    made = ask_again(database, billing, now)
    assert len(made.bill_ids) == 2
    assert made.amount == Money(10_000 + 167_950)


def test_what_is_paid_in_part_is_asked_for_the_rest(database: Database, billing: BillingSchool, now: datetime) -> None:
    pay(database, billing, now, 4_000)
    made = ask_again(database, billing, now)
    assert (len(made.bill_ids), made.amount) == (2, Money(6_000 + 167_950))


def test_what_is_paid_is_not_asked_for(database: Database, billing: BillingSchool, now: datetime) -> None:
    pay(database, billing, now, 10_000)
    made = ask_again(database, billing, now)
    assert (len(made.bill_ids), made.amount) == (1, Money(167_950))


def test_references_come_from_the_sequence_and_are_registered(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    made = ask_again(database, billing, now)
    assert made.reference == reference_for(made.number, REFERENCE_KEY)
    with database.transaction(EVERYTHING) as session:
        registered = session.get_one(IssuedReference, made.reference)
        assert (registered.number, registered.school_id, registered.request_id) == (
            made.number,
            billing.id,
            made.id,
        )
        stored = session.get_one(PaymentRequest, made.id)
        assert (stored.reference, stored.virtual_account) == (made.reference, None)


def test_who_owes_nothing_is_asked_for_nothing(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        elsewhere = make_account(session, billing.school)
        payees = [(billing.pupils[0].id, elsewhere.id), (new_id(), billing.account.id)]
        assert open_requests(session, billing.id, payees, now, REFERENCE_KEY) == []
        assert open_requests(session, billing.id, [], now, REFERENCE_KEY) == []


def virtual(database: Database, billing: BillingSchool, **fields: str) -> BankAccount:
    with database.transaction(EVERYTHING) as session:
        return make_account(session, billing.school, only_virtual=True, **fields)  # type: ignore[arg-type]  # number


def test_numbers_a_bank_gave_are_used_before_new_ones(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    account = virtual(database, billing)
    pupils = [child.id for child in billing.pupils]
    with database.transaction(EVERYTHING) as session:
        session.add(VirtualAccount(school_id=billing.id, bank_account_id=account.id, number="96247ABC01"))
        session.flush()
        first = assign_virtual_accounts(session, account, pupils, now)
    with database.transaction(EVERYTHING) as session:
        again = assign_virtual_accounts(session, account, list(reversed(pupils)), now)
    assert first == again
    assert sorted(first.values()) == sorted(["96247ABC01", f"{account.number}000002"])


def test_a_number_beyond_nineteen_characters_is_not_made(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    account = virtual(database, billing, number="12345678901234")
    pupils = [child.id for child in billing.pupils]
    with database.transaction(EVERYTHING) as session:
        assert assign_virtual_accounts(session, account, pupils, now) == {}


def test_a_number_that_came_after_the_request_is_shown_for_it(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    account = virtual(database, billing, number="12345678901235")
    with database.transaction(EVERYTHING) as session:
        child, other = billing.pupils[:2]
        make_bill(session, child, account, 9_000)
        make_bill(session, other, account, 9_000)
        requests = [ask(session, child, account), ask(session, other, account)]
        assert numbers_shown(session, billing.id, requests) == {each.id: None for each in requests}
        session.add(VirtualAccount(school_id=billing.id, bank_account_id=account.id, number="96247ABC02"))
        session.flush()
        assign_virtual_accounts(session, account, [child.id], now)
        assert numbers_shown(session, billing.id, requests) == {requests[0].id: "96247ABC02", requests[1].id: None}
