"""More time and sums no longer asked for, as the accountant tells it; nothing that was paid is ever touched."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money, total
from billing.moving.leaving import Plan, corrections_waiting, leave
from billing.payments.balances import BillBalance, bill_balances, line_dues, moved_by_bill, paid_by, rest_by
from billing.payments.grace import muted
from billing.payments.relief_tables import Relief, ReliefPaper
from billing.payments.relieving import (
    MoreTime,
    NoLonger,
    approve_relief,
    ask_grace,
    ask_write_off,
    end_relief,
    open_paper,
    refuse_relief,
)
from billing.payments.still_open import open_bills
from billing.payments.writing_off import WRITTEN_OFF
from billing.plans.papers import read_paper
from billing.rounds.correcting import approve_correction
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.invariants import check_all
from tests.billing.credits.credit_world import MEAL, School, make_school
from tests.factories.rounds import REFERENCE_KEY
from tests.standing import standing

LATER = datetime.fromisoformat("2025-12-01T03:00:00+00:00")
PAPER = read_paper("quyet-dinh.pdf", b"%PDF-1.7 quyet dinh")
DECIDED = date(2025, 11, 28)
CHRISTMAS = date(2025, 12, 25)


@pytest.fixture
@standing
def school(database: Database, vault: Vault, now: datetime) -> School:
    """October and November are billed, nobody has paid."""
    made = make_school(database, vault, now)
    with made.open() as session:
        made.bill_month(session, 10)
        made.bill_month(session, 11)
    return made


def no_longer(school: School, session: Session, month: int = 10, **fields: str) -> NoLonger:
    bill = school.bill(session, month).bill_id
    reason = fields.get("reason", "Gia đình đã chuyển đi, không liên lạc được")
    return NoLonger(bill, fields.get("number", "15/QĐ-TH"), DECIDED, reason, PAPER)


def written_off(school: School, session: Session, month: int = 10) -> Relief:
    asked = ask_write_off(session, school.billing.accountant, school.id, no_longer(school, session, month), LATER)
    return approve_relief(session, school.billing.approver, school.id, asked.id, LATER)


def income(school: School, session: Session) -> Money:
    """What stands in the book as earned, before and after."""
    codes = session.execute(
        text("SELECT code FROM ledger_accounts WHERE school_id = :school AND kind IN ('income', 'pass_through')"),
        {"school": school.id},
    )
    return total(debit_balance(session, school.id, code) for (code,) in codes)


def lists_say(session: Session, bill_id: UUID) -> tuple[int, int]:
    """Return rest and paid of a bill as the office's lists reckon them, for the whole school."""
    moved = moved_by_bill()
    query = select(rest_by(moved), paid_by(moved)).select_from(Bill).outerjoin(moved, moved.c.bill_id == Bill.id)
    rest, paid = session.exec(query.where(Bill.id == bill_id)).one()
    return rest, paid


def test_the_open_rest_is_written_off_against_an_expense_and_what_was_paid_stays(school: School) -> None:
    with school.open() as session:
        whole = school.bill(session, 11).due
        school.pay(session, 10)  # the first pupil's October is paid: nothing of it can be written off
        with pytest.raises(Refused, match="phần đã nộp không xóa được"):
            ask_write_off(session, school.billing.accountant, school.id, no_longer(school, session), LATER)
        before = income(school, session)
        written_off(school, session, 11)
        bill = school.bill(session, 11)
        assert (bill.rest, bill.due, bill.paid, bill.written_off, bill.status) == (ZERO, ZERO, ZERO, whole, "covered")
        assert lists_say(session, bill.bill_id) == (0, 0)
        assert debit_balance(session, school.id, WRITTEN_OFF) == bill.written_off
        assert income(school, session) == before, "what was earned stays earned"
        assert open_bills(session, school.id, [school.pupil()]) == []
    assert_sound(school)


def test_a_part_that_was_paid_stays_paid_and_only_the_rest_goes(school: School) -> None:
    with school.open() as session:
        due = school.bill(session, 10).due
        school.pay_part(session, 10, Money(100_000))
        written_off(school, session)
        bill = school.bill(session, 10)
        assert (bill.paid, bill.written_off, bill.rest) == (Money(100_000), due - Money(100_000), ZERO)
        assert (bill.due, bill.status, bill.received) == (Money(100_000), "paid", Money(100_000))
        assert lists_say(session, bill.bill_id) == (0, 100_000)
        assert total(line_dues(session, [bill]).values()) == bill.due, "what a family reads adds up"


