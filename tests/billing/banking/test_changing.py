"""A bank account is asked for by one, agreed to by another, waited for, and stands in the place of the old one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.banking.changing import (
    LEAST_WAIT,
    WantedAccount,
    approval_of,
    approve_account,
    ask_account,
    pending_changes,
    withdraw_account,
)
from billing.banking.opening import a_year_later, open_due_accounts
from billing.bills.tables import Bill
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.events.tables import Event
from billing.fees.items import Span
from billing.fees.tables import FeeItem
from billing.ledger.account_tables import AccountChange, AccountOpening
from billing.ledger.replacing import now_in_place, replacements
from billing.ledger.tables import BankAccount, LedgerAccount
from billing.payments.requests import open_requests
from billing.payments.tables import PaymentRequest
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.feeds.closing import close_feeds_of_replaced
from reconciliation.tables import Feed
from service.database import EVERYTHING, Database, Scope
from tests.factories.rounds import REFERENCE_KEY, BillingSchool, issued_round, make_billing_school, requests_of
from tests.factories.schools import make_school, make_user
from tests.standing import standing

DAY = timedelta(hours=24)
NOVEMBER = Span(date(2025, 11, 1), date(2025, 11, 30))


@pytest.fixture
@standing
def billing(database: Database, vault: Vault, now: datetime) -> BillingSchool:
    """A school of one with an issued round for October."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, pupils=1)
        issued_round(session, made, now - timedelta(days=1))
    return made


def wanted(billing: BillingSchool, **changes: object) -> WantedAccount:
    values: dict[str, object] = {
        "bank_bin": "970415",
        "number": "1130 0012 3456",
        "holder": "Trường Tiểu học Hoa Mai",
        "told_by": "callback",
        "reason": "Công văn 12",
        "replaces_id": billing.account.id,
    }
    return WantedAccount(**(values | changes))  # type: ignore[arg-type]  # a test's short hand


def ask(session: Session, billing: BillingSchool, now: datetime, **changes: object) -> AccountChange:
    return ask_account(session, billing.accountant, billing.id, wanted(billing, **changes), now)


def approve(session: Session, billing: BillingSchool, change_id: UUID, now: datetime) -> None:
    approve_account(session, billing.approver, billing.id, change_id, LEAST_WAIT, now)


def changed(database: Database, billing: BillingSchool, now: datetime, **changes: object) -> BankAccount:
    """Ask, agree, wait and open."""
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now, **changes)
        approve(session, billing, change.id, now)
        (opening,) = open_due_accounts(session, billing.id, now + DAY)
        return session.get_one(BankAccount, opening.account_id)


def test_what_is_typed_is_kept_as_the_bank_writes_it(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now, memo_code=" sevqr ")
        assert (change.number, change.holder) == ("113000123456", "TRUONG TIEU HOC HOA MAI")
        assert change.memo_code == "SEVQR"
        assert session.exec(select(Event.kind).where(Event.subject_id == change.id)).all() == ["account_asked"]


BAD: tuple[tuple[dict[str, object], str], ...] = (
    ({"bank_bin": "97041"}, "6 chữ số"),
    ({"number": "123"}, "4 đến 19"),
    ({"number": "1" * 20}, "4 đến 19"),
    ({"holder": " "}, "tên tài khoản"),
    ({"told_by": "rumour"}, "sao kê"),
    ({"reason": " "}, "lý do"),
    ({"memo_code": "A" * 14}, "nhiều nhất 13 ký tự"),
    ({"memo_code": "XFWX"}, "FW"),
)


