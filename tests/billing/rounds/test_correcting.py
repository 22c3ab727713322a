"""Corrections of an issued round, as the accountant tells them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill, BillCredit, BillVoid
from billing.credits.applying import apply_credit
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.events.tables import Event
from billing.fees.tables import FeePrice
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money, total
from billing.payments.balances import line_dues, request_balances, rest_of
from billing.rounds.correcting import (
    Lowering,
    approve_correction,
    find_correction,
    open_corrections,
    preview_correction,
    propose_credit,
    propose_price,
    propose_void,
    reject_correction,
)
from billing.rounds.locking import lock_round, unlock_round
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.rounds.correction_world import Issued, issue, ties_out
from tests.billing.rounds.makers import BOARDER, count, exempt
from tests.factories.rounds import REFERENCE_KEY, BillingSchool, make_billing_school, register, requests_of
from tests.standing import standing

BOARDING = Money(300_000)


@pytest.fixture
@standing
def issued(database: Database, vault: Vault, now: datetime) -> Issued:
    """Three boarders with a bill each; the third is half exempt from boarding."""
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault)
        for child in billing.pupils:
            register(session, child, "BANTRU", "TIENAN")
        exempt(session, billing.pupils[2], 50, "BANTRU")
    return issue(database, billing, now)


def test_an_unpaid_bill_is_taken_back_and_keeps_its_number(issued: Issued) -> None:
    with issued.open() as session:
        bill = issued.bill(session)
        asked = propose_void(session, issued.billing.accountant, bill.bill_id, "Ghi nhầm lớp", issued.now)
        assert preview_correction(session, asked.id).off_rest == BOARDER
        assert [each.id for each in open_corrections(session, issued.billing.id)] == [asked.id]
        issued.approve(session, asked)
    with issued.open() as session:
        assert open_corrections(session, issued.billing.id) == []
        void = session.exec(select(BillVoid)).one()
        assert (void.bill_id, void.reason, void.approved_by) == (
            bill.bill_id,
            "Ghi nhầm lớp",
            issued.billing.approver.user_id,
        )
        assert session.exec(select(func.count()).where(Bill.number == bill.number)).one() == 1
        (request,) = requests_of(session, issued.billing.pupils[0])
        balances = request_balances(session, issued.billing.id, [request.id])[request.id]
        assert rest_of(balances) == ZERO  # the QR follows: nothing is asked for any more
        assert session.exec(select(Event.subject_id).where(Event.kind == "bill_voided")).all() == [bill.bill_id]
        assert {"correction.ask_void", "correction.approve", "bill.void"} <= set(
            session.exec(select(AuditEntry.action)).all()
        )
        ties_out(session, issued.billing)


def test_a_replaced_bill_is_calculated_anew_with_request_and_notice(issued: Issued) -> None:
    with issued.open() as session:
        bill = issued.bill(session)
        exempt(session, issued.billing.pupils[0], 100, "BANTRU")
        asked = propose_void(
            session, issued.billing.accountant, bill.bill_id, "Có sổ hộ nghèo", issued.now, replace=True
        )
        (shown,) = preview_correction(session, asked.id).bills
        assert (shown.was, shown.new_due) == (BOARDER, BOARDER - BOARDING)
        issued.approve(session, asked)
    with issued.open() as session:
        new = issued.bill(session)
        assert new.due == BOARDER - BOARDING
        row = session.exec(select(Bill).where(Bill.id == new.bill_id)).one()
        assert (row.replaces_id, row.number) == (bill.bill_id, "TB2510-000004")
        assert debit_balance(session, issued.billing.id, "131N", pupil_id=new.pupil_id) == BOARDING
        old, fresh = requests_of(session, issued.billing.pupils[0])
        balances = request_balances(session, issued.billing.id, [old.id, fresh.id])
        assert (rest_of(balances[old.id]), rest_of(balances[fresh.id])) == (ZERO, new.due)
        told = session.exec(select(Event).where(Event.kind == "bill_issued", Event.subject_id == fresh.id)).one()
        assert told.facts["amount"] == new.due.dong
        ties_out(session, issued.billing)
        again = propose_void(session, issued.billing.accountant, new.bill_id, "Lại sai", issued.now, replace=True)
        issued.approve(session, again)
        assert issued.bill(session).number == "TB2510-000005"
        ties_out(session, issued.billing)


def test_a_replacement_of_other_content_than_asked_for_is_refused(issued: Issued) -> None:
    with issued.open() as session:
        bill = issued.bill(session)
        asked = propose_void(session, issued.billing.accountant, bill.bill_id, "Tính lại", issued.now, replace=True)
        exempt(session, issued.billing.pupils[0], 100, "BANTRU")
        with pytest.raises(Conflict, match="Dữ liệu đã đổi sau khi lập đề nghị"):
            issued.approve(session, asked)
        session.rollback()


def test_nothing_left_to_charge_is_no_replacement(issued: Issued) -> None:
    with issued.open() as session:
        enrolment = issued.billing.pupils[0].enrolment
        enrolment.state, enrolment.ended_on = "left", date(2025, 9, 15)
        session.add(enrolment)
        session.flush()
        bill = issued.bill(session)
        with pytest.raises(Refused, match="không còn khoản thu nào"):
            propose_void(session, issued.billing.accountant, bill.bill_id, "Đã nghỉ", issued.now, replace=True)
        issued.approve(session, propose_void(session, issued.billing.accountant, bill.bill_id, "Đã nghỉ", issued.now))
        ties_out(session, issued.billing)


def test_a_paid_bill_is_not_taken_back(issued: Issued) -> None:
    with issued.open() as session:
        asked = propose_void(session, issued.billing.accountant, issued.bill(session).bill_id, "Nhầm", issued.now)
        issued.pay(session, 0, Money(1_000))
        with pytest.raises(Conflict, match="Hãy lập giấy ghi giảm"):
            propose_void(session, issued.billing.accountant, issued.bill(session).bill_id, "Nhầm", issued.now)
        with pytest.raises(Conflict, match="đã có tiền nộp"):
            issued.approve(session, asked)
        session.rollback()


def test_a_lower_price_gives_credit_to_who_paid_and_takes_off_what_others_owe(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 0)
        issued.pay(session, 1, BOARDER - Money(10_000))
        asked = propose_price(
            session, issued.billing.accountant, issued.round_id, "BANTRU", Money(275_000), "Hội đồng hạ giá", issued.now
        )
        shown = {each.pupil_id: each for each in preview_correction(session, asked.id).bills}
        assert len(shown) == 3
        issued.approve(session, asked)
    with issued.open() as session:
        first, second, third = (issued.bill(session, child) for child in range(3))
        assert [(each.due, each.rest) for each in (first, second)] == [(BOARDER - Money(25_000), ZERO)] * 2
        assert (issued.credit_of(session, 0), issued.credit_of(session, 1)) == (Money(25_000), Money(15_000))
        half = Money(12_500)
        assert (third.due, third.rest, third.paid) == (*[BOARDER - Money(150_000) - half] * 2, ZERO)
        assert debit_balance(session, issued.billing.id, "131N", pupil_id=third.pupil_id) == Money(137_500)
        assert [shown[each.pupil_id].now for each in (first, second, third)] == [first.due, second.due, third.due]
        told = session.exec(select(Event).where(Event.kind == "bill_credited")).all()
        assert sorted((each.facts["off_rest"], each.facts["to_credit"]) for each in told) == [
            (0, 25_000),
            (10_000, 15_000),
            (12_500, 0),
        ]
        dues = line_dues(session, [first, second, third])
        assert total(dues.values()) == total(each.due for each in (first, second, third))
        ties_out(session, issued.billing)


def test_a_price_already_lowered_falls_only_by_the_difference(issued: Issued) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        for price in (275_000, 250_000):
            asked = propose_price(session, accountant, issued.round_id, "BANTRU", Money(price), "Hạ", issued.now)
            issued.approve(session, asked)
        assert issued.bill(session).due == BOARDER - Money(50_000)
        with pytest.raises(Refused, match="không thấp hơn"):
            propose_price(session, accountant, issued.round_id, "BANTRU", Money(250_000), "Hạ", issued.now)
        ties_out(session, issued.billing)


def test_a_fee_lowered_and_raised_again_leaves_no_trace_in_the_totals(issued: Issued) -> None:
    with issued.open() as session:
        before = debit_balance(session, issued.billing.id, "131"), debit_balance(session, issued.billing.id, "131N")
        accountant = issued.billing.accountant
        asked = propose_price(session, accountant, issued.round_id, "BANTRU", Money(275_000), "Hạ", issued.now)
        issued.approve(session, asked)
        for child in range(3):
            bill = issued.bill(session, child)
            back = propose_void(session, accountant, bill.bill_id, "Giữ giá cũ", issued.now, replace=True)
            issued.approve(session, back)
        after = debit_balance(session, issued.billing.id, "131"), debit_balance(session, issued.billing.id, "131N")
        assert after == before
        ties_out(session, issued.billing)


def test_a_credit_note_over_one_line(issued: Issued) -> None:
    with issued.open() as session:
        bill = issued.bill(session)
        meals = issued.line(session, bill, "TIENAN")
        assert meals.id is not None
        issued.pay(session, 0, Money(1_000_000))
        over = [Lowering(meals.id, meals.family_share + Money(1))]
        with pytest.raises(Refused, match=r"từ 1 đ đến 736\.000 đ"):
            propose_credit(session, issued.billing.accountant, bill.bill_id, over, "Nghỉ ăn", issued.now)
        lines = [Lowering(meals.id, Money(320_000))]
        asked = propose_credit(session, issued.billing.accountant, bill.bill_id, lines, "Nghỉ ăn 10 ngày", issued.now)
        issued.approve(session, asked)
        now = issued.bill(session)
        rest = BOARDER - Money(1_000_000)
        assert (now.off_rest, now.to_credit, now.rest) == (rest, Money(320_000) - rest, ZERO)
        assert issued.credit_of(session, 0) == Money(320_000) - rest
        ties_out(session, issued.billing)
        with pytest.raises(Conflict, match="đã có tiền nộp"):
            propose_void(session, issued.billing.accountant, bill.bill_id, "Nhầm", issued.now)


def test_credit_from_a_credit_note_does_not_pay_the_bill_that_it_lowered(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 0)
        accountant = issued.billing.accountant
        asked = propose_price(session, accountant, issued.round_id, "BANTRU", Money(275_000), "Hạ", issued.now)
        issued.approve(session, asked)
        with pytest.raises(Refused, match="Không có thông báo thu nào"):  # the lowered bill takes no more
            apply_credit(session, accountant, issued.billing.id, {issued.billing.pupils[0].id}, "Trừ", issued.now)
        assert issued.credit_of(session, 0) == Money(25_000)
        assert issued.bill(session, 0).rest == ZERO


@pytest.mark.parametrize("kind", ["void", "price"])
def test_two_people_and_one_decision(issued: Issued, kind: str) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        if kind == "void":
            asked = propose_void(session, accountant, issued.bill(session).bill_id, "Nhầm", issued.now)
        else:
            asked = propose_price(session, accountant, issued.round_id, "BANTRU", Money(1), "Nhầm", issued.now)
        with pytest.raises(SamePerson, match="không được tự duyệt"):
            approve_correction(session, asked.id, accountant, issued.now, REFERENCE_KEY)
        with pytest.raises(Refused, match="lý do từ chối"):
            reject_correction(session, asked.id, issued.billing.approver, issued.now, " ")
        reject_correction(session, asked.id, issued.billing.approver, issued.now, "Không đúng")
        with pytest.raises(Conflict, match="đã bị từ chối"):
            issued.approve(session, asked)
        assert count(session, BillCredit) == count(session, BillVoid) == 0


def test_a_reason_is_asked_for_and_strange_things_are_not_found(issued: Issued) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        with pytest.raises(Refused, match="lý do"):
            propose_void(session, accountant, issued.bill(session).bill_id, "  ", issued.now)
        with pytest.raises(NotFound, match="thông báo thu"):
            propose_void(session, accountant, new_id(), "Nhầm", issued.now)
        with pytest.raises(NotFound, match="đề nghị"):
            find_correction(session, new_id())
        with pytest.raises(Refused, match="ít nhất một khoản"):
            propose_credit(session, accountant, issued.bill(session).bill_id, [], "Nhầm", issued.now)


def test_nothing_of_a_locked_round_is_corrected(issued: Issued) -> None:
    with issued.open() as session:
        accountant, approver = issued.billing.accountant, issued.billing.approver
        asked = propose_void(session, accountant, issued.bill(session).bill_id, "Nhầm", issued.now)
        lock_round(session, issued.round_id, approver, issued.now)
        with pytest.raises(Conflict, match="đã khóa"):
            issued.approve(session, asked)
        with pytest.raises(Conflict, match="đã khóa"):
            propose_price(session, accountant, issued.round_id, "BANTRU", Money(1), "Nhầm", issued.now)
        issued.pay(session, 1)  # money still comes in
        unlock_round(session, issued.round_id, accountant, issued.now, "Có quyết định mới")
        issued.approve(session, asked)
        ties_out(session, issued.billing)


def test_the_database_refuses_what_python_would_let_through(issued: Issued) -> None:
    """Each is tried by hand in a transaction of its own: the triggers do not trust our code."""
    with issued.open() as session:
        bill, other = issued.bill(session, 0), issued.bill(session, 1)
        line, foreign = issued.line(session, bill, "BANTRU"), issued.line(session, other, "BANTRU")
        asked = propose_price(
            session, issued.billing.accountant, issued.round_id, "BANTRU", Money(1), "Thử", issued.now
        )
        issued.pay(session, 0, BOARDER - Money(1_000))
    assert line.id is not None
    assert foreign.id is not None

    def note(line_id: int, off_rest: int = 0, to_credit: int = 0, off_state: int = 0) -> BillCredit:
        return BillCredit(
            school_id=issued.billing.id,
            correction_id=asked.id,
            bill_id=bill.bill_id,
            line_id=line_id,
            reason="Thử",
            made_by=asked.made_by,
            approved_by=new_id(),
            at=issued.now,
            off_rest=Money(off_rest),
            to_credit=Money(to_credit),
            off_state=Money(off_state),
        )

    for row, reason in (
        (note(line.id, off_rest=1_001), "more than is open"),
        (note(line.id, to_credit=BOARDER.dong), "more than was paid"),
        (note(line.id, to_credit=300_001), "exceed the line"),
        (note(line.id, off_state=1), "than the State owes"),
        (note(foreign.id, to_credit=1), "line of its own bill"),
        (note(line.id), "something_off"),
    ):
        with pytest.raises(DBAPIError, match=reason), issued.open() as session:
            session.add(row)
    with issued.open() as session:
        lock_round(session, issued.round_id, issued.billing.approver, issued.now)
    with pytest.raises(DBAPIError, match="locked round"), issued.open() as session:
        session.add(note(line.id, to_credit=1))


def test_a_payment_and_a_credit_note_at_once_never_take_the_same_dong(issued: Issued) -> None:
    with issued.open() as session:
        asked = propose_price(
            session, issued.billing.accountant, issued.round_id, "BANTRU", Money(200_000), "Hạ", issued.now
        )

    def pay(_: int) -> str:
        try:
            with issued.open() as session:
                issued.pay(session, 0)
        except DBAPIError as refusal:
            assert "exceed" in str(refusal)  # noqa: PT017  the other outcome of the race
            return "late"
        return "paid"

    def lower(_: int) -> str:
        with issued.open() as session:
            issued.approve(session, asked)
        return "lowered"

    with ThreadPoolExecutor(2) as pool:
        outcomes = [each.result() for each in (pool.submit(pay, 0), pool.submit(lower, 0))]
    with issued.open() as session:
        bill = issued.bill(session, 0)
        assert bill.due == BOARDER - Money(100_000)
        assert (bill.rest == ZERO) == (outcomes[0] == "paid")
        ties_out(session, issued.billing)


def test_the_price_list_itself_is_not_touched(issued: Issued) -> None:
    with issued.open() as session:
        prices = session.exec(select(col(FeePrice.amount)).order_by(col(FeePrice.id))).all()
        asked = propose_price(
            session, issued.billing.accountant, issued.round_id, "BANTRU", Money(200_000), "Hạ", issued.now
        )
        issued.approve(session, asked)
        assert session.exec(select(col(FeePrice.amount)).order_by(col(FeePrice.id))).all() == prices


def test_another_school_sees_no_correction(issued: Issued, database: Database, vault: Vault) -> None:
    with issued.open() as session:
        asked = propose_void(
            session, issued.billing.accountant, issued.bill(session).bill_id, "Nhầm", issued.now + timedelta(hours=1)
        )
    with database.transaction(EVERYTHING) as session:
        other: BillingSchool = make_billing_school(session, vault, pupils=1)
    stranger = Issued(database, other, issued.round_id, issued.now)
    with stranger.open() as session, pytest.raises(NotFound):
        stranger.approve(session, asked)
