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
from billing.people.tables import Contact, Guardianship


def refuse_own_family(session: Session, actor: Actor, school_id: UUID, pupils: Collection[UUID]) -> None:
    """Raise ``OwnFamily`` when one of the pupils is of the actor's own family; the system has none.

    The error carries what is to be recorded; whoever rolls the act back records it (``service/pages/faults.py``).
    """
    if actor.user_id is None or not pupils:
        return
    own = own_family(session, actor.user_id).intersection(pupils)
    if own:
        raise OwnFamily(
            "Trong việc này có con em trong nhà của bạn, nên bạn không được lập, khớp, hoàn hay duyệt. "
            "Hãy nhờ đồng nghiệp khác làm, hoặc bỏ em đó khỏi danh sách.",
            school=school_id,
            user=actor.user_id,
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
