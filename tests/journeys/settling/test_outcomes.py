"""The rows of docs/settling.md that go over several rooms: each has one outcome, and the books tie out after it."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from uuid import UUID

from sqlmodel import col, select

from billing.banking.changing import LEAST_WAIT, WantedAccount, approve_account, ask_account
from billing.banking.opening import open_due_accounts
from billing.bills.tables import Bill
from billing.ledger.tables import BankAccount, JournalEntry
from billing.money import Money
from billing.payments.tables import Payment as PaymentRow
from billing.vault import Vault
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.sepay import HMAC
from reconciliation.feeds.stand_in import Payment, StandInBank
from reconciliation.matching import Direction
from reconciliation.reversing.asking import agree_reversal, ask_reversal
from reconciliation.shortfalls.accepting import agree_shortfall, ask_shortfall
from reconciliation.shortfalls.limiting import ask_limit, decide_limit
from reconciliation.tables import Feed, Match, Transfer
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.factories.abroad import pay_from_abroad
from tests.factories.closing import shut
from tests.factories.collecting import PAID_AT, SECRET, bill_and_ask, make_collecting
from tests.journeys.settling.office import ALWAYS, Office, make_office


def last_rule(office: Office) -> str:
    """Return the rule by which the newest transfer was decided."""
    with office.collecting.database.transaction(office.collecting.scope) as session:
        newest = session.exec(select(Match).order_by(col(Match.id).desc()).limit(1)).one()
    return str(newest.evidence["rule"])


def replace_account(office: Office, vault: Vault) -> tuple[BankAccount, Feed]:
    """Put another account in the place of the school's, by two people and after the wait; with a feed of its own."""
    world = office.collecting
    wanted = WantedAccount(
        "970436", "0071000999888", world.account.holder, "callback", "Công văn 12", replaces_id=world.account.id
    )
    with world.database.transaction(EVERYTHING) as session:
        change = ask_account(session, office.accountant, office.school_id, wanted, PAID_AT)
        approve_account(session, office.approver, office.school_id, change.id, LEAST_WAIT, PAID_AT)
        (opening,) = open_due_accounts(session, office.school_id, PAID_AT + timedelta(days=2))
        account = session.get_one(BankAccount, opening.account_id)
        feed, _ = open_feed(session, vault, account, "sepay", HMAC, SECRET, None, PAID_AT)
    return account, feed


def test_an_old_code_pays_the_one_open_bill_of_its_sum_and_else_is_credit(office: Office) -> None:
    old = office.code(0)
    office.collecting.hear_of(office.collecting.pays(old, 650_000))
    assert office.bill(0, 200_000, "2025-11")
    office.collecting.hear_of(office.collecting.pays(old, 200_000))
    assert (last_rule(office), office.rest(0)) == ("closed_request_same_amount_open", 0)
    office.collecting.hear_of(office.collecting.pays(old, 70_000))

    assert last_rule(office) == "closed_request"
    assert office.collecting.books()["3383"] == -70_000
    assert office.broken() == []


def test_money_for_a_bill_that_was_taken_back_is_the_childs_credit(office: Office) -> None:
    codes = [office.code(child) for child in range(2)]
    assert office.take_bill_back(0)
    taken = [child for child in range(2) if office.rest(child) == 0]
    office.collecting.hear_of(*(office.collecting.pays(codes[child], 120_000) for child in taken))

    assert len(taken) == 1
    assert (office.collecting.states(), last_rule(office)) == (["matched"], "closed_request")
    assert (office.collecting.books()["3383"], office.collecting.receipts()) == (-120_000, [(1, 120_000)])
    assert office.broken() == []


def test_a_code_of_another_school_waits_and_tells_the_other_school_nothing(
    office: Office, database: Database, addresses: Addresses, vault: Vault
) -> None:
    other = make_office(make_collecting(database, addresses, vault))
    office.collecting.hear_of(office.collecting.pays(other.code(0), 650_000))

    assert (office.collecting.states(), last_rule(office)) == (["waiting"], "another_school")
    assert office.collecting.books()["3388S"] == -650_000
    assert (other.collecting.transfers(), other.rest(0)) == ([], 650_000)
    assert office.broken() == other.broken() == []


