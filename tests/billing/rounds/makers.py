"""What the tests of rounds share: sums of a small school, its transactions, an exemption."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, SQLModel, select

from billing.fees.tables import Reduction
from billing.money import Money
from billing.storage import new_id
from service.database import Database, Scope
from tests.factories.rounds import (
    BillingSchool,
)
from tests.factories.schools import (
    Enrolled,
)

DAY_PUPIL = Money(10_000 + 157_950)  # water and three months of health insurance
BOARDER = DAY_PUPIL + Money(300_000 + 23 * 32_000)


def count(session: Session, table: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


@contextmanager
def as_school(database: Database, billing: BillingSchool) -> Iterator[Session]:
    with database.transaction(Scope.of(billing.id)) as session:
        yield session


def exempt(session: Session, child: Enrolled, percent: int = 100, *codes: str) -> UUID:
    row = Reduction(
        school_id=child.enrolment.school_id,
        enrolment_id=child.enrolment.id,
        title="Hộ nghèo",
        item_codes=list(codes),
        item_groups=[] if codes else ["service", "agreed", "pass_through"],
        kind="percent",
        percent=percent,
        payer="state",
        reason_class="hộ nghèo",
        legal_basis="Nghị định 238/2025/NĐ-CP",
        evidence="Giấy chứng nhận hộ nghèo",
        valid_from=date(2025, 9, 1),
        made_by=new_id(),
        approved_by=new_id(),
    )
    session.add(row)
    session.flush()
    return row.id
