"""A pupil comes back to the same school in the same year, as the accountant tells it: nothing twice, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO
from uuid import UUID

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.attendance.closing import close_month
from billing.attendance.reading import members_on
from billing.attendance.sheet import export_month, import_month
from billing.attendance.ticking import OfficeAbsence, enter_absences
from billing.bills.tables import Bill, BillLine, BillReduction
from billing.credits.paying_out import pay_cash
from billing.credits.reading import free_credit
from billing.credits.refunding import approve_refund, lines_of
from billing.credits.tables import Refund
from billing.errors import Conflict, NotFound, Refused
from billing.fees.charges import Period, PupilFacts
from billing.fees.charging import charge_pupil
from billing.fees.items import PartMonth, Span
from billing.fees.reducing import NewReduction, approve_reduction, enter_reduction
from billing.fees.tables import OptIn, Reduction
from billing.money import Money
from billing.moving.leaving import leave, settle_leaving, take_back_leaving
from billing.moving.returning import ReturnPlan, come_back, registered_before
from billing.moving.tables import Leaving
from billing.people.sheet_pupils import read_pupils
from billing.people.tables import Enrolment
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.by_days import propose_attendance
from billing.rounds.calculating import late_arrivals
from billing.rounds.correcting import approve_correction
from billing.rounds.drafting import SupplementaryPlan, draft_supplementary
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from tests.billing.credits.credit_world import MEAL, School
from tests.billing.moving.test_leaving import LATER, MIDDLE, approve, go, plan, sums
from tests.factories.fees import OCTOBER, item, price, private, weekdays
from tests.factories.fees import pupil as child_facts
from tests.factories.rounds import REFERENCE_KEY
from tests.factories.schools import SCHOOL_YEAR

BACK = date(2025, 10, 27)  # a Monday: five school days of October are left
BACK_DAYS = 5
EATEN = 11  # meal days up to 15 October
BOARDING = frozenset({"BANTRU", "TIENAN"})


def gone(school: School, session: Session, last_day: date = MIDDLE) -> Leaving:
    """Let the first pupil leave; what it did not use is approved."""
    leaving = go(school, session, plan(school, last_day=last_day))
    approve(school, session, leaving)
    return leaving


def paid_out(school: School, session: Session, leaving: Leaving) -> None:
    refund = settle_leaving(session, school.vault, school.billing.accountant, leaving, LATER)
    assert refund is not None
    approve_refund(session, refund, school.billing.approver, LATER)
    for line in lines_of(session, session.get_one(Refund, refund)):
        pay_cash(session, line.id, school.billing.accountant, "Mẹ của em", LATER.date(), LATER)


def back(
    school: School, session: Session, leaving: Leaving, day: date = BACK, items: frozenset[str] = BOARDING
) -> Enrolment:
    group = school.billing.pupils[0].class_group.id
    wanted = ReturnPlan(leaving.id, group, day, "Gia đình chuyển về", items)
    return come_back(session, school.billing.accountant, school.id, wanted, LATER)


def supplement(school: School, session: Session, month: int) -> UUID:
    """Issue a supplementary round of a month."""
    told = SupplementaryPlan(f"2025-{month}-BS", f"Tháng {month}/2025 (bổ sung)", date(2025, 12, 20))
    made = draft_supplementary(session, school.billing.accountant, school.rounds[month], told, LATER)
    preview_round(session, made.id, school.billing.accountant, LATER)
    submit_round(session, made.id, school.billing.accountant, LATER)
    approve_round(session, made.id, school.billing.approver, LATER, confirm=True)
    issue_round(session, made.id, LATER, REFERENCE_KEY)
    return made.id


def lines(session: Session, round_id: UUID, pupil: UUID) -> dict[str, int]:
    """Return the units of each item that a round billed a pupil."""
    rows = session.exec(
        select(BillLine.item_code, BillLine.quantity)
        .join(Bill, col(Bill.id) == BillLine.bill_id)
        .where(Bill.round_id == round_id, Bill.pupil_id == pupil)
    ).all()
    return dict(rows)


def test_leaver_with_a_paid_out_leftover_comes_back_and_pays_from_the_return_on(school: School) -> None:
    """October was paid and twelve meals given back in cash; of October five meals are new, of November everything."""
    with school.open() as session:
        leaving = gone(school, session)
        paid_out(school, session, leaving)
        assert free_credit(session, school.id, [school.pupil()]) == {}
        again = back(school, session, leaving)
        assert late_arrivals(session, school.rounds[10]) == (school.pupil(),)
        october = supplement(school, session, 10)
        assert lines(session, october, school.pupil()) == {"TIENAN": BACK_DAYS}
        bill = session.exec(select(Bill).where(Bill.round_id == october)).one()
        assert (bill.enrolment_id, bill.family_due) == (again.id, BACK_DAYS * MEAL)
        first = lines(session, school.rounds[11], school.pupil())
        assert lines(session, supplement(school, session, 11), school.pupil()) == first
        assert late_arrivals(session, school.rounds[10]) == late_arrivals(session, school.rounds[11]) == ()
        assert free_credit(session, school.id, [school.pupil()]) == {}, "nothing is credited again"


def test_a_scholarship_of_so_much_a_month_is_not_given_twice_to_who_comes_back(bare: School) -> None:
    """The first bill used up eleven meals of the 400.000 đ; the second, under the new stay's row, gets the rest."""
    given = NewReduction(
        bare.billing.pupils[0].enrolment.id, "HOCBONG", date(2025, 9, 1), "Quyết định 7", amount=Money(400_000),
        item_codes=frozenset({"TIENAN"}),
    )  # fmt: skip
    with bare.open() as session:
        row = enter_reduction(session, bare.billing.school, given, bare.billing.accountant, LATER)
        approve_reduction(session, bare.id, row.id, bare.billing.approver, LATER)
        bare.bill_month(session, 10)
        back(bare, session, gone(bare, session))
        held = session.exec(select(Reduction).where(Reduction.reason_class == "HOCBONG")).all()
        assert len(held) == 2
        supplementary = supplement(bare, session, 10)
        gifts = session.exec(
            select(Bill.round_id, BillReduction)
            .join(BillLine, col(BillLine.bill_id) == Bill.id)
            .join(BillReduction, col(BillReduction.line_id) == BillLine.id)
            .where(Bill.pupil_id == bare.pupil(), BillReduction.payer == "donor")
        ).all()
        assert {each: gift.amount for each, gift in gifts} == {
            bare.rounds[10]: Money(400_000),
            supplementary: Money(400_000) - EATEN * MEAL,
        }


