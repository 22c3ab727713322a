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
from billing.money import ZERO, Money
from tests.billing.contracts.contract_world import PrivateSchool, at


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
