"""The list for the authority and the proof of study as records, read from the rows; every opening is written down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.claims.claim_sheet import ClaimSheet, SheetMonth, SheetPupil, claim_xlsx
from billing.claims.claiming import claim_deed, claim_lines
from billing.claims.letter_pdf import ProofOfStudy, proof_of_study_pdf
from billing.claims.tables import StateClaim, StateClaimLine
from billing.errors import Conflict, NotFound, Refused
from billing.fees.council_rates import KIND_NAMES, RateKind
from billing.fees.items import Ownership
from billing.people.names import sort_key
from billing.people.tables import Authority, ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode, School

_VIET_NAM = timedelta(hours=7)


def open_claim_xlsx(  # noqa: PLR0913, PLR0917  the people whose names stand under it are known to the caller
    session: Session, claim: StateClaim, actor: Actor, maker: str, approver: str, now: datetime
) -> bytes:
    """Return the workbook of an approved claim, and write down who opened it; raises ``Conflict`` before that."""
    content = claim_xlsx(claim_sheet(session, claim, maker, approver))
    record_deed(session, actor, claim_deed(claim, "claim.open_list"), now, digest=(claim.digest or b"").hex())
    return content


def claim_sheet(session: Session, claim: StateClaim, maker: str, approver: str) -> ClaimSheet:
    """Return an approved claim as a record: rows by class and name, one for each class of exemption and rate."""
    if claim.approved_at is None or claim.digest is None:
        raise Conflict("Chỉ mở được danh sách đã duyệt.", state=claim.state)
    school = session.exec(select(School).where(School.id == claim.school_id)).one()
    authority = session.get(Authority, school.authority_id)
    kind = RateKind(claim.kind)
    return ClaimSheet(
        title=f"Danh sách đề nghị {KIND_NAMES[kind].lower()}",
        school=school.name,
        address=school.address,
        budget_code=school.budget_code or "",
        chapter_code=claim.chapter_code,
        category_code=claim.category_code,
        economic_code=claim.economic_code,
        authority=authority.name if authority else "",
        school_year=claim.school_year,
        instalment=claim.instalment,
        number=claim.number,
        first_month=claim.first_month,
        last_month=claim.last_month,
        approved_at=claim.approved_at,
        maker=maker,
        approver=approver,
        digest=claim.digest.hex(),
        pupils=_rows(session, claim_lines(session, claim)),
        signs=kind is RateKind.LEARNING,
    )


def _rows(session: Session, lines: Sequence[StateClaimLine]) -> tuple[SheetPupil, ...]:
    groups: dict[tuple[UUID, str, str, str, str, int], list[StateClaimLine]] = defaultdict(list)
    for each in lines:
        key = (each.pupil_id, each.class_name, each.title, each.legal_basis, each.payee, each.rate.dong)
        groups[key].append(each)
    ids = {each.pupil_id for each in lines}
    pupils = {pupil.id: pupil for pupil in session.exec(select(Pupil).where(col(Pupil.id).in_(ids))).all()}
    codes = _codes(session, ids)
    rows = [
        SheetPupil(
            code=codes.get(pupil, ""),
            name=pupils[pupil].full_name,
            born=pupils[pupil].birth_date,
            class_name=class_name,
            title=title,
            legal_basis=basis,
            payee=payee,
            months=tuple(SheetMonth(each.month, each.rate, each.amount, each.previous) for each in found),
        )
        for (pupil, class_name, title, basis, payee, _), found in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.class_name, sort_key(row.name), row.code, row.months[0].month)))


def _codes(session: Session, pupils: set[UUID]) -> dict[UUID, str]:
    rows = session.exec(
        select(PupilCode.pupil_id, PupilCode.code)
        .where(col(PupilCode.pupil_id).in_(pupils), PupilCode.kind == "moet")
        .order_by(col(PupilCode.valid_from), col(PupilCode.id))
    ).all()
    return dict(rows)  # the newest wins


def open_proof_of_study(
    session: Session, school_id: UUID, enrolment_id: UUID, actor: Actor, now: datetime
) -> tuple[str, bytes]:
    """Return the pupil's name and the letter of a private school, and write down that it was given out.

    Raises ``NotFound`` for another school's pupil, ``Refused`` for a public school or a pupil without a class.
    """
    school = session.exec(select(School).where(School.id == school_id)).one()
    if school.kind != Ownership.PRIVATE:
        raise Refused("Giấy xác nhận để nhận hỗ trợ học phí chỉ dành cho học sinh trường ngoài công lập.")
    found = session.exec(
        select(Enrolment, Pupil)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .where(Enrolment.school_id == school_id, Enrolment.id == enrolment_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Trường không có học sinh này.", enrolment=enrolment_id)
    enrolment, pupil = found
    group = session.exec(
        select(ClassGroup.code)
        .join(ClassPlacement, col(ClassPlacement.class_id) == col(ClassGroup.id))
        .where(ClassPlacement.school_id == school_id, ClassPlacement.enrolment_id == enrolment_id)
        .order_by(col(ClassPlacement.valid_from).desc())
    ).first()
    if group is None:
        raise Refused("Học sinh chưa được xếp lớp. Hãy xếp lớp rồi in giấy xác nhận.")
    day = (now + _VIET_NAM).date()
    proof = ProofOfStudy(
        school=school.name,
        address=school.address,
        phone=school.phone,
        pupil=pupil.full_name,
        born=pupil.birth_date,
        pupil_code=_codes(session, {pupil.id}).get(pupil.id, ""),
        class_name=group,
        school_year=enrolment.school_year,
        since=enrolment.started_on,
        until=enrolment.ended_on,
        issued_on=day,
        number=f"XN{day:%y%m%d}-{str(enrolment.id)[-4:].upper()}",
    )
    deed = Deed(school_id, "claim.proof_of_study", "enrolment", str(enrolment_id))
    record_deed(session, actor, deed, now, number=proof.number)
    return pupil.full_name, proof_of_study_pdf(proof)
