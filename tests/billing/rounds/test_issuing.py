"""A small school end to end: what is issued is what was approved, once, and everything ties out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill, BillLine, BillReduction
from billing.bills.writing import Issue, NewBill, write_bills
from billing.errors import Conflict, Refused
from billing.events.tables import Event
from billing.fees.catalogue import shipped_catalogue
from billing.fees.schedule import load_catalogue
from billing.fees.tables import FeeItem, FeePrice, Reduction
from billing.ledger.balances import debit_balance, trial_balance
from billing.ledger.tables import JournalEntry, Posting
from billing.money import ZERO, Money, total
from billing.payments.balances import request_balances
from billing.payments.reference import is_valid
from billing.payments.tables import IssuedReference, PaymentRequest
from billing.people.tables import School
from billing.rounds import issuing
from billing.rounds.drafting import find_round
from billing.rounds.issuing import IssuedRound, issue_round
from billing.rounds.previewing import preview_round
from billing.rounds.tables import BillingRound
from billing.storage import money_sum, new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.factories.fees import OCTOBER
from tests.factories.rounds import (
    REFERENCE_KEY,
    SEPTEMBER,
    BillingSchool,
    approved_round,
    issued_round,
    make_billing_school,
    register,
    requests_of,
)
from tests.factories.schools import (
    Enrolled,
    make_account,
    make_class,
    make_guardian,
    make_pupil,
    make_school,
    make_user,
)

DAY_PUPIL = Money(10_000 + 157_950)  # water and three months of health insurance
BOARDER = DAY_PUPIL + Money(300_000 + 23 * 32_000)


def count(session: Session, table: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


@contextmanager
def as_school(database: Database, billing: BillingSchool) -> Iterator[Session]:
    with database.transaction(Scope.of(billing.id)) as session:
        yield session


@pytest.fixture
def billing(database: Database, vault: Vault) -> BillingSchool:
    """A school of three, the first of whom boards."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault)
        register(session, made.pupils[0], "BANTRU", "TIENAN")
    return made


def exempt(session: Session, child: Enrolled, percent: int = 100, *codes: str) -> UUID:
    row = Reduction(
        school_id=child.enrolment.school_id,
        enrolment_id=child.enrolment.id,
        title="Hộ nghèo",
        item_codes=list(codes),
        item_groups=[] if codes else ["service", "agreed", "pass_through"],
        kind="percent",
        percent=percent,
        payer="state",
        reason_class="hộ nghèo",
        legal_basis="Nghị định 238/2025/NĐ-CP",
        valid_from=date(2025, 9, 1),
    )
    session.add(row)
    session.flush()
    return row.id


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


