"""A pupil who signs for the next year: this year's enrolment and class end the day before the contract begins."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, col, select

from billing.contracts.applying import WantedContract, draft_contract
from billing.fees.registering import class_members
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment
from tests.billing.contracts.contract_world import PrivateSchool, at

AUGUST_END, SEPTEMBER = date(2026, 8, 31), date(2026, 9, 1)


def years(session: Session, pupil_id: object) -> list[tuple[str, str, date, date | None]]:
    rows = session.exec(
        select(Enrolment).where(Enrolment.pupil_id == pupil_id).order_by(col(Enrolment.started_on))
    ).all()
    return [(each.school_year, each.state, each.started_on, each.ended_on) for each in rows]


def test_this_year_ends_the_day_before_the_next_contract_begins(school: PrivateSchool) -> None:
    """Enrolled on 20 May, it goes on in its class until 31 August; enrolled late, the year is completed at once."""
    with school.open() as session:
        contract, old = school.yearly_child(session)
        school.now = at(5, 20)
        wanted = WantedContract(school.version_id, "month", SEPTEMBER, 9)
        new = draft_contract(session, school.id, contract.pupil_id, wanted, school.billing.accountant, school.now)
        school.sign(session, new, due=date(2026, 6, 1))
        group = ClassGroup(
            school_id=school.id, school_year="2026-2027", level="primary", grade=2, code="2B", name="Lớp 2B"
        )
        session.add(group)
        session.flush()
        this_class, school.class_id = school.class_id, group.id
        trial = session.begin_nested()
        school.admit(session, new)
        assert years(session, contract.pupil_id) == [
            ("2025-2026", "studying", date(2025, 9, 1), AUGUST_END),
            ("2026-2027", "studying", SEPTEMBER, None),
        ]
        assert {each.enrolment_id for each in class_members(session, school.id, this_class, date(2026, 5, 29))} == {old}
        assert class_members(session, school.id, this_class, SEPTEMBER) == []
        placed = session.exec(select(col(ClassPlacement.valid_to)).where(ClassPlacement.enrolment_id == old)).all()
        assert placed == [AUGUST_END]
        trial.rollback()
        session.expire_all()
        school.now = at(5, 20).replace(month=9, day=3)
        school.admit(session, new)
        assert years(session, contract.pupil_id)[0] == ("2025-2026", "completed", date(2025, 9, 1), AUGUST_END)