def test_a_round_issued_after_the_return_takes_both_stays_together(bare: School) -> None:
    """The month is billed when it is over: one bill, meals of both stays, items by the month once."""
    with bare.open() as session:
        leaving = go(bare, session, plan(bare))
        back(bare, session, leaving)
        bare.bill_month(session, 10)
        found = lines(session, bare.rounds[10], bare.pupil())
        others = lines(session, bare.rounds[10], bare.pupil(1))
        assert found == {**others, "TIENAN": EATEN + BACK_DAYS}
        assert len(session.exec(select(Bill).where(Bill.pupil_id == bare.pupil())).all()) == 1
        assert late_arrivals(session, bare.rounds[10]) == ()


def test_meals_are_settled_by_the_days_of_the_stay_that_each_bill_names(school: School) -> None:
    """One day away before and one after: each comes off its own bill, once."""
    first = school.billing.pupils[0].enrolment.id
    with school.open() as session:
        leaving = gone(school, session)
        again = back(school, session, leaving)
        extra = supplement(school, session, 10)
        days = ((first, date(2025, 10, 6)), (again.id, date(2025, 10, 28)))
        wanted = [OfficeAbsence(stay, day, "Giấy bác sĩ", credited=True) for stay, day in days]
        enter_absences(session, school.id, school.billing.accountant, wanted, LATER)
        group = school.billing.pupils[0].class_group.id
        close_month(session, school.id, school.billing.accountant, group, date(2025, 10, 1), LATER)
        before = sums(school, session).counts
        for round_id in (school.rounds[10], extra):
            asked = propose_attendance(session, school.billing.accountant, round_id, LATER)
            approve_correction(session, asked.id, school.billing.approver, LATER, REFERENCE_KEY)
            with pytest.raises(Refused):
                propose_attendance(session, school.billing.accountant, round_id, LATER)
        assert sums(school, session).counts == before - 2 * MEAL


