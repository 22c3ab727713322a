"""Late arrivals get their own bills; nobody is billed twice, and old bills are asked for once, in one sum."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.errors import Conflict, Refused
from billing.fees.items import Span
from billing.fees.preview import OddityKind
from billing.money import Money
from billing.payments.balances import request_balances, rest_of
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.calculating import late_arrivals
from billing.rounds.correcting import propose_void
from billing.rounds.drafting import RoundPlan, SupplementaryPlan, draft_round, draft_supplementary
from billing.rounds.issuing import IssuedRound, issue_round
from billing.rounds.locking import lock_round
from billing.rounds.previewing import open_questions, preview_round
from billing.rounds.tables import BillingRound
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.rounds.correction_world import Issued, issue, ties_out
from tests.billing.rounds.makers import BOARDER, DAY_PUPIL
from tests.factories.fees import OCTOBER, weekdays
from tests.factories.rounds import (
    REFERENCE_KEY,
    SEPTEMBER,
    BillingSchool,
    approved_round,
    issued_round,
    register,
    requests_of,
)
from tests.factories.schools import SCHOOL_YEAR, make_guardian, make_pupil

LATE = SupplementaryPlan("2025-10-BS1", "Bổ sung tháng 10", date(2025, 10, 31))


@pytest.fixture
def issued(database: Database, billing: BillingSchool, now: datetime) -> Issued:
    return issue(database, billing, now)


def arrives(database: Database, vault: Vault, billing: BillingSchool, name: str = "Lê Thị Mới") -> None:
    """Enrol one more pupil, after the round was issued."""
    with database.transaction(EVERYTHING) as session:
        child = make_pupil(session, billing.pupils[0].class_group, name, province_id=billing.school.province_id)
        make_guardian(session, vault, child)
    billing.pupils.append(child)


def approved(session: Session, issued: Issued, plan: SupplementaryPlan = LATE) -> BillingRound:
    accountant = issued.billing.accountant
    made = draft_supplementary(session, accountant, issued.round_id, plan, issued.now)
    preview_round(session, made.id, accountant, issued.now)
    submit_round(session, made.id, accountant, issued.now)
    return approve_round(session, made.id, issued.billing.approver, issued.now, confirm=True)


def supplement(session: Session, issued: Issued, plan: SupplementaryPlan = LATE) -> IssuedRound:
    later = issued.now + timedelta(days=1)
    return issue_round(session, approved(session, issued, plan).id, later, REFERENCE_KEY)


def test_only_the_late_one_is_billed_and_numbers_go_on(issued: Issued, database: Database, vault: Vault) -> None:
    arrives(database, vault, issued.billing)
    with issued.open() as session:
        assert late_arrivals(session, issued.round_id) == (issued.billing.pupils[3].id,)
        assert supplement(session, issued) == IssuedRound(1, 0, 1, DAY_PUPIL)
        bill = session.exec(select(Bill).where(Bill.pupil_id == issued.billing.pupils[3].id)).one()
        assert (bill.number, bill.period, bill.due_on) == ("TB2510-000004", "Tháng 10/2025", date(2025, 10, 31))
        assert late_arrivals(session, issued.round_id) == ()
        ties_out(session, issued.billing)


def test_nobody_is_billed_by_two_supplementary_rounds(issued: Issued, database: Database, vault: Vault) -> None:
    arrives(database, vault, issued.billing)
    with issued.open() as session:
        supplement(session, issued)
    arrives(database, vault, issued.billing, "Trần Văn Sau")
    with issued.open() as session:
        second = SupplementaryPlan("2025-10-BS2", "Bổ sung lần hai", date(2025, 10, 31))
        assert supplement(session, issued, second).bills == 1
        billed = session.exec(select(Bill.pupil_id)).all()
        assert len(billed) == len(set(billed)) == 5


def test_of_two_approved_at_once_only_one_is_issued(issued: Issued, database: Database, vault: Vault) -> None:
    arrives(database, vault, issued.billing)
    with issued.open() as session:
        first = approved(session, issued)
        second = approved(session, issued, SupplementaryPlan("BS2", "Bổ sung lần hai", date(2025, 10, 31)))
        issue_round(session, first.id, issued.now, REFERENCE_KEY)
        with pytest.raises(Conflict, match="xem trước và trình duyệt lại"):
            issue_round(session, second.id, issued.now, REFERENCE_KEY)


def test_whose_bill_was_taken_back_is_billed_again(issued: Issued) -> None:
    with issued.open() as session:
        bill = issued.bill(session, 0)
        issued.approve(session, propose_void(session, issued.billing.accountant, bill.bill_id, "Nhầm", issued.now))
        assert late_arrivals(session, issued.round_id) == (issued.billing.pupils[0].id,)
        assert supplement(session, issued).family_total == BOARDER
        ties_out(session, issued.billing)


def test_a_locked_round_can_still_be_supplemented(issued: Issued, database: Database, vault: Vault) -> None:
    arrives(database, vault, issued.billing)
    with issued.open() as session:
        lock_round(session, issued.round_id, issued.billing.approver, issued.now)
        assert supplement(session, issued).bills == 1


def test_the_base_must_be_an_issued_regular_round(issued: Issued) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        open_round = approved_round(session, issued.billing, issued.now, SEPTEMBER, "2025-09")
        with pytest.raises(Conflict, match="chưa phát hành"):
            draft_supplementary(session, accountant, open_round, LATE, issued.now)
        made = draft_supplementary(session, accountant, issued.round_id, LATE, issued.now)
        again = SupplementaryPlan("x", "Bổ sung của bổ sung", LATE.due_on)
        with pytest.raises(Refused, match="phải dựa trên một đợt thu thường"):
            draft_supplementary(session, accountant, made.id, again, issued.now)


def test_it_is_compared_with_rounds_of_its_own_kind(issued: Issued, database: Database, vault: Vault) -> None:
    arrives(database, vault, issued.billing)
    with issued.open() as session:
        made = draft_supplementary(session, issued.billing.accountant, issued.round_id, LATE, issued.now)
        preview = preview_round(session, made.id, issued.billing.accountant, issued.now)
        assert OddityKind.TOTAL not in {each.kind for each in preview.must_confirm}  # no such round before
        assert preview.difference.gone == ()


@pytest.mark.parametrize(("percent", "questions"), [(11, 1), (12, 0)])
def test_the_school_says_how_far_a_total_may_move(issued: Issued, percent: int, questions: int) -> None:
    """One more boarder is 300.000 đ, October's insurance of three was 473.850 đ, of 1.539.850 đ in all: 11,29 %."""
    with issued.database.transaction(EVERYTHING) as session:
        issued.billing.school.alert_percent = percent
        session.add(issued.billing.school)
        register(session, issued.billing.pupils[1], "BANTRU")
    with issued.open() as session:
        november = Span(date(2025, 11, 1), date(2025, 11, 30))
        meals = frozenset(november.start + timedelta(days=number) for number in range(len(weekdays(OCTOBER))))
        plan = RoundPlan(issued.billing.id, SCHOOL_YEAR, "2025-11", "Tháng 11", november, meals, date(2025, 11, 20))
        made = draft_round(session, issued.billing.accountant, plan, issued.now)
        preview_round(session, made.id, issued.billing.accountant, issued.now)
        texts = [text for text in open_questions(made) if f"hơn {percent} % so với đợt trước" in text]
        assert len(texts) == questions


def test_old_bills_are_asked_for_once_in_one_sum(issued: Issued) -> None:
    """Whoever did not pay in October is asked for both months with one code; nothing is billed a second time."""
    november = issued.now + timedelta(days=30)
    with issued.open() as session:
        issued_round(session, issued.billing, november, SEPTEMBER, "2025-11")
        child = issued.billing.pupils[1]
        request = requests_of(session, child)[-1]
        balances = request_balances(session, issued.billing.id, [request.id])[request.id]
        bills = session.exec(select(col(Bill.family_due)).where(col(Bill.pupil_id) == child.id)).all()
        assert len(balances) == len(bills) == 2
        assert rest_of(balances) == sum(bills, Money(0))
        ties_out(session, issued.billing)


def test_a_supplement_that_bills_nobody_goes_no_further(issued: Issued) -> None:
    with issued.open() as session:
        accountant = issued.billing.accountant
        made = draft_supplementary(session, accountant, issued.round_id, LATE, issued.now)
        assert preview_round(session, made.id, accountant, issued.now).bills == 0
        with pytest.raises(Refused, match="không có thông báo nào"):
            submit_round(session, made.id, accountant, issued.now)
