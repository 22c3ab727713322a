"""The province that is billed: schools, classes, pupils who come and go, exemptions, and one approved round each."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.fees.catalogue import read_catalogue
from billing.fees.schedule import load_catalogue
from service.database import EVERYTHING, Database
from tests.factories.rounds import BillingSchool, approved_round
from tests.factories.schools import MADE_AT, make_account, make_authority, make_school, make_user

CATALOGUE = Path(__file__).parent / "catalogue.json"
CLASSES = 50
# One pupil in ten arrives in the middle of the month, one in eight is exempt from part of the tuition: a school
# whose pupils are all alike would be charged once and copied.
_CLASSES = text("""
    INSERT INTO class_groups (id, school_id, school_year, level, grade, code, name)
    SELECT gen_random_uuid(), :school, '2025-2026', 'primary', 1 + n % 5, 'L' || n, 'Lớp ' || n
    FROM generate_series(1, :classes) n
""")
_PUPILS = text("""
    INSERT INTO pupils (id, province_id, entered_by_school_id, full_name, birth_date, sex, nationality)
    SELECT gen_random_uuid(), :province, :school, 'Nguyễn Văn ' || n, date '2017-01-01' + n % 900, 'Nam', 'Việt Nam'
    FROM generate_series(1, :pupils) n
""")
_ENROLMENTS = text("""
    INSERT INTO enrolments (id, school_id, pupil_id, school_year, state, started_on)
    SELECT gen_random_uuid(), :school, p.id, '2025-2026', 'studying',
           CASE WHEN n % 10 = 0 THEN date '2025-10-02' + (n / 10 % 25)::int ELSE date '2025-09-01' END
    FROM (SELECT id, row_number() OVER (ORDER BY id) n FROM pupils WHERE entered_by_school_id = :school) p
""")
_PLACEMENTS = text("""
    INSERT INTO class_placements (school_id, enrolment_id, class_id, valid_from)
    SELECT :school, e.id, c.id, e.started_on
    FROM (SELECT id, started_on, row_number() OVER (ORDER BY id) n FROM enrolments WHERE school_id = :school) e
    JOIN (SELECT id, row_number() OVER (ORDER BY code) n FROM class_groups WHERE school_id = :school) c
      ON c.n = 1 + e.n % :classes
""")
_BUS = text("""
    INSERT INTO opt_ins (school_id, enrolment_id, item_id, quantity, evidence, valid_from)
    SELECT :school, e.id, i.id, 1, 'Phiếu đăng ký', e.started_on
    FROM enrolments e JOIN fee_items i ON i.school_id = e.school_id AND i.code = 'XEBUYT' WHERE e.school_id = :school
""")
_EXEMPTIONS = text("""
    INSERT INTO reductions (id, school_id, enrolment_id, title, item_codes, item_groups, from_sibling, kind, percent,
                            payer, reason_class, legal_basis, evidence, valid_from, made_by, approved_by)
    SELECT gen_random_uuid(), :school, e.id, 'Giảm học phí', '{HOCPHI}', '{}', 1, 'percent', 50, 'school',
           'NHATRUONG', 'Quy chế nhà trường (bịa để đo)', 'Quyết định', date '2025-09-01', :maker, :approver
    FROM (SELECT id, row_number() OVER (ORDER BY id) n FROM enrolments WHERE school_id = :school) e WHERE n % 8 = 0
""")


def make_province(database: Database, schools: int, pupils: int) -> list[tuple[UUID, UUID]]:
    """Make the schools, each with an approved round for October 2025; return pairs of school and round."""
    with database.transaction(EVERYTHING) as session:
        province = make_authority(session)
    made = []
    for _ in range(schools):
        with database.transaction(EVERYTHING) as session:
            school = make_school(session, kind="private", province=province)
            account = make_account(session, school)
            load_catalogue(session, school, read_catalogue(CATALOGUE), {"main": account.id}, MADE_AT)
            people = (make_user(session, school, "accountant"), make_user(session, school, "approver"))
            billing = BillingSchool(school, account, *people)
            _fill(session, billing, pupils)
            made.append((school.id, approved_round(session, billing, MADE_AT)))
    return made


def _fill(session: Session, billing: BillingSchool, pupils: int) -> None:
    values = {
        "school": billing.id,
        "province": billing.school.province_id,
        "classes": CLASSES,
        "pupils": pupils,
        "maker": billing.accountant.user_id,
        "approver": billing.approver.user_id,
    }
    for statement in (_CLASSES, _PUPILS, _ENROLMENTS, _PLACEMENTS, _BUS, _EXEMPTIONS):
        session.execute(statement, {name: values[name] for name in statement.compile().params})