def test_lists_show_each_stay_on_its_days_and_reports_of_the_past_both(school: School) -> None:
    first = school.billing.pupils[0].enrolment.id
    with school.open() as session:
        again = back(school, session, gone(school, session))
        group = school.billing.pupils[0].class_group.id

        def there(day: date) -> set[UUID]:
            return {each.enrolment_id for each in members_on(session, school.id, group, day)} & {first, again.id}

        assert [there(day) for day in (MIDDLE, date(2025, 10, 20), BACK)] == [{first}, set(), {again.id}]
        stays = session.exec(select(Enrolment).where(Enrolment.pupil_id == school.pupil())).all()
        assert sorted((each.started_on, each.ended_on, each.state) for each in stays) == [
            (date(2025, 9, 1), MIDDLE, "left"),
            (BACK, None, "studying"),
        ]
        assert school.bill(session, 10).pupil_id == school.pupil()


def test_a_months_sheet_has_a_line_for_each_stay_and_comes_back(school: School) -> None:
    with school.open() as session:
        back(school, session, gone(school, session))
        group = school.billing.pupils[0].class_group.id
        october = date(2025, 10, 1)
        book = load_workbook(BytesIO(export_month(session, school.id, group, october, LATER)))
        sheet = book.worksheets[0]
        name = school.billing.pupils[0].pupil.full_name
        mine = [row[0].row or 0 for row in sheet.iter_rows() if name in {cell.value for cell in row}]
        assert len(mine) == 2
        titles = {str(cell.value): cell.column or 0 for cell in sheet[1]}
        sheet.cell(mine[0], titles["Ngày 6"]).value = sheet.cell(mine[1], titles["Ngày 28"]).value = "v"
        sheet.cell(mine[0], titles["Lý do"]).value = sheet.cell(mine[1], titles["Lý do"]).value = "Ốm"
        changed = BytesIO()
        book.save(changed)
        done = import_month(session, school.id, school.billing.accountant, group, october, changed.getvalue(), LATER)
        assert done.entered == 2
        found = read_pupils(session, school.id, SCHOOL_YEAR).by_code
        assert len(found) == len(school.billing.pupils), "a line of a sheet means one pupil"


def test_reductions_go_on_for_their_days_and_registrations_only_as_the_family_says(school: School) -> None:
    left = school.billing.pupils[0].enrolment.id
    with school.open() as session:
        held = Reduction(
            school_id=school.id, enrolment_id=left, title="Giảm bán trú", item_codes=["BANTRU"], item_groups=[],
            kind="percent", percent=50, payer="school", reason_class="other", legal_basis="Quyết định của trường",
            evidence="Đơn", valid_from=date(2025, 9, 1), valid_to=date(2025, 12, 31),
            made_by=school.billing.accountant.user_id, approved_by=school.billing.approver.user_id,
        )  # fmt: skip
        session.add(held)
        leaving = gone(school, session)
        assert {each.code for each in registered_before(session, leaving)} == BOARDING
        again = back(school, session, leaving, items=frozenset({"TIENAN"}))
        (row,) = session.exec(select(Reduction).where(Reduction.enrolment_id == again.id)).all()
        assert (row.valid_from, row.valid_to, row.approved_by) == (BACK, date(2025, 12, 31), held.approved_by)
        codes = session.exec(select(col(OptIn.valid_from)).where(OptIn.enrolment_id == again.id)).all()
        assert codes == [BACK]