def test_numbers_are_gapless_and_go_on_in_the_next_round_of_the_month(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with as_school(database, billing) as session:
        issued_round(session, billing, now)
        later = now + timedelta(days=1)
        issued_round(session, billing, later, OCTOBER, "2025-10-2")
        numbers = sorted(session.exec(select(Bill.number)).all())
    assert numbers == [f"TB2510-{number:06d}" for number in range(1, 7)]


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


def test_issuing_twice_is_issuing_once(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
        first = issue_round(session, round_id, now, REFERENCE_KEY)
    with as_school(database, billing) as session:
        again = issue_round(session, round_id, now + timedelta(hours=1), REFERENCE_KEY)
        assert again == first
        assert count(session, Bill) == first.bills
        assert count(session, JournalEntry) == first.bills
        issue_deeds = select(func.count()).where(col(AuditEntry.action) == "round.issue")
        assert session.exec(issue_deeds).one() == 1


@pytest.mark.parametrize("turn", range(5))
def test_two_who_issue_at_once_make_one_set_of_bills(
    database: Database, billing: BillingSchool, now: datetime, turn: int
) -> None:
    del turn
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)

    def attempt(_: int) -> IssuedRound:
        with as_school(database, billing) as session:
            return issue_round(session, round_id, now, REFERENCE_KEY)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(attempt, range(2))
    assert first == second
    with as_school(database, billing) as session:
        assert (count(session, Bill), count(session, PaymentRequest)) == (3, 3)
        assert session.exec(select(money_sum(Posting.amount))).one() == first.family_total


@pytest.mark.parametrize("breaks_at", ["write_bills", "post_many", "open_requests", "_tell", "record_deed"])
def test_a_crash_in_the_middle_leaves_nothing_and_the_next_try_everything(
    database: Database,
    billing: BillingSchool,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    breaks_at: str,
) -> None:
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
    whole = getattr(issuing, breaks_at)

    def crash(*arguments: object, **details: object) -> None:
        whole(*arguments, **details)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(issuing, breaks_at, crash)
        with pytest.raises(KeyboardInterrupt), as_school(database, billing) as session:
            issue_round(session, round_id, now, REFERENCE_KEY)
    with as_school(database, billing) as session:
        for table in (Bill, BillLine, BillReduction, JournalEntry, Posting, PaymentRequest, IssuedReference, Event):
            assert count(session, table) == 0, table
        assert find_round(session, round_id).state == "approved"
        done = issue_round(session, round_id, now, REFERENCE_KEY)
        assert done.family_total == BOARDER + DAY_PUPIL * 2


def change_price(session: Session, billing: BillingSchool) -> None:
    item = session.exec(select(FeeItem).where(FeeItem.code == "NUOCUONG")).one()
    (old,) = session.exec(select(FeePrice).where(FeePrice.item_id == item.id)).all()
    old.valid_to = date(2025, 9, 30)
    session.add(old)
    session.add(FeePrice(school_id=billing.id, item_id=item.id, amount=Money(12_000), valid_from=date(2025, 10, 1)))


def add_exemption(session: Session, billing: BillingSchool) -> None:
    exempt(session, billing.pupils[1], 50)


def add_pupil(session: Session, billing: BillingSchool) -> None:
    make_pupil(session, billing.pupils[0].class_group, province_id=billing.school.province_id)


def take_a_pupil_away(session: Session, billing: BillingSchool) -> None:
    enrolment = billing.pupils[2].enrolment
    enrolment.ended_on = date(2025, 9, 15)
    session.add(enrolment)


@pytest.mark.parametrize("change", [change_price, add_exemption, add_pupil, take_a_pupil_away])
def test_what_changed_after_the_approval_is_not_issued(
    database: Database, billing: BillingSchool, now: datetime, change: object
) -> None:
    assert callable(change)
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
        change(session, billing)
        session.flush()
        with pytest.raises(Conflict, match="xem trước và trình duyệt lại"):
            issue_round(session, round_id, now, REFERENCE_KEY)
        assert count(session, Bill) == 0
        preview = preview_round(session, round_id, billing.accountant, now)
        stored = find_round(session, round_id)
        assert (stored.state, stored.approved_by) == ("previewed", None)
        assert stored.preview_digest == bytes.fromhex(preview.digest)


def test_only_an_approved_round_is_issued(database: Database, billing: BillingSchool, now: datetime) -> None:
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
        preview_round(session, round_id, billing.accountant, now)
        with pytest.raises(Conflict, match="chưa được duyệt"):
            issue_round(session, round_id, now, REFERENCE_KEY)


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
        load_catalogue(session, school, shipped_catalogue("public-upper-secondary"), {"main": account.id})
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


def test_a_bill_beyond_one_transfer_is_refused(
    database: Database, billing: BillingSchool, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "TOO_LARGE", BOARDER)
    with as_school(database, billing) as session:
        round_id = approved_round(session, billing, now)
        with pytest.raises(Refused, match=r"TB2510-000001.*chia thành nhiều đợt"):
            issue_round(session, round_id, now, REFERENCE_KEY)
    monkeypatch.setattr(issuing, "TOO_LARGE", BOARDER + Money(1))
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
