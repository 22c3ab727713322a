"""Nobody decides about money of the own family: the one question that every act of a person asks first.

Of a person's family are the children that she declared or that another entered for her, the children of a guardian who
has her own phone number or e-mail, and their brothers and sisters by a guardian in common (docs/decisions/0027). A
number that is no longer in use still counts: it is better that a colleague does it once too often.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import OwnFamily
from billing.people.kinship_tables import OwnChild, StaffContact
from billing.people.tables import Contact, Guardianship, Pupil, PupilCode
from billing.storage import among


def refuse_own_family(session: Session, actor: Actor, school_id: UUID, pupils: Collection[UUID]) -> None:
    """Raise ``OwnFamily`` when one of the pupils is of the actor's own family; the system has none.

    The error carries what is to be recorded; whoever rolls the act back records it (``service/pages/faults.py``).
    """
    if actor.user_id is None or not pupils:
        return
    own = own_family(session, actor.user_id).intersection(pupils)
    if own:
        names = session.exec(select(Pupil.full_name).where(among(Pupil.id, own)).order_by(col(Pupil.full_name))).all()
        raise OwnFamily(
            f"Trong việc này có con em trong nhà của bạn: {', '.join(names)}. Bạn không được lập, khớp, hoàn hay "
            "duyệt. Hãy nhờ đồng nghiệp khác làm, hoặc bỏ em đó khỏi danh sách.",
            school=school_id,
            user=actor.user_id,
            pupils=tuple(sorted(own)),
        )


def refuse_askers_family(
    session: Session, asked_by: Collection[UUID | None], school_id: UUID, pupils: Collection[UUID]
) -> None:
    """Raise ``OwnFamily`` when one of the pupils is of the family of somebody who asked, also if declared since.

    Whoever would agree reads the children's codes: names of a colleague's children are that colleague's.
    """
    if not pupils:
        return
    for asker in sorted(each for each in set(asked_by) if each is not None):
        own = own_family(session, asker).intersection(pupils)
        if own:
            codes = session.exec(select(PupilCode.code).where(among(PupilCode.pupil_id, own)).distinct()).all()
            raise OwnFamily(
                f"Trong việc này có con em trong nhà của người đề nghị (mã {', '.join(sorted(codes))}), khai trước "
                "hoặc sau khi đề nghị, nên không ai duyệt được. Hãy không đồng ý, rồi để đồng nghiệp khác đề nghị lại.",
                school=school_id,
                user=asker,
                pupils=tuple(sorted(own)),
            )


def own_family(session: Session, user_id: UUID) -> frozenset[UUID]:
    """Return the pupils of a person's family, as far as the session sees pupils (its schools)."""
    named = set(
        session.exec(
            select(OwnChild.pupil_id).where(OwnChild.user_id == user_id, col(OwnChild.ended_at).is_(None))
        ).all()
    )
    guardians = set(
        session.exec(
            select(Contact.guardian_id)
            .join(
                StaffContact,
                and_(col(StaffContact.kind) == col(Contact.kind), col(StaffContact.blind) == col(Contact.blind)),
            )
            .where(StaffContact.user_id == user_id, col(StaffContact.ended_at).is_(None))
        ).all()
    )
    if named:
        guardians.update(
            session.exec(select(Guardianship.guardian_id).where(col(Guardianship.pupil_id).in_(named))).all()
        )
    if guardians:
        named.update(
            session.exec(select(Guardianship.pupil_id).where(col(Guardianship.guardian_id).in_(guardians))).all()
        )
    return frozenset(named)
