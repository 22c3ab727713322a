"""Declaring who is of whose family: by oneself or for a colleague; taking it away is for another person only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.people.cells import CellError
from billing.people.contact_sheet import LONGEST_EMAIL, email_from, phone_from
from billing.people.imported import name_key
from billing.people.kinship_tables import OwnChild, StaffContact
from billing.people.reaching import masked_contact
from billing.people.tables import Enrolment, Pupil, PupilCode
from billing.vault import Vault
from billing.visible import is_blank


@dataclass(frozen=True, slots=True)
class Named:
    """A child as it is told: its code, and its full name as proof of knowing it."""

    code: str
    full_name: str


def declare_child(  # noqa: PLR0913, PLR0917  who says it of whom, where, when
    session: Session, actor: Actor, school_id: UUID, user_id: UUID, child: Named, now: datetime
) -> OwnChild:
    """Write down that a pupil of the school is of a person's family.

    Raises ``NotFound`` unless code and name belong to one pupil of the school, ``Conflict`` when it is known.
    """
    pupil_id = _pupil(session, school_id, child)
    if _live_child(session, school_id, user_id, pupil_id):
        raise Conflict("Em này đã được khai là con em trong nhà rồi.")
    row = OwnChild(school_id=school_id, user_id=user_id, pupil_id=pupil_id, made_by=_person(actor), at=now)
    session.add(row)
    session.flush()
    deed = Deed(school_id, "family.declare_child", "user", str(user_id))
    record_deed(session, actor, deed, now, pupil=str(pupil_id))
    return row


def declare_contact(  # noqa: PLR0913, PLR0917  who says it of whom, where, when
    session: Session, vault: Vault, actor: Actor, school_id: UUID, user_id: UUID, text: str, now: datetime
) -> StaffContact:
    """Write down a person's own phone number or e-mail; ``school_id``: where the deed is recorded.

    Raises ``Refused`` for what is neither, ``Conflict`` when it is known.
    """
    kind, value = _way(text)
    blind = vault.blind(value, f"contacts.{kind}")
    live = select(StaffContact.id).where(
        StaffContact.user_id == user_id,
        StaffContact.kind == kind,
        StaffContact.blind == blind,
        col(StaffContact.ended_at).is_(None),
    )
    if session.exec(live).first() is not None:
        raise Conflict("Số hoặc địa chỉ này đã được khai rồi.")
    row = StaffContact(
        user_id=user_id, kind=kind, blind=blind, masked=masked_contact(kind, value), made_by=_person(actor), at=now
    )
    session.add(row)
    session.flush()
    record_deed(session, actor, Deed(school_id, "family.declare_contact", "user", str(user_id)), now, way=row.masked)
    return row


def end_child(  # noqa: PLR0913, PLR0917  who takes what away, why
    session: Session, actor: Actor, school_id: UUID, child_id: UUID, reason: str, now: datetime
) -> None:
    """Take back that a pupil is of a person's family; another person does it, with a reason.

    Raises ``NotFound``, ``Conflict`` when it is done already, ``SamePerson`` for the person herself, ``Refused``.
    """
    row = session.exec(
        select(OwnChild).where(OwnChild.school_id == school_id, OwnChild.id == child_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Trường không có lời khai này.")
    _end(row, actor, reason, now)
    session.add(row)
    session.flush()
    deed = Deed(school_id, "family.end_child", "user", str(row.user_id), reason.strip())
    record_deed(session, actor, deed, now, pupil=str(row.pupil_id))


def end_contact(  # noqa: PLR0913, PLR0917  who takes what away, why
    session: Session, actor: Actor, school_id: UUID, contact_id: UUID, reason: str, now: datetime
) -> None:
    """Take back that a number is a person's own; raises as ``end_child``. The caller knows whose place it is."""
    row = session.exec(select(StaffContact).where(StaffContact.id == contact_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("Không có lời khai này.")
    _end(row, actor, reason, now)
    session.add(row)
    session.flush()
    deed = Deed(school_id, "family.end_contact", "user", str(row.user_id), reason.strip())
    record_deed(session, actor, deed, now, way=row.masked)


def children_of(session: Session, school_id: UUID, user_id: UUID) -> list[OwnChild]:
    """Return the children that stand declared for a person at a school, in the order declared."""
    rows = select(OwnChild).where(
        OwnChild.school_id == school_id, OwnChild.user_id == user_id, col(OwnChild.ended_at).is_(None)
    )
    return list(session.exec(rows.order_by(col(OwnChild.at))).all())


def contacts_of(session: Session, user_id: UUID) -> list[StaffContact]:
    """Return the numbers and addresses that stand declared for a person."""
    rows = select(StaffContact).where(StaffContact.user_id == user_id, col(StaffContact.ended_at).is_(None))
    return list(session.exec(rows.order_by(col(StaffContact.at))).all())


def _end(row: OwnChild | StaffContact, actor: Actor, reason: str, now: datetime) -> None:
    if row.ended_at is not None:
        raise Conflict("Lời khai này đã được thôi rồi.")
    if row.user_id == actor.user_id:
        raise SamePerson("Không ai tự thôi lời khai về người nhà của mình. Hãy nhờ người khác ở trường.")
    if is_blank(reason):
        raise Refused("Hãy ghi lý do thôi lời khai.")
    row.ended_by, row.ended_at, row.end_reason = _person(actor), now, reason.strip()


def _pupil(session: Session, school_id: UUID, child: Named) -> UUID:
    here = select(Enrolment.pupil_id).where(Enrolment.school_id == school_id)
    found = session.exec(
        select(Pupil)
        .join(PupilCode, col(PupilCode.pupil_id) == col(Pupil.id))
        .where(PupilCode.code == child.code.strip(), col(Pupil.id).in_(here))
    ).first()
    if found is None or name_key(found.full_name) != name_key(child.full_name):
        raise NotFound("Trường không có học sinh nào có đúng mã và họ tên này.")
    return found.id


def _live_child(session: Session, school_id: UUID, user_id: UUID, pupil_id: UUID) -> bool:
    return any(row.pupil_id == pupil_id for row in children_of(session, school_id, user_id))


def _way(text: str) -> tuple[str, str]:
    """Return kind and value of what was typed, as contacts of guardians are kept."""
    try:
        return ("email", email_from(text[:LONGEST_EMAIL])) if "@" in text else ("phone", phone_from(text.strip()))
    except CellError as error:
        raise Refused(f"{error.reason} {error.remedy}") from error


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ValueError("a person declares")
    return actor.user_id
