"""The small school of boarders when its year ends: classes 1A to 5A, and a clock that stands in June."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.newyear.classes import make_classes, propose_classes
from billing.newyear.promoting import Choice, Decided
from billing.newyear.standing import YearPupil, read_year_pupils
from billing.people.tables import ClassGroup
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.credits.credit_world import School, make_school
from tests.factories.schools import make_class, make_pupil

JUNE = datetime(2026, 6, 10, 2, 0, tzinfo=UTC)
NEW_YEAR = "2026-2027"
FIRST_DAY = date(2026, 9, 1)


@dataclass
class YearSchool(School):
    """A school with one class each in grades 1, 2 and 5; ``later`` is June."""

    later: datetime = JUNE
    groups: dict[str, UUID] = field(default_factory=dict)

    def classes(self, session: Session) -> dict[str, UUID]:
        """Make the proposed classes and return those of the new year."""
        proposed = propose_classes(session, self.billing.school, NEW_YEAR)
        make_classes(session, self.billing.school, NEW_YEAR, proposed, self.billing.accountant, self.later)
        rows = session.exec(
            select(ClassGroup.code, ClassGroup.id).where(
                ClassGroup.school_id == self.id, col(ClassGroup.school_year) == NEW_YEAR
            )
        ).all()
        return dict(rows)

    def standing(self, session: Session) -> dict[UUID, YearPupil]:
        """Return who stands at the border, by pupil."""
        known = read_year_pupils(session, self.id, NEW_YEAR)
        return {each.standing.pupil_id: each for each in known.pupils}

    def enrolment(self, child: int) -> UUID:
        return self.billing.pupils[child].enrolment.id


def make_year_school(database: Database, vault: Vault, now: datetime) -> YearSchool:
    """Make it: three pupils in 1A, one in 2A, one in 5A; 1A is billed in October and November."""
    made = make_school(database, vault, now)
    school = YearSchool(database, made.billing, now, vault)
    with school.open() as session:
        school.bill_month(session, 10)
        school.bill_month(session, 11)
        school.pay(session, 10, over=50_000)
    with database.transaction(EVERYTHING) as session:
        for code, grade in (("2A", 2), ("5A", 5)):
            group = make_class(session, school.billing.school, code, grade=grade)
            child = make_pupil(session, group, f"Điểu {code}", province_id=school.billing.school.province_id)
            school.billing.pupils.append(child)
    return school


def promoted(class_id: UUID) -> Decided:
    """Return the usual choice."""
    return Decided(Choice.PROMOTED, class_id)
