"""A late bill bears a charge only by the clause of its contract, as a line of the next round that another approves."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.bills.tables import BillLine
from billing.contracts.charging_late import add_late_charges, late_bills
from billing.contracts.tables import Contract, LateCharge
from billing.errors import Refused
from billing.fees.items import Span
from billing.fees.registering import end_registrations
from billing.money import ZERO, Money
from billing.payments.relieving import MoreTime, approve_relief, ask_grace
from tests.billing.contracts.contract_world import PrivateSchool, at

NOVEMBER = Span(date(2025, 11, 1), date(2025, 11, 30))


def late_lines(session: Session, contract: Contract, school: PrivateSchool) -> list[tuple[int, Money]]:
    bills = [bill.bill_id for bill in school.bills_of(session, contract.pupil_id)]
    rows = session.exec(
        select(BillLine).where(col(BillLine.bill_id).in_(bills), BillLine.item_code == "PHICHAMNOP")
    ).all()
    return [(row.quantity, row.family_share) for row in rows]


def test_late_charge_is_a_line_of_the_next_round_and_bears_none_itself(school: PrivateSchool) -> None:
    """The September bill was due on the 20th; on 1 October the clause allows 2 % of it, within 500,000 đ."""
    actor = school.billing.accountant
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        year = school.bills_of(session, contract.pupil_id)[-1]
        school.now = at(9, 30)
        assert [each.charge.amount for each in late_bills(session, school.id, school.now.date())] == [ZERO]
        with pytest.raises(Refused, match="không chịu phí chậm nộp hôm nay"):
            add_late_charges(session, school.id, [year.bill_id], date(2025, 10, 1), actor, school.now)
        school.now = at(10, 1)
        (late,) = late_bills(session, school.id, school.now.date())
        expected = Money(min(year.rest.dong * 2 // 100, 500_000) // 1_000 * 1_000)
        assert (late.days, late.charge.amount) == (11, expected)
        with pytest.raises(Refused, match="đã qua"):
            add_late_charges(session, school.id, [year.bill_id], date(2025, 9, 1), actor, school.now)
        assert add_late_charges(session, school.id, [year.bill_id], date(2025, 10, 1), actor, school.now) == expected
        with pytest.raises(Refused, match="không chịu phí chậm nộp hôm nay"):
            add_late_charges(session, school.id, [year.bill_id], date(2025, 10, 1), actor, school.now)
        assert late_lines(session, contract, school) == []
        school.issue(session, school.october)
        assert late_lines(session, contract, school) == [(expected.dong // 1_000, expected)]
        school.now = at(12, 5)
        by_bill = {each.balance.bill_id: each for each in late_bills(session, school.id, school.now.date())}
        october = school.bills_of(session, contract.pupil_id)[-1]
        meals = october.due - expected
        assert by_bill[october.bill_id].charge.amount == Money(meals.dong * 2 // 100 * 2 // 1_000 * 1_000)
        assert by_bill[year.bill_id].charge.amount <= Money(500_000) - expected


def test_a_month_that_is_billed_takes_no_late_charge(school: PrivateSchool) -> None:
    """October's bill is there: what is registered for October now would never be asked for."""
    actor = school.billing.accountant
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        year = school.bills_of(session, contract.pupil_id)[-1]
        school.now = at(10, 1)
        school.issue(session, school.october)
        (october,) = (each for each in school.bills_of(session, contract.pupil_id) if each.due_on > year.due_on)
        with pytest.raises(Refused, match=rf"10/2025 .* {october.number}.*chọn tháng 11/2025"):
            add_late_charges(session, school.id, [year.bill_id], date(2025, 10, 1), actor, school.now)
        assert session.exec(select(LateCharge)).all() == []
        charged = add_late_charges(session, school.id, [year.bill_id], date(2025, 11, 1), actor, school.now)
        school.issue(session, NOVEMBER)
        assert [amount for _, amount in late_lines(session, contract, school)] == [charged]


def test_a_charge_that_reaches_no_bill_is_no_month_charged(school: PrivateSchool) -> None:
    """The office ends the registration before the round: the month may be charged again, up to the cap."""
    actor = school.billing.accountant
    with school.open() as session:
        contract, enrolment = school.yearly_child(session)
        year = school.bills_of(session, contract.pupil_id)[-1]
        school.now = at(10, 1)
        first = add_late_charges(session, school.id, [year.bill_id], date(2025, 11, 1), actor, school.now)
        (late,) = late_bills(session, school.id, school.now.date())
        assert (late.before, late.charge.amount) == (first, ZERO)
        end_registrations(session, school.id, actor, "PHICHAMNOP", [enrolment], date(2025, 10, 31), school.now)
        (late,) = late_bills(session, school.id, school.now.date())
        again = min(first, Money(500_000) - first)
        assert (late.before, late.charge.amount) == (ZERO, Money(again.dong // 1_000 * 1_000))


def test_more_time_that_two_people_gave_bears_no_late_charge(school: PrivateSchool) -> None:
    """The September bill may be paid until 30 November; late are the days from then on, after the clause's grace."""
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        year = school.bills_of(session, contract.pupil_id)[-1]
        school.now = at(10, 1)
        assert [each.days for each in late_bills(session, school.id, date(2025, 10, 1))] == [11]
        more = MoreTime(contract.pupil_id, None, date(2025, 11, 30), "Gia đình xin nộp sau")
        row = ask_grace(session, school.billing.accountant, school.id, more, school.now)
        assert [each.days for each in late_bills(session, school.id, date(2025, 10, 1))] == [11]
        approve_relief(session, school.billing.approver, school.id, row.id, school.now)
        assert late_bills(session, school.id, date(2025, 11, 30)) == []
        assert [each.days for each in late_bills(session, school.id, date(2025, 12, 10))] == [10]
        assert [each.charge.amount for each in late_bills(session, school.id, date(2025, 12, 10))] == [ZERO]
        (late,) = late_bills(session, school.id, date(2025, 12, 11))
        expected = Money(min(year.rest.dong * 2 // 100, 500_000) // 1_000 * 1_000)
        assert (late.days, late.charge.months, late.charge.amount) == (11, 1, expected)


def test_database_lets_nobody_charge_above_the_cap_of_the_contract(school: PrivateSchool) -> None:
    with school.open() as session:
        contract, _ = school.yearly_child(session)
        year = school.bills_of(session, contract.pupil_id)[-1]
        row = LateCharge(
            school_id=school.id, contract_id=contract.id, bill_id=year.bill_id, months=1, amount=Money(501_000),
            month=date(2025, 10, 1), made_by=contract.made_by, at=school.now,
        )  # fmt: skip
        inside = session.begin_nested()
        session.add(row)
        with pytest.raises(IntegrityError, match="allows no such late charge"):
            session.flush()
        inside.rollback()
