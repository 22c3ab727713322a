"""Who may get learning-cost support: class, basis, evidence, dates; one person enters it, another approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.claims.tables import Entitlement
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.fees.council_rates import EntitlementClass, national_rates
from billing.fees.items import Span
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.people.tables import Enrolment
from billing.visible import is_blank


@dataclass(frozen=True, slots=True)
class NewEntitlement:
    """What an accountant enters: whose, of which class, the paper that proves it, from when to when."""

    enrolment_id: UUID
    class_code: str
    evidence: str
    valid_from: date
    valid_to: date | None = None


def entitle(session: Session, school_id: UUID, actor: Actor, new: NewEntitlement, now: datetime) -> Entitlement:
    """Write down a pupil's right; it counts once another person has approved it.

    Raises ``NotFound`` for a pupil of another school, ``Refused`` for an unknown class, a missing paper or bad dates,
    ``OwnFamily``.
    """
    if actor.user_id is None:
        raise NotAllowed("Đối tượng hỗ trợ phải do một người có tên ghi và duyệt.")
    kind = entitlement_class(new.class_code)
    Span(new.valid_from, new.valid_to)  # refuses an end before the beginning
    if is_blank(new.evidence):
        raise Refused("Hãy ghi giấy tờ chứng minh (tên, số, ngày, nơi cấp).")
    enrolled = select(Enrolment.pupil_id).where(Enrolment.school_id == school_id, Enrolment.id == new.enrolment_id)
    pupil_id = session.exec(enrolled).first()
    if pupil_id is None:
        raise NotFound("Trường không có học sinh này.", enrolment=new.enrolment_id)
    refuse_own_family(session, actor, school_id, {pupil_id})
    made = Entitlement(
        school_id=school_id,
        enrolment_id=new.enrolment_id,
        class_code=kind.code,
        title=kind.title,
        legal_basis=kind.legal_basis,
        evidence=new.evidence.strip(),
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        made_by=actor.user_id,
        made_at=now,
    )
    session.add(made)
    session.flush()
    record_deed(session, actor, _deed(made, "entitlement.enter"), now, since=str(made.valid_from))
    return made


def approve_entitlement(session: Session, entitlement_id: UUID, actor: Actor, now: datetime) -> Entitlement:
    """Approve a right; raises ``SamePerson`` for whoever entered it, ``OwnFamily``, ``Conflict`` when that is done."""
    found = find_entitlement(session, entitlement_id)
    if found.approved_at is not None or found.withdrawn_at is not None:
        raise Conflict("Đối tượng này đã được duyệt hoặc đã bỏ.")
    pupil_id = session.exec(
        select(Enrolment.pupil_id).where(Enrolment.school_id == found.school_id, Enrolment.id == found.enrolment_id)
    ).one()
    own_word = "Người ghi đối tượng không được tự duyệt. Hãy nhờ người duyệt khác."
    approver = second_person(session, actor, Agreement(found.school_id, {found.made_by}, {pupil_id}, own_word))
    found.approved_by, found.approved_at = approver, now
    return _keep(session, found, actor, now, "entitlement.approve")


def end_entitlement(  # noqa: PLR0913, PLR0917  who ends what, when and why
    session: Session, entitlement_id: UUID, actor: Actor, last_day: date, reason: str, now: datetime
) -> Entitlement:
    """Let a right end on a day (the family is no longer poor); one not yet approved is dropped instead.

    What was claimed for later months is taken back by the next claim of its instalment.
    """
    found = find_entitlement(session, entitlement_id)
    if found.withdrawn_at is not None:
        raise Conflict("Đối tượng này đã bỏ.")
    if is_blank(reason):
        raise Refused("Hãy ghi lý do.")
    if found.approved_at is None:
        found.withdrawn_at = now
        return _keep(session, found, actor, now, "entitlement.withdraw", reason)
    Span(found.valid_from, last_day)  # refuses an end before the beginning
    found.valid_to = last_day
    return _keep(session, found, actor, now, "entitlement.end", reason)


def find_entitlement(session: Session, entitlement_id: UUID) -> Entitlement:
    """Return a right as it stands; raises ``NotFound`` outside what the caller may see."""
    found = session.exec(select(Entitlement).where(Entitlement.id == entitlement_id)).one_or_none()
    if found is None:
        raise NotFound("Không có đối tượng này.", entitlement=entitlement_id)
    return found


def entitlements_of(session: Session, school_id: UUID) -> Sequence[Entitlement]:
    """Return a school's entitlements that were not dropped, newest first."""
    return session.exec(
        select(Entitlement)
        .where(Entitlement.school_id == school_id, col(Entitlement.withdrawn_at).is_(None))
        .order_by(col(Entitlement.made_at).desc(), col(Entitlement.id))
    ).all()


def entitlement_class(code: str) -> EntitlementClass:
    """Return a class of the national file by its code; raises ``Refused`` for any other."""
    for each in national_rates().entitlements:
        if each.code == code:
            return each
    raise Refused("Hãy chọn một đối tượng trong danh sách.", code=code)


def _keep(  # noqa: PLR0913, PLR0917  one deed and its reason
    session: Session, row: Entitlement, actor: Actor, now: datetime, action: str, reason: str = ""
) -> Entitlement:
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên làm.")
    session.add(row)
    session.flush()
    record_deed(session, actor, _deed(row, action, reason), now, until=str(row.valid_to or ""))
    return row


def _deed(row: Entitlement, action: str, reason: str = "") -> Deed:
    return Deed(row.school_id, action, "entitlement", str(row.id), reason)
