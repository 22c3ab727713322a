"""A small school end to end: what is issued is what was approved, once, and everything ties out."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from billing.bills.tables import Bill, BillLine, BillReduction
from billing.bills.writing import Issue, NewBill, write_bills
from billing.errors import Refused
from billing.events.tables import Event
from billing.fees.catalogue import shipped_catalogue
from billing.fees.items import Span
from billing.fees.schedule import load_catalogue
from billing.fees.tables import FeeItem
from billing.ledger.balances import debit_balance, trial_balance
from billing.ledger.tables import JournalEntry
from billing.money import ZERO, Money, total
from billing.payments.balances import request_balances
from billing.payments.reference import is_valid
from billing.payments.tables import IssuedReference, PaymentRequest
from billing.people.tables import School
from billing.rounds import calculating
from billing.rounds.issuing import IssuedRound, issue_round
from billing.rounds.tables import BillingRound
from billing.storage import money_sum, new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.rounds.makers import BOARDER, DAY_PUPIL, as_school, count, exempt
from tests.factories.rounds import (
    REFERENCE_KEY,
    SEPTEMBER,
    BillingSchool,
    approved_round,
    issued_round,
    make_billing_school,
    requests_of,
)
from tests.factories.schools import (
    make_account,
    make_class,
    make_guardian,
    make_pupil,
    make_school,
    make_user,
)


def test_bills_lines_postings_and_preview_are_one_sum(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with as_school(database, billing) as session:
        done = issued_round(session, billing, now)
    with as_school(database, billing) as session:
        expected = BOARDER + DAY_PUPIL * 2
        assert done == IssuedRound(bills=3, covered=0, requests=3, family_total=expected)
        assert session.exec(select(money_sum(Bill.family_due))).one() == expected
        assert session.exec(select(money_sum(BillLine.family_share))).one() == expected
        assert debit_balance(session, billing.id, "131") == expected
        assert debit_balance(session, billing.id, "131N") == ZERO  # the insurer gets the State's half itself
        assert total(trial_balance(session, billing.id).values()) == ZERO
        (stored,) = session.exec(select(BillingRound)).all()
        assert stored.state == "issued"
        assert stored.family_total == expected
        assert stored.preview["totals"]["family"] == expected.dong
        reduced = session.exec(select(money_sum(BillReduction.amount))).one()
        assert reduced == session.exec(select(money_sum(Bill.reduced))).one() == Money(3 * 157_950)


def test_numbers_are_gapless_in_each_month_of_its_own(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    """Within a month they go on: see ``test_only_the_late_one_is_billed_and_numbers_go_on``."""
    november = Span(date(2025, 11, 1), date(2025, 11, 30))
    with as_school(database, billing) as session:
        issued_round(session, billing, now)
        issued_round(session, billing, now + timedelta(days=1), november, "2025-11")
        numbers = sorted(session.exec(select(Bill.number)).all())
    assert numbers == [f"TB{month}-{number:06d}" for month in ("2510", "2511") for number in range(1, 4)]


def test_each_request_has_a_reference_of_its_own_and_an_event(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with as_school(database, billing) as session:
        issued_round(session, billing, now)
        requests = session.exec(select(PaymentRequest)).all()
        registered = session.exec(select(IssuedReference)).all()
        events = session.exec(select(Event).where(Event.kind == "bill_issued")).all()
        balances = request_balances(session, billing.id, [each.id for each in requests])
    references = {each.reference for each in requests}
    assert len(references) == 3
    assert all(is_valid(reference) for reference in references)
    assert {(each.reference, each.request_id) for each in registered} == {
        (each.reference, each.id) for each in requests
    }
    assert {event.subject_id: event.facts["amount"] for event in events} == {
        request: total(bill.rest for bill in bills).dong for request, bills in balances.items()
    }


def test_who_owes_nothing_gets_a_covered_bill_and_no_request(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    poor = billing.pupils[2]
    with as_school(database, billing) as session:
        reduction = exempt(session, poor)
        done = issued_round(session, billing, now)
        assert (done.bills, done.covered, done.requests) == (3, 1, 2)
        (bill,) = session.exec(select(Bill).where(Bill.pupil_id == poor.id)).all()
        assert bill.covered
        assert requests_of(session, poor) == []
        causes = {each.reduction_id for each in session.exec(select(BillReduction)).all()}
        assert reduction in causes
        assert debit_balance(session, billing.id, "131N", pupil_id=poor.id) == Money(10_000)
        assert debit_balance(session, billing.id, "131", pupil_id=poor.id) == ZERO


def test_items_on_two_accounts_become_two_bills_and_two_requests(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    boarder = billing.pupils[0]
    with as_school(database, billing) as session:
        kitchen = make_account(session, billing.school)
        item = session.exec(select(FeeItem).where(FeeItem.code == "TIENAN")).one()
        item.bank_account_id = kitchen.id
        session.add(item)
        session.flush()
        done = issued_round(session, billing, now)
        assert (done.bills, done.requests) == (4, 4)
        bills = session.exec(select(Bill).where(Bill.pupil_id == boarder.id)).all()
        assert {bill.bank_account_id: bill.family_due.dong for bill in bills} == {
            billing.account.id: 300_000 + 10_000 + 157_950,
            kitchen.id: 23 * 32_000,
        }
        assert {each.bank_account_id for each in requests_of(session, boarder)} == {billing.account.id, kitchen.id}


def test_last_months_bill_comes_first_in_the_new_request_and_the_old_one_stays(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    child = billing.pupils[1]
    with as_school(database, billing) as session:
        issued_round(session, billing, now - timedelta(days=30), SEPTEMBER, "2025-09")
        (old,) = requests_of(session, child)
        issued_round(session, billing, now)
        requests = requests_of(session, child)
        assert requests[0].id == old.id
        balances = request_balances(session, billing.id, [each.id for each in requests])
    assert [bill.number for bill in balances[old.id]] == ["TB2509-000002"]
    assert [bill.number for bill in balances[requests[1].id]] == ["TB2509-000002", "TB2510-000002"]
    assert total(bill.rest for bill in balances[requests[1].id]) == Money(10_000) + DAY_PUPIL


def test_public_tuition_is_billed_to_the_state(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session, levels=("upper_secondary",))
        account = make_account(session, school)
        load_catalogue(session, school, shipped_catalogue("public-upper-secondary"), {"main": account.id}, now)
        group = make_class(session, school, "10A1", grade=10)
        child = make_pupil(session, group, province_id=school.province_id)
        made = BillingSchool(
            school, account, make_user(session, school), make_user(session, school, "approver"), [child]
        )
        make_guardian(session, vault, child)
    with as_school(database, made) as session:
        done = issued_round(session, made, now)
        assert done.family_total == Money(30_000 + 8_000 + 45_000 + 157_950)
        assert debit_balance(session, school.id, "131N") == Money(100_000)
        (tuition,) = session.exec(select(BillReduction).where(col(BillReduction.title).startswith("Miễn"))).all()
        assert tuition.reduction_id is None
        assert "217/2025/QH15" in tuition.legal_basis


def test_siblings_at_the_private_school(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, pupils=1, catalogue="private-school")
        group = made.pupils[0].class_group
        younger = make_pupil(session, group, "Nguyễn Út", province_id=made.school.province_id, born=date(2020, 1, 1))
        made.pupils.append(younger)
        make_guardian(session, vault, *made.pupils, name="Mẹ")
    with as_school(database, made) as session:
        issued_round(session, made, now)
        query = select(col(Bill.pupil_id), col(BillLine.family_share)).join(
            BillLine, col(BillLine.bill_id) == col(Bill.id)
        )
        shares = session.exec(query.where(BillLine.item_code == "HOCPHI")).all()
    assert dict(shares) == {made.pupils[0].id: Money(2_500_000), younger.id: Money(2_250_000)}


def test_a_bill_beyond_one_transfer_is_refused_before_it_is_approved(
    database: Database, billing: BillingSchool, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calculating, "TOO_LARGE", BOARDER)
    with as_school(database, billing) as session, pytest.raises(Refused, match=r"chia đợt thu thành nhiều đợt nộp"):
        approved_round(session, billing, now)
    monkeypatch.setattr(calculating, "TOO_LARGE", BOARDER + Money(1))
    with as_school(database, billing) as session:
        assert issue_round(session, approved_round(session, billing, now, code="b"), now, REFERENCE_KEY).bills == 3


def test_virtual_accounts_stay_with_their_pupils(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, only_virtual=True)
    with as_school(database, made) as session:
        issued_round(session, made, now - timedelta(days=30), SEPTEMBER, "2025-09")
        issued_round(session, made, now)
        numbers = [[each.virtual_account for each in requests_of(session, child)] for child in made.pupils]
    assert all(first == second for first, second in numbers)
    assert len({first for first, _ in numbers}) == 3
    assert all(first and first.startswith(made.account.number) for first, _ in numbers)


@pytest.mark.parametrize(
    ("hour", "day"), [(16, date(2025, 10, 6)), (17, date(2025, 10, 7))], ids=["23:00 in Viet Nam", "midnight"]
)
def test_the_book_dates_the_issue_by_the_day_in_viet_nam(
    database: Database, billing: BillingSchool, now: datetime, hour: int, day: date
) -> None:
    with as_school(database, billing) as session:
        issued_round(session, billing, now.replace(hour=hour))
        assert set(session.exec(select(col(JournalEntry.value_date))).all()) == {day}


def test_a_bill_says_its_month_or_the_name_of_a_longer_round(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    term = Span(date(2026, 1, 1), date(2026, 5, 31))
    with as_school(database, billing) as session:
        issued_round(session, billing, now)
        issued_round(session, billing, now + timedelta(days=1), term, "HK2")
        assert sorted(set(session.exec(select(Bill.period)).all())) == ["Tháng 10/2025", "Đợt thu HK2"]


def test_another_school_sees_and_issues_nothing(
    database: Database, vault: Vault, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(EVERYTHING) as session:
        other = make_billing_school(session, vault)
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
    with as_school(database, other) as session, pytest.raises(Exception, match="Không tìm thấy đợt thu"):
        issue_round(session, round_id, now, REFERENCE_KEY)
    with as_school(database, billing) as session:
        issue_round(session, round_id, now, REFERENCE_KEY)
    with as_school(database, other) as session:
        assert count(session, Bill) == 0
        assert session.exec(select(School.id)).all() == [other.id]


def test_nothing_of_an_issue_can_be_written_outside_its_school(
    database: Database, vault: Vault, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(EVERYTHING) as session:
        other = make_billing_school(session, vault)
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
    foreign = Issue(other.id, round_id, "Tháng 10/2025", date(2025, 10, 20), now)
    bill = NewBill(
        id=new_id(),
        number="TB2510-999999",
        enrolment_id=billing.pupils[0].enrolment.id,
        pupil_id=billing.pupils[0].id,
        class_id=billing.pupils[0].class_group.id,
        bank_account_id=billing.account.id,
        lines=(),
    )
    with pytest.raises(Exception, match="row-level security"), as_school(database, billing) as session:
        write_bills(session, foreign, [bill])
    with pytest.raises(Exception, match="foreign key"), as_school(database, other) as session:
        write_bills(session, foreign, [bill])
