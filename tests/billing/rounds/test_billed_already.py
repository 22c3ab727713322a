"""What a family registers for after the bill came: billed alone, once, and at the price that classmates pay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine, BillVoid
from billing.errors import Conflict, Refused
from billing.fees.charges import PupilFacts, Schedule
from billing.fees.charging import charge_pupil
from billing.fees.editing import NewItem, add_item
from billing.fees.items import Group, Unit
from billing.fees.pricing import NewPrice, add_price
from billing.fees.tables import FeeItem
from billing.money import Money
from billing.payments.balances import BillBalance, bill_balances
from billing.rounds.billed_already import OnBills, at_lowered, left_to_bill
from billing.rounds.correcting import Lowering, preview_correction, propose_credit, propose_price, propose_void
from billing.rounds.drafting import SupplementaryPlan, draft_supplementary
from billing.rounds.previewing import preview_round
from service.database import EVERYTHING, Database
from tests.billing.rounds.correction_world import Issued, issue, ties_out
from tests.billing.rounds.makers import BOARDER, DAY_PUPIL
from tests.billing.rounds.test_supplementing import LATE, supplement
from tests.factories.fees import period, pupils, schedules
from tests.factories.rounds import BillingSchool, register
from tests.factories.schools import make_account

BOARDING = BOARDER - DAY_PUPIL
SECOND = SupplementaryPlan("2025-10-BS2", "Bổ sung lần hai", date(2025, 10, 31))


@pytest.fixture
def issued(database: Database, billing: BillingSchool, now: datetime) -> Issued:
    return issue(database, billing, now)


def boards(issued: Issued, session: Session, child: int) -> None:
    """Let a child board from the first of October, as its family says after the bills came."""
    register(session, issued.billing.pupils[child], "BANTRU", "TIENAN", since=date(2025, 10, 1))


def live_bills(session: Session, issued: Issued, child: int) -> Sequence[BillBalance]:
    found = bill_balances(session, col(Bill.pupil_id) == issued.billing.pupils[child].id)
    return sorted((each for each in found if not each.void), key=lambda each: each.number)


def codes_of(session: Session, issued: Issued, child: int) -> list[str]:
    """Return the items of all live bills of a child: each once."""
    rows = session.exec(
        select(BillLine.item_code)
        .join(Bill, col(Bill.id) == col(BillLine.bill_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(Bill.pupil_id == issued.billing.pupils[child].id, col(BillVoid.bill_id).is_(None))
    ).all()
    return sorted(rows)


def replaced(session: Session, issued: Issued, bill: BillBalance) -> None:
    issued.approve(
        session, propose_void(session, issued.billing.accountant, bill.bill_id, "Lập lại", issued.now, replace=True)
    )


def left(session: Session, issued: Issued, plan: SupplementaryPlan = LATE) -> int:
    """Return how many bills a supplementary round would make now."""
    made = draft_supplementary(session, issued.billing.accountant, issued.round_id, plan, issued.now)
    return preview_round(session, made.id, issued.billing.accountant, issued.now).bills


def move_item(issued: Issued, code: str) -> None:
    """Let an item go to another account of the school from now on."""
    with issued.database.transaction(EVERYTHING) as session:
        other = make_account(session, issued.billing.school, number="999888777666")
        item = session.exec(select(FeeItem).where(FeeItem.code == code)).one()
        item.bank_account_id = other.id
        session.add(item)


def test_who_paid_and_then_boards_is_asked_for_the_boarding_alone(issued: Issued) -> None:
    with issued.open() as session:
        issued.pay(session, 1)
        boards(issued, session, 1)
        done = supplement(session, issued)
        assert (done.bills, done.family_total) == (1, BOARDING)
        first, second = live_bills(session, issued, 1)
        assert (first.rest, second.rest) == (Money(0), BOARDING)
        assert codes_of(session, issued, 1) == ["BANTRU", "BHYT-3T", "NUOCUONG", "TIENAN"]
        assert left(session, issued, SECOND) == 0
        ties_out(session, issued.billing)


def test_an_item_for_everybody_that_came_later_is_asked_of_nobody_who_was_billed(issued: Issued) -> None:
    with issued.open() as session:
        school, accountant = issued.billing.school, issued.billing.accountant
        made = NewItem(
            code="SOLIENLAC",
            legal_name="Sổ liên lạc điện tử",
            group=Group.AGREED,
            unit=Unit.MONTH,
            legal_basis="Thỏa thuận với cha mẹ học sinh",
            revenue_account=session.exec(select(FeeItem.revenue_account).where(FeeItem.code == "NUOCUONG")).one(),
            bank_account_id=issued.billing.account.id,
            valid_from=date(2025, 9, 1),
        )
        add_item(session, school, made, accountant, issued.now)
        add_price(session, school, "SOLIENLAC", NewPrice(Money(15_000), date(2025, 9, 1)), accountant, issued.now)
        assert left(session, issued) == 0


def test_one_of_two_bills_that_was_taken_back_is_billed_again(issued: Issued) -> None:
    move_item(issued, "BANTRU")
    with issued.open() as session:
        boards(issued, session, 1)
        supplement(session, issued)
        first = live_bills(session, issued, 1)[0]
        issued.approve(session, propose_void(session, issued.billing.accountant, first.bill_id, "Nhầm", issued.now))
        assert supplement(session, issued, SECOND).family_total == first.due
        assert codes_of(session, issued, 1) == ["BANTRU", "BHYT-3T", "NUOCUONG", "TIENAN"]
        ties_out(session, issued.billing)


def test_a_bill_that_is_replaced_names_nothing_that_another_one_names(issued: Issued) -> None:
    with issued.open() as session:
        boards(issued, session, 1)
        supplement(session, issued)
        for place in (0, 1, 0):
            replaced(session, issued, live_bills(session, issued, 1)[place])
            assert sum(each.due.dong for each in live_bills(session, issued, 1)) == BOARDER.dong
            assert codes_of(session, issued, 1) == ["BANTRU", "BHYT-3T", "NUOCUONG", "TIENAN"]
        ties_out(session, issued.billing)


def test_a_replaced_bill_takes_in_what_no_other_names(issued: Issued) -> None:
    with issued.open() as session:
        boards(issued, session, 1)
        replaced(session, issued, issued.bill(session, 1))
        assert issued.bill(session, 1).due == BOARDER
        assert left(session, issued) == 0


def test_an_item_that_moved_to_another_account_is_not_lost_by_replacing(issued: Issued) -> None:
    move_item(issued, "NUOCUONG")
    with issued.open() as session:
        bill = issued.bill(session, 1)
        with pytest.raises(Refused, match=r"nước uống.*tài khoản khác.*lập đợt bổ sung"):
            replaced(session, issued, bill)
        issued.approve(session, propose_void(session, issued.billing.accountant, bill.bill_id, "Đổi", issued.now))
        assert supplement(session, issued).bills == 2
        assert codes_of(session, issued, 1) == ["BHYT-3T", "NUOCUONG"]
        assert sum(each.due.dong for each in live_bills(session, issued, 1)) == DAY_PUPIL.dong
        ties_out(session, issued.billing)


def test_a_note_that_came_after_the_asking_is_not_undone_unseen(issued: Issued) -> None:
    with issued.open() as session:
        accountant, bill = issued.billing.accountant, issued.bill(session, 0)
        line = issued.line(session, bill, "BANTRU")
        asked = propose_void(session, accountant, bill.bill_id, "Lập lại", issued.now, replace=True)
        off = [Lowering(line.id or 0, Money(50_000))]
        issued.approve(session, propose_credit(session, accountant, bill.bill_id, off, "Bớt", issued.now))
        with pytest.raises(Conflict, match=r"ghi giảm sau khi lập đề nghị.*lập đề nghị mới"):
            issued.approve(session, asked)
        assert issued.bill(session, 0).due == BOARDER - Money(50_000)
        again = propose_void(session, accountant, bill.bill_id, "Ghi giảm nhầm", issued.now, replace=True)
        (shown,) = preview_correction(session, again.id).bills
        assert (shown.was, shown.new_due) == (BOARDER - Money(50_000), BOARDER)
        issued.approve(session, again)
        assert issued.bill(session, 0).due == BOARDER
        ties_out(session, issued.billing)


def test_a_price_lowered_for_the_whole_round_holds_for_bills_that_come_later(issued: Issued) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        less = propose_price(session, accountant, issued.round_id, "BANTRU", Money(250_000), "Hạ giá", issued.now)
        issued.approve(session, less)
        boards(issued, session, 1)
        assert supplement(session, issued).family_total == BOARDING - Money(50_000)
        ties_out(session, issued.billing)


def test_a_price_that_was_raised_again_on_every_bill_is_the_old_one_for_later_bills(issued: Issued) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        less = propose_price(session, accountant, issued.round_id, "BANTRU", Money(250_000), "Hạ giá", issued.now)
        issued.approve(session, less)
        replaced(session, issued, issued.bill(session, 0))
        boards(issued, session, 1)
        assert supplement(session, issued).family_total == BOARDING


def test_an_item_let_off_for_all_is_not_on_bills_that_come_later(issued: Issued) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        free = propose_price(session, accountant, issued.round_id, "BANTRU", Money(0), "Miễn", issued.now)
        issued.approve(session, free)
        boards(issued, session, 1)
        assert supplement(session, issued).family_total == BOARDING - Money(300_000)
        assert codes_of(session, issued, 1) == ["BHYT-3T", "NUOCUONG", "TIENAN"]


@given(pupils(), schedules(), st.data())
def test_bills_together_are_one_charge(child: PupilFacts, schedule: Schedule, data: st.DataObject) -> None:
    charge = charge_pupil(child, period(), schedule)
    codes = sorted({line.item.code for line in charge.lines})
    some = st.frozensets(st.sampled_from(codes)) if codes else st.just(frozenset[str]())
    known = OnBills(data.draw(some), data.draw(some))
    kept = [line for line in charge.lines if line.item.code in known.live]
    instead = list(left_to_bill([(charge, child.pupil_id)], {child.pupil_id: known}, instead=True))
    asked = [*kept, *(line for each in instead for line in each.lines)]
    assert sorted(map(id, asked)) == sorted(map(id, charge.lines))
    later = [line for each in left_to_bill([(charge, child.pupil_id)], {child.pupil_id: known}) for line in each.lines]
    wanted = [line for line in charge.lines if line not in kept and (line.item.opt_in or line.item.code in known.void)]
    assert later == wanted
    assert all(each.lines for each in instead)
    assert list(left_to_bill([(charge, child.pupil_id)], {})) == [charge]


@given(pupils(), schedules(), st.integers(0, 1_000_000))
def test_a_lowered_price_never_makes_a_charge_dearer(child: PupilFacts, schedule: Schedule, dong: int) -> None:
    codes = {price.item.code for price in schedule.prices}
    lowered = at_lowered(schedule, dict.fromkeys(codes, Money(dong)))
    assert charge_pupil(child, period(), lowered).gross <= charge_pupil(child, period(), schedule).gross
    assert all(price.amount <= Money(dong) for price in lowered.prices)
    assert at_lowered(schedule, {}) is schedule
