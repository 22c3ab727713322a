"""Versions and contracts of a school as they stand: terms, steps, state, the deposit's bill."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.contracts.tables import (
    Contract,
    ContractAgreement,
    ContractApproval,
    ContractPaper,
    ContractStep,
    ContractVersion,
)
from billing.contracts.terms import Terms, from_json
from billing.errors import NotFound
from billing.people.tables import School

DEPOSIT_ITEM = "GIUCHO"
DEPOSIT_ACCOUNT = "348"  # nhận đặt cọc, ký quỹ: a liability until the child comes or the contract says it is kept
OTHER_INCOME = "7118"


def find_school(session: Session, school_id: UUID) -> School:
    """Return a school; raises ``NotFound``."""
    found = session.exec(select(School).where(School.id == school_id)).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy trường.", school=school_id)
    return found


def find_version(session: Session, school_id: UUID, version_id: UUID) -> ContractVersion:
    """Return a version of a school's contract; raises ``NotFound``."""
    found = session.exec(
        select(ContractVersion).where(ContractVersion.school_id == school_id, ContractVersion.id == version_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy mẫu hợp đồng này.", version=version_id)
    return found


def versions_of(session: Session, school_id: UUID) -> list[tuple[ContractVersion, ContractApproval | None]]:
    """Return a school's versions with their approval, the newest first."""
    rows = session.exec(
        select(ContractVersion, ContractApproval)
        .outerjoin(ContractApproval, col(ContractApproval.version_id) == col(ContractVersion.id))
        .where(ContractVersion.school_id == school_id)
        .order_by(col(ContractVersion.valid_from).desc(), col(ContractVersion.made_at).desc())
    ).all()
    return list(rows)


def usable_versions(session: Session, school_id: UUID, today: date) -> list[ContractVersion]:
    """Return the versions that a family can agree to on a day: approved and begun, the newest first."""
    return [
        version
        for version, approval in versions_of(session, school_id)
        if approval is not None and version.valid_from <= today
    ]


def find_contract(session: Session, school_id: UUID, contract_id: UUID) -> Contract:
    """Return a contract of a school; raises ``NotFound``."""
    found = session.exec(
        select(Contract).where(Contract.school_id == school_id, Contract.id == contract_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy hợp đồng này.", contract=contract_id)
    return found


def contracts_of(session: Session, school_id: UUID) -> list[Contract]:
    """Return a school's contracts, the newest first."""
    query = select(Contract).where(Contract.school_id == school_id).order_by(col(Contract.number).desc())
    return list(session.exec(query).all())


def terms_of(session: Session, contract: Contract) -> Terms:
    """Return the terms that a contract was made under; later versions do not change them."""
    return from_json(find_version(session, contract.school_id, contract.version_id).terms)


def steps_of(session: Session, contract: Contract) -> dict[str, ContractStep]:
    """Return the steps of a contract by their kind; each happens once, in the order of the dictionary."""
    rows = session.exec(
        select(ContractStep)
        .where(ContractStep.school_id == contract.school_id, ContractStep.contract_id == contract.id)
        .order_by(col(ContractStep.turn))
    ).all()
    return {row.kind: row for row in rows}


def state_of(steps: dict[str, ContractStep]) -> str:
    """Return *draft*, or the kind of the last step."""
    return list(steps)[-1] if steps else "draft"


def agreement_of(session: Session, contract: Contract) -> ContractAgreement | None:
    """Return what a guardian agreed to with a code, if that is how the contract was agreed to."""
    return session.exec(
        select(ContractAgreement).where(
            ContractAgreement.school_id == contract.school_id, ContractAgreement.contract_id == contract.id
        )
    ).one_or_none()


def papers_of(session: Session, contract: Contract) -> list[ContractPaper]:
    """Return the files of a contract, oldest first."""
    query = select(ContractPaper).where(
        ContractPaper.school_id == contract.school_id, ContractPaper.contract_id == contract.id
    )
    return list(session.exec(query.order_by(col(ContractPaper.made_at))).all())


def contract_of_enrolment(session: Session, school_id: UUID, enrolment_id: UUID) -> Contract | None:
    """Return the contract under which a pupil is enrolled, if there is one and it was not withdrawn from."""
    found = session.exec(
        select(Contract)
        .join(
            ContractStep,
            (col(ContractStep.school_id) == col(Contract.school_id))
            & (col(ContractStep.contract_id) == col(Contract.id)),
        )
        .where(
            Contract.school_id == school_id,
            ContractStep.kind == "enrolled",
            ContractStep.enrolment_id == enrolment_id,
        )
        .order_by(col(Contract.made_at).desc())
        .limit(1)
    ).first()
    return None if found is None or "withdrawn" in steps_of(session, found) else found


def left_by_contract(session: Session, school_id: UUID, enrolment_id: UUID) -> bool:
    """Tell whether an enrolment ended by withdrawing from a contract; a contract that ended does not begin again."""
    found = session.exec(
        select(ContractStep.id).where(
            ContractStep.school_id == school_id,
            ContractStep.kind == "withdrawn",
            ContractStep.enrolment_id == enrolment_id,
        )
    ).first()
    return found is not None
