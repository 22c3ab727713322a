"""The first rows of a province: its authorities, schools with classes and chart of accounts, staff with their roles.

A plan names what shall be there by code. What is there already stays as it is, so a plan may be carried out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.errors import Conflict
from billing.fees.placing import first_place
from billing.ledger.accounts import open_common_accounts
from billing.people.tables import Authority, ClassGroup, School
from service.access.accounts import add_user, find_user, fold_login, one_time_password
from service.setup_plan import PlannedAuthority, PlannedClass, PlannedSchool, SetupPlan, check_plan, required_from

_LOCAL = timezone(timedelta(hours=7))

__all__ = [
    "PlannedAuthority",
    "PlannedClass",
    "PlannedSchool",
    "SetUp",
    "SetupPlan",
    "add_user",
    "find_user",
    "fold_login",
    "one_time_password",
    "province_exists",
    "set_up",
]


@dataclass(slots=True)
class SetUp:
    """What stands now: ids by code, and how many rows were missing and made."""

    province_id: UUID
    authorities: dict[str, UUID] = field(default_factory=dict)
    schools: dict[str, UUID] = field(default_factory=dict)
    made: int = 0


def set_up(session: Session, plan: SetupPlan, now: datetime) -> SetUp:
    """Make what the plan names and is not there yet; needs a transaction that sees all schools.

    Raises ``BadPlan`` with every fault of the plan, and ``Conflict`` when a code already names something else.
    """
    check_plan(plan)
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('setting up', 0))"))
    authorities = {row.code: row for row in session.exec(select(Authority)).all()}
    before = len(authorities)
    province = _authority(session, authorities, PlannedAuthority("province", *plan.province), None)
    for planned in plan.authorities:
        _authority(session, authorities, planned, province)
    done = SetUp(province.id, {code: row.id for code, row in authorities.items()}, made=len(authorities) - before)
    session.flush()
    for school in plan.schools:
        _school(session, school, authorities, done, now)
    return done


def province_exists(session: Session) -> bool:
    """Say whether somebody has set up a province before."""
    return session.exec(select(Authority.id).where(Authority.kind == "province").limit(1)).first() is not None


def _authority(
    session: Session, known: dict[str, Authority], planned: PlannedAuthority, parent: Authority | None
) -> Authority:
    found = known.get(planned.code)
    parent_id = parent.id if parent else None
    if found is not None:
        if (found.kind, found.parent_id) != (planned.kind, parent_id):
            raise Conflict(
                f"Mã {planned.code} đã là của “{found.name}”. Kiểm tra lại mã; mỗi cơ quan một mã.", code=planned.code
            )
        return found
    made = Authority(kind=planned.kind, code=planned.code, name=planned.name, parent_id=parent_id)
    session.add(made)
    session.flush()
    known[made.code] = made
    return made


def _school(
    session: Session, planned: PlannedSchool, authorities: dict[str, Authority], done: SetUp, now: datetime
) -> None:
    school = session.exec(select(School).where(School.code == planned.code)).one_or_none()
    if school is None:
        school = School(
            province_id=done.province_id,
            authority_id=authorities[planned.authority].id,
            code=planned.code,
            name=planned.name,
            kind=planned.kind,
            levels=list(planned.levels),
            address=planned.address,
            phone=planned.phone,
            budget_code=planned.budget_code,
            plans_required_from=required_from(planned, now.astimezone(_LOCAL).date()),
        )
        session.add(school)
        session.flush()
        first_place(session, school.id, planned.zone, planned.legacy_area, now)
        done.made += 1
    elif school.province_id != done.province_id:
        raise Conflict(f"Mã trường {planned.code} đã là của một trường thuộc tỉnh khác.", code=planned.code)
    done.schools[planned.code] = school.id
    open_common_accounts(session, school.id)
    done.made += _classes(session, school.id, planned.classes)


def _classes(session: Session, school_id: UUID, planned: Sequence[PlannedClass]) -> int:
    known = set(
        session.exec(
            select(ClassGroup.school_year, ClassGroup.code).where(col(ClassGroup.school_id) == school_id),
        ).all()
    )
    missing = [each for each in planned if (each.school_year, each.code) not in known]
    for each in missing:
        session.add(
            ClassGroup(
                school_id=school_id,
                school_year=each.school_year,
                level=each.level,
                grade=each.grade,
                code=each.code,
                name=each.name,
            )
        )
    session.flush()
    return len(missing)