def test_two_people_a_reason_a_decision_and_a_paper(school: School) -> None:
    accountant, approver = school.billing.accountant, school.billing.approver
    with school.open() as session:
        for field in ("reason", "number"):
            with pytest.raises(Refused, match="lý do, số"):
                ask_write_off(session, accountant, school.id, no_longer(school, session, 10, **{field: " "}), LATER)
        asked = ask_write_off(session, accountant, school.id, no_longer(school, session), LATER)
        assert school.bill(session, 10).written_off == ZERO, "asking takes nothing off"
        with pytest.raises(Conflict, match="đang chờ duyệt"):
            ask_write_off(session, accountant, school.id, no_longer(school, session), LATER)
        with pytest.raises(SamePerson):
            approve_relief(session, accountant, school.id, asked.id, LATER)
        with pytest.raises(NotFound):
            end_relief(session, approver, school.id, asked.id, "x", LATER)
        paper = session.exec(select(ReliefPaper)).one()
        assert open_paper(session, approver, school.id, paper.id, LATER).content == PAPER.content
        refuse_relief(session, approver, school.id, asked.id, "Chưa đủ hồ sơ", LATER)
        with pytest.raises(Conflict, match="quyết định rồi"):
            approve_relief(session, approver, school.id, asked.id, LATER)
        deeds = session.exec(select(AuditEntry.action).where(AuditEntry.object_kind == "relief")).all()
        assert list(deeds) == ["write_off.ask", "relief.open_paper", "write_off.refuse"]


def test_who_pays_in_between_is_not_written_off(school: School) -> None:
    with school.open() as session:
        asked = ask_write_off(session, school.billing.accountant, school.id, no_longer(school, session), LATER)
        school.pay_part(session, 10, Money(1))
        with pytest.raises(Conflict, match="không phải"), session.begin_nested():
            approve_relief(session, school.billing.approver, school.id, asked.id, LATER)
        assert school.bill(session, 10).written_off == ZERO


def test_a_write_off_is_reversed_by_a_counter_entry_once(school: School) -> None:
    with school.open() as session:
        due = school.bill(session, 10).due
        relief = written_off(school, session)
        with pytest.raises(Refused, match="lý do"):
            end_relief(session, school.billing.approver, school.id, relief.id, " ", LATER)
        end_relief(session, school.billing.approver, school.id, relief.id, "Gia đình quay lại nộp", LATER)
        bill = school.bill(session, 10)
        assert (bill.rest, bill.written_off, bill.status) == (due, ZERO, "open")
        assert lists_say(session, bill.bill_id) == (due.dong, 0)
        assert debit_balance(session, school.id, WRITTEN_OFF) == ZERO
        with pytest.raises(Conflict):
            end_relief(session, school.billing.approver, school.id, relief.id, "x", LATER)
        written_off(school, session)  # and may be written off again later
        assert school.bill(session, 10).rest == ZERO
    assert_sound(school)


def test_the_database_refuses_a_write_off_that_nobody_approved(school: School) -> None:
    with school.open() as session:
        asked = ask_write_off(session, school.billing.accountant, school.id, no_longer(school, session), LATER)
        bare = ask_write_off(session, school.billing.accountant, school.id, no_longer(school, session, 11), LATER)
        values = {
            "school": school.id, "relief": asked.id, "bare": bare.id, "pupil": asked.pupil_id,
            "amount": asked.amount.dong if asked.amount else 0, "maker": school.billing.accountant.user_id,
        }  # fmt: skip
    payment = (
        "INSERT INTO payments (id, school_id, pupil_id, source_kind, source_id, turn, amount, value_date, recorded_at)"
        " VALUES (gen_random_uuid(), :school, :pupil, 'write_off', :relief, 1, :amount, '2025-12-01', now())"
    )
    decision = (
        "INSERT INTO relief_decisions (relief_id, school_id, approved, decided_by, reason, at)"
        " VALUES (:relief, :school, true, :maker, '', now())"
    )
    end = (
        "INSERT INTO relief_ends (relief_id, school_id, reason, made_by, at)"
        " VALUES (:bare, :school, 'x', :maker, now())"
    )
    for statement in (payment, decision, end, "DELETE FROM reliefs", "UPDATE reliefs SET amount = 1"):
        used = {key: value for key, value in values.items() if f":{key}" in statement}
        with pytest.raises(DBAPIError), school.database.transaction(EVERYTHING) as session:
            session.execute(text(statement), used)


def test_what_is_lowered_after_a_write_off_gives_nobody_money_that_nobody_paid(school: School) -> None:
    with school.open() as session:
        school.pay_part(session, 10, 2 * MEAL)
        written_off(school, session)
        before = school.bill(session, 10)
        school.lower(session, 10, "TIENAN", 5 * MEAL)
        after = school.bill(session, 10)
        assert school.kept(session) == {}
        assert (after.due, after.paid, after.rest) == (2 * MEAL, 2 * MEAL, ZERO), "nothing changes for the family"
        assert after.written_off == before.written_off - 5 * MEAL


