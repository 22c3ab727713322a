"""Short ways to make authorities, schools, accounts, classes, pupils and guardians in a test database.

All take a session first and flush; open the transaction with ``EVERYTHING`` (system work sees all schools).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.fees.placing import first_place
from billing.ledger.accounts import open_bank_ledger, open_common_accounts
from billing.ledger.tables import BankAccount
from billing.people.tables import (
    Authority,
    ClassGroup,
    ClassPlacement,
    Contact,
    Enrolment,
    Guardian,
    Guardianship,
    Pupil,
    PupilCode,
    School,
)
from billing.storage import new_id
from billing.vault import Vault
from service.access.tables import RoleGrant, User

SCHOOL_YEAR = "2025-2026"
YEAR_STARTS = date(2025, 9, 1)
MADE_AT = datetime(2025, 9, 1, tzinfo=UTC)
NO_PASSWORD = "!"  # noqa: S105  no password has this hash: nobody can log in with it

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A pupil with the enrolment that puts the child into a class."""

    pupil: Pupil
    enrolment: Enrolment
    class_group: ClassGroup

    @property
    def id(self) -> UUID:
        """The pupil's id."""
        return self.pupil.id


def make_authority(session: Session, kind: str = "province", parent: Authority | None = None) -> Authority:
    """Make a province, or what lies below one."""
    number = next(_numbers)
    authority = Authority(
        kind=kind,
        code=f"{kind[:4]}{number}",
        name=f"Đơn vị {number}",
        parent_id=parent.id if parent else None,
    )
    session.add(authority)
    session.flush()
    return authority


def make_school(  # noqa: PLR0913  each is a field worth varying
    session: Session,
    *,
    kind: str = "public",
    levels: tuple[str, ...] = ("primary",),
    zone: str = "ward",
    area: str = "binh_phuoc",
    province: Authority | None = None,
    name: str = "Trường Tiểu học Hoa Mai",
) -> School:
    """Make a school in a commune of its own, with the accounts every school has in its book."""
    province = province or make_authority(session)
    school = School(
        province_id=province.id,
        authority_id=make_authority(session, "commune", province).id,
        code=f"75{next(_numbers):06d}",
        name=name,
        kind=kind,
        levels=list(levels),
        address="Số 1, đường Hoa Mai, phường Đồng Xoài",
        phone="02713000001",
        budget_code="1012345",
    )
    session.add(school)
    session.flush()
    first_place(session, school.id, zone, area, MADE_AT)
    open_common_accounts(session, school.id)
    return school


def make_account(  # noqa: PLR0913  each is a field worth varying
    session: Session,
    school: School,
    *,
    number: str | None = None,
    bank_bin: str = "970436",
    told_by: str = "callback",
    only_virtual: bool = False,
    can_qr: bool = True,
    memo_code: str | None = None,
) -> BankAccount:
    """Make a bank account with its place in the book; numbers never repeat."""
    account = BankAccount(
        school_id=school.id,
        bank_bin=bank_bin,
        number=number or f"1012{next(_numbers):06d}",
        holder="TRUONG TIEU HOC HOA MAI",
        told_by=told_by,
        only_virtual=only_virtual,
        can_qr=can_qr,
        memo_code=memo_code,
        opened_on=YEAR_STARTS,
    )
    session.add(account)
    session.flush()
    open_bank_ledger(session, account)
    return account


def make_class(
    session: Session, school: School, code: str = "1A", *, level: str | None = None, grade: int = 1
) -> ClassGroup:
    """Make a class of the school year; of the school's first level unless given."""
    group = ClassGroup(
        school_id=school.id,
        school_year=SCHOOL_YEAR,
        level=level or school.levels[0],
        grade=grade,
        code=code,
        name=f"Lớp {code}",
    )
    session.add(group)
    session.flush()
    return group


def make_pupil(  # noqa: PLR0913  each is a field worth varying
    session: Session,
    class_group: ClassGroup,
    name: str = "Nguyễn Thị Bình An",
    *,
    province_id: UUID,
    pupil: Pupil | None = None,
    born: date = date(2019, 3, 14),
    started_on: date = YEAR_STARTS,
    ended_on: date | None = None,
) -> Enrolled:
    """Make a pupil with a sector code and put it into a class (a given pupil gets one more enrolment)."""
    school_id = class_group.school_id
    if pupil is None:
        pupil = Pupil(
            province_id=province_id,
            entered_by_school_id=school_id,
            full_name=name,
            birth_date=born,
            sex="Nữ",
        )
        code = PupilCode(
            province_id=province_id,
            pupil_id=pupil.id,
            code=f"7599{next(_numbers):06d}",  # the lists that tests read in count from 7500000001
            valid_from=started_on,
        )
        session.add(pupil)
        session.flush()
        session.add(code)
    enrolment = Enrolment(
        school_id=school_id,
        pupil_id=pupil.id,
        school_year=SCHOOL_YEAR,
        started_on=started_on,
        ended_on=ended_on,
        stated_birth_date=pupil.birth_date,
    )
    session.add(enrolment)
    session.flush()
    session.add(
        ClassPlacement(
            school_id=school_id,
            enrolment_id=enrolment.id,
            class_id=class_group.id,
            valid_from=started_on,
        )
    )
    session.flush()
    return Enrolled(pupil, enrolment, class_group)


def make_guardian(
    session: Session,
    vault: Vault,
    *children: Enrolled,
    phone: str | None = None,
    email: str | None = None,
    name: str = "Nguyễn Văn Hòa",
) -> Guardian:
    """Make a guardian who gets the notices of these children, with a made-up phone unless given (``""``: none)."""
    first = children[0]
    guardian = Guardian(
        province_id=first.pupil.province_id,
        entered_by_school_id=first.enrolment.school_id,
        full_name=name,
    )
    session.add(guardian)
    session.flush()
    for child in children:
        session.add(Guardianship(guardian_id=guardian.id, pupil_id=child.id, relation="cha", valid_from=YEAR_STARTS))
    session.flush()
    phone = phone if phone is not None else f"8490{next(_numbers):07d}"
    for kind, text in (("phone", phone), ("email", email)):
        if text:
            session.add(
                Contact(
                    guardian_id=guardian.id,
                    kind=kind,
                    sealed=vault.seal(text, f"contacts.{kind}"),
                    blind=vault.blind(text, f"contacts.{kind}"),
                    masked=f"…{text[-3:]}",
                    valid_from=YEAR_STARTS,
                )
            )
    session.flush()
    return guardian


def make_user(session: Session, school: School, role: str = "accountant") -> Actor:
    """Make a member of staff with a role at the school, as the actor of deeds."""
    user = User(
        login=f"{role}{next(_numbers)}@truong.example",
        full_name="Trần Thị Thu",
        password_hash=NO_PASSWORD,
        created_at=MADE_AT,
    )
    session.add(user)
    session.flush()
    session.add(RoleGrant(user_id=user.id, role=role, school_id=school.id, valid_from=YEAR_STARTS))
    session.flush()
    return Actor(user_id=user.id, role=role)


def anybody(role: str = "accountant") -> Actor:
    """Return an actor who is in no table, for rules that only compare people."""
    return Actor(user_id=new_id(), role=role)