def test_what_can_be_no_account_is_refused(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        for changes, match in BAD:
            with pytest.raises(Refused, match=match):
                ask(session, billing, now, **changes)
        assert session.exec(select(AccountChange)).all() == []


def test_one_person_alone_opens_no_account(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now)
        both = Actor(billing.accountant.user_id, "approver")
        with pytest.raises(SamePerson):
            approve_account(session, both, billing.id, change.id, LEAST_WAIT, now)
        assert open_due_accounts(session, billing.id, now + 10 * DAY) == []


def test_the_wait_can_only_be_longer(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        for asked, waited in ((0, 24), (23, 24), (72, 72)):
            change = ask(session, billing, now, number=f"1130{asked:04}", replaces_id=None)
            made = approve_account(session, billing.approver, billing.id, change.id, timedelta(hours=asked), now)
            assert made.in_force_at - now == timedelta(hours=waited)


def test_before_the_wait_is_over_nothing_changes_and_then_once(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now)
        approve(session, billing, change.id, now)
        assert open_due_accounts(session, billing.id, now + DAY - timedelta(seconds=1)) == []
        assert replacements(session, billing.id) == {}
        (opening,) = open_due_accounts(session, billing.id, now + DAY)
        assert open_due_accounts(session, billing.id, now + DAY) == []
        assert replacements(session, billing.id) == {billing.account.id: opening.account_id}
        assert opening.keeps_until == date(2026, 10, 7)
        account = session.get_one(BankAccount, opening.account_id)
        assert (account.made_by, account.approved_by) == (billing.accountant.user_id, billing.approver.user_id)
        assert (
            session.exec(select(LedgerAccount).where(LedgerAccount.bank_account_id == account.id)).one().kind == "bank"
        )
        kinds = session.exec(select(Event.kind).where(Event.subject_id == change.id).order_by("id")).all()
        assert kinds == ["account_asked", "account_approved", "account_opened"]


def test_new_bills_and_requests_name_the_new_account_and_old_requests_stay(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    child = billing.pupils[0]
    with database.transaction(Scope.of(billing.id)) as session:
        (before,) = requests_of(session, child)
    new = changed(database, billing, now)
    later = now + 30 * DAY
    with database.transaction(Scope.of(billing.id)) as session:
        assert {item.bank_account_id for item in session.exec(select(FeeItem)).all()} == {new.id}
        kept = session.get_one(PaymentRequest, before.id)
        assert kept.bank_account_id == billing.account.id, "its QR still names the account it was made for"
        asked = open_requests(session, billing.id, [(child.id, billing.account.id)], later, REFERENCE_KEY)
        assert [each.bank_account_id for each in asked] == [new.id], "the old bill is asked for on the new account"
        issued_round(session, billing, later, NOVEMBER, "2025-11")
        accounts = dict(session.exec(select(Bill.period, Bill.bank_account_id)).all())
    assert set(accounts.values()) == {billing.account.id, new.id}


def test_a_second_change_follows_the_first(database: Database, billing: BillingSchool, now: datetime) -> None:
    first = changed(database, billing, now)
    second = changed(database, billing, now + 3 * DAY, number="11300099", replaces_id=first.id)
    with database.transaction(Scope.of(billing.id)) as session:
        assert replacements(session, billing.id) == {billing.account.id: second.id, first.id: second.id}
        with pytest.raises(Conflict, match="đã được thay"):
            ask(session, billing, now + 6 * DAY, number="113000111", replaces_id=billing.account.id)


def test_anybody_of_the_office_stops_it_within_the_wait(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(EVERYTHING) as session:
        auditor = make_user(session, billing.school, "auditor")
    with database.transaction(Scope.of(billing.id)) as session:
        for somebody in (auditor, billing.approver, billing.accountant):
            change = ask(session, billing, now)
            approve(session, billing, change.id, now)
            with pytest.raises(Refused, match="lý do"):
                withdraw_account(session, somebody, billing.id, change.id, " ", now)
            withdraw_account(session, somebody, billing.id, change.id, "Không phải của trường", now + DAY / 2)
            assert open_due_accounts(session, billing.id, now + 10 * DAY) == []
            assert pending_changes(session, billing.id) == []
            with pytest.raises(Conflict):
                approve(session, billing, change.id, now)


def test_what_is_in_force_is_replaced_and_not_stopped(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now)
        approve(session, billing, change.id, now)
        with pytest.raises(Conflict, match="đã có hiệu lực"):
            withdraw_account(session, billing.approver, billing.id, change.id, "Muộn", now + DAY)


def test_two_changes_of_one_account_or_number_are_refused(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now)
        with pytest.raises(Conflict):
            ask(session, billing, now, number="113000999")
        with pytest.raises(Conflict):
            ask(session, billing, now, replaces_id=None)
        with pytest.raises(Conflict, match="đã có tài khoản"):
            ask(session, billing, now, bank_bin=billing.account.bank_bin, number=billing.account.number)
        approve(session, billing, change.id, now)
        with pytest.raises(Conflict, match="đã có người đồng ý"):
            approve(session, billing, change.id, now)
        with pytest.raises(NotFound):
            approve(session, billing, new_id(), now)


def test_another_school_sees_and_stops_nothing(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        other = make_school(session)
        stranger = make_user(session, other, "approver")
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now)
    with database.transaction(Scope.of(other.id)) as session:
        assert session.exec(select(AccountChange)).all() == []
        with pytest.raises(NotFound):
            approve_account(session, stranger, other.id, change.id, LEAST_WAIT, now)
        with pytest.raises(NotFound):
            withdraw_account(session, stranger, other.id, change.id, "x", now)


_APPROVAL = """
    INSERT INTO account_approvals (change_id, school_id, approved_by, at, in_force_at)
    VALUES (:change, :school, :person, :now, :then)"""
_OPENING = """
    INSERT INTO account_openings (change_id, school_id, account_id, replaces_id, keeps_until, at)
    VALUES (:change, :school, :account, :account, '2026-10-07', :now)"""
_ACCOUNT = """
    INSERT INTO bank_accounts (id, school_id, bank_bin, number, holder, told_by, only_virtual, can_qr, opened_on,
                               made_by, approved_by)
    VALUES (:change, :school, '970415', '113000123456', 'TRUONG TIEU HOC HOA MAI', 'callback', false, true,
            '2025-10-06', :asker, :person)"""


REFUSED = (
    ("the asker agrees", _APPROVAL, 24, "asker"),
    ("less than a day is waited", _APPROVAL, 23, "approver"),
    ("in force without a yes", _OPENING, 24, "approver"),
    ("an account without a yes", _ACCOUNT, 24, "approver"),
)


def test_the_database_itself_refuses(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now)
    people = {"asker": billing.accountant.user_id, "approver": billing.approver.user_id}
    values = {"change": change.id, "school": billing.id, "asker": people["asker"], "account": billing.account.id}
    for _, statement, hours, who in REFUSED:
        more = {"person": people[who], "now": now, "then": now + timedelta(hours=hours)}
        with pytest.raises(IntegrityError), database.transaction(Scope.of(billing.id)) as session:
            session.execute(text(statement), values | more)
    with database.transaction(Scope.of(billing.id)) as session:
        session.execute(text(_APPROVAL), values | {"person": people["approver"], "now": now, "then": now + DAY})


def test_the_database_refuses_an_opening_before_the_wait_and_after_a_stop(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        change = ask(session, billing, now)
        approve(session, billing, change.id, now)
    values = {"change": change.id, "school": billing.id, "account": billing.account.id, "now": now + DAY / 2}
    with pytest.raises(IntegrityError), database.transaction(Scope.of(billing.id)) as session:
        session.execute(text(_OPENING), values)
    with database.transaction(Scope.of(billing.id)) as session:
        withdraw_account(session, billing.approver, billing.id, change.id, "Sai số", now)
    with pytest.raises(IntegrityError), database.transaction(Scope.of(billing.id)) as session:
        session.execute(text(_OPENING), values | {"now": now + DAY})


def test_an_account_is_never_another_one_in_place(database: Database, billing: BillingSchool) -> None:
    for column in ("bank_bin", "number", "holder"):
        change = text(f"UPDATE bank_accounts SET {column} = '970499' WHERE id = :id")  # noqa: S608  the names above
        with pytest.raises((IntegrityError, ProgrammingError)), database.transaction(Scope.of(billing.id)) as session:
            session.execute(change, {"id": billing.account.id})


def test_what_was_written_is_never_changed(database: Database, billing: BillingSchool, now: datetime) -> None:
    changed(database, billing, now)
    for table in ("account_changes", "account_approvals", "account_openings"):
        for deed in (f"DELETE FROM {table}", f"UPDATE {table} SET school_id = school_id"):  # noqa: S608  as above
            with pytest.raises(ProgrammingError), database.transaction(Scope.of(billing.id)) as session:
                session.execute(text(deed))


def test_approval_of_nothing_is_none(database: Database, billing: BillingSchool) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        assert approval_of(session, billing.id, new_id()) is None
        assert session.exec(select(AccountOpening)).all() == []


def test_a_year_after_a_leap_day_is_the_last_of_february() -> None:
    assert a_year_later(date(2028, 2, 29)) == date(2029, 2, 28)


@given(st.dates(date(2024, 1, 1), date(2090, 1, 1)))
def test_a_year_is_365_or_366_days(day: date) -> None:
    assert (a_year_later(day) - day).days in {365, 366}


@given(st.lists(st.uuids(), min_size=2, max_size=8, unique=True))
def test_every_link_of_a_chain_leads_to_its_end(chain: list[UUID]) -> None:
    assert now_in_place(pairwise(chain)) == dict.fromkeys(chain[:-1], chain[-1])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), max_size=12))
def test_what_stands_in_place_is_in_use_however_often_a_school_goes_back(moves: list[tuple[int, int, bool]]) -> None:
    """Play openings of accounts that are not in use, in the place of one that is or beside them; the oldest first."""
    keys = [UUID(int=each) for each in range(6)]
    used, left, openings = {keys[0]}, set[UUID](), list[tuple[UUID | None, UUID]]()
    for which, new, beside in moves:
        if keys[new] in used:
            continue
        old = None if beside else sorted(used)[which % len(used)]
        openings.append((old, keys[new]))
        used = (used - {old}) | {keys[new]}
        left = (left | ({old} if old else set())) - {keys[new]}
    stands = now_in_place(openings)
    assert set(stands) == left
    assert set(stands.values()) <= used


def test_a_school_goes_back_to_its_earlier_account_and_away_again(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    old, child = billing.account, billing.pupils[0]
    new = changed(database, billing, now)
    back: dict[str, object] = {"bank_bin": old.bank_bin, "number": old.number, "holder": old.holder}
    with database.transaction(Scope.of(billing.id)) as session:
        with pytest.raises(Refused, match="giữ đúng tên"):
            ask(session, billing, now + 2 * DAY, **{**back, "holder": "TRUONG KHAC"}, replaces_id=new.id)
        change = ask(session, billing, now + 2 * DAY, **back, told_by="statement", memo_code="ABC", replaces_id=new.id)
        with pytest.raises(SamePerson):
            approve_account(session, billing.accountant, billing.id, change.id, LEAST_WAIT, now + 2 * DAY)
        approve(session, billing, change.id, now + 2 * DAY)
        assert open_due_accounts(session, billing.id, now + 3 * DAY - timedelta(seconds=1)) == []
        (opening,) = open_due_accounts(session, billing.id, now + 3 * DAY)
        assert (opening.account_id, opening.replaces_id) == (old.id, new.id)
        assert replacements(session, billing.id) == {new.id: old.id}
        again = session.get_one(BankAccount, old.id)
        assert (again.closed_on, again.told_by, again.memo_code) == (None, "statement", "ABC")
        assert session.get_one(BankAccount, new.id).closed_on == date(2025, 10, 9)
        assert {item.bank_account_id for item in session.exec(select(FeeItem)).all()} == {old.id}
        asked = open_requests(session, billing.id, [(child.id, new.id)], now + 4 * DAY, REFERENCE_KEY)
        assert {each.bank_account_id for each in asked} == {old.id}
        kinds = session.exec(select(Event.kind).where(Event.subject_id == change.id).order_by("id")).all()
        assert kinds == ["account_asked", "account_approved", "account_opened"]
        assert len(session.exec(select(LedgerAccount).where(LedgerAccount.bank_account_id == old.id)).all()) == 1
    third = changed(database, billing, now + 5 * DAY, number="11300077", replaces_id=old.id)
    with database.transaction(Scope.of(billing.id)) as session:
        assert replacements(session, billing.id) == {old.id: third.id, new.id: third.id}


def test_feeds_of_an_account_in_use_again_stay_open(database: Database, billing: BillingSchool, now: datetime) -> None:
    """Only the account that was left closes, a year after it was left the last time."""
    old, year = billing.account, timedelta(days=400)
    new = changed(database, billing, now)
    with database.transaction(Scope.of(billing.id)) as session:
        for number, account in enumerate((old, new)):
            session.add(
                Feed(
                    school_id=billing.id, bank_account_id=account.id, provider="sepay", scheme="hmac",
                    path_hash=bytes([number]), opened_at=now,
                )
            )  # fmt: skip
    changed(database, billing, now + 30 * DAY, bank_bin=old.bank_bin, number=old.number, holder=old.holder,
            replaces_id=new.id)  # fmt: skip
    with database.transaction(Scope.of(billing.id)) as session:
        today = (now + year).date()
        assert close_feeds_of_replaced(session, billing.id, date(2026, 10, 9), now + year) == []
        assert [each.bank_account_id for each in close_feeds_of_replaced(session, billing.id, today, now)] == [new.id]


def test_the_database_lets_nobody_alone_go_back(database: Database, billing: BillingSchool, now: datetime) -> None:
    changed(database, billing, now)
    back = text("UPDATE bank_accounts SET closed_on = NULL WHERE id = :id")
    with pytest.raises(IntegrityError, match="by two people"), database.transaction(Scope.of(billing.id)) as session:
        session.execute(back, {"id": billing.account.id})