def test_more_time_until_a_day_for_one_bill_or_all(school: School) -> None:
    accountant, approver, today = school.billing.accountant, school.billing.approver, date(2025, 12, 1)
    with school.open() as session:
        rest = school.bill(session, 10).rest
        october, november = school.bill(session, 10).bill_id, school.bill(session, 11).bill_id
        one = ask_grace(
            session, accountant, school.id, MoreTime(school.pupil(), october, CHRISTMAS, "Đơn của gia đình"), LATER
        )
        assert muted(session, school.id, None, today).until(school.pupil(), october) is None, "only asked for"
        with pytest.raises(SamePerson):
            approve_relief(session, accountant, school.id, one.id, LATER)
        approve_relief(session, approver, school.id, one.id, LATER)
        found = muted(session, school.id, [school.pupil()], today)
        assert found.until(school.pupil(), october) == CHRISTMAS
        assert found.until(school.pupil(), november) is None
        assert school.bill(session, 10).rest == rest, "time, not money"
        everything = MoreTime(school.pupil(), None, CHRISTMAS + timedelta(days=7), "Mẹ ốm")
        every = ask_grace(session, accountant, school.id, everything, LATER)
        approve_relief(session, approver, school.id, every.id, LATER)
        for bill in (october, november):
            assert muted(session, school.id, None, today).until(school.pupil(), bill) == everything.until
        assert muted(session, school.id, None, everything.until + timedelta(days=1)).by_pupil == {}
        assert muted(session, school.id, [school.pupil(1)], today).by_pupil == {}
        end_relief(session, approver, school.id, every.id, "Gia đình đã nộp được", LATER)
        assert muted(session, school.id, None, today).until(school.pupil(), november) is None


def test_little_by_little_adds_up_to_what_is_open(school: School) -> None:
    accountant = school.billing.accountant
    with school.open() as session:
        bill = school.bill(session, 10)
        first = Money(200_000)
        days = (date(2025, 12, 10), CHRISTMAS)

        def asked(*amounts: Money, until: date = CHRISTMAS, on: tuple[date, ...] = days) -> Relief:
            parts = tuple(zip(on, amounts, strict=True))
            wanted = MoreTime(school.pupil(), bill.bill_id, until, "Nộp dần", parts)
            return ask_grace(session, accountant, school.id, wanted, LATER)

        rest, late, past = bill.rest - first, CHRISTMAS + timedelta(days=1), date(2025, 11, 1)
        for second, until, on in (
            (bill.rest, CHRISTMAS, days),
            (rest, CHRISTMAS, (CHRISTMAS, days[0])),
            (rest, late, days),
            (rest, past, days),
        ):
            with pytest.raises(Refused):
                asked(first, second, until=until, on=on)
        with pytest.raises(Refused, match="lớn hơn 0 đ"):
            asked(ZERO, bill.rest)
        approve_relief(session, school.billing.approver, school.id, asked(first, bill.rest - first).id, LATER)
        grace = muted(session, school.id, None, date(2025, 12, 1)).grace(school.pupil(), bill.bill_id)
        assert grace is not None
        assert grace.parts == ((days[0], first), (days[1], bill.rest - first))
        written_off(school, session, 10)
        written_off(school, session, 11)
        with pytest.raises(Refused, match="không còn khoản nào"):
            ask_grace(session, accountant, school.id, MoreTime(school.pupil(), None, CHRISTMAS, "x"), LATER)


@given(
    last_day=st.dates(date(2025, 9, 1), date(2025, 11, 30)),
    paid=st.integers(0, 1_500_000),
    later=st.booleans(),
)
@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a world of rows takes minutes
)
def test_used_given_back_and_written_off_are_what_was_billed(
    school: School, last_day: date, paid: int, *, later: bool
) -> None:
    """For any last day, whatever was paid before, and whether the rest is written off before the leaving or after."""
    with school.database.transaction(EVERYTHING) as session:
        billed = total(each.family_due for each in balances(school, session))
        school.pay_part(session, 10, min(Money(paid), school.bill(session, 10).rest))
        if not later:
            write_off_all(school, session)
        enrolment = school.billing.pupils[0].enrolment.id
        plan = Plan(enrolment, last_day, "left", "Theo đơn của gia đình")
        leaving = leave(session, school.vault, school.billing.accountant, school.id, plan, LATER)
        for each in corrections_waiting(session, leaving):
            approve_correction(session, each, school.billing.approver, LATER, REFERENCE_KEY)
        write_off_all(school, session)
        after = balances(school, session)
        not_used = total(each.off_rest for each in after)
        given_back = total(each.given_back for each in after)
        gone = total(each.written_off for each in after)
        kept = total(each.paid for each in after)
        assert all(not each.rest for each in after)
        assert kept + not_used + given_back + gone == billed
        assert kept + given_back == min(Money(paid), billed), "nobody gets back more than was paid"
        assert total(map(Money, school.kept(session).values())) == given_back
        assert debit_balance(session, school.id, WRITTEN_OFF) == gone
        session.rollback()


def balances(school: School, session: Session) -> list[BillBalance]:
    return bill_balances(session, col(Bill.school_id) == school.id, col(Bill.pupil_id) == school.pupil())


def write_off_all(school: School, session: Session) -> None:
    for month in (10, 11):
        if school.bill(session, month).rest:
            written_off(school, session, month)


def assert_sound(school: School) -> None:
    """All but the seals, which nobody has set here."""
    with school.database.transaction(EVERYTHING) as session:
        broken = {
            each.id: each.problems
            for each in check_all(session, school.vault, LATER)
            if not each.ok and each.id != "I12"
        }
    assert broken == {}
