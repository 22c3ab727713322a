"""A family applies: the child is entered by the school without an enrolment, with a guardian, and gets a contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.contracts.reading import find_version, steps_of
from billing.contracts.stepping import person, today_of
from billing.contracts.tables import Contract, ContractApproval, ContractVersion
from billing.contracts.terms import from_json
from billing.contracts.versions import refuse_public
from billing.errors import Conflict, NotFound, Refused
from billing.fees.item_rows import find_item
from billing.payments.receipts import school_year_of
from billing.people.cells import CellError, name_of
from billing.people.contact_sheet import Relation, phone_of
from billing.people.reaching import masked_contact
from billing.people.roster import Sex
from billing.people.tables import Contact, Enrolment, Guardian, Guardianship, Pupil, School
from billing.people.workbook import Cell
from billing.vault import Vault

_PHONE = "contacts.phone"
_OLDEST = timedelta(days=25 * 365)  # a child of an upper secondary school is younger
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Applicant:
    """A child as the school enters it before it is a pupil, and one guardian with a mobile number."""

    full_name: str
    birth_date: date
    sex: str
    guardian_name: str
    relation: str
    phone: str


@dataclass(frozen=True, slots=True)
class WantedContract:
    """Which version, how it is paid, when school begins for the child and for how many months it is made."""

    version_id: UUID
    plan: str
    starts_on: date
    months: int


def apply_for_place(  # noqa: PLR0913, PLR0917  who applies where, for what, entered by whom
    session: Session,
    vault: Vault,
    school_id: UUID,
    applicant: Applicant,
    wanted: WantedContract,
    actor: Actor,
    now: datetime,
) -> Contract:
    """Enter a child that is no pupil yet, and draft its contract.

    Raises ``Refused`` for names, numbers and days that cannot be, ``NotAllowed`` for a public school.
    """
    school = refuse_public(session, school_id)
    today = today_of(now)
    if not today - _OLDEST < applicant.birth_date < today:
        raise Refused(f"Ngày sinh {applicant.birth_date:%d/%m/%Y} không hợp lý. Hãy kiểm tra lại.")
    if applicant.sex not in set(Sex) or applicant.relation not in set(Relation):
        raise Refused("Hãy chọn giới tính của em và quan hệ của người liên hệ.")
    try:
        child, grown_up = (name_of(Cell(name, "s")) for name in (applicant.full_name, applicant.guardian_name))
        phone = phone_of(Cell(applicant.phone, "s"))
    except CellError as wrong:
        raise Refused(f"{wrong.reason} {wrong.remedy}") from wrong
    pupil = Pupil(
        province_id=school.province_id,
        entered_by_school_id=school.id,
        full_name=child,
        birth_date=applicant.birth_date,
        sex=applicant.sex,
    )
    session.add(pupil)
    session.flush()
    contract = draft_contract(session, school_id, pupil.id, wanted, actor, now)
    # Only now: the database lets a school tie a guardian to a child that it teaches or has a contract with.
    _add_guardian(session, vault, school, pupil, (grown_up, applicant.relation, phone), today)
    return contract


def draft_contract(  # noqa: PLR0913, PLR0917  whose contract, of what, by whom
    session: Session, school_id: UUID, pupil_id: UUID, wanted: WantedContract, actor: Actor, now: datetime
) -> Contract:
    """Draft the contract of a child, of the school or not yet.

    Raises ``Refused`` for a version that is not approved or not begun, a way to pay that it does not offer, or days
    that make no sense; ``Conflict`` while the child has another contract of that school year.
    """
    refuse_public(session, school_id)
    version = find_version(session, school_id, wanted.version_id)
    _refuse_version(session, version, today_of(now))
    way = from_json(version.terms).way(wanted.plan)
    if not 1 <= wanted.months <= _MONTHS:
        raise Refused(f"Số tháng của hợp đồng phải từ 1 đến {_MONTHS}.")
    year = school_year_of(wanted.starts_on)
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"contracts {school_id}"}
    )
    _refuse_second(session, school_id, pupil_id, year)
    contract = Contract(
        school_id=school_id,
        version_id=version.id,
        pupil_id=pupil_id,
        number=_next_number(session, school_id, year),
        school_year=year,
        plan=wanted.plan,
        starts_on=wanted.starts_on,
        months=wanted.months,
        bank_account_id=find_item(session, school_id, way.item).bank_account_id,
        made_by=person(actor),
        made_at=now,
    )
    session.add(contract)
    session.flush()
    deed = Deed(school_id, "contract.draft", "contract", str(contract.id))
    record_deed(session, actor, deed, now, number=contract.number, version=version.code, plan=wanted.plan)
    return contract


def pupil_of_enrolment(session: Session, school_id: UUID, enrolment_id: UUID) -> UUID:
    """Return the pupil of an enrolment of the school; raises ``NotFound``."""
    found = session.exec(
        select(Enrolment.pupil_id).where(Enrolment.school_id == school_id, Enrolment.id == enrolment_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Trường không có học sinh này.", enrolment=enrolment_id)
    return found


def _add_guardian(  # noqa: PLR0913, PLR0917  one person, where and for whom
    session: Session, vault: Vault, school: School, pupil: Pupil, who: tuple[str, str, str], today: date
) -> None:
    name, relation, phone = who
    guardian = Guardian(province_id=school.province_id, entered_by_school_id=school.id, full_name=name)
    session.add(guardian)
    session.flush()
    session.add(Guardianship(guardian_id=guardian.id, pupil_id=pupil.id, relation=relation, valid_from=today))
    session.flush()
    session.add(
        Contact(
            guardian_id=guardian.id,
            kind="phone",
            sealed=vault.seal(phone, _PHONE),
            blind=vault.blind(phone, _PHONE),
            masked=masked_contact("phone", phone),
            valid_from=today,
        )
    )
    session.flush()


def _refuse_version(session: Session, version: ContractVersion, today: date) -> None:
    approved = session.exec(select(ContractApproval).where(ContractApproval.version_id == version.id)).one_or_none()
    if approved is None:
        raise Refused(f"Mẫu hợp đồng {version.code} chưa được duyệt.", version=version.id)
    if version.valid_from > today:
        raise Refused(f"Mẫu hợp đồng {version.code} chỉ dùng từ {version.valid_from:%d/%m/%Y}.", version=version.id)


def _refuse_second(session: Session, school_id: UUID, pupil_id: UUID, year: str) -> None:
    earlier = session.exec(
        select(Contract).where(
            Contract.school_id == school_id, Contract.pupil_id == pupil_id, Contract.school_year == year
        )
    ).all()
    for contract in earlier:
        if not {"declined", "withdrawn"} & steps_of(session, contract).keys():
            raise Conflict(f"Em đã có hợp đồng {contract.number} của năm học {year}.", contract=contract.id)


def _next_number(session: Session, school_id: UUID, year: str) -> str:
    prefix = f"HD{year[2:4]}{year[7:9]}-"
    last = session.exec(
        select(Contract.number)
        .where(Contract.school_id == school_id, col(Contract.number).startswith(prefix))
        .order_by(col(Contract.number).desc())
        .limit(1)
    ).first()
    return f"{prefix}{int(last.removeprefix(prefix)) + 1 if last else 1:05d}"