def test_money_to_a_replaced_account_pays_what_was_asked_for_there(office: Office, vault: Vault) -> None:
    old_code = office.code(0)
    account, _ = replace_account(office, vault)
    office.collecting.hear_of(office.collecting.pays(old_code, 650_000))
    assert (office.collecting.states(), office.rest(0)) == (["matched"], 0)
    with office.collecting.database.transaction(EVERYTHING) as session:
        new_code = bill_and_ask(session, office.collecting.children[0], account, 80_000, "2025-11").reference
    office.collecting.hear_of(office.collecting.pays(new_code, 80_000))

    assert (office.collecting.states(), last_rule(office)) == (["matched", "waiting"], "another_account")
    assert office.broken() == []


def test_what_is_still_open_is_asked_for_again_and_paid_on_the_account_in_its_place(
    office: Office, vault: Vault
) -> None:
    world = office.collecting
    account, feed = replace_account(office, vault)
    with world.database.transaction(EVERYTHING) as session:
        code = bill_and_ask(session, world.children[1], account, 80_000, "2025-11").reference
    assert office.broken(*ALWAYS, "I15") == []
    bank = StandInBank({account.number: world.school.name}, Random(5))  # noqa: S311  chance, not secrecy
    paid = bank.book(Payment(account=account.number, amount=Money(380_000), at=PAID_AT, memo=code))
    world.receive(bank.callback(paid), feed=feed)
    world.reconcile()

    assert (world.states(), office.rest(1), world.receipts()) == (["matched"], 0, [(1, 380_000)])
    assert office.broken(*ALWAYS, "I15") == []


def test_late_money_keeps_the_banks_day_and_is_recorded_after_the_close(office: Office) -> None:
    month, closed_at = date(2025, 9, 1), PAID_AT - timedelta(days=1)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        shut(session, office.school_id, month, closed_at)
    office.collecting.hear_of(office.collecting.pays(office.code(0), 650_000, at=PAID_AT - timedelta(days=10)))

    assert (office.collecting.states(), office.rest(0)) == (["matched"], 0)
    with office.collecting.database.transaction(office.collecting.scope) as session:
        transfer = session.exec(select(Transfer)).one()
        entries = session.exec(select(JournalEntry).where(col(JournalEntry.kind) == "transfer_received")).all()
        paid = session.exec(select(PaymentRow)).one()
    assert (transfer.value_date, transfer.recorded_at) == (date(2025, 9, 26), PAID_AT)
    assert [(entry.value_date, entry.true_day, entry.recorded_at) for entry in entries] == [
        (date(2025, 10, 1), date(2025, 9, 26), PAID_AT)
    ]
    assert paid.value_date == date(2025, 9, 26), "payment and receipt keep the day of the bank"
    assert office.broken() == []


def only(office: Office, direction: str) -> UUID:
    (found,) = [each.id for each in office.collecting.transfers() if each.direction == direction]
    return found


def test_what_the_bank_takes_back_opens_the_bill_again(office: Office) -> None:
    world = office.collecting
    world.hear_of(world.pays(office.code(0), 650_000))
    world.hear_of(world.pays("thu hoi lenh chuyen nham", 650_000, direction=Direction.OUT))
    with world.database.transaction(world.scope) as session:
        pair = only(office, "out"), only(office, "in")
        asked = ask_reversal(session, office.accountant, office.school_id, *pair, "Công văn 12", PAID_AT)
        agree_reversal(session, office.approver, office.school_id, asked.id, PAID_AT)

    assert (world.states(), office.rest(0)) == (["ignored_out", "reversed"], 650_000)
    assert office.broken() == []


def test_what_foreign_money_lacks_within_the_limit_is_the_schools_fee(office: Office) -> None:
    world = office.collecting
    paid = pay_from_abroad(world, f"TT SHA {office.code(0)}", 630_000)
    with world.database.transaction(world.scope) as session:
        limit = ask_limit(session, office.accountant, office.school_id, Money(20_000), "QĐ 15", PAID_AT)
        decide_limit(session, office.approver, office.school_id, limit.id, PAID_AT, approved=True)
        bill = session.exec(select(Bill.id).where(Bill.pupil_id == office.pupil(0))).one()
        asked = ask_shortfall(session, office.accountant, office.school_id, paid, bill, "MT103", "Phí", PAID_AT)
    assert office.rest(0) == 20_000
    with world.database.transaction(world.scope) as session:
        agree_shortfall(session, office.approver, office.school_id, asked.id, PAID_AT)

    assert (office.rest(0), world.books()["642"], world.receipts()) == (0, 20_000, [(1, 630_000)])
    assert office.broken() == []