def test_a_return_is_refused_while_the_leaving_is_not_decided_and_for_what_cannot_be(school: School) -> None:
    with school.open() as session:
        leaving = go(school, session, plan(school))
        with pytest.raises(Conflict, match="chờ người khác duyệt"):
            back(school, session, leaving)
        approve(school, session, leaving)
        for day in (MIDDLE, date(2026, 9, 1)):
            with pytest.raises(Refused, match="Ngày nhập học lại"):
                back(school, session, leaving, day)
        with pytest.raises(Refused, match="chưa từng đăng ký"):
            back(school, session, leaving, items=frozenset({"XEDUARUOC"}))
        wanted = ReturnPlan(leaving.id, UUID(int=1), BACK, "Về lại")
        with pytest.raises(NotFound, match="không có lớp"):
            come_back(session, school.billing.accountant, school.id, wanted, LATER)
        with pytest.raises(Refused, match="lý do"):
            come_back(session, school.billing.accountant, school.id, replace(wanted, reason=" "), LATER)
        back(school, session, leaving)
        with pytest.raises(Conflict, match="đã nhập học lại"):
            back(school, session, leaving, date(2025, 11, 3))
        with pytest.raises(Conflict, match="đã nhập học lại"):
            settle_leaving(session, school.vault, school.billing.accountant, leaving, LATER)
        with pytest.raises(Conflict):
            take_back_leaving(session, school.billing.accountant, leaving, "Nhầm", LATER)


def test_who_came_back_leaves_again_and_only_the_second_stay_falls(school: School) -> None:
    with school.open() as session:
        leaving = gone(school, session)
        again = back(school, session, leaving)
        october, november = supplement(school, session, 10), supplement(school, session, 11)
        wanted = replace(plan(school), enrolment_id=again.id, last_day=date(2025, 10, 29))
        second = leave(session, school.vault, school.billing.accountant, school.id, wanted, LATER)
        approve(school, session, second)
        bills = {bill.round_id: bill.id for bill in session.exec(select(Bill).where(Bill.enrolment_id == again.id))}
        assert set(bills) == {october, november}
        counts = sums(school, session).counts
        # Of October eleven meals and the month of the first stay, three meals of the second; nothing of November.
        assert counts == school.bill(session, 10, 1).due - (len(weekdays_of_october()) - EATEN - 3) * MEAL


def weekdays_of_october() -> frozenset[date]:
    return weekdays(Span(date(2025, 10, 1), date(2025, 10, 31)))


def test_the_database_lets_stays_of_a_year_not_overlap_and_only_one_be_open(school: School) -> None:
    with school.open() as session:
        back(school, session, gone(school, session))
    first = school.billing.pupils[0].enrolment.id
    for began, until in (("2025-10-20", "2025-10-27"), ("2025-09-20", None)):
        refused(school, "INSERT INTO enrolments (id, school_id, pupil_id, school_year, state, started_on, ended_on, "
                        "stated_birth_date) SELECT gen_random_uuid(), school_id, pupil_id, school_year, 'left', "
                        "CAST(:began AS date), CAST(:until AS date), stated_birth_date FROM enrolments WHERE id = :id",
                began=began, until=until, id=first)  # fmt: skip
    refused(school, "UPDATE enrolments SET ended_on = NULL WHERE id = :id", id=first)


def refused(school: School, statement: str, **values: object) -> None:
    with pytest.raises(IntegrityError, match="do not overlap"), school.open() as session:
        session.execute(text(statement), values)


@pytest.mark.parametrize("part", list(PartMonth))
@pytest.mark.parametrize(("last", "first"), [(5, 10), (5, 20), (15, 16), (20, 25), (3, 31)])
def test_two_stays_of_a_month_cost_what_the_month_costs(part: PartMonth, last: int, first: int) -> None:
    """Billed apart, the second time pays what the first left of the month; together they are one month in two parts."""
    boards = item("BANTRU", opt_in=False)
    schedule = private(price(boards, 300_000, part_month=part))
    month = Period("2025-10", "Tháng 10/2025", OCTOBER)
    one, two = Span(date(2025, 9, 1), date(2025, 10, last)), Span(date(2025, 10, first))

    def due(enrolled: tuple[Span, ...], before: tuple[Span, ...] = ()) -> int:
        facts: PupilFacts = replace(child_facts(), enrolled=enrolled, before=before)
        return charge_pupil(facts, month, schedule).gross.dong

    assert due((one,)) + due((two,), (one,)) == due((one, two))
